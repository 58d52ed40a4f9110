import { registry } from "@web/core/registry";

/** From the counter to the queue: tick, approve, and go on with the next one. */
registry.category("web_tour.tours").add("customer_cost_review_queue", {
    steps: () => [
        {
            content: "Open what awaits me",
            trigger: ".o_customer_cost_review_counter button:contains('4')",
            run: "click",
        },
        {
            content: "The cost that is due stands first",
            trigger: ".o_data_row:first-child td:contains('Tour trade fair')",
            run: "click",
        },
        {
            content: "The figures of the customer stand beside the cost",
            trigger: ".o_customer_cost_review:contains('Direct margin')",
        },
        {
            content: "Tick the checklist",
            trigger: "[name=review_check_ids] button[name=action_tick]",
            run: "click",
        },
        {
            trigger: "[name=review_check_ids] .fa-check-square-o",
        },
        {
            content: "Approve and go on",
            trigger: "button[name=action_approve_next]",
            run: "click",
        },
        {
            content: "The next one is open",
            trigger: "[name=description]:contains('Tour gift')",
        },
        {
            content: "Approve it as well",
            trigger: "button[name=action_approve_next]",
            run: "click",
        },
        {
            trigger: "[name=description]:contains('Tour dinner')",
        },
        {
            trigger: "button[name=action_approve_next]",
            run: "click",
        },
        {
            content: "Nothing else may be decided by this reviewer: the cost stays open",
            trigger: ".o_arrow_button_current[data-value=approved]",
        },
        {
            content: "What one spent oneself is still there",
            trigger: ".o_customer_cost_review_counter button:contains('1')",
        },
    ],
});
