import { expect, test } from "@odoo/hoot";
import { queryAllTexts } from "@odoo/hoot-dom";
import { animationFrame } from "@odoo/hoot-mock";
import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import {
    contains,
    getService,
    mountWithCleanup,
    onRpc,
    patchWithCleanup,
    preloadBundle,
} from "@web/../tests/web_test_helpers";
import { WebClient } from "@web/webclient/webclient";

const RANGES = [
    { key: "rolling", label: "Last 12 months", from: "2024-07-01", to: "2025-06-30" },
    { key: "year", label: "2025", from: "2025-01-01", to: "2025-12-31" },
];
const TRUST = {
    left: 0,
    is_tied: true,
    difference: 0,
    rows: [
        { key: "left_out", label: "Accounts left out", value: -20 },
        { key: "books", label: "Result of the books", value: 80 },
    ],
    waiting: 12.5,
    sales: 0,
    gap: -3,
    unmapped: 2,
    tied_at: "2025-06-10 02:00:00",
    from: "2024-07-01",
    to: "2025-06-30",
};

defineMailModels();
preloadBundle("web.chartjs_lib");

function makeOverview(changes) {
    return {
        company: "Books",
        currency_id: 1,
        as_of: "2025-06-15",
        allocated_until: "2025-05-31",
        ranges: RANGES,
        period: RANGES[0],
        pending: 0,
        is_empty: false,
        rows: [
            { key: "net_sales", label: "Net Sales", style: "subtotal", value: 1000, percent: 100 },
            { key: "full_cost", label: "Administration", style: "cost", value: 90, percent: 9 },
            { key: "full_profit", label: "Profit", style: "subtotal", value: -100, percent: -10 },
        ],
        cost_to_serve_pct: 10,
        trend: [{ month: "2025-05", net_sales: 1000, cost: 100, profit: 900 }],
        best: [{ id: 7, name: "Good", net_sales: 900, profit: 500, percent: 55.56 }],
        worst: [{ id: 8, name: "Bad", net_sales: 0, profit: -600, percent: null }],
        unknown_lines: 3,
        direct_pct: 25,
        has_tie_out: true,
        setup: {
            is_needed: false,
            is_running: false,
            unfinished_step: false,
            progress: 0,
            can_set_up: true,
            managers: ["Mia"],
        },
        ...changes,
    };
}

async function openOverview(changes, left = 0) {
    onRpc("customer.cost.overview", "get_overview", ({ args: [period] }) => {
        expect.step(`get_overview ${period}`);
        return makeOverview({ period: RANGES.find(({ key }) => key === period), ...changes });
    });
    onRpc("customer.cost.overview", "get_trust", ({ args: [period, anew] }) => {
        expect.step(`get_trust ${period}${anew ? " anew" : ""}`);
        return left ? { left: left-- } : TRUST;
    });
    onRpc("customer.cost.tie.out", "open_records", ({ args: [, from, to, path] }) => ({
        xml_id: `${from} ${to} ${path.join(" ")}`,
    }));
    onRpc("customer.cost.review", "get_waiting_counts", () => ({ costs: 0, bills: 0, late: 0 }));
    await mountWithCleanup(WebClient);
    await getService("action").doAction({
        type: "ir.actions.client",
        tag: "customer_cost_overview",
        target: "current",
    });
    await animationFrame();
}

/** Let opened actions leave a step. */
function mockOpening() {
    patchWithCleanup(getService("action"), {
        async loadAction(xmlId) {
            return { xml_id: xmlId };
        },
        async doAction(action) {
            expect.step(action.xml_id ?? action.res_model ?? action);
        },
    });
}

test("ladder, way to the result, marks and rankings", async () => {
    await openOverview();
    expect.verifySteps(["get_overview rolling", "get_trust rolling"]);
    expect(queryAllTexts(".o_customer_cost_ladder tbody th")).toEqual([
        "Net Sales",
        "Administration",
        "Profit",
        "Accounts left out",
        "Result of the books",
    ]);
    expect("tr[data-key=full_profit] td button").toHaveClass("text-danger");
    expect(queryAllTexts(".o_customer_cost_trust li[data-key]")).toEqual([
        "Ties out to the profit and loss: difference $ 0.00",
        "25.0% of the cost of customers is direct",
        "3 invoice lines have no known product cost",
        "All sales have a customer",
        "Cost of sales in the books and on invoices differ by $ -3.00",
        "$ 12.50 of indirect cost waits in the pools",
        "2 accounts are in no row of the account map",
    ]);
    expect(".o_customer_cost_trust li:last").toHaveText(/^As of Jun 10, 2025.* compared anew\./);
    expect(".o_customer_cost_trust .fa-exclamation-triangle").toHaveCount(4);
    expect("section[data-key=best] tbody tr").toHaveText(/Good\s+\$ 900\.00\s+\$ 500\.00\s+55\.6%/);
    expect("section[data-key=worst] tbody tr").toHaveText(/Bad\s+\$ 0\.00\s+\$ -600\.00\s+—/);
    expect(".o_customer_cost_open_setup").toHaveCount(0);
});

test("another period is read anew", async () => {
    await openOverview();
    await contains("button[data-period=year]").click();
    await animationFrame();
    expect.verifySteps([
        "get_overview rolling",
        "get_trust rolling",
        "get_overview year",
        "get_trust year",
    ]);
    expect("button[data-period=year]").toHaveClass("active");
    expect(".o_customer_cost_heading").toHaveText(/01\/01\/2025 – 12\/31\/2025/);
});

test("figures, marks and customers open what stands behind them", async () => {
    await openOverview();
    mockOpening();
    expect.verifySteps(["get_overview rolling", "get_trust rolling"]);
    await contains("tr[data-key=net_sales] td button").click();
    await contains("tr[data-key=full_cost] td button").click();
    await contains("tr[data-key=left_out] td button").click();
    await contains("li[data-key=tied] button").click();
    await contains("li[data-key=gap] button").click();
    await contains("li[data-key=waiting] button").click();
    await contains("li[data-key=unmapped] button").click();
    await contains("section[data-key=worst] tbody button").click();
    expect.verifySteps([
        "customer_cost.customer_cost_profitability_action",
        "customer_cost.customer_cost_analysis_action",
        "customer_cost.customer_cost_tie_out_action",
        "customer_cost.customer_cost_tie_out_action",
        "2024-07-01 2025-06-30 result gap",
        "2024-07-01 2025-06-30 result waiting",
        "customer_cost.customer_cost_account_map_action",
        "res.partner",
    ]);
});

test("one line without known cost is named in the singular", async () => {
    await openOverview({ has_tie_out: false, unknown_lines: 1 });
    expect("li[data-key=unknown]").toHaveText("1 invoice line has no known product cost");
    expect.verifySteps(["get_overview rolling"]);
});

test("what takes long is asked for until nothing is left", async () => {
    await openOverview({}, 2);
    await animationFrame();
    expect(".o_customer_cost_trust li[data-key=tied]").toHaveCount(1);
    expect.verifySteps([
        "get_overview rolling",
        "get_trust rolling",
        "get_trust rolling",
        "get_trust rolling",
    ]);
});

test("every month is compared again when asked for", async () => {
    await openOverview();
    await contains(".o_customer_cost_tie_anew").click();
    expect.verifySteps(["get_overview rolling", "get_trust rolling", "get_trust rolling anew"]);
});

test("who may not see the tie-out is not asked to wait for it", async () => {
    await openOverview({ has_tie_out: false });
    expect.verifySteps(["get_overview rolling"]);
    expect(queryAllTexts(".o_customer_cost_trust li")).toEqual([
        "25.0% of the cost of customers is direct",
        "3 invoice lines have no known product cost",
    ]);
});

test("an empty company is led to the set-up", async () => {
    await openOverview({
        is_empty: true,
        best: [],
        worst: [],
        setup: { ...makeOverview().setup, is_needed: true },
    });
    onRpc("customer.cost.setup", "action_open", () => {
        expect.step("action_open");
        return { type: "ir.actions.act_window_close" };
    });
    expect.verifySteps(["get_overview rolling"]);
    await contains(".o_customer_cost_open_setup").click();
    expect.verifySteps(["action_open"]);
});

test("a set-up that was begun is offered where it stands", async () => {
    await openOverview({ setup: { ...makeOverview().setup, unfinished_step: "Months" } });
    onRpc("customer.cost.setup", "action_open", () => {
        expect.step("action_open");
        return { type: "ir.actions.act_window_close" };
    });
    expect.verifySteps(["get_overview rolling", "get_trust rolling"]);
    expect(".alert").toHaveText(/was begun and stands at “Months”/);
    await contains(".alert button:contains(Continue)").click();
    expect.verifySteps(["action_open"]);
});

test("others are told whom to ask", async () => {
    await openOverview({
        is_empty: true,
        setup: { ...makeOverview().setup, is_needed: true, can_set_up: false },
    });
    expect(".o_customer_cost_open_setup").toHaveCount(0);
    expect(".o_customer_cost_start").toHaveText(/ask Mia/);
    expect.verifySteps(["get_overview rolling"]);
});

test("changes that are not counted yet are announced", async () => {
    await openOverview({ pending: 2 });
    expect(".o_customer_cost_heading").toHaveText(/2 changes are not counted yet/);
    expect.verifySteps(["get_overview rolling", "get_trust rolling"]);
});
