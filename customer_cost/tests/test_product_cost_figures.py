from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged

from .test_product_cost import ProductCostCommon

MOVE = "account.move"
REPORT = "account.invoice.report"
FIGURES = (
    "customer_cost_total",
    "customer_cost_margin",
    "customer_cost_margin_pct",
    "customer_cost_unknown_count",
)
LINE_FIGURES = ("customer_cost_margin", "customer_cost_margin_pct", "customer_cost_typed")
REPORT_FIGURES = (
    "customer_cost_amount",
    "customer_cost_sales",
    "customer_cost_margin",
    "customer_cost_margin_pct",
)


class FiguresCommon(ProductCostCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.unknown_product = cls.env["product.product"].create(
            {"name": "No cost", "taxes_id": [Command.clear()]}
        )
        cls.viewer = cls.create_finance_user("figures_viewer", "customer_cost_user")
        cls.auditor = cls.create_finance_user("figures_auditor", "customer_cost_auditor")
        cls.biller = new_test_user(
            cls.env,
            "figures_biller",
            "account.group_account_invoice,customer_cost.group_customer_cost_rep,"
            "base.group_allow_export",
            company_id=cls.company.id,
            company_ids=[Command.set(cls.company.ids)],
        )

    @classmethod
    def create_finance_user(cls, login, group):
        return new_test_user(
            cls.env,
            login,
            f"account.group_account_invoice,customer_cost.group_{group}",
            company_id=cls.company.id,
            company_ids=[Command.set(cls.company.ids)],
        )

    def create_mixed(self, *products, **vals):
        """Posted invoice of one line of 100.00 per product."""
        return self.create_sale(
            self.customer_a,
            invoice_line_ids=[
                Command.create(
                    {"product_id": product.id, "price_unit": 100.0, "tax_ids": [Command.clear()]}
                )
                for product in products
            ],
            **vals,
        )

    def assertFigures(self, move, *expected):
        self.assertEqual(tuple(move[name] for name in FIGURES), expected)


@tagged("post_install", "-at_install")
class TestInvoiceMargin(FiguresCommon):
    def test_line_and_invoice(self):
        invoice = self.create_sale(self.customer_a, quantity=3)
        line = invoice.invoice_line_ids
        self.assertEqual((line.customer_cost_margin, line.customer_cost_margin_pct), (180.0, 60.0))
        self.assertFigures(invoice, 120.0, 180.0, 60.0, 0)

    def test_draft_has_no_figures(self):
        invoice = self.create_sale(self.customer_a, post=False)
        self.assertFigures(invoice, False, False, False, 0)
        invoice.invoice_line_ids.customer_cost_unit = 7.0
        self.assertFigures(invoice, False, False, False, 0)
        self.assertIs(invoice.invoice_line_ids.customer_cost_margin, False)
        invoice.action_post()
        self.assertFigures(invoice, 7.0, 93.0, 93.0, 0)
        invoice.button_draft()
        self.assertFigures(invoice, False, False, False, 0)

    def test_unknown_line_has_no_margin_and_the_invoice_none_either(self):
        invoice = self.create_mixed(self.product, self.unknown_product)
        known, unknown = invoice.invoice_line_ids
        self.assertEqual(known.customer_cost_margin, 60.0)
        for name in ("customer_cost_margin", "customer_cost_margin_pct", "customer_cost_amount"):
            self.assertIs(unknown[name], False)
        self.assertFigures(invoice, 40.0, False, False, 1)

    def test_nothing_known(self):
        self.assertFigures(self.create_mixed(self.unknown_product), False, False, False, 1)

    def test_posted_before_the_add_on(self):
        invoice = self.create_sale(self.customer_a)
        self.env.flush_all()
        self.env.cr.execute(
            """UPDATE account_move_line SET customer_cost_unit = NULL, customer_cost_amount = NULL,
                      customer_cost_source = NULL WHERE move_id = %s""",
            (invoice.id,),
        )
        self.env.invalidate_all()
        self.assertFigures(invoice, False, False, False, 1)

    def test_credit_note_is_negative_and_has_no_percentage(self):
        credit_note = self.create_sale(self.customer_a, quantity=2, move_type="out_refund")
        self.assertFigures(credit_note, -80.0, -120.0, False, 0)
        line = credit_note.invoice_line_ids
        self.assertEqual(line.customer_cost_margin, -120.0)
        self.assertIs(line.customer_cost_margin_pct, False)

    def test_given_away(self):
        invoice = self.create_sale(self.customer_a, price=0.0)
        self.assertFigures(invoice, 40.0, -40.0, False, 0)

    def test_foreign_currency(self):
        currency = self.setup_other_currency("EUR", rates=[("2025-01-01", 0.5)])
        invoice = self.create_sale(self.customer_a, quantity=3, currency_id=currency.id)
        self.assertFigures(invoice, 120.0, 480.0, 80.0, 0)

    def test_other_entries_have_none(self):
        bill = self.create_bill([(self.expense_account, 10.0, {"product_id": self.product.id})])
        entry = self.create_entry_move([(self.expense_account, 10.0, {})])
        for move in (bill, entry):
            self.assertFigures(move, False, False, False, 0)
            self.assertFalse(any(move.line_ids.mapped("customer_cost_margin")))

    def test_one_query_for_any_number_of_invoices(self):
        invoices = self.env[MOVE]
        for _ in range(12):
            invoices |= self.create_mixed(self.product, self.unknown_product)

        def count(moves):
            self.env.invalidate_all()
            moves.mapped("company_currency_id.rounding")
            moves.mapped("move_type")
            before = self.env.cr.sql_log_count
            moves.mapped("customer_cost_margin")
            moves.mapped("customer_cost_unknown_count")
            return self.env.cr.sql_log_count - before

        self.assertEqual(count(invoices[:1]), 1)
        self.assertEqual(count(invoices), 1)

    def test_link_to_unknown_lines(self):
        invoice = self.create_mixed(self.product, self.unknown_product)
        action = self.rpc(self.viewer, MOVE, "action_open_unknown_cost", invoice.ids)
        lines = self.env["account.move.line"].with_user(self.viewer).search(action["domain"])
        self.assertEqual(lines.product_id, self.unknown_product)
        with self.assertRaises(AccessError):
            self.rpc(self.biller, MOVE, "action_open_unknown_cost", invoice.ids)


@tagged("post_install", "-at_install")
class TestInvoiceMarginSearch(FiguresCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.good = cls.create_sale(cls.customer_a, price=100.0)
        cls.loss = cls.create_sale(cls.customer_a, price=30.0)
        cls.thin = cls.create_sale(cls.customer_a, price=50.0)
        cls.unknown = cls.create_sale(cls.customer_a, product=cls.unknown_product)
        cls.draft = cls.create_sale(cls.customer_a, post=False)
        cls.mine = [("company_id", "=", cls.company.id), ("move_type", "=", "out_invoice")]

    def find(self, *domain, order=None):
        return self.env[MOVE].with_user(self.viewer).search([*self.mine, *domain], order=order)

    def test_comparisons(self):
        for domain, expected in {
            ("customer_cost_margin", "<", 0): self.loss,
            ("customer_cost_margin", ">=", 60): self.good,
            ("customer_cost_margin_pct", "<", 21): self.loss | self.thin,
            ("customer_cost_total", ">", 0): self.good | self.loss | self.thin,
            ("customer_cost_total", "=", 40.0): self.good | self.loss | self.thin,
            ("customer_cost_margin", "=", False): self.unknown | self.draft,
            ("customer_cost_margin", "!=", False): self.good | self.loss | self.thin,
            ("customer_cost_unknown_count", ">", 0): self.unknown,
            ("customer_cost_unknown_count", "=", 1): self.unknown,
        }.items():
            with self.subTest(domain):
                self.assertEqual(self.find(domain), expected)

    def test_sorted_with_the_empty_ones_last(self):
        known = ("state", "=", "posted")
        for order, expected in {
            "customer_cost_margin": self.loss + self.thin + self.good + self.unknown,
            "customer_cost_margin_pct desc": self.good + self.thin + self.loss + self.unknown,
        }.items():
            self.assertEqual(self.find(known, order=order).ids, expected.ids)

    def test_web_list_sorts_and_filters(self):
        result = self.rpc(
            self.viewer,
            MOVE,
            "web_search_read",
            domain=[*self.mine, ("customer_cost_margin", "<", 20)],
            specification={"customer_cost_margin": {}},
            order="customer_cost_margin",
        )
        self.assertEqual([row["customer_cost_margin"] for row in result["records"]], [-10.0, 10.0])


@tagged("post_install", "-at_install")
class TestInvoiceMarginAccess(FiguresCommon):
    def test_others_cannot_read_search_sort_group_or_export(self):
        invoice = self.create_sale(self.customer_a)
        for model, names, ids in (
            (MOVE, FIGURES, invoice.ids),
            ("account.move.line", LINE_FIGURES, invoice.invoice_line_ids.ids),
            (REPORT, REPORT_FIGURES, invoice.invoice_line_ids.ids),
        ):
            for name in names:
                attacks = [
                    ("read", [ids, [name]], {}),
                    ("web_read", [ids, {name: {}}], {}),
                    ("search_read", [[], [name]], {}),
                    ("export_data", [ids, [name]], {}),
                    ("formatted_read_group", [[], [name], ["__count"]], {}),
                    ("formatted_read_group", [[], [], [f"{name}:max"]], {}),
                ]
                if model != "account.move.line":
                    attacks += [
                        ("search", [[(name, ">", 0)]], {}),
                        ("search", [["!", (name, "=", 0)]], {}),
                        ("search", [[]], {"order": f"{name} desc"}),
                    ]
                if model == MOVE:
                    attacks.append(("search", [[("reversal_move_ids." + name, ">", 0)]], {}))
                if model == REPORT:
                    attacks.append(("formatted_read_group", [[], [], [f"{name}:avg"]], {}))
                for method, args, kwargs in attacks:
                    with (
                        self.subTest(f"{model}.{method} {name} {args}"),
                        self.assertRaises(AccessError),
                        self.env.cr.savepoint(),
                    ):
                        self.rpc(self.biller, model, method, *args, **kwargs)
        fields = self.rpc(self.biller, MOVE, "fields_get")
        self.assertFalse(set(FIGURES) & set(fields))

    def test_roles_of_all_customers_read_them(self):
        invoice = self.create_sale(self.customer_a)
        for user in (self.viewer, self.auditor):
            row = self.rpc(user, MOVE, "read", invoice.ids, list(FIGURES))[0]
            self.assertEqual([row[name] for name in FIGURES], [40.0, 60.0, 60.0, 0])

    def test_views_open_for_every_role(self):
        for user in (self.viewer, self.auditor, self.biller, self.users["accountant"]):
            views = self.rpc(
                user, MOVE, "get_views", [(False, "list"), (False, "form"), (False, "search")]
            )
            sees = user != self.biller
            for view in views["views"].values():
                self.assertEqual("customer_cost_margin" in view["arch"], sees)


@tagged("post_install", "-at_install")
class TestInvoiceAnalysis(FiguresCommon):
    def read_report(self, domain=(), groupby=(), user=None):
        self.env.flush_all()
        return self.rpc(
            user or self.viewer,
            REPORT,
            "formatted_read_group",
            [("company_id", "=", self.company.id), *domain],
            list(groupby),
            [f"{name}:{'avg' if name.endswith('pct') else 'sum'}" for name in REPORT_FIGURES],
        )

    def figures(self, row):
        return tuple(
            row[f"{name}:{'avg' if name.endswith('pct') else 'sum'}"] for name in REPORT_FIGURES
        )

    def test_margin_is_sum_over_sum_of_the_lines_with_known_cost(self):
        self.create_sale(self.customer_a, price=100.0)
        self.create_sale(self.customer_a, price=50.0, quantity=2)
        self.create_sale(self.customer_a, product=self.unknown_product, price=1000.0)
        self.create_sale(self.customer_a, post=False)
        (row,) = self.read_report()
        self.assertEqual(self.figures(row), (120.0, 200.0, 80.0, 40.0))

    def test_frozen_cost_does_not_follow_the_product(self):
        self.create_sale(self.customer_a)
        self.product.standard_price = 99.0
        (row,) = self.read_report()
        self.assertEqual(self.figures(row)[0], 40.0)

    def test_credit_notes_are_negative_and_groups_without_sales_have_no_percentage(self):
        self.create_sale(self.customer_a, quantity=3)
        self.create_sale(self.customer_b, move_type="out_refund")
        rows = self.read_report(groupby=["commercial_partner_id"])
        found = {row["commercial_partner_id"][0]: self.figures(row) for row in rows}
        self.assertEqual(found[self.customer_a.id], (120.0, 300.0, 180.0, 60.0))
        self.assertEqual(found[self.customer_b.id], (-40.0, -100.0, -60.0, False))

    def test_agrees_with_the_profitability_report(self):
        self.create_mixed(self.product, self.product, self.unknown_product)
        self.create_sale(self.customer_b, quantity=7, price=13.37)
        self.create_sale(self.customer_b, quantity=1, move_type="out_refund")
        self.env.flush_all()
        cost = sum(
            self.env["customer.cost.profitability"]
            .search([("company_id", "=", self.company.id)])
            .mapped("product_cost")
        )
        (row,) = self.read_report()
        self.assertAlmostEqual(self.figures(row)[0], cost, 2)
