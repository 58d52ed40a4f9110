import { Component, onWillStart, onWillUnmount, useState } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { rpcBus } from "@web/core/network/rpc";
import { registry } from "@web/core/registry";
import { user } from "@web/core/user";
import { useBus, useService } from "@web/core/utils/hooks";

const INTERVAL = 5 * 60 * 1000;
/** Models whose buttons decide on what awaits somebody. */
const DECIDED_BY = [
    "account.move",
    "customer.cost.approve",
    "customer.cost.entry",
    "customer.cost.refuse",
];
const GROUP = "customer_cost.group_customer_cost_reviewer";

/** How many costs and bills await my decision; a click opens the queue. */
export class CustomerCostReviewCounter extends Component {
    static template = "customer_cost.ReviewCounter";
    static props = {};

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.state = useState({ visible: false, costs: 0, bills: 0, late: 0 });
        let timer;
        onWillStart(async () => {
            this.state.visible = await user.hasGroup(GROUP);
            if (this.state.visible) {
                this.refresh();
                timer = setInterval(() => this.refresh(), INTERVAL);
            }
        });
        onWillUnmount(() => clearInterval(timer));
        useBus(this.env.bus, "ACTION_MANAGER:UI-UPDATED", () => this.refresh());
        useBus(rpcBus, "RPC:RESPONSE", ({ detail }) => {
            const { model, method } = detail.data.params || {};
            if (DECIDED_BY.includes(model) && method.startsWith("action_")) {
                this.refresh();
            }
        });
    }

    get total() {
        return this.state.costs + this.state.bills;
    }

    get title() {
        return this.state.late
            ? _t("%(total)s await your review, %(late)s overdue", {
                  total: this.total,
                  late: this.state.late,
              })
            : _t("%(total)s await your review", { total: this.total });
    }

    async refresh() {
        if (!this.state.visible) {
            return;
        }
        const counts = await this.orm.silent.call("customer.cost.review", "get_waiting_counts", []);
        Object.assign(this.state, counts);
    }

    open() {
        const name =
            this.state.bills && !this.state.costs
                ? "account_move_review_action"
                : "customer_cost_entry_review_action";
        this.action.doAction(`customer_cost.${name}`, { clearBreadcrumbs: true });
    }
}

registry
    .category("systray")
    .add("customer_cost.ReviewCounter", { Component: CustomerCostReviewCounter }, { sequence: 30 });
