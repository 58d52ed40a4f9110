import { Component, onWillStart, useState } from "@odoo/owl";
import {
    deserializeDate,
    deserializeDateTime,
    formatDate,
    toLocaleDateTimeString,
} from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { user } from "@web/core/user";
import { KeepLast } from "@web/core/utils/concurrency";
import { useService } from "@web/core/utils/hooks";
import { ControlPanel } from "@web/search/control_panel/control_panel";
import { formatMonetary, formatPercentage } from "@web/views/fields/formatters";
import { standardActionServiceProps } from "@web/webclient/actions/action_service";
import { CustomerCostTrend } from "../customer_cost_figures/customer_cost_trend";

const PROFITABILITY_ACTION = "customer_cost.customer_cost_profitability_action";
const ANALYSIS_ACTION = "customer_cost.customer_cost_analysis_action";
/** Rows of the ladder that open costs; the others open the profitability report. */
const COST_DOMAINS = {
    activity_cost: [
        ["item_id.level", "in", ["unit", "batch"]],
        ["full_cost", "=", false],
    ],
    sustaining_cost: [
        ["item_id.level", "not in", ["unit", "batch"]],
        ["full_cost", "=", false],
    ],
    full_cost: [["full_cost", "=", true]],
};

/** The home screen: ladder, trend, best and worst customers, and whether the figures can be trusted. */
export class CustomerCostOverview extends Component {
    static template = "customer_cost.CustomerCostOverview";
    static components = { ControlPanel, CustomerCostTrend };
    static props = { ...standardActionServiceProps };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.keepLast = new KeepLast();
        this.state = useState({ figures: null, trust: null, left: 0 });
        this.env.config.setDisplayName(_t("Overview"));
        onWillStart(() => this.load(this.props.state?.period ?? "rolling"));
    }

    async load(period) {
        const figures = await this.keepLast.add(
            this.orm.call("customer.cost.overview", "get_overview", [period])
        );
        Object.assign(this.state, { figures, trust: null });
        this.props.updateActionState?.({ period });
        if (figures.has_tie_out && !figures.is_empty) {
            // The way through all the books takes longer than the figures: it follows them.
            this.loadTrust(period);
        }
    }

    async loadTrust(period, anew = false) {
        this.state.trust = null;
        const trust = await this.orm.call("customer.cost.overview", "get_trust", [period, anew]);
        if (this.figures.period.key !== period) {
            return;
        }
        this.state.left = trust.left;
        if (trust.left) {
            return this.loadTrust(period);
        }
        this.state.trust = trust;
    }

    get figures() {
        return this.state.figures;
    }

    get setupStatus() {
        return this.figures.setup;
    }

    get unfinishedText() {
        return _t("The set-up was begun and stands at “%(step)s”.", {
            step: this.setupStatus.unfinished_step,
        });
    }

    get heading() {
        const { from, to } = this.figures.period;
        return _t("%(company)s, %(from)s – %(to)s", {
            company: this.figures.company,
            from: this.formatDate(from),
            to: this.formatDate(to),
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

    get pendingNote() {
        const { pending } = this.figures;
        return pending === 1
            ? _t("1 change is not counted yet; it follows in minutes.")
            : _t("%(count)s changes are not counted yet; they follow in minutes.", {
                  count: pending,
              });
    }

    get alertsNote() {
        const { alerts } = this.figures;
        return alerts === 1 ? _t("1 open alert") : _t("%(count)s open alerts", { count: alerts });
    }

    get emptyText() {
        const { can_set_up, managers } = this.setupStatus;
        if (can_set_up) {
            return _t(
                "Bring in what is posted already and see what each customer earns: the set-up sorts your accounts, takes in the months you choose and shares out the indirect cost."
            );
        }
        return managers.length
            ? _t("A cost manager brings in what is posted already: ask %(names)s.", {
                  names: managers.join(", "),
              })
            : _t("A cost manager brings in what is posted already: ask your administrator.");
    }

    get bridge() {
        return this.state.trust?.rows ?? [];
    }

    get rankings() {
        return [
            { key: "best", title: _t("Best customers"), rows: this.figures.best },
            { key: "worst", title: _t("Worst customers"), rows: this.figures.worst },
        ].filter((ranking) => ranking.rows.length);
    }

    /** Each mark: what was found, whether it is as it should be, and what stands behind it. */
    get marks() {
        const { unknown_lines, direct_pct, period } = this.figures;
        const { trust } = this.state;
        const marks = [];
        if (trust) {
            marks.push({
                key: "tied",
                good: trust.is_tied,
                text: trust.is_tied
                    ? _t("Ties out to the profit and loss: difference %(amount)s", {
                          amount: this.formatAmount(0),
                      })
                    : _t("Does not tie out: %(amount)s differs", {
                          amount: this.formatAmount(trust.difference),
                      }),
                open: () => this.openTieOut(),
            });
        }
        marks.push(
            {
                key: "direct",
                good: direct_pct !== null,
                text:
                    direct_pct === null
                        ? _t("No cost has reached customers yet")
                        : _t("%(share)s of the cost of customers is direct", {
                              share: this.formatPercent(direct_pct),
                          }),
                open: () =>
                    this.openReport(ANALYSIS_ACTION, _t("Direct cost"), [
                        ...this.getDomain("date"),
                        ["layer", "=", "direct"],
                    ]),
            },
            {
                key: "unknown",
                good: !unknown_lines,
                text: this.getUnknownText(unknown_lines),
                open: () =>
                    this.openReport(PROFITABILITY_ACTION, _t("Unknown product cost"), [
                        ...this.getDomain("month"),
                        ["unknown_lines", ">", 0],
                    ]),
            }
        );
        if (trust) {
            const { unmapped, gap } = trust;
            marks.push(
                {
                    key: "sales",
                    good: !trust.sales,
                    text: trust.sales
                        ? _t("%(amount)s of sales have no customer or invoice", {
                              amount: this.formatAmount(trust.sales),
                          })
                        : _t("All sales have a customer"),
                    open: () => this.openRecords("sales"),
                },
                {
                    key: "gap",
                    good: !gap,
                    text: gap
                        ? _t("Cost of sales in the books and on invoices differ by %(amount)s", {
                              amount: this.formatAmount(gap),
                          })
                        : _t("Cost of sales in the books is that of the invoices"),
                    open: () => (gap ? this.openRecords("gap") : this.openTieOut()),
                },
                {
                    key: "waiting",
                    good: !trust.waiting,
                    text: trust.waiting
                        ? _t("%(amount)s of indirect cost waits in the pools", {
                              amount: this.formatAmount(trust.waiting),
                          })
                        : _t("No indirect cost waits in the pools"),
                    open: () =>
                        trust.waiting
                            ? this.openRecords("waiting")
                            : this.openAction("customer_cost.customer_cost_run_action"),
                },
                {
                    key: "unmapped",
                    good: !unmapped,
                    text: this.getUnmappedText(unmapped),
                    open: () => this.openAction("customer_cost.customer_cost_account_map_action"),
                }
            );
        }
        return marks.map((mark) => ({ ...mark, period: period.key }));
    }

    getUnknownText(count) {
        if (!count) {
            return _t("Every invoice line has a known product cost");
        }
        return count === 1
            ? _t("1 invoice line has no known product cost")
            : _t("%(count)s invoice lines have no known product cost", { count });
    }

    getUnmappedText(count) {
        if (!count) {
            return _t("Every account is mapped or left out with a reason");
        }
        return count === 1
            ? _t("1 account is in no row of the account map")
            : _t("%(count)s accounts are in no row of the account map", { count });
    }

    get comparingNote() {
        const { left } = this.state;
        return left
            ? _t("Comparing with the books, parts left: %(count)s…", { count: left })
            : _t("Comparing with the books…");
    }

    get tiedNote() {
        const { tied_at } = this.state.trust;
        return (
            tied_at &&
            _t("As of %(time)s; months that change are compared anew.", {
                time: toLocaleDateTimeString(deserializeDateTime(tied_at)),
            })
        );
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

    getDomain(dateField) {
        const { from, to } = this.figures.period;
        return [
            ["company_id", "=", user.activeCompany.id],
            [dateField, ">=", from],
            [dateField, "<=", to],
        ];
    }

    openRow(row) {
        if (row.key in COST_DOMAINS) {
            return this.openReport(ANALYSIS_ACTION, row.label, [
                ...this.getDomain("date"),
                ...COST_DOMAINS[row.key],
            ]);
        }
        return this.openReport(PROFITABILITY_ACTION, row.label, this.getDomain("month"));
    }

    openCustomer(customer) {
        return this.action.doAction({
            type: "ir.actions.act_window",
            res_model: "res.partner",
            res_id: customer.id,
            views: [[false, "form"]],
        });
    }

    async openReport(xmlId, name, domain) {
        const action = await this.action.loadAction(xmlId);
        return this.action.doAction(
            { ...action, display_name: name, domain },
            { viewType: "list" }
        );
    }

    openAction(xmlId) {
        return this.action.doAction(xmlId);
    }

    /** The records behind a row of the way to the result. */
    async openRecords(key) {
        const { from, to, rows } = this.state.trust;
        const action = await this.orm.call(
            "customer.cost.tie.out",
            "open_records",
            [user.activeCompany.id, from, to, ["result", key]],
            { name: rows.find((row) => row.key === key)?.label }
        );
        return this.action.doAction(action);
    }

    openTieOut() {
        return this.openAction("customer_cost.customer_cost_tie_out_action");
    }

    async openSetup() {
        const action = await this.orm.call("customer.cost.setup", "action_open", []);
        return this.action.doAction(action);
    }
}

registry.category("actions").add("customer_cost_overview", CustomerCostOverview);
