import { Component } from "@odoo/owl";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { formatMonetary } from "@web/views/fields/formatters";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

/** A bar per budget of this year: what is used, committed and left. */
export class CustomerCostBudget extends Component {
    static template = "customer_cost.CustomerCostBudget";
    static props = { ...standardFieldProps };

    setup() {
        this.action = useService("action");
    }

    get budgets() {
        return this.props.record.data[this.props.name] || [];
    }

    format(budget, name) {
        return formatMonetary(budget[name], { currencyId: budget.currency_id });
    }

    open(budget) {
        this.action.doAction("customer_cost.customer_cost_budget_report_action", {
            additionalContext: { search_default_budget_id: budget.id },
        });
    }
}

registry.category("fields").add("customer_cost_budget", {
    component: CustomerCostBudget,
    supportedTypes: ["json"],
});
