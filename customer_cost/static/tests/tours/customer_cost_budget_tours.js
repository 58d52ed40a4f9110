import { registry } from "@web/core/registry";
import { stepUtils } from "@web_tour/tour_utils";
import { pick } from "@customer_cost/../tests/tours/customer_cost_tour_steps";

/** A rep types a cost over the budget, is told while typing, reduces it and submits it. */
registry.category("web_tour.tours").add("customer_cost_budget_reduce", {
    steps: () => [
        {
            content: "Say what it is",
            trigger: ".o_field_widget[name=description] input",
            run: "edit Trade fair",
        },
        ...pick("customer_id", "Cost Customer A"),
        ...pick("item_id", "Test travel"),
        {
            content: "An amount over the budget",
            trigger: ".o_field_widget[name=amount] input",
            run: "edit 1500 && press Tab",
        },
        {
            content: "The budget is named with its figures before anything is saved",
            trigger: ".alert-danger:contains('exceeded by'):contains('300.00')",
        },
        ...stepUtils.saveForm(),
        {
            content: "Ask what can be done",
            trigger: "button[name=action_open_remedies]",
            run: "click",
        },
        {
            content: "Reducing it is proposed with the amount that is left",
            trigger: ".modal .o_field_widget[name=room]:contains('1,200.00')",
        },
        {
            trigger: ".modal button[name=action_apply]",
            run: "click",
        },
        {
            content: "The cost is within its budget",
            trigger: ".o_form_view:not(:has(.alert-danger)) .o_field_widget[name=amount]",
        },
        {
            trigger: "button[name=action_submit]",
            run: "click",
        },
        {
            trigger: ".o_arrow_button_current[data-value=submitted]",
        },
    ],
});

/** A manager lets a cost pass its budget, with a reason that stays on it. */
registry.category("web_tour.tours").add("customer_cost_budget_override", {
    steps: () => [
        {
            trigger: ".alert-danger:contains('exceeded by')",
        },
        {
            trigger: "button[name=action_open_remedies]",
            run: "click",
        },
        {
            content: "Allow it",
            trigger: ".modal input[type=radio][data-value=override]",
            run: "click",
        },
        {
            trigger: ".modal .o_field_widget[name=reason] textarea",
            run: "edit Key account",
        },
        {
            trigger: ".modal button[name=action_apply]",
            run: "click",
        },
        {
            content: "It says who allowed it",
            trigger: ".alert-warning:contains('Allowed by cost_manager: Key account')",
        },
        {
            trigger: "button[name=action_submit]",
            run: "click",
        },
        {
            trigger: ".o_arrow_button_current[data-value=submitted]",
        },
    ],
});
