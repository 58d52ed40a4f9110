import { rpc } from "@web/core/network/rpc";
import { registry } from "@web/core/registry";
import { user } from "@web/core/user";

const FIGURES = ["net_sales", "gross_margin", "profit", "full_profit"];

/** Sums of the profitability report over the last 12 months, as the tour's user reads them. */
async function readReport() {
    const overview = await rpc("/web/dataset/call_kw", {
        model: "customer.cost.overview",
        method: "get_overview",
        args: [],
        kwargs: {},
    });
    const { from, to } = overview.period;
    const [sums] = await rpc("/web/dataset/call_kw", {
        model: "customer.cost.profitability",
        method: "formatted_read_group",
        args: [
            [
                ["company_id", "=", user.activeCompany.id],
                ["month", ">=", from],
                ["month", "<=", to],
            ],
            [],
            FIGURES.map((name) => `${name}:sum`),
        ],
        kwargs: {},
    });
    return Object.fromEntries(FIGURES.map((name) => [name, sums[`${name}:sum`]]));
}

function readShown(name) {
    const cell = document.querySelector(`.o_customer_cost_ladder tr[data-key=${name}] td button`);
    return Number(cell.textContent.replace(/[^0-9.-]/g, ""));
}

/** From posted books to the first ladder: five clicks, each on the primary button. */
registry.category("web_tour.tours").add("customer_cost_five_clicks", {
    steps: () => [
        {
            content: "Count the clicks",
            trigger: ".o_customer_cost_overview",
            run() {
                window.customerCostClicks = 0;
                document.addEventListener("click", () => window.customerCostClicks++, true);
            },
        },
        {
            content: "The empty home screen says what to do",
            trigger: ".o_customer_cost_overview .o_customer_cost_open_setup:contains('Set Up')",
            run: "click",
        },
        {
            content: "The accounts add up to the profit and loss",
            timeout: 60000,
            trigger: ".o_form_view div[name=difference]:contains(/^\\$ 0\\.00$/)",
        },
        {
            trigger: "button[name=action_accept_accounts].btn-primary",
            run: "click",
        },
        {
            content: "The months are previewed",
            timeout: 60000,
            trigger: ".o_form_view div[name=item_count]:not(:contains(/^0$/))",
        },
        {
            trigger: "button[name=action_accept_months].btn-primary",
            run: "click",
        },
        {
            trigger: "button[name=action_calculate].btn-primary",
            run: "click",
        },
        ...["[0-3]?\\d", "[0-2]?\\d", "1?\\d", "\\d"].map((left) => ({
            content: `Steps left: ${left}`,
            timeout: 60000,
            trigger: `.o_form_view:has(button[name=action_show_result]), .o_form_view div[name=waiting_count]:contains(/^${left}$/)`,
        })),
        {
            content: "Every month is posted",
            timeout: 60000,
            trigger:
                ".o_form_view:has(button[name=action_show_result]) [name=month_ids] .o_data_row:contains('Posted')",
        },
        {
            trigger: "button[name=action_show_result].btn-primary",
            run: "click",
        },
        {
            content: "The books tie out",
            timeout: 60000,
            trigger: ".o_customer_cost_trust li[data-key=tied]:contains('difference $ 0.00')",
        },
        {
            content: "The figures are those of the profitability report",
            trigger: ".o_customer_cost_ladder tr[data-key=full_profit]",
            async run() {
                const report = await readReport();
                for (const name of FIGURES) {
                    if (readShown(name) !== Math.round(report[name] * 100) / 100) {
                        throw new Error(`${name}: ${readShown(name)} shown, not ${report[name]}`);
                    }
                }
            },
        },
        {
            content: "It took five clicks",
            trigger: ".o_customer_cost_overview",
            run() {
                if (window.customerCostClicks !== 5) {
                    throw new Error(`${window.customerCostClicks} clicks instead of 5`);
                }
            },
        },
        {
            trigger: ".o_customer_cost_rankings section[data-key=best] tbody tr",
        },
    ],
});

/** The empty list of a manager leads to the set-up, that of others says whom to ask. */
registry.category("web_tour.tours").add("customer_cost_empty_list", {
    steps: () => [
        {
            trigger: ".o_view_nocontent a:contains('Set up from what is posted')",
            run: "click",
        },
        {
            trigger: ".o_form_view button[name=action_accept_accounts]",
        },
    ],
});

registry.category("web_tour.tours").add("customer_cost_empty_list_others", {
    steps: () => [
        {
            trigger: ".o_view_nocontent a:contains('Set up from what is posted')",
            run: "click",
        },
        {
            trigger: ".o_error_dialog:contains('Only a cost manager sets up')",
        },
        {
            trigger: ".o_error_dialog button:contains('Close')",
            run: "click",
        },
    ],
});
