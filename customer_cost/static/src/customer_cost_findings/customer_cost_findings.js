import { Component } from "@odoo/owl";
import { registry } from "@web/core/registry";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

const CLASSES = { warn: "alert-warning", review: "alert-info", block: "alert-danger" };

/** What policies, budgets and limits say of a cost, each on its own line in its colour. */
export class CustomerCostFindings extends Component {
    static template = "customer_cost.CustomerCostFindings";
    static props = { ...standardFieldProps };

    get findings() {
        return this.props.record.data[this.props.name] || [];
    }

    getClass(finding) {
        return CLASSES[finding.level];
    }
}

registry.category("fields").add("customer_cost_findings", {
    component: CustomerCostFindings,
    supportedTypes: ["json"],
});
