import { registry } from "@web/core/registry";
import { stepUtils } from "@web_tour/tour_utils";
import { pick } from "@customer_cost/../tests/tours/customer_cost_tour_steps";

/** A rep asks for money to be spent on a customer, reads the policy and submits. */
registry.category("web_tour.tours").add("customer_cost_request", {
    steps: () => [
        {
            content: "Open the tab",
            trigger: "a[name=customer_cost]",
            run: "click",
        },
        {
            content: "Ask for money",
            trigger: "button[name=action_new_cost_request]",
            run: "click",
        },
        {
            content: "The customer is filled in",
            trigger: ".o_field_widget[name=customer_id] input:value(Cost Customer A)",
        },
        {
            content: "The company's policy is on the form",
            trigger: "[name=policy_text]:contains('Ask before you spend.')",
        },
        {
            content: "Say what for",
            trigger: "[name=description] input",
            run: "edit Stand at the fair",
        },
        ...pick("item_id", "Tour fair"),
        ...pick("vendor_id", "Tour Fair Services"),
        {
            trigger: "[name=amount] input",
            run: "edit 750",
        },
        {
            content: "So is the rule of the item",
            trigger: "[name=policy_text]:contains('Attach the offer.')",
        },
        {
            content: "A receipt could be attached here",
            trigger: "[name=receipt_ids] .o_attach",
        },
        ...stepUtils.saveForm(),
        {
            content: "Submit without a receipt",
            trigger: "button[name=action_submit]",
            run: "click",
        },
        {
            trigger: ".o_arrow_button_current[data-value=submitted]",
        },
        {
            content: "What the request does not keep is listed",
            trigger: "a[name=breaches]",
            run: "click",
        },
        {
            trigger: "[name=breach_ids] .o_data_row:contains('A receipt is required above')",
        },
    ],
});

/** The accountant makes the bill of the approved request. */
registry.category("web_tour.tours").add("customer_cost_request_bill", {
    steps: () => [
        {
            content: "The request is open",
            trigger: "[name=settlement_state]:contains('Open')",
        },
        {
            content: "Make its bill",
            trigger: "button[name=action_create_bill]",
            run: "click",
        },
        {
            content: "The bill has vendor, customer and the open amount",
            trigger:
                "[name=invoice_line_ids] .o_data_row:contains('Cost Customer A'):contains('750.00')",
        },
        {
            trigger: ".o_field_widget[name=partner_id] input:value(Tour Fair Services)",
        },
    ],
});
