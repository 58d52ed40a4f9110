import { Component, useState } from "@odoo/owl";
import { getCurrency } from "@web/core/currency";
import { deserializeDate, formatDate } from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { user } from "@web/core/user";
import { useService } from "@web/core/utils/hooks";
import { formatMonetary, formatPercentage } from "@web/views/fields/formatters";
import { standardFieldProps } from "@web/views/fields/standard_field_props";
import { CustomerCostTrend } from "./customer_cost_trend";

const PROFITABILITY_ACTION = "customer_cost.customer_cost_profitability_action";
const ANALYSIS_ACTION = "customer_cost.customer_cost_analysis_action";
/** Rows of the ladder that open costs; the others open the profitability report. */
const COST_DOMAINS = {
    direct_cost: [["layer", "=", "direct"]],
    statistical_cost: [
        ["layer", "=", "direct"],
        ["statistical", "=", true],
    ],
    allocated_cost: [
        ["layer", "in", ["allocated", "measured"]],
        ["full_cost", "=", false],
    ],
    full_cost: [["full_cost", "=", true]],
};
const COMPOSITION_ROWS = 10;

export class CustomerCostFigures extends Component {
    static template = "customer_cost.CustomerCostFigures";
    static components = { CustomerCostTrend };
    static props = { ...standardFieldProps };

    setup() {
        this.action = useService("action");
        this.state = useState({ showAllItems: false });
    }

    get figures() {
        return this.props.record.data[this.props.name];
    }

    get rollingRange() {
        return this.figures.ranges.at(-1);
    }

    get isEmpty() {
        const { rows, last_costs } = this.figures;
        return !last_costs.length && rows.every((row) => row.values.every((value) => !value));
    }

    get heading() {
        return _t("As of %(date)s, in %(currency)s", {
            date: this.formatDate(this.figures.as_of),
            currency: getCurrency(this.figures.currency_id)?.name ?? "",
        });
    }

    get allocationNote() {
        const until = this.figures.allocated_until;
        if (!until) {
            return _t("No indirect cost is allocated yet.");
        }
        const month = deserializeDate(until).toLocaleString({ year: "numeric", month: "long" });
        return _t("Indirect cost is allocated up to %(month)s.", { month });
    }

    get unknownCosts() {
        return this.figures.ranges.flatMap(({ key, label }, index) => {
            const count = this.figures.unknown_lines[index];
            if (!count) {
                return [];
            }
            const text =
                count === 1
                    ? _t(
                          "%(range)s: 1 invoice line has no known product cost and counts with no cost.",
                          { range: label }
                      )
                    : _t(
                          "%(range)s: %(count)s invoice lines have no known product cost and count with no cost.",
                          { count, range: label }
                      );
            return [{ key, text }];
        });
    }

    get composition() {
        return this.figures.composition
            .map((row) => ({
                key: row.item_id || "staff",
                itemId: row.item_id,
                label: row.label,
                amount: row.values.at(-1),
                percent: row.percent.at(-1),
            }))
            .filter((row) => row.amount);
    }

    get shownComposition() {
        return this.state.showAllItems
            ? this.composition
            : this.composition.slice(0, COMPOSITION_ROWS);
    }

    get hiddenItems() {
        return Math.max(this.composition.length - COMPOSITION_ROWS, 0);
    }

    get toggleLabel() {
        return this.state.showAllItems ? _t("Show less") : _t("and %s more", this.hiddenItems);
    }

    formatAmount(amount) {
        return formatMonetary(amount, { currencyId: this.figures.currency_id });
    }

    formatPercent(percent) {
        return percent === null
            ? "—"
            : formatPercentage(percent / 100, { digits: [16, 1], trailingZeros: true });
    }

    formatDate(date) {
        return formatDate(deserializeDate(date));
    }

    getRangeTitle(range) {
        return `${this.formatDate(range.from)} – ${this.formatDate(range.to)}`;
    }

    getFigureName(label, range) {
        return _t("%(figure)s, %(range)s", { figure: label, range: range.label });
    }

    getFigureTitle(label, range, value) {
        return _t("%(figure)s: %(value)s", { figure: this.getFigureName(label, range), value });
    }

    openFigure(row, range) {
        const name = this.getFigureName(row.label, range);
        if (row.key in COST_DOMAINS) {
            return this.openCosts(name, range, COST_DOMAINS[row.key]);
        }
        return this.openReport(PROFITABILITY_ACTION, name, this.getDomain("month", range));
    }

    openItem(row) {
        const name = this.getFigureName(row.label, this.rollingRange);
        return this.openCosts(name, this.rollingRange, [["item_id", "=", row.itemId]]);
    }

    openCosts(name, range, domain) {
        return this.openReport(ANALYSIS_ACTION, name, [
            ...this.getDomain("date", range),
            ...domain,
        ]);
    }

    getDomain(dateField, range) {
        return [
            ["customer_id", "=", this.props.record.resId],
            ["company_id", "=", user.activeCompany.id],
            [dateField, ">=", range.from],
            [dateField, "<=", range.to],
        ];
    }

    async openReport(xmlId, name, domain) {
        const action = await this.action.loadAction(xmlId);
        return this.action.doAction(
            { ...action, display_name: name, domain },
            { viewType: "list" }
        );
    }

    openSource(cost) {
        return this.action.doActionButton({
            type: "object",
            name: "action_open_source",
            resModel: "customer.cost.analysis",
            resId: cost.id,
            context: this.props.record.context,
        });
    }
}

export const customerCostFigures = {
    component: CustomerCostFigures,
    displayName: _t("Customer Figures"),
    supportedTypes: ["json"],
};

registry.category("fields").add("customer_cost_figures", customerCostFigures);
