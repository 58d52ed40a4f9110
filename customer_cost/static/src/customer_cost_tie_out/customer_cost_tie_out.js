import { Component, onWillStart, useState } from "@odoo/owl";
import { browser } from "@web/core/browser/browser";
import { getCurrency } from "@web/core/currency";
import { deserializeDate, formatDate } from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";
import { rpc } from "@web/core/network/rpc";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { KeepLast } from "@web/core/utils/concurrency";
import { useSetupAction } from "@web/search/action_hook";
import { Layout } from "@web/search/layout";
import { formatFloat, formatMonetary } from "@web/views/fields/formatters";
import { standardActionServiceProps } from "@web/webclient/actions/action_service";

const MODEL = "customer.cost.tie.out";

export class CustomerCostTieOut extends Component {
    static template = "customer_cost.CustomerCostTieOut";
    static components = { Layout };
    static props = { ...standardActionServiceProps };

    setup() {
        this.action = useService("action");
        this.notification = useService("notification");
        this.orm = useService("orm");
        this.keepLast = new KeepLast();
        this.display = { controlPanel: {} };
        this.columns = [
            ["balance", _t("Balance")],
            ["sales", _t("Sales")],
            ["cost_of_sales", _t("Cost of Sales")],
            ["captured", _t("Cost Captured")],
            ["left_out", _t("Left Out")],
            ["excluded", _t("Excluded")],
        ];
        this.units = [
            ["month", _t("Month")],
            ["quarter", _t("Quarter")],
            ["year", _t("Year")],
        ];
        this.reasonTitles = {
            cost_of_sales: _t("Cost of sales"),
            excluded: _t("Excluded"),
            left_out: _t("Left out"),
            sales: _t("Sales"),
        };
        this.ruleTitle = _t("Account map");
        this.differenceTitle = _t("Difference");
        this.state = useState({ data: null, isLoading: false });
        useSetupAction({
            getLocalState: () => ({ request: this.request }),
        });
        const { company_id, unit, day } = this.props.action.params || {};
        this.request = this.props.state?.request || { company_id, unit: unit || "year", day };
        onWillStart(() => this.load());
    }

    async load(changes = {}) {
        this.request = { ...this.request, ...changes };
        const { company_id, unit, day } = this.request;
        this.state.isLoading = true;
        try {
            this.state.data = await this.keepLast.add(
                this.orm.call(MODEL, "get_tie_out", [company_id || false, unit, day || false])
            );
        } finally {
            this.state.isLoading = false;
        }
    }

    get data() {
        return this.state.data;
    }

    get figures() {
        return this.data.figures;
    }

    get currency() {
        return getCurrency(this.figures.currency_id);
    }

    get heading() {
        return _t("%(from)s – %(to)s, in %(currency)s. Income is positive, cost negative.", {
            from: formatDate(deserializeDate(this.figures.from)),
            to: formatDate(deserializeDate(this.figures.to)),
            currency: this.figures.currency,
        });
    }

    get statusText() {
        if (!this.figures.accounts.length) {
            return _t("Nothing is posted on a profit-and-loss account in this period.");
        }
        if (this.figures.is_tied) {
            return _t(
                "Tied out: every profit-and-loss account stands in one row, and every difference is %(zero)s.",
                { zero: this.formatAmount(0) }
            );
        }
        return _t("Does not tie out: the differences add up to %(amount)s.", {
            amount: this.formatCurrency(this.figures.difference),
        });
    }

    get counts() {
        const { unknown_cost, late, unmapped } = this.figures.counts;
        return [
            {
                key: "unknown_cost",
                count: unknown_cost.count,
                label: _t("Invoice lines with unknown cost"),
                detail: _t("Sales %(amount)s", { amount: this.formatAmount(unknown_cost.amount) }),
            },
            {
                key: "late",
                count: late.count,
                label: _t("Late costs of closed months"),
                detail: _t("Cost %(amount)s", { amount: this.formatAmount(late.amount) }),
            },
            {
                key: "unmapped",
                count: unmapped.count,
                label: _t("Accounts without a map row"),
                detail: _t("Left out %(amount)s", { amount: this.formatAmount(unmapped.amount) }),
            },
        ];
    }

    get accountGroups() {
        const groups = [];
        for (const row of this.figures.accounts) {
            if (groups.at(-1)?.type !== row.account_type) {
                groups.push({ type: row.account_type, label: row.type_label, rows: [] });
            }
            groups.at(-1).rows.push(row);
        }
        return groups;
    }

    get exportUrl() {
        const { company_id, from, to } = this.figures;
        return `/customer_cost/tie_out/${company_id}/${from}/${to}`;
    }

    formatAmount(amount) {
        return formatFloat(amount, { digits: [16, this.figures.digits] });
    }

    formatCurrency(amount) {
        return formatMonetary(amount, { currencyId: this.figures.currency_id });
    }

    formatCell(amount) {
        return amount ? this.formatAmount(amount) : "";
    }

    getAccountName(row) {
        return `${row.code} ${row.name}`.trim();
    }

    /** Rows without an amount say nothing; a side of none keeps its first. */
    getRows(side) {
        const rows = side.rows.filter((row) => row.amount || row.count);
        return rows.length ? rows : side.rows.slice(0, 1);
    }

    canOpen(row) {
        return Boolean(row.amount || row.count);
    }

    async open(path, name) {
        const { company_id, from, to } = this.figures;
        const action = await this.orm.call(MODEL, "open_records", [company_id, from, to, path], {
            name,
        });
        return this.action.doAction(action);
    }

    openAccount(row, column, title) {
        return this.open(
            ["accounts", row.account_id, column],
            _t("%(account)s: %(figure)s", { account: this.getAccountName(row), figure: title })
        );
    }

    openReason(row, reason) {
        return this.open(
            ["accounts", row.account_id, reason.kind, reason.code, reason.map_id],
            _t("%(account)s: %(figure)s", {
                account: this.getAccountName(row),
                figure: reason.label,
            })
        );
    }

    async downloadPdf() {
        const url = `${this.exportUrl}/pdf`;
        if (["install", "broken"].includes(await rpc("/report/check_wkhtmltopdf"))) {
            this.notification.add(
                _t(
                    "The server cannot make PDF files: have wkhtmltopdf installed on it and Odoo " +
                        "restarted. Excel works without it."
                ),
                { type: "warning", sticky: true }
            );
            return;
        }
        browser.location.assign(url);
    }

    openFinding(finding) {
        if (finding.kind === "account") {
            return this.open(["accounts", finding.account_id, "difference"], finding.label);
        }
        if (finding.kind === "item" && finding.move_id) {
            return this.openForm("account.move", finding.move_id);
        }
        if (finding.entry_id) {
            return this.openForm("customer.cost.entry", finding.entry_id);
        }
        if (finding.run_id) {
            return this.openForm("customer.cost.run", finding.run_id);
        }
        const section = document.getElementById(`o_customer_cost_tie_out_${finding.section}`);
        section?.scrollIntoView({ behavior: "smooth", block: "center" });
    }

    openForm(resModel, resId) {
        return this.action.doAction({
            type: "ir.actions.act_window",
            res_model: resModel,
            res_id: resId,
            views: [[false, "form"]],
        });
    }
}

registry.category("actions").add("customer_cost_tie_out", CustomerCostTieOut);
