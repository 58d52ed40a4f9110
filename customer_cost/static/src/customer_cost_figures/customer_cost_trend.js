import { Component, onWillStart, useEffect, useRef } from "@odoo/owl";
import { loadBundle } from "@web/core/assets";
import { cookie } from "@web/core/browser/cookie";
import { getColor, getCustomColor } from "@web/core/colors/colors";
import { deserializeDate } from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";
import { formatMonetary } from "@web/views/fields/formatters";

/** Net sales, cost to serve and profit of the last 12 months, as a chart and as a hidden table. */
export class CustomerCostTrend extends Component {
    static template = "customer_cost.CustomerCostTrend";
    static props = {
        months: {
            type: Array,
            element: {
                type: Object,
                shape: { month: String, net_sales: Number, cost: Number, profit: Number },
            },
        },
        currencyId: Number,
    };

    setup() {
        this.canvas = useRef("canvas");
        onWillStart(() => loadBundle("web.chartjs_lib"));
        useEffect(
            () => {
                const chart = new Chart(this.canvas.el, this.chartConfig);
                return () => chart.destroy();
            },
            () => [this.props.months]
        );
    }

    get series() {
        const scheme = cookie.get("color_scheme");
        return [
            {
                key: "net_sales",
                label: _t("Net sales"),
                type: "bar",
                color: getColor(0, scheme, "sm"),
            },
            {
                key: "cost",
                label: _t("Cost to serve"),
                type: "bar",
                color: getColor(3, scheme, "sm"),
            },
            {
                key: "profit",
                label: _t("Customer profit"),
                type: "line",
                color: getColor(2, scheme, "sm"),
            },
        ];
    }

    get chartConfig() {
        const scheme = cookie.get("color_scheme");
        const labelColor = getCustomColor(scheme, "#111827", "#E4E4E4");
        const gridColor = getCustomColor(scheme, "rgba(0,0,0,.1)", "rgba(255,255,255,.15)");
        return {
            data: {
                labels: this.props.months.map((values) => this.formatMonth(values.month)),
                datasets: this.series.map(({ key, label, type, color }) => ({
                    type,
                    order: type === "line" ? 0 : 1,
                    label,
                    data: this.props.months.map((values) => values[key]),
                    backgroundColor: color,
                    borderColor: color,
                    borderWidth: type === "line" ? 2 : 0,
                    pointRadius: 2,
                })),
            },
            options: {
                animation: false,
                maintainAspectRatio: false,
                interaction: { mode: "index", intersect: false },
                plugins: {
                    legend: {
                        position: "bottom",
                        labels: {
                            boxWidth: 12,
                            boxHeight: 12,
                            color: labelColor,
                            sort: (one, other) => one.datasetIndex - other.datasetIndex,
                        },
                    },
                    tooltip: {
                        callbacks: {
                            label: ({ dataset, raw }) =>
                                `${dataset.label}: ${this.formatAmount(raw)}`,
                        },
                    },
                },
                scales: {
                    x: {
                        ticks: { color: labelColor },
                        grid: { display: false },
                        border: { color: gridColor },
                    },
                    y: {
                        beginAtZero: true,
                        ticks: {
                            maxTicksLimit: 6,
                            color: labelColor,
                            callback: (value) =>
                                this.formatAmount(value, {
                                    humanReadable: true,
                                    digits: [16, 0],
                                    minDigits: 3,
                                }),
                        },
                        grid: { color: gridColor },
                        border: { display: false },
                    },
                },
            },
        };
    }

    formatAmount(amount, options = {}) {
        return formatMonetary(amount, { currencyId: this.props.currencyId, ...options });
    }

    formatMonth(month) {
        return deserializeDate(`${month}-01`).toLocaleString({ month: "short", year: "2-digit" });
    }
}
