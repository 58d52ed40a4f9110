import { registry } from "@web/core/registry";
import { stepUtils } from "@web_tour/tour_utils";
import { pick } from "@customer_cost/../tests/tours/customer_cost_tour_steps";

const { DateTime } = luxon;

/** A vendor bill whose line names the customer that the cost serves. */
registry.category("web_tour.tours").add("customer_cost_post_bill", {
    steps: () => [
        ...pick("partner_id", "Tour Travel Agency"),
        {
            content: "Set the bill date",
            trigger: "[name=invoice_date] .o_input, [name=invoice_date] button",
            run: "click",
        },
        {
            trigger: "input[data-field=invoice_date]",
            run: `edit ${DateTime.now().toFormat("MM/dd/yyyy")} && press Enter`,
        },
        {
            content: "Add a line",
            trigger: "div[name=invoice_line_ids] .o_field_x2many_list_row_add a",
            run: "click",
        },
        {
            trigger:
                "div[name=invoice_line_ids] .o_selected_row div[name=name] :is(input, textarea)",
            run: "edit Flight to the customer",
        },
        ...pick("cost_customer_id", "Tour Customer"),
        {
            trigger: "div[name=invoice_line_ids] .o_selected_row div[name=price_unit] input",
            run: "edit 250 && press Tab",
        },
        ...stepUtils.saveForm(),
        {
            content: "Post the bill",
            trigger: "button[name=action_post]",
            run: "click",
        },
        {
            trigger: ".o_arrow_button_current[data-value=posted]",
        },
    ],
});

/** A cost that will never be booked, recorded and handed to the reviewers. */
registry.category("web_tour.tours").add("customer_cost_record", {
    steps: () => [
        {
            content: "Describe the cost",
            trigger: "[name=description] input",
            run: "edit Gift from own stock",
        },
        ...pick("customer_id", "Tour Customer"),
        ...pick("item_id", "Tour gifts"),
        {
            trigger: "[name=amount] input",
            run: "edit 80.50",
        },
        ...stepUtils.saveForm(),
        {
            content: "Submit it",
            trigger: "button[name=action_submit]",
            run: "click",
        },
        {
            trigger: ".o_arrow_button_current[data-value=submitted]",
        },
        {
            content: "The author is offered no approval",
            trigger: "body:not(:has(button[name=action_approve_next]))",
        },
    ],
});

/** Another person approves what was submitted. */
registry.category("web_tour.tours").add("customer_cost_approve", {
    steps: () => [
        {
            content: "Open the cost that waits",
            trigger: ".o_data_row td:contains('Gift from own stock')",
            run: "click",
        },
        {
            content: "Approve it",
            trigger: "button[name=action_approve_next]",
            run: "click",
        },
        {
            trigger: ".o_arrow_button_current[data-value=approved]",
        },
    ],
});

/** A run of the month: compute, look, post. */
registry.category("web_tour.tours").add("customer_cost_run", {
    steps: () => [
        {
            content: "Save the run of the month proposed",
            trigger: ".o_form_view [name=date]",
        },
        ...stepUtils.saveForm(),
        {
            content: "Compute",
            trigger: "button[name=action_compute_checked]:contains('Compute')",
            run: "click",
        },
        {
            content: "The step sent the whole pool",
            trigger: "[name=step_ids] .o_data_row td[name=received]:contains('100.01')",
        },
        {
            content: "Post",
            trigger: "button[name=action_post]",
            run: "click",
        },
        {
            trigger: ".o_arrow_button_current[data-value=posted]",
        },
    ],
});

/** The customer form: figures, then the explanation of an allocated amount. */
registry.category("web_tour.tours").add("customer_cost_explain", {
    steps: () => [
        {
            content: "Open the tab",
            trigger: "a[name=customer_cost]",
            run: "click",
        },
        {
            content: "Direct cost: the bill and the approved cost",
            trigger: "[name=customer_cost_figures] tr:contains('Direct Cost'):contains('330.50')",
        },
        {
            content: "Open the allocated cost of the last 12 months",
            trigger:
                "[name=customer_cost_figures] tr:contains('Allocated Cost') button:contains('66.67')",
            run: "click",
        },
        {
            content: "Open the amount",
            trigger: ".o_list_view .o_data_row td[name=amount]:contains('66.67')",
            run: "click",
        },
        {
            content: "Pool times quantity over total",
            trigger:
                ".modal .o_customer_cost_explanation:contains('100.01'):contains('1,000.00'):contains('1,500.00')",
        },
        {
            trigger: ".modal .o_customer_cost_explanation [name=rule_name]:contains('Tour rule')",
        },
        {
            content: "Go to the costs behind the pool",
            trigger: ".modal button[name=action_open_pool_lines]",
            run: "click",
        },
        {
            trigger: ".o_list_view .o_data_row td[name=amount]:contains('100.01')",
        },
    ],
});

registry.category("web_tour.tours").add("customer_cost_tie_out", {
    steps: () => [
        {
            content: "The month before",
            trigger: ".o_customer_cost_tie_out_period button:contains('Month')",
            run: "click",
        },
        {
            trigger: ".o_customer_cost_tie_out_period button.active:contains('Month')",
        },
        {
            content: "Back to last month",
            trigger: ".o_customer_cost_tie_out_previous",
            run: "click",
        },
        {
            content: "Everything is 0.00",
            trigger: ".o_customer_cost_tie_out_status.alert-success:contains('Tied out')",
        },
        {
            content: "Open the cost captured from the account",
            trigger:
                ".o_customer_cost_tie_out_accounts tr:contains('Advertising') td:nth-child(5) button:contains('-100.01')",
            run: "click",
        },
        {
            content: "The ledger line behind it",
            trigger: ".o_list_view .o_data_row td[name=amount]:contains('100.01')",
        },
        {
            content: "Back again",
            trigger: ".o_breadcrumb .breadcrumb-item a:contains('Tie-out'), .o_back_button",
            run: "click",
        },
        {
            content: "The same month is shown",
            trigger:
                ".o_customer_cost_tie_out_accounts tr:contains('Advertising') td:contains('-100.01')",
        },
        {
            trigger: ".o_customer_cost_tie_out_period button.active:contains('Month')",
        },
    ],
});
