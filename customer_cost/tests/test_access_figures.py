from freezegun import freeze_time

from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from .common import CustomerCostCommon

PARTNER_FIGURES = (
    "customer_cost_net_sales",
    "customer_cost_gross_margin",
    "customer_cost_direct_margin",
    "customer_cost_profit",
    "customer_cost_to_serve_pct",
    "customer_cost_figures",
)
LINE_FIGURES = ("customer_cost_unit", "customer_cost_amount", "customer_cost_source")
EXPLANATION = ("pool_amount", "driver_total", "share_pct", "rule_text")
FIGURE_MODELS = (
    "customer.cost.line",
    "customer.cost.allocation",
    "customer.cost.analysis",
    "customer.cost.profitability",
    "customer.cost.entry",
    "customer.cost.review",
)
QUIET = (
    "odoo.addons.base.models.ir_model",
    "odoo.addons.base.models.ir_rule",
    "odoo.domains",
    "odoo.models",
)


@tagged("post_install", "-at_install")
@freeze_time("2025-06-15")
class TestAccessFigures(CustomerCostCommon):
    """Who reads which figure, by whatever door."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.payroll = cls.create_item("T-PAY", "Test payroll", confidential=True)
        cls.payroll_account = cls.expense_account.copy({"code": "T60009", "name": "Payroll"})
        cls.map_account(cls.payroll_account, cls.payroll)
        for customer, price in ((cls.customer_a, 1000.0), (cls.customer_b, 5000.0)):
            cls.create_sale(customer, price=price)
        for customer, amount in ((cls.customer_a, 10.0), (cls.customer_b, 20.0)):
            direct = {"cost_customer_id": customer.id}
            cls.create_bill([(cls.expense_account, amount, direct)])
            cls.create_bill([(cls.payroll_account, amount * 3, direct)])
        cls.create_bill([(cls.expense_account, 400.0, {}), (cls.payroll_account, 800.0, {})])
        driver = cls.create_driver({cls.customer_a: 1, cls.customer_b: 3})
        cls.create_rule(driver, items=cls.item | cls.payroll)
        cls.posted_run = cls.create_run(post=True)
        cls.manual_a = cls.create_cost(post=True, amount=7.0)
        cls.manual_b = cls.create_cost(post=True, amount=9.0, customer_id=cls.customer_b.id)
        cls.manual_pool = cls.create_cost(post=True, amount=11.0, customer_id=False)
        cls.ordinary = new_test_user(
            cls.env,
            login="cost_ordinary",
            groups="base.group_user,base.group_allow_export,base.group_partner_manager",
            company_id=cls.company.id,
            company_ids=[Command.set(cls.company.ids)],
        )
        cls.billing = new_test_user(
            cls.env,
            login="cost_billing",
            groups="account.group_account_manager,base.group_allow_export",
            company_id=cls.company.id,
            company_ids=[Command.set(cls.company.ids)],
        )
        cls.partners = cls.customer_a | cls.customer_b

    def assertDenied(self, user, model, method, *args, error=AccessError, **kwargs):
        with self.subTest(f"{user.login}: {model}.{method}{args}"):
            with mute_logger(*QUIET), self.assertRaises(error):
                self.rpc(user, model, method, *args, **kwargs)

    # ------------------------------------------------------------
    # An ordinary user
    # ------------------------------------------------------------

    def test_ordinary_user_opens_no_model_with_figures(self):
        for model in FIGURE_MODELS:
            ids = self.env[model].search([], limit=1).ids
            self.assertTrue(ids, model)
            for method, args in (
                ("read", [ids]),
                ("web_read", [ids, {"display_name": {}}]),
                ("search_read", [[]]),
                ("web_search_read", [[], {"display_name": {}}]),
                ("search", [[]]),
                ("search_count", [[]]),
                ("name_search", []),
                ("formatted_read_group", [[], [], ["__count"]]),
                ("web_read_group", [[], ["company_id"]]),
                ("export_data", [ids, ["display_name"]]),
                ("copy", [ids]),
            ):
                self.assertDenied(self.ordinary, model, method, *args)

    def test_ordinary_user_reads_no_partner_figure(self):
        for name in PARTNER_FIGURES:
            for method, args in (
                ("read", [self.partners.ids, [name]]),
                ("web_read", [self.partners.ids, {name: {}}]),
                ("search_read", [[], [name]]),
                ("web_search_read", [[], {name: {}}]),
                ("export_data", [self.partners.ids, [name]]),
            ):
                self.assertDenied(self.ordinary, "res.partner", method, *args)

    def test_ordinary_user_finds_nothing_by_partner_figures(self):
        for name in PARTNER_FIGURES:
            for method, args, kwargs in (
                ("search", [[(name, ">", 0)]], {}),
                ("search_count", [[(name, "!=", False)]], {}),
                ("search", [[("parent_id." + name, ">", 0)]], {}),
                ("search", [[("child_ids", "any", [(name, ">", 0)])]], {}),
                ("search", [[]], {"order": f"{name} desc"}),
                ("name_search", [""], {"domain": [(name, ">", 0)]}),
                ("formatted_read_group", [[], [name], ["__count"]], {}),
                ("formatted_read_group", [[], [], [f"{name}:sum"]], {}),
                ("formatted_read_group", [[(name, ">", 0)], [], ["__count"]], {}),
            ):
                self.assertDenied(
                    self.ordinary, "res.partner", method, *args, error=Exception, **kwargs
                )

    def test_ordinary_user_gets_no_partner_figure_from_a_form(self):
        """The form's own call computes fields of the values it is given."""
        for name in PARTNER_FIGURES:
            for ids in ([], self.customer_a.ids):
                self.assertDenied(
                    self.ordinary,
                    "res.partner",
                    "onchange",
                    ids,
                    {"name": "Cost Customer A"},
                    ["name"],
                    {name: {}},
                )

    def test_ordinary_user_sees_no_such_field(self):
        fields = self.rpc(self.ordinary, "res.partner", "fields_get")
        self.assertFalse(set(PARTNER_FIGURES) & set(fields))
        fields = self.rpc(self.billing, "account.move.line", "fields_get")
        self.assertFalse(set(LINE_FIGURES) & set(fields))
        view = self.rpc(self.ordinary, "res.partner", "get_views", [(False, "form")])
        self.assertNotIn("customer_cost_", view["views"]["form"]["arch"])

    def test_ordinary_user_gets_no_figure_from_a_wizard_form(self):
        driver = self.env["customer.cost.driver"].search([], limit=1)
        for user in (self.ordinary, self.rep, self.users["cost_user"], self.users["reviewer"]):
            self.assertDenied(
                user,
                "customer.cost.driver.preview",
                "onchange",
                [],
                {"driver_id": driver.id, "date": "2025-03-31"},
                ["date"],
                {"total": {}},
            )
            self.assertDenied(
                user,
                "customer.cost.map.preview",
                "onchange",
                [],
                {"date_from": "2025-01-01", "date_to": "2025-06-30"},
                ["date_to"],
                {"total": {}},
            )
            self.assertDenied(
                user,
                "customer.cost.allocation",
                "onchange",
                [],
                {"step_id": self.posted_run.step_ids.id},
                ["step_id"],
                {"rule_name": {}},
            )

    def test_a_dialog_names_nothing_that_its_user_may_not_read(self):
        theirs = self.create_cost(kind="request", customer_id=self.customer_b.id, amount=77.0)
        mine = self.create_cost(kind="request", amount=66.0)
        (theirs | mine).action_submit()
        (theirs | mine).with_user(self.users["reviewer"]).action_approve()
        draft = self.create_cost(customer_id=self.customer_b.id)
        bill = self.create_bill([(self.expense_account, 10.0, {})], post=False)
        period = self.env["customer.cost.period"].sudo().search([], limit=1)
        rule = self.env["customer.cost.alert.rule"].create(
            {"name": "Loss", "company_id": self.company.id, "metric": "profit"}
        )
        alert = self.env["customer.cost.alert"].sudo()._unguarded()
        alert = alert.create(
            {
                "rule_id": rule.id,
                "company_id": self.company.id,
                "metric": "profit",
                "severity": "warning",
                "customer_id": self.customer_b.id,
                "figure": 0.0,
                "threshold": 0.0,
                "found_on": "2025-03-10 08:00:00",
            }
        )
        costs = {"entry_ids": [Command.set(theirs.ids)]}
        bills = {"move_ids": [Command.set(bill.ids)]}
        reviewer = self.users["reviewer"]
        dialogs = [
            (self.rep, "alert.act", {"alert_ids": [Command.set(alert.ids)], "kind": "assign"}),
            (self.rep, "budget.remedy", {"entry_id": theirs.id}),
            (self.rep, "question", {**costs, "text": "Why?"}),
            (self.rep, "question", {**bills, "text": "Why?"}),
            (self.rep, "release", {**costs, "reason": "Over"}),
            (self.rep, "request.pick", {"move_id": bill.id}),
            (self.rep, "approve", costs),
            (self.rep, "refuse", {**costs, "reason": "No"}),
            (self.rep, "override.give", {"move_id": bill.id, "reason": "Key account"}),
            (self.rep, "period.reopen", {"period_ids": [Command.set(period.ids)], "reason": "No"}),
            (reviewer, "approve", {"entry_ids": [Command.set(draft.ids)]}),
            (reviewer, "refuse", {"entry_ids": [Command.set(draft.ids)], "reason": "No"}),
            (reviewer, "refuse", {**bills, "reason": "No"}),
            (reviewer, "question", {"entry_ids": [Command.set(draft.ids)], "text": "Why?"}),
        ]
        for user, name, vals in dialogs:
            model = f"customer.cost.{name}"
            self.assertDenied(user, model, "create", vals)
            self.assertDenied(user, model, "web_save", [], vals, {"display_name": {}})
            defaults = {f"default_{field}": value for field, value in vals.items()}
            self.assertDenied(user, model, "create", {}, context=defaults)
            self.assertDenied(user, model, "onchange", [], vals, [], {"display_name": {}})
        remedy = self.rpc(self.rep, "customer.cost.budget.remedy", "create", {"entry_id": mine.id})
        for method, spec in (("write", None), ("web_save", {"excess": {}, "findings": {}})):
            self.assertDenied(
                self.rep,
                "customer.cost.budget.remedy",
                method,
                [remedy],
                {"entry_id": theirs.id},
                *([spec] if spec else []),
            )

    def test_a_proposed_request_of_another_customer_is_not_shown(self):
        theirs = self.create_cost(kind="request", customer_id=self.customer_b.id, post=True)
        bill = self.create_bill([(self.expense_account, 10.0, {})], post=False)
        seller = self.create_user("cost_rep_billing", "rep")
        seller.group_ids += self.env.ref("account.group_account_invoice")
        model = "customer.cost.request.pick"
        pick = self.rpc(seller, model, "create", {"move_id": bill.id})
        line = {"pick_id": pick, "request_id": theirs.id}
        self.assertDenied(seller, f"{model}.line", "create", line)
        self.assertDenied(seller, f"{model}.line", "onchange", [], line, [], {"open_amount": {}})
        lines = {"line_ids": [Command.create({"request_id": theirs.id})]}
        self.assertDenied(seller, model, "create", {"move_id": bill.id, **lines})
        spec = {"line_ids": {"fields": {"open_amount": {}, "description": {}}}}
        vals = {"move_id": bill.id, **lines}
        self.assertDenied(seller, model, "onchange", [], vals, ["line_ids"], spec)

    def test_product_cost_on_invoices_needs_the_role(self):
        """An accounting administrator is no cost user: the roles are given, not implied."""
        lines = self.env["account.move.line"].search([("customer_cost_source", "!=", False)])
        self.assertTrue(lines)
        for user in (self.billing, self.rep):
            for name in LINE_FIGURES:
                for method, args, kwargs in (
                    ("read", [lines.ids, [name]], {}),
                    ("web_read", [lines.ids, {name: {}}], {}),
                    ("search_read", [[], [name]], {}),
                    ("search", [[(name, "!=", False)]], {}),
                    ("search", [[("move_id.line_ids." + name, "!=", False)]], {}),
                    ("search", [[]], {"order": f"{name} desc"}),
                    ("formatted_read_group", [[], [name], ["__count"]], {}),
                    ("formatted_read_group", [[], [], [f"{name}:max"]], {}),
                ):
                    self.assertDenied(
                        user, "account.move.line", method, *args, error=AccessError, **kwargs
                    )
        for role in ("manager", "accountant"):
            values = self.rpc(
                self.users[role], "account.move.line", "read", lines.ids, ["customer_cost_amount"]
            )
            self.assertEqual({row["customer_cost_amount"] for row in values}, {40.0})

    # ------------------------------------------------------------
    # A sales rep
    # ------------------------------------------------------------

    def customers_seen(self, role, model):
        groups = self.rpc(
            self.users[role],
            model,
            "formatted_read_group",
            [("company_id", "=", self.company.id)],
            ["customer_id"],
            ["__count"],
        )
        return {group["customer_id"] and group["customer_id"][0] for group in groups}

    def test_customers_by_role_and_model(self):
        a, b = self.customer_a.id, self.customer_b.id
        for model in ("customer.cost.line", "customer.cost.analysis", "customer.cost.entry"):
            self.assertEqual(self.customers_seen("rep", model), {a}, model)
            self.assertEqual(self.customers_seen("cost_user", model), {a, b}, model)
            for role in ("accountant", "manager", "auditor"):
                self.assertEqual(self.customers_seen(role, model), {a, b, False}, model)
        for model in ("customer.cost.allocation", "customer.cost.profitability"):
            self.assertEqual(self.customers_seen("rep", model), {a}, model)
            for role in ("cost_user", "accountant", "manager", "auditor"):
                self.assertEqual(self.customers_seen(role, model), {a, b}, model)

    def test_rep_reads_no_record_of_another_customer(self):
        for model in FIGURE_MODELS:
            if model == "customer.cost.review":
                others = self.manual_b.review_ids
            else:
                others = self.env[model].search([("customer_id", "=", self.customer_b.id)])
            self.assertTrue(others, model)
            self.assertDenied(self.rep, model, "read", others.ids)
            self.assertFalse(
                self.rpc(self.rep, model, "search_read", [("id", "in", others.ids)], ["id"])
            )

    def test_rep_sees_the_partner_figures_of_own_customers_only(self):
        rows = self.rpc(self.rep, "res.partner", "read", self.partners.ids, PARTNER_FIGURES)
        own, other = (
            next(row for row in rows if row["id"] == partner.id) for partner in self.partners
        )
        self.assertEqual(own["customer_cost_net_sales"], 1000.0)
        # 1000 - 40 product cost - (10 + 30 + 7) direct - (100 + 200) allocated
        self.assertEqual(own["customer_cost_profit"], 613.0)
        for name in PARTNER_FIGURES[:-1]:
            self.assertEqual(other[name], 0.0, name)
        figures = other["customer_cost_figures"]
        amounts = [value for row in figures["rows"] for value in row["values"]]
        self.assertFalse(any(amounts))
        self.assertFalse(figures["composition"] or figures["last_costs"])
        self.assertFalse(any(month["net_sales"] or month["cost"] for month in figures["trend"]))

    def test_cost_user_sees_the_partner_figures_of_all_customers(self):
        rows = self.rpc(
            self.users["cost_user"],
            "res.partner",
            "read",
            self.partners.ids,
            ["customer_cost_net_sales"],
        )
        self.assertEqual([row["customer_cost_net_sales"] for row in rows], [1000.0, 5000.0])

    def test_cost_user_sees_no_pool(self):
        cost_user = self.users["cost_user"]
        for model, name in (
            ("customer.cost.line", "customer_id"),
            ("customer.cost.analysis", "customer_id"),
            ("customer.cost.entry", "customer_id"),
        ):
            self.assertFalse(self.rpc(cost_user, model, "search_count", [(name, "=", False)]))
        self.assertDenied(cost_user, "customer.cost.entry", "read", self.manual_pool.ids)
        self.assertDenied(
            cost_user, "customer.cost.review", "read", self.manual_pool.review_ids.ids
        )
        for model in ("customer.cost.run", "customer.cost.run.step", "customer.cost.run.cell"):
            self.assertDenied(cost_user, model, "search_read", [])

    # ------------------------------------------------------------
    # Confidential items
    # ------------------------------------------------------------

    def test_confidential_items_are_staff_cost_for_the_rep(self):
        figures = self.customer_a.with_user(self.rep).customer_cost_figures
        composition = {row["label"]: row["values"][-1] for row in figures["composition"]}
        self.assertEqual(composition, {"Staff cost": 230.0, "Test travel": 117.0})
        self.assertNotIn("payroll", str(figures))
        self.assertNotIn("T-PAY", str(figures))

    def test_confidential_items_are_named_for_those_who_see_all(self):
        for role in ("cost_user", "accountant", "auditor"):
            figures = self.customer_a.with_user(self.users[role]).customer_cost_figures
            composition = {row["label"]: row["values"][-1] for row in figures["composition"]}
            self.assertEqual(composition, {"Test payroll": 230.0, "Test travel": 117.0}, role)

    def test_rep_finds_no_record_of_a_confidential_item(self):
        for model in (
            "customer.cost.line",
            "customer.cost.analysis",
            "customer.cost.allocation",
            "customer.cost.entry",
        ):
            hidden = self.env[model].search(
                [("customer_id", "=", self.customer_a.id), ("item_id", "=", self.payroll.id)]
            )
            self.assertTrue(hidden, model)
            self.assertDenied(self.rep, model, "read", hidden.ids)
            for domain in (
                [("item_id", "=", self.payroll.id)],
                [("item_id.confidential", "=", True)],
            ):
                self.assertFalse(self.rpc(self.rep, model, "search_count", domain))
            groups = self.rpc(
                self.rep, model, "formatted_read_group", [], ["item_id"], ["amount:sum"]
            )
            self.assertNotIn(self.payroll.id, [group["item_id"][0] for group in groups])

    # ------------------------------------------------------------
    # The explanation of an amount
    # ------------------------------------------------------------

    def own_allocation(self):
        return self.env["customer.cost.allocation"].search(
            [("customer_id", "=", self.customer_a.id), ("item_id", "=", self.item.id)]
        )

    def test_rep_reads_quantity_rate_and_rule_of_own_customers(self):
        values = self.rpc(
            self.rep,
            "customer.cost.allocation",
            "read",
            self.own_allocation().ids,
            ["quantity", "rate", "amount", "rule_name", "driver_name", "run_name"],
        )[0]
        self.assertEqual(
            (values["quantity"], values["amount"], values["rate"]), (1.0, 100.0, 100.0)
        )
        self.assertEqual(values["rule_name"], "Test rule")

    def test_pool_behind_an_amount_needs_the_accountant(self):
        row = self.own_allocation()
        for role in ("rep", "cost_user"):
            user = self.users[role]
            for name in EXPLANATION:
                self.assertDenied(user, row._name, "read", row.ids, [name])
                self.assertDenied(user, row._name, "web_read", row.ids, {name: {}})
            self.assertDenied(user, row._name, "action_open_pool_lines", row.ids)
            self.assertFalse(set(EXPLANATION) & set(self.rpc(user, row._name, "fields_get")))
        for role in ("accountant", "manager", "auditor"):
            values = self.rpc(self.users[role], row._name, "read", row.ids, EXPLANATION)[0]
            self.assertEqual(
                (values["pool_amount"], values["driver_total"], values["share_pct"]),
                (400.0, 4.0, 25.0),
            )

    def test_rep_does_not_search_through_to_the_pool(self):
        """By a path to a model without rights, a total could be found by bisection."""
        for model, path in (
            ("customer.cost.allocation", "step_id.driver_total"),
            ("customer.cost.allocation", "step_id.sent"),
            ("customer.cost.allocation", "step_id.run_id.sent_total"),
            ("customer.cost.allocation", "step_id.cell_ids.sent"),
            ("customer.cost.analysis", "allocation_id.step_id.sent"),
        ):
            for role in ("rep", "cost_user"):
                self.assertDenied(self.users[role], model, "search", [(path, ">", 0)])
                self.assertDenied(
                    self.users[role],
                    model,
                    "formatted_read_group",
                    [],
                    [path],
                    ["__count"],
                    error=Exception,
                )

    def test_rep_does_not_search_through_to_costs_of_others(self):
        found = self.rpc(
            self.rep,
            "customer.cost.line",
            "search",
            [("item_id", "=", self.item.id), ("entry_id.amount", ">", 0)],
        )
        lines = self.env["customer.cost.line"].browse(found)
        self.assertEqual(lines.customer_id, self.customer_a)

    # ------------------------------------------------------------
    # Recording
    # ------------------------------------------------------------

    def test_rep_records_for_own_customers_only(self):
        for customer in (self.customer_b, self.env["res.partner"]):
            with self.assertRefused("Choose one of your customers"):
                self.create_cost(user=self.rep, customer_id=customer.id)
        entry = self.create_cost(user=self.rep)
        for customer in (self.customer_b, self.env["res.partner"]):
            with self.assertRefused("Choose one of your customers"):
                entry.customer_id = customer
        contact = self.env["res.partner"].create(
            {"name": "Contact of B", "parent_id": self.customer_b.id}
        )
        with self.assertRefused("Choose one of your customers"):
            entry.contact_id = contact
        self.assertEqual(entry.customer_id, self.customer_a)

    def test_rep_changes_no_cost_of_others(self):
        entry = self.create_cost()
        for vals in ({"amount": 1.0}, {"description": "Mine"}):
            with self.assertRefused("Customer Cost", AccessError), mute_logger(*QUIET):
                entry.with_user(self.rep).write(vals)
        with self.assertRefused("Customer Cost", AccessError), mute_logger(*QUIET):
            entry.with_user(self.rep).unlink()

    # ------------------------------------------------------------
    # Reviewer and chatter
    # ------------------------------------------------------------

    def test_reviewer_sees_what_awaits_and_what_they_decided(self):
        reviewer = self.users["reviewer"]
        draft, submitted, elsewhere = (self.create_cost() for _count in range(3))
        (submitted | elsewhere).action_submit()
        elsewhere.with_user(self.create_user("cost_other_reviewer", "reviewer")).action_approve()
        seen = self.rpc(reviewer, "customer.cost.entry", "search", [])
        mine = self.manual_a | self.manual_b | self.manual_pool | submitted
        self.assertEqual(set(seen), set(mine.ids))
        for hidden in (draft, elsewhere):
            self.assertDenied(reviewer, "customer.cost.entry", "read", hidden.ids)
        decisions = self.rpc(reviewer, "customer.cost.review", "search", [])
        self.assertEqual(set(decisions), set(mine.review_ids.ids))

    def test_chatter_of_a_cost_is_for_its_readers(self):
        message = self.manual_b.message_post(body="The gift was 9.00")
        self.assertDenied(self.rep, "mail.message", "read", message.ids)
        self.assertDenied(self.ordinary, "mail.message", "read", message.ids)
        for user in (self.rep, self.ordinary):
            found = self.rpc(
                user,
                "mail.message",
                "search",
                [("model", "=", "customer.cost.entry"), ("res_id", "=", self.manual_b.id)],
            )
            self.assertFalse(found)
            self.assertDenied(
                user, "customer.cost.entry", "message_post", self.manual_b.ids, body="Hello"
            )
            with mute_logger(*QUIET):
                self.rpc(
                    user,
                    "customer.cost.entry",
                    "message_subscribe",
                    self.manual_b.ids,
                    user.partner_id.ids,
                )
            self.assertNotIn(user.partner_id, self.manual_b.message_partner_ids)

    def test_activity_of_a_cost_is_for_its_readers(self):
        entry = self.create_cost(customer_id=self.customer_b.id)
        entry.action_submit()
        activity = entry.activity_ids
        self.assertTrue(activity)
        for user in (self.rep, self.ordinary):
            self.assertDenied(user, "mail.activity", "read", activity.ids, ["summary"])
