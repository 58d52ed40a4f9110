import { registry } from "@web/core/registry";

/** A manager looks at whom a rule would alert, and switches it on. */
registry.category("web_tour.tours").add("customer_cost_alert_rule", {
    steps: () => [
        {
            content: "Look at whom it would alert",
            trigger: "button[name=action_preview]:not(.d-none)",
            run: "click",
        },
        {
            content: "The customer that loses money is in the preview",
            trigger: ".o_list_view .o_data_cell:contains('Cost Customer A')",
        },
        {
            content: "Back to the rule",
            trigger: ".breadcrumb-item.o_back_button a, .o_breadcrumb .o_back_button",
            run: "click",
        },
        {
            content: "Switch it on",
            trigger: "button[name=action_switch_on]",
            run: "click",
        },
        {
            trigger: ".o_arrow_button_current[data-value=on]",
        },
        {
            content: "Check it now",
            trigger: "button[name=action_check]",
            run: "click",
        },
        {
            trigger: "button[name=action_open_alerts] .o_stat_value:contains('1')",
        },
    ],
});

/** The sales rep takes the alert on and resolves it with a note. */
registry.category("web_tour.tours").add("customer_cost_alert_resolve", {
    steps: () => [
        {
            content: "Open the alert",
            trigger: ".o_list_view .o_data_cell:contains('Cost Customer A')",
            run: "click",
        },
        {
            content: "Acknowledge it",
            trigger: "button[name=action_acknowledge]",
            run: "click",
        },
        {
            trigger: ".o_arrow_button_current[data-value=acknowledged]",
        },
        {
            content: "Resolve it",
            trigger: "button[name=action_resolve].btn-primary",
            run: "click",
        },
        {
            content: "Say what was done",
            trigger: ".modal [name=note] textarea",
            run: "edit Minimum order agreed on",
        },
        {
            trigger: ".modal button[name=action_confirm]",
            run: "click",
        },
        {
            trigger: ".o_arrow_button_current[data-value=resolved]",
        },
    ],
});
