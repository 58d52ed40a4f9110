import { Component, onMounted, onWillUnmount, xml } from "@odoo/owl";
import { registry } from "@web/core/registry";
import { standardWidgetProps } from "@web/views/widgets/standard_widget_props";

const INTERVAL = 3000;

/** Reads the form's record again every few seconds, for as long as it is shown. */
export class CustomerCostPoll extends Component {
    static template = xml`<span class="d-none"/>`;
    static props = { ...standardWidgetProps };

    setup() {
        let timer;
        onMounted(() => {
            timer = setInterval(() => this.reload(), INTERVAL);
        });
        onWillUnmount(() => clearInterval(timer));
    }

    async reload() {
        const { record } = this.props;
        if (!(await record.isDirty())) {
            await record.load();
        }
    }
}

registry.category("view_widgets").add("customer_cost_poll", { component: CustomerCostPoll });
