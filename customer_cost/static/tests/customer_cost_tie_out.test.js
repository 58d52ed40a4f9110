import { expect, test } from "@odoo/hoot";
import { queryAllTexts } from "@odoo/hoot-dom";
import { animationFrame } from "@odoo/hoot-mock";
import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import {
    contains,
    getService,
    mountWithCleanup,
    onRpc,
    preloadBundle,
} from "@web/../tests/web_test_helpers";
import { WebClient } from "@web/webclient/webclient";

function makeRow(key, label, amount, changes) {
    return { key, label, amount, count: null, note: "", ...changes };
}

function makeAccount(changes) {
    return {
        account_id: 7,
        code: "600",
        name: "Travel",
        account_type: "expense",
        type_label: "Expenses",
        balance: -100,
        sales: 0,
        cost_of_sales: 0,
        captured: -100,
        left_out: 0,
        excluded: 0,
        difference: 0,
        count: 3,
        reasons: [],
        ...changes,
    };
}

function makeFigures(changes) {
    return {
        company_id: 1,
        company: "Company",
        currency_id: 1,
        currency: "USD",
        from: "2025-01-01",
        to: "2025-12-31",
        digits: 2,
        accounts: [makeAccount()],
        totals: {
            balance: -100,
            sales: 0,
            cost_of_sales: 0,
            captured: -100,
            left_out: 0,
            excluded: 0,
            difference: 0,
        },
        sections: [
            {
                key: "cost_of_sales",
                title: "Cost of sales",
                sides: [
                    { label: "In the books", total: 0, rows: [] },
                    {
                        label: "Named",
                        total: 0,
                        rows: [
                            makeRow("frozen", "Frozen", 40),
                            makeRow("gap", "Gap", -40, { note: "Why" }),
                            makeRow("nothing", "Nothing", 0),
                        ],
                    },
                ],
                difference: 0,
            },
        ],
        counts: {
            unknown_cost: { count: 2, amount: 12 },
            late: { count: 0, amount: 0 },
            unmapped: { count: 0, amount: 0 },
        },
        findings: [],
        difference: 0,
        is_tied: true,
        ...changes,
    };
}

function makeScreen(changes, figures) {
    return {
        figures: makeFigures(figures),
        companies: [[1, "Company"]],
        unit: "year",
        day: "2025-06-15",
        label: "2025",
        previous: "2024-12-31",
        next: "2026-01-01",
        ...changes,
    };
}

defineMailModels();
preloadBundle("web.assets_backend_lazy", { once: true });

async function openScreen(figures) {
    onRpc("customer.cost.tie.out", "get_tie_out", ({ args }) => {
        const [companyId, unit, day] = args;
        expect.step(`load ${companyId} ${unit} ${day}`);
        return makeScreen({ unit, label: day || "2025" }, figures);
    });
    onRpc("customer.cost.tie.out", "open_records", ({ args }) => {
        expect.step(`open ${JSON.stringify(args)}`);
        return { type: "ir.actions.act_window_close" };
    });
    onRpc("customer.cost.review", "get_waiting_counts", () => ({ costs: 0, bills: 0, late: 0 }));
    await mountWithCleanup(WebClient);
    await getService("action").doAction({
        type: "ir.actions.client",
        tag: "customer_cost_tie_out",
    });
    await animationFrame();
}

test("a period that ties out is green and every figure opens its records", async () => {
    await openScreen();
    expect.verifySteps(["load false year false"]);
    expect(".o_customer_cost_tie_out_status.alert-success").toHaveCount(1);
    expect(".o_customer_cost_tie_out_findings").toHaveCount(0);
    expect(queryAllTexts(".o_customer_cost_tie_out_accounts thead th")).toEqual([
        "Account",
        "Balance",
        "Sales",
        "Cost of Sales",
        "Cost Captured",
        "Left Out",
        "Excluded",
        "Difference",
    ]);
    await contains(".o_customer_cost_tie_out_accounts td:nth-child(5) button").click();
    expect.verifySteps(['open [1,"2025-01-01","2025-12-31",["accounts",7,"captured"]]']);
    await contains(".o_customer_cost_tie_out_accounts button:contains(Rule)").click();
    expect.verifySteps(['open [1,"2025-01-01","2025-12-31",["accounts",7,"map"]]']);
    await contains(".o_customer_cost_tie_out_section td button").click();
    expect.verifySteps(['open [1,"2025-01-01","2025-12-31",["cost_of_sales","frozen"]]']);
    await contains(".o_customer_cost_tie_out_counts button:contains(unknown cost)").click();
    expect.verifySteps(['open [1,"2025-01-01","2025-12-31",["counts","unknown_cost"]]']);
});

test("rows without an amount are not shown, the others are links", async () => {
    await openScreen();
    expect.verifySteps(["load false year false"]);
    expect(queryAllTexts(".o_customer_cost_tie_out_section tbody tr:not([class]) th")).toEqual([
        "Frozen",
        "Gap\nWhy",
    ]);
    expect(".o_customer_cost_tie_out_section td button").toHaveCount(2);
    expect(".o_customer_cost_tie_out_counts button:disabled").toHaveCount(2);
});

test("the period is chosen by unit and arrows", async () => {
    await openScreen();
    await contains(".o_customer_cost_tie_out_period button:contains(Month)").click();
    await contains(".o_customer_cost_tie_out_previous").click();
    await contains(".o_customer_cost_tie_out_next").click();
    expect.verifySteps([
        "load false year false",
        "load false month false",
        "load false month 2024-12-31",
        "load false month 2026-01-01",
    ]);
    expect(".o_customer_cost_tie_out_label").toHaveText("2026-01-01");
});

test("differences stand out and name what differs", async () => {
    await openScreen({
        is_tied: false,
        difference: 5,
        accounts: [makeAccount({ captured: -95, difference: -5 })],
        findings: [
            {
                kind: "account",
                account_id: 7,
                label: "600 Travel",
                expected: -100,
                present: -95,
                difference: 5,
            },
            {
                kind: "item",
                move_id: 3,
                label: "BILL/1 · Travel",
                expected: -5,
                present: 0,
                difference: 5,
            },
        ],
    });
    expect(".o_customer_cost_tie_out_status.alert-danger").toHaveCount(1);
    expect(".o_customer_cost_tie_out_status").toHaveText(/5\.00/);
    expect(".o_customer_cost_tie_out_accounts tr.table-danger").toHaveCount(1);
    expect(queryAllTexts(".o_customer_cost_tie_out_findings tbody tr:first-child td")).toEqual([
        "600 Travel",
        "-100.00",
        "-95.00",
        "5.00",
    ]);
    await contains(".o_customer_cost_tie_out_findings button:contains(600 Travel)").click();
    expect.verifySteps([
        "load false year false",
        'open [1,"2025-01-01","2025-12-31",["accounts",7,"difference"]]',
    ]);
});

test("a period without postings says so", async () => {
    await openScreen({ accounts: [] });
    expect.verifySteps(["load false year false"]);
    expect(".o_customer_cost_tie_out_status.alert-info").toHaveText(/Nothing is posted/);
    expect(".o_customer_cost_tie_out_accounts").toHaveCount(0);
});
