import { Component, onMounted, onWillUnmount, status, xml } from "@odoo/owl";
import { browser } from "@web/core/browser/browser";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { standardWidgetProps } from "@web/views/widgets/standard_widget_props";

const PAUSE = 1000;

/** Goes on with a calculation that no scheduled action takes up, for as long as it is shown. */
export class CustomerCostSetupWork extends Component {
    static template = xml`<span class="d-none"/>`;
    static props = { ...standardWidgetProps };

    setup() {
        this.orm = useService("orm");
        onMounted(() => this.schedule());
        onWillUnmount(() => browser.clearTimeout(this.timer));
    }

    schedule() {
        this.timer = browser.setTimeout(() => this.work(), PAUSE);
    }

    async work() {
        const { record } = this.props;
        await this.orm.call(record.resModel, "action_continue", [[record.resId]]);
        await record.load();
        if (status(this) === "mounted") {
            this.schedule();
        }
    }
}

registry
    .category("view_widgets")
    .add("customer_cost_setup_work", { component: CustomerCostSetupWork });
