import { expect, test } from "@odoo/hoot";
import { queryAllTexts } from "@odoo/hoot-dom";
import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import {
    contains,
    defineModels,
    fields,
    mockService,
    models,
    mountView,
    preloadBundle,
} from "@web/../tests/web_test_helpers";

const RANGES = [
    { key: "year", label: "2025", from: "2025-01-01", to: "2025-12-31" },
    { key: "last_year", label: "2024", from: "2024-01-01", to: "2024-12-31" },
    { key: "rolling", label: "Last 12 months", from: "2024-07-01", to: "2025-06-30" },
];
const TREND = Array.from({ length: 12 }, (_, index) => ({
    month: `${index < 6 ? 2024 : 2025}-${String(((index + 6) % 12) + 1).padStart(2, "0")}`,
    net_sales: 100,
    cost: 30,
    profit: 70,
}));

function makeRow(key, label, style, values, percent) {
    return { key, label, style, values, percent };
}

function makeItem(item_id, label, amount) {
    return { item_id, label, values: [amount, 0, amount], percent: [10, null, 10] };
}

function makeFigures(changes) {
    return {
        currency_id: 1,
        as_of: "2025-06-15",
        allocated_until: "2025-05-31",
        ranges: RANGES,
        rows: [
            makeRow("net_sales", "Net Sales", "subtotal", [1000, 0, 1200], [100, null, 100]),
            makeRow("direct_cost", "Direct Cost", "cost", [250, 0, 300], [25, null, 25]),
            makeRow("allocated_cost", "Allocated Cost", "cost", [900, 0, 1000], [90, null, 83.33]),
            makeRow("profit", "Customer Profit", "subtotal", [-150, 0, -100], [-15, null, -8.33]),
            makeRow("full_cost", "Administration Cost", "cost", [10, 0, 10], [1, null, 0.83]),
            makeRow("cost_to_serve_pct", "Cost to Serve %", "ratio", [115, null, 108.33], null),
        ],
        unknown_lines: [0, 0, 0],
        composition: [makeItem(5, "Travel", 300), makeItem(false, "Staff cost", 100)],
        trend: TREND,
        last_costs: [
            {
                id: 84,
                date: "2025-06-02",
                item: "Travel",
                layer: "Direct",
                description: "Train to the fair",
                amount: 42.5,
            },
        ],
        ...changes,
    };
}

class Customer extends models.Model {
    figures = fields.Json();
}

defineMailModels();
defineModels([Customer]);
preloadBundle("web.chartjs_lib");

async function mountFigures(changes) {
    Customer._records = [{ id: 7, figures: makeFigures(changes) }];
    await mountView({
        type: "form",
        resModel: "customer",
        resId: 7,
        arch: `<form><field name="figures" widget="customer_cost_figures" nolabel="1"/></form>`,
    });
}

/** Let opened actions leave a step: which action, which filter, which view. */
function mockOpening() {
    mockService("action", {
        async loadAction(xmlId) {
            return { type: "ir.actions.act_window", xml_id: xmlId, views: [[false, "list"]] };
        },
        async doAction({ xml_id, display_name, domain }, { viewType }) {
            expect.step({ xml_id, display_name, domain, viewType });
        },
        async doActionButton({ type, name, resModel, resId }) {
            expect.step({ type, name, resModel, resId });
        },
    });
}

function getDomain(dateField, range) {
    return [
        ["customer_id", "=", 7],
        ["company_id", "=", 1],
        [dateField, ">=", range.from],
        [dateField, "<=", range.to],
    ];
}

test("the ladder shows amounts and percentages of every range", async () => {
    await mountFigures();
    expect(".o_customer_cost_heading").toHaveText(
        "As of 06/15/2025, in USD · Indirect cost is allocated up to May 2025."
    );
    expect(queryAllTexts("thead .o_customer_cost_cell > span:first-child")).toEqual([
        "2025",
        "2024",
        "Last 12 months",
    ]);
    expect(queryAllTexts("tr[data-key=direct_cost] td button")).toEqual([
        "$ 250.00",
        "$ 0.00",
        "$ 300.00",
    ]);
    expect(queryAllTexts("tr[data-key=allocated_cost] .o_customer_cost_percent")).toEqual([
        "90.0%",
        "—",
        "83.3%",
    ]);
    expect(queryAllTexts("tr[data-key=cost_to_serve_pct] td button")).toEqual([
        "115.0%",
        "—",
        "108.3%",
    ]);
    expect("tr[data-key=allocated_cost] td:eq(0) button").toHaveAttribute(
        "aria-label",
        "Allocated Cost, 2025: $\u00a0900.00"
    );
});

test("negative amounts are shown in red", async () => {
    await mountFigures();
    expect(".o_customer_cost_ladder .text-danger").toHaveCount(2);
    expect("tr[data-key=profit] td:eq(0) button").toHaveText("$ -150.00");
    expect("tr[data-key=profit] td:eq(0) button").toHaveClass("text-danger");
});

test("an amount of a cost row opens the costs behind it", async () => {
    mockOpening();
    await mountFigures();
    await contains("tr[data-key=allocated_cost] td:eq(0) button").click();
    await contains("tr[data-key=full_cost] td:eq(1) button").click();
    await contains("tr[data-key=direct_cost] th button").click();
    const xml_id = "customer_cost.customer_cost_analysis_action";
    expect.verifySteps([
        {
            xml_id,
            display_name: "Allocated Cost, 2025",
            domain: [
                ...getDomain("date", RANGES[0]),
                ["layer", "in", ["allocated", "measured"]],
                ["full_cost", "=", false],
            ],
            viewType: "list",
        },
        {
            xml_id,
            display_name: "Administration Cost, 2024",
            domain: [...getDomain("date", RANGES[1]), ["full_cost", "=", true]],
            viewType: "list",
        },
        {
            xml_id,
            display_name: "Direct Cost, Last 12 months",
            domain: [...getDomain("date", RANGES[2]), ["layer", "=", "direct"]],
            viewType: "list",
        },
    ]);
});

test("other amounts open the profitability report", async () => {
    mockOpening();
    await mountFigures();
    await contains("tr[data-key=profit] td:eq(0) button").click();
    await contains("tr[data-key=cost_to_serve_pct] th button").click();
    const xml_id = "customer_cost.customer_cost_profitability_action";
    expect.verifySteps([
        {
            xml_id,
            display_name: "Customer Profit, 2025",
            domain: getDomain("month", RANGES[0]),
            viewType: "list",
        },
        {
            xml_id,
            display_name: "Cost to Serve %, Last 12 months",
            domain: getDomain("month", RANGES[2]),
            viewType: "list",
        },
    ]);
});

test("an item of the composition opens its costs, staff cost opens nothing", async () => {
    mockOpening();
    await mountFigures();
    expect(queryAllTexts(".o_customer_cost_composition li")).toEqual([
        "Travel\n$ 300.00\n10.0%",
        "Staff cost\n$ 100.00\n10.0%",
    ]);
    expect(".o_customer_cost_composition button").toHaveCount(1);
    expect(".o_customer_cost_bar > div:first").toHaveStyle("width: 10%", { inline: true });
    expect(".o_customer_cost_more").toHaveCount(0);
    await contains(".o_customer_cost_composition button").click();
    expect.verifySteps([
        {
            xml_id: "customer_cost.customer_cost_analysis_action",
            display_name: "Travel, Last 12 months",
            domain: [...getDomain("date", RANGES[2]), ["item_id", "=", 5]],
            viewType: "list",
        },
    ]);
});

test("a long composition is cut until one asks for the rest", async () => {
    await mountFigures({
        composition: Array.from({ length: 12 }, (_, index) =>
            makeItem(index + 1, `Item ${index + 1}`, 100 - index)
        ),
    });
    expect(".o_customer_cost_composition li").toHaveCount(10);
    expect(".o_customer_cost_more").toHaveText("and 2 more");
    await contains(".o_customer_cost_more").click();
    expect(".o_customer_cost_composition li").toHaveCount(12);
    expect(".o_customer_cost_more").toHaveText("Show less");
    await contains(".o_customer_cost_more").click();
    expect(".o_customer_cost_composition li").toHaveCount(10);
});

test("items without cost in the last 12 months are left out", async () => {
    await mountFigures({
        composition: [
            makeItem(5, "Travel", 300),
            { item_id: 6, label: "Fairs", values: [0, 80, 0], percent: [0, 100, 0] },
        ],
    });
    expect(queryAllTexts(".o_customer_cost_composition button")).toEqual(["Travel"]);
});

test("the trend is drawn and can be read as a table", async () => {
    await mountFigures();
    expect(".o_customer_cost_trend canvas").toHaveCount(1);
    expect(".o_customer_cost_trend").toHaveAttribute("role", "img");
    expect(".o_customer_cost_side table tbody tr").toHaveCount(12);
    expect(".o_customer_cost_side table tbody tr:first th").toHaveText("Jul 24");
    expect(queryAllTexts(".o_customer_cost_side table tbody tr:first td")).toEqual([
        "$ 100.00",
        "$ 30.00",
        "$ 70.00",
    ]);
});

test("invoice lines without a known cost are counted", async () => {
    await mountFigures({ unknown_lines: [3, 0, 1] });
    expect(queryAllTexts(".o_customer_cost_unknown")).toEqual([
        "2025: 3 invoice lines have no known product cost and count with no cost.",
        "Last 12 months: 1 invoice line has no known product cost and counts with no cost.",
    ]);
});

test("one of the last costs opens its source", async () => {
    mockOpening();
    await mountFigures();
    expect(queryAllTexts(".o_customer_cost_last tbody td")).toEqual([
        "06/02/2025",
        "Travel\nTrain to the fair",
        "Direct",
        "$ 42.50",
    ]);
    await contains(".o_customer_cost_last button").click();
    expect.verifySteps([
        {
            type: "object",
            name: "action_open_source",
            resModel: "customer.cost.analysis",
            resId: 84,
        },
    ]);
});

test("a customer without figures is told where they come from", async () => {
    await mountFigures({
        rows: [makeRow("net_sales", "Net Sales", "subtotal", [0, 0, 0], [null, null, null])],
        composition: [],
        last_costs: [],
    });
    expect(".o_customer_cost_empty").toHaveText(/No sales and no cost in these periods yet/);
    expect(".o_customer_cost_ladder").toHaveCount(0);
    expect("canvas").toHaveCount(0);
});
