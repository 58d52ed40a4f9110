import { registry } from "@web/core/registry";
import { Many2OneField, buildM2OFieldDescription } from "@web/views/fields/many2one/many2one_field";

/** The cost item of a budget line; where there is none, the placeholder says what that means. */
export class CustomerCostBudgetItem extends Many2OneField {
    static template = "customer_cost.BudgetItem";
}

registry.category("fields").add("customer_cost_budget_item", {
    ...buildM2OFieldDescription(CustomerCostBudgetItem),
});
