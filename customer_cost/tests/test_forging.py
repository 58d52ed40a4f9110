import json

from odoo.exceptions import AccessError, UserError
from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from .common import CustomerCostCommon

RECORDERS = ("rep", "cost_user", "accountant", "manager")
EVERYBODY = (*RECORDERS, "reviewer", "auditor", "internal")
ENTRY = "customer.cost.entry"
QUIET = ("odoo.addons.base.models.ir_model", "odoo.addons.base.models.ir_rule", "odoo.sql_db")


@tagged("post_install", "-at_install")
class TestForging(CustomerCostCommon):
    """What the methods own cannot be set over RPC, whoever calls and whatever the context says."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["res.partner"].search([("name", "like", "Cost Customer")]).user_id = cls.rep
        cls.posted = cls.create_cost(post=True)
        cls.pool = cls.create_cost(customer_id=False, post=True)
        cls.draft = cls.create_cost(user=cls.rep)
        driver = cls.create_driver({cls.customer_a: 1, cls.customer_b: 3})
        cls.create_rule(driver)
        cls.posted_run = cls.create_run(post=True)
        cls.draft_run = cls.create_run("2025-04-30")
        cls.period = cls.posted_run.period_id
        cls.step = cls.posted_run.step_ids
        cls.cell = cls.step.cell_ids
        cls.allocation = cls.env["customer.cost.allocation"].search(
            [("step_id", "=", cls.step.id)], limit=1
        )
        cls.invoice = cls.create_sale(cls.customer_a)
        # What a client may say; the guard itself is an object no client can send.
        cls.forged = {"customer_cost_guard": True}

    def snapshot(self):
        self.env.invalidate_all()
        return {
            model: self.env[model].search([]).read(names)
            for model, names in {
                ENTRY: [
                    "state",
                    "kind",
                    "name",
                    "amount",
                    "amount_company",
                    "submitter_id",
                    "last_editor_id",
                    "reversal_of_id",
                    "source_line_id",
                    "map_id",
                ],
                "customer.cost.run": [
                    "state",
                    "version",
                    "period_id",
                    "sent_total",
                    "signature",
                    "posted_by",
                ],
                "customer.cost.run.step": ["sent", "received", "name", "rule_text"],
                "customer.cost.run.cell": ["sent", "received", "item_id"],
                "customer.cost.period": ["state", "touched", "date_from", "company_id"],
                "customer.cost.line": ["amount", "customer_id", "item_id", "date", "entry_id"],
                "customer.cost.allocation": ["amount", "customer_id", "quantity"],
                "customer.cost.review": ["decision", "user_id", "reason", "date"],
                "account.move.line": [
                    "customer_cost_unit",
                    "customer_cost_amount",
                    "customer_cost_source",
                ],
            }.items()
        }

    def assertForgingFails(self, role, model, method, *args, error=AccessError, **kwargs):
        with self.subTest(f"{role}: {model}.{method}{args}{kwargs}"):
            with mute_logger(*QUIET), self.assertRaises(error):
                self.rpc(self.users[role], model, method, *args, **kwargs)
                self.env.flush_all()

    def run_and_compare(self, attacks):
        before = self.snapshot()
        attacks()
        self.assertEqual(self.snapshot(), before)

    def entry_values(self, **vals):
        return {
            "date": "2025-03-10",
            "item_id": self.item.id,
            "customer_id": self.customer_a.id,
            "amount": 100.0,
            **vals,
        }

    # ------------------------------------------------------------
    # Costs
    # ------------------------------------------------------------

    PROTECTED = {
        "state": "approved",
        "kind": "captured",
        "name": "CC/1",
        "amount_company": 5.0,
        "source_line_id": 5,
        "source_move_id": 5,
        "map_id": 5,
    }

    def entry_forgeries(self):
        other = self.users["internal"]
        return {
            **self.PROTECTED,
            "submitter_id": other.id,
            "last_editor_id": other.id,
            "reversal_of_id": self.posted.id,
            "submission_user_id": other.id,
            "cost_review_id": self.posted.review_ids.id,
            "cost_review_due": "2020-01-01",
        }

    def test_write_of_a_protected_field(self):
        def attacks():
            for role in RECORDERS:
                for name, value in self.entry_forgeries().items():
                    for context in ({}, self.forged):
                        self.assertForgingFails(
                            role, ENTRY, "write", self.draft.ids, {name: value}, context=context
                        )

        self.run_and_compare(attacks)

    def test_write_by_those_who_only_read(self):
        def attacks():
            for role in ("reviewer", "auditor", "internal"):
                for name, value in [("state", "approved"), ("description", "Hello")]:
                    self.assertForgingFails(
                        role, ENTRY, "write", self.draft.ids, {name: value}, context=self.forged
                    )

        self.run_and_compare(attacks)

    def test_create_with_a_protected_field(self):
        def attacks():
            for role in RECORDERS:
                for name, value in self.entry_forgeries().items():
                    self.assertForgingFails(
                        role,
                        ENTRY,
                        "create",
                        self.entry_values(**{name: value}),
                        context=self.forged,
                    )
                    self.assertForgingFails(
                        role,
                        ENTRY,
                        "create",
                        [self.entry_values(), {**self.entry_values(), name: value}],
                    )

        self.run_and_compare(attacks)

    def test_protected_field_as_default_in_the_context(self):
        def attacks():
            for role in RECORDERS:
                for name, value in self.entry_forgeries().items():
                    self.assertForgingFails(
                        role,
                        ENTRY,
                        "create",
                        self.entry_values(),
                        context={**self.forged, f"default_{name}": value},
                    )

        self.run_and_compare(attacks)

    def test_web_save(self):
        def attacks():
            for role in RECORDERS:
                for ids in ([], self.draft.ids):
                    vals = {"state": "approved"}
                    self.assertForgingFails(
                        role,
                        ENTRY,
                        "web_save",
                        ids,
                        vals if ids else self.entry_values(**vals),
                        {"state": {}},
                        context=self.forged,
                    )

        self.run_and_compare(attacks)

    def test_load(self):
        before = self.snapshot()
        for role in RECORDERS:
            result = self.rpc(
                self.users[role],
                ENTRY,
                "load",
                ["date", "item_id", "customer_id", "amount", "state"],
                [["2025-03-10", "T-TRV", "Cost Customer A", "10", "Approved"]],
                context=self.forged,
            )
            self.assertFalse(result["ids"], role)
            self.assertIn("cannot be set directly", result["messages"][0]["message"])
        self.assertEqual(self.snapshot(), before)

    def test_copy_with_a_default(self):
        def attacks():
            for role in RECORDERS:
                for name, value in {"state": "approved", "kind": "captured"}.items():
                    self.assertForgingFails(
                        role, ENTRY, "copy", self.draft.ids, {name: value}, context=self.forged
                    )

        self.run_and_compare(attacks)

    def test_commands_from_the_cost(self):
        reviewer = self.users["reviewer"].id
        decision = {"decision": "approved", "user_id": reviewer, "date": "2025-03-11 00:00:00"}
        line = {
            "company_id": self.company.id,
            "date": "2025-03-10",
            "origin_date": "2025-03-10",
            "item_id": self.item.id,
            "customer_id": self.customer_a.id,
            "amount": 1000.0,
        }
        review_id, line_id = self.posted.review_ids.id, self.posted.line_ids.id
        commands = {
            "review_ids": [
                (0, 0, decision),
                (1, review_id, {"reason": "x"}),
                (2, review_id),
                (4, review_id),
            ],
            "line_ids": [(0, 0, line), (1, line_id, {"amount": 1.0}), (2, line_id), (4, line_id)],
            "reversal_ids": [(0, 0, self.entry_values()), (4, self.posted.id)],
        }

        def attacks():
            for role in RECORDERS:
                for name, forms in commands.items():
                    for command in forms:
                        self.assertForgingFails(
                            role,
                            ENTRY,
                            "write",
                            self.draft.ids,
                            {name: [command]},
                            context=self.forged,
                            error=Exception,
                        )
                        self.assertForgingFails(
                            role,
                            ENTRY,
                            "create",
                            self.entry_values(**{name: [command]}),
                            context=self.forged,
                            error=Exception,
                        )

        self.run_and_compare(attacks)

    def test_unlink(self):
        def attacks():
            for role in EVERYBODY:
                for record in (self.posted, self.posted.review_ids, self.posted.line_ids):
                    self.assertForgingFails(
                        role,
                        record._name,
                        "unlink",
                        record.ids,
                        context=self.forged,
                        error=Exception,
                    )

        self.run_and_compare(attacks)

    def test_defaults_do_not_reach_a_reversal(self):
        """The reversal is made by a method that may set protected fields."""
        action = self.rpc(
            self.users["accountant"],
            ENTRY,
            "action_reverse",
            self.posted.ids,
            context={
                "default_state": "approved",
                "default_kind": "captured",
                "default_source_line_id": 7,
                "default_submitter_id": self.rep.id,
            },
        )
        reversal = self.env[ENTRY].browse(action["res_id"])
        self.assertRecordValues(
            reversal,
            [{"state": "draft", "kind": "statistical", "source_line_id": 0, "submitter_id": False}],
        )
        self.assertEqual(self.posted.state, "approved")

    def test_protected_change_is_tracked_whatever_the_context_says(self):
        entry = self.create_cost()
        self.flush_tracking()
        before = entry.message_ids
        self.rpc(
            self.users["accountant"],
            ENTRY,
            "action_submit",
            entry.ids,
            context={"tracking_disable": True, "mail_notrack": True},
        )
        self.flush_tracking()
        self.assertIn(
            "state",
            (entry.message_ids - before).sudo().tracking_value_ids.field_id.mapped("name"),
        )

    def flush_tracking(self):
        self.env.flush_all()
        self.cr.precommit.run()

    # ------------------------------------------------------------
    # Runs, periods, ledger, decisions
    # ------------------------------------------------------------

    def test_run_cannot_be_forged(self):
        forgeries = {
            "state": "posted",
            "version": 9,
            "period_id": self.draft_run.period_id.id,
            "pool_total": 1.0,
            "carried_total": 1.0,
            "sent_total": 1.0,
            "received_total": 1.0,
            "retained_total": 1.0,
            "signature": "x",
            "computed_at": "2025-01-01 00:00:00",
            "computed_by": self.rep.id,
            "posted_at": "2025-01-01 00:00:00",
            "posted_by": self.rep.id,
            "snapshot": "aGVsbG8=",
        }
        new = {"company_id": self.company.id, "date": "2025-05-31"}

        def attacks():
            for role in ("accountant", "manager"):
                for name, value in forgeries.items():
                    for run in (self.posted_run, self.draft_run):
                        self.assertForgingFails(
                            role, run._name, "write", run.ids, {name: value}, context=self.forged
                        )
                    self.assertForgingFails(
                        role,
                        "customer.cost.run",
                        "create",
                        {**new, name: value},
                        context=self.forged,
                    )
                    self.assertForgingFails(
                        role,
                        "customer.cost.run",
                        "create",
                        new,
                        context={**self.forged, f"default_{name}": value},
                    )
                    self.assertForgingFails(
                        role,
                        "customer.cost.run",
                        "copy",
                        self.draft_run.ids,
                        {name: value},
                        context=self.forged,
                    )
                self.assertForgingFails(
                    role, "customer.cost.run", "unlink", self.posted_run.ids, error=Exception
                )

        self.run_and_compare(attacks)

    def test_run_results_cannot_be_forged(self):
        step = {"name": "Forged", "sent": 1.0, "received": 1.0}
        cell = {"item_id": self.item.id, "sent": 1.0, "received": 1.0}
        attacks_by_parent = [
            (self.draft_run, "step_ids", [(0, 0, step)]),
            (self.posted_run, "step_ids", [(1, self.step.id, {"sent": 1.0})]),
            (self.posted_run, "step_ids", [(2, self.step.id)]),
            (self.draft_run, "step_ids", [(4, self.step.id)]),
            (self.posted_run, "step_ids", [(5,)]),
            (self.step, "cell_ids", [(0, 0, cell)]),
            (self.step, "cell_ids", [(1, self.cell.id, {"sent": 1.0})]),
            (self.step, "cell_ids", [(2, self.cell.id)]),
            (self.period, "run_ids", [(0, 0, {"state": "posted"})]),
            (self.period, "run_ids", [(4, self.draft_run.id)]),
            (self.period, "run_ids", [(5,)]),
        ]

        def attacks():
            for role in EVERYBODY:
                for parent, name, commands in attacks_by_parent:
                    self.assertForgingFails(
                        role,
                        parent._name,
                        "write",
                        parent.ids,
                        {name: commands},
                        context=self.forged,
                    )

        self.run_and_compare(attacks)

    def test_rows_nobody_writes(self):
        review, line = self.posted.review_ids, self.posted.line_ids
        rows = {
            review: {
                "answer": "Forged",
                "answer_user_id": self.rep.id,
                "author_id": self.rep.id,
                "company_id": self.company.id,
                "customer_id": self.customer_a.id,
                "date_deadline": "2025-01-01",
                "escalated": True,
                "mailed_user_ids": [(4, self.rep.id)],
                "name": "Forged",
                "sequence": 9,
                "since": "2025-01-01 00:00:00",
                "stage_id": False,
                "decision": "refused",
                "entry_id": self.draft.id,
                "reason": "Forged",
                "user_id": self.rep.id,
                "date": "2025-01-01 00:00:00",
            },
            line: {
                "amount": 1.0,
                "entry_id": self.draft.id,
                "item_id": self.item.id,
                "company_id": self.company.id,
                "date": "2025-03-10",
                "origin_date": "2025-03-10",
            },
            self.allocation: {
                "amount": 1.0,
                "step_id": self.step.id,
                "layer": "allocated",
                "company_id": self.company.id,
                "date": "2025-03-10",
            },
            self.step: {"run_id": self.posted_run.id, "sent": 1.0},
            self.cell: {"step_id": self.step.id, "item_id": self.item.id, "sent": 1.0},
            self.period: {
                "state": "closed",
                "date_from": "2025-05-01",
                "company_id": self.company.id,
            },
        }

        def attacks():
            for role in EVERYBODY:
                for record, vals in rows.items():
                    model = record._name
                    for method, args in (
                        ("write", [record.ids, vals]),
                        ("create", [vals]),
                        ("web_save", [[], vals, {}]),
                        ("web_save", [record.ids, vals, {}]),
                        ("copy", [record.ids]),
                        ("unlink", [record.ids]),
                    ):
                        self.assertForgingFails(role, model, method, *args, context=self.forged)

        self.run_and_compare(attacks)

    def test_reports_nobody_writes(self):
        for model in ("customer.cost.analysis", "customer.cost.profitability"):
            record = self.env[model].search([], limit=1)
            for role in EVERYBODY:
                self.assertForgingFails(role, model, "write", record.ids, {"company_id": 1})
                self.assertForgingFails(role, model, "create", {"company_id": 1})
                self.assertForgingFails(role, model, "unlink", record.ids)

    def test_defaults_do_not_close_the_period_of_a_new_run(self):
        """The period is made by a method that may set protected fields."""
        run_id = self.rpc(
            self.users["accountant"],
            "customer.cost.run",
            "create",
            {"company_id": self.company.id, "date": "2025-06-30", "state": "draft"},
            context={"default_state": "closed", "default_touched": 5},
        )
        period = self.env["customer.cost.run"].browse(run_id).period_id
        self.assertRecordValues(period, [{"state": "open", "touched": 0}])

    def test_posting_closing_and_reversing_need_the_manager(self):
        methods = [
            ("customer.cost.run", "action_post", self.draft_run),
            ("customer.cost.run", "action_reverse", self.posted_run),
            ("customer.cost.period", "action_close", self.period),
            ("customer.cost.period", "action_reopen", self.period),
        ]

        def attacks():
            for role in ("rep", "cost_user", "accountant", "reviewer", "auditor", "internal"):
                for model, method, record in methods:
                    self.assertForgingFails(role, model, method, record.ids)

        self.run_and_compare(attacks)

    def test_computing_needs_the_accountant(self):
        methods = ("action_compute", "action_compute_checked", "action_check", "action_simulate")

        def attacks():
            for role in ("rep", "cost_user", "reviewer", "auditor", "internal"):
                for method in methods:
                    self.assertForgingFails(role, "customer.cost.run", method, self.draft_run.ids)

        self.run_and_compare(attacks)

    def test_reading_the_books_changes_nothing_in_them(self):
        """The auditor, and the accountant without a role in Invoicing, only read accounting."""
        self.users["reader"] = self.create_user("cost_reader", "auditor")
        self.users["reader"].group_ids |= self.env.ref(
            "customer_cost.group_customer_cost_accountant"
        )
        draft = self.create_sale(self.customer_a, post=False)
        entries, items = "account.move", "account.move.line"
        journal, account = self.invoice.journal_id, self.expense_account
        category = self.env["product.category"].create({"name": "Goods"})

        def attacks():
            for role in ("auditor", "reader"):
                for model, method, *args in (
                    (entries, "write", self.invoice.ids, {"ref": "forged"}),
                    (entries, "write", self.invoice.ids, {"state": "draft"}),
                    (entries, "write", draft.ids, {"state": "posted"}),
                    (entries, "web_save", draft.ids, {"ref": "forged"}, {}),
                    (entries, "create", {"move_type": "entry"}),
                    (entries, "copy", draft.ids),
                    (entries, "unlink", draft.ids),
                    (entries, "action_post", draft.ids),
                    (entries, "button_draft", self.invoice.ids),
                    (entries, "button_cancel", draft.ids),
                    (items, "write", self.invoice.line_ids.ids, {"name": "forged"}),
                    (
                        items,
                        "write",
                        self.invoice.line_ids.ids,
                        {"cost_customer_id": self.customer_b.id},
                    ),
                    (items, "write", draft.line_ids.ids, {"customer_cost_unit": 1.0}),
                    (items, "create", {"move_id": draft.id, "account_id": account.id}),
                    (items, "unlink", draft.line_ids.ids),
                    ("account.payment", "create", {"amount": 1.0}),
                    ("account.journal", "write", journal.ids, {"name": "forged"}),
                    ("account.account", "write", account.ids, {"name": "forged"}),
                    ("account.tax", "create", {"name": "forged"}),
                    ("product.category", "write", category.ids, {"name": "forged"}),
                    ("res.company", "write", self.company.ids, {"fiscalyear_lock_date": False}),
                ):
                    self.assertForgingFails(role, model, method, *args, error=UserError)
                with mute_logger(*QUIET):
                    loaded = self.rpc(self.users[role], entries, "load", ["ref"], [["forged"]])
                self.assertFalse(loaded["ids"])

        def read_books():
            moves = self.invoice | draft
            names = ["name", "balance", "account_id", "cost_customer_id", "customer_cost_unit"]
            return moves.line_ids.read(names) + moves.read(["name", "ref", "state"])

        before = read_books()
        self.run_and_compare(attacks)
        self.assertEqual(read_books(), before)

    def test_actions_on_costs_need_the_right_to_the_cost(self):
        entry = self.create_cost()
        entry.action_submit()
        foreign = entry.ids

        def attacks():
            for role, methods in {
                "rep": ("action_submit", "action_withdraw"),
                "cost_user": ("action_submit", "action_withdraw"),
                "reviewer": ("action_submit", "action_withdraw"),
                "auditor": ("action_submit", "action_withdraw"),
                "internal": (
                    "action_submit",
                    "action_withdraw",
                    "action_approve",
                    "action_refuse",
                    "action_reverse",
                    "action_open_source",
                ),
            }.items():
                for method in methods:
                    self.assertForgingFails(role, ENTRY, method, foreign)

        self.run_and_compare(attacks)

    # ------------------------------------------------------------
    # Frozen product cost
    # ------------------------------------------------------------

    def test_frozen_product_cost_cannot_be_written(self):
        line = self.invoice.invoice_line_ids
        frozen = {
            "customer_cost_unit": 1.0,
            "customer_cost_amount": 1.0,
            "customer_cost_source": "unknown",
        }

        # Before posting a cost accountant may type the unit cost; nobody else may.
        typed_by_them = {("accountant", "customer_cost_unit"), ("manager", "customer_cost_unit")}

        def attacks():
            for role in ("accountant", "manager", "internal"):
                for name, value in frozen.items():
                    self.assertForgingFails(
                        role, line._name, "write", line.ids, {name: value}, context=self.forged
                    )
                    self.assertForgingFails(
                        role,
                        "account.move",
                        "write",
                        self.invoice.ids,
                        {"invoice_line_ids": [(1, line.id, {name: value})]},
                        context=self.forged,
                        error=UserError,
                    )
                    if (role, name) not in typed_by_them:
                        self.assertForgingFails(
                            role,
                            "account.move",
                            "create",
                            self.invoice_values(**{name: value}),
                            context=self.forged,
                        )

        self.run_and_compare(attacks)

    def invoice_values(self, **line):
        return {
            "move_type": "out_invoice",
            "partner_id": self.customer_a.id,
            "invoice_line_ids": [(0, 0, {"product_id": self.product.id, **line})],
        }

    def test_defaults_do_not_reach_the_frozen_product_cost(self):
        move_id = self.rpc(
            self.users["accountant"],
            "account.move",
            "create",
            self.invoice_values(),
            context={
                "default_customer_cost_unit": 1.0,
                "default_customer_cost_amount": 1.0,
                "default_customer_cost_source": "product",
            },
        )
        self.assertRecordValues(
            self.env["account.move"].browse(move_id).invoice_line_ids,
            [
                {
                    "customer_cost_unit": 0.0,
                    "customer_cost_amount": 0.0,
                    "customer_cost_source": False,
                }
            ],
        )

    # ------------------------------------------------------------
    # Private methods
    # ------------------------------------------------------------

    def test_private_methods_cannot_be_called(self):
        for model, methods in {
            ENTRY: (
                "_refuse",
                "_append_to_ledger",
                "_decide",
                "_start_review",
                "_end_round",
                "_ask",
                "_answer",
                "_submit",
                "_unguarded",
                "_hold_periods",
                "_prepare_lines_vals",
                "_get_reviewers",
                "_release",
                "_remind",
                "_log_breaches",
                "_read_settlement",
            ),
            "customer.cost.recording.period": ("_open", "_refresh"),
            "customer.cost.allocation": ("_copy_rows",),
            "customer.cost.run": (
                "_unguarded",
                "_set_period",
                "_clear_results",
                "_compute_steps",
                "_write_outcome",
                "_write_rows",
                "_load_frozen",
                "_compare_with",
            ),
            "customer.cost.run.comparison": ("_fill",),
            "customer.cost.succession": ("_record",),
            "customer.cost.period": ("_unguarded", "_touch", "_get"),
            "customer.cost.capture": ("_sync", "_lock_moves"),
            "customer.cost.figures": ("_get_figures", "_read_months", "_read_last_rows"),
            "customer.cost.profitability": ("_get_sales",),
            "customer.cost.driver": ("_get_quantities", "_get_quantities_document"),
            "customer.cost.map.preview": ("_read_rows",),
            "account.move.line": ("_freeze_product_cost", "_clear_product_cost"),
        }.items():
            for method in methods:
                self.assertTrue(hasattr(self.env[model], method), f"{model}.{method}")
                with self.assertRaisesRegex(AccessError, "cannot be called remotely"):
                    self.rpc(self.users["manager"], model, method, [])

    def test_public_methods_are_the_intended_ones(self):
        """A new public method is callable by everybody: it has to be on this list."""
        public = {
            f"{name}.{method}"
            for name, model in self.env.registry.items()
            for base in model.mro()
            if getattr(base, "_module", None) == "customer_cost" and "_name" not in ("base",)
            for method, value in vars(base).items()
            if callable(value)
            and not method.startswith("_")
            and not isinstance(value, type)
            and method not in ("create", "write", "unlink", "copy_data", "onchange")
            and name.startswith("customer.cost.")
        }
        self.assertEqual(
            public,
            {
                "customer.cost.account.map.action_apply",
                "customer.cost.account.map.action_preview",
                "customer.cost.map.apply.action_apply",
                "customer.cost.alert.action_acknowledge",
                "customer.cost.alert.action_assign",
                "customer.cost.alert.action_open_customer",
                "customer.cost.alert.action_resolve",
                "customer.cost.alert.action_snooze",
                "customer.cost.alert.get_empty_list_help",
                "customer.cost.alert.act.action_confirm",
                "customer.cost.alert.rule.action_check",
                "customer.cost.alert.rule.action_open_alerts",
                "customer.cost.alert.rule.action_preview",
                "customer.cost.alert.rule.action_switch_off",
                "customer.cost.alert.rule.action_switch_on",
                "customer.cost.allocation.action_explain",
                "customer.cost.allocation.action_open_pool_lines",
                "customer.cost.analysis.action_open_source",
                "customer.cost.balance.action_check",
                "customer.cost.balance.action_rebuild",
                "customer.cost.budget.action_close",
                "customer.cost.budget.action_confirm",
                "customer.cost.budget.action_fill",
                "customer.cost.budget.action_open_lines",
                "customer.cost.budget.action_open_report",
                "customer.cost.budget.action_revise",
                "customer.cost.budget.fill.action_apply",
                "customer.cost.budget.line.get_import_templates",
                "customer.cost.budget.remedy.action_apply",
                "customer.cost.budget.report.action_open_commitments",
                "customer.cost.budget.report.action_open_costs",
                "customer.cost.driver.action_copy_values",
                "customer.cost.driver.action_import_values",
                "customer.cost.driver.action_preview",
                "customer.cost.driver.value.action_import",
                "customer.cost.driver.value.get_import_templates",
                "customer.cost.driver.value.load",
                "customer.cost.approve.action_confirm",
                "customer.cost.author.manager.action_save",
                "customer.cost.entry.action_answer",
                "customer.cost.entry.action_approve",
                "customer.cost.entry.action_ask_release",
                "customer.cost.entry.action_create_bill",
                "customer.cost.entry.action_open_remedies",
                "customer.cost.entry.action_approve_many",
                "customer.cost.entry.action_approve_next",
                "customer.cost.entry.action_ask",
                "customer.cost.entry.action_open_source",
                "customer.cost.entry.action_refuse",
                "customer.cost.entry.action_reverse",
                "customer.cost.entry.action_submit",
                "customer.cost.entry.action_withdraw",
                "customer.cost.goods.action_open_move",
                "customer.cost.history.action_preview",
                "customer.cost.history.action_start",
                "customer.cost.history.action_stop",
                "customer.cost.history.action_undo",
                "customer.cost.period.action_cancel_closing",
                "customer.cost.period.action_check",
                "customer.cost.period.action_close",
                "customer.cost.period.action_open_changed",
                "customer.cost.period.action_open_closing",
                "customer.cost.period.action_open_late_in",
                "customer.cost.period.action_open_late_out",
                "customer.cost.period.action_open_periods",
                "customer.cost.period.action_open_tie_out",
                "customer.cost.period.action_reopen",
                "customer.cost.period.action_sign_passed",
                "customer.cost.period.action_start_closing",
                "customer.cost.period.check.action_capture",
                "customer.cost.period.check.action_open_records",
                "customer.cost.period.check.action_sign",
                "customer.cost.period.closing.action_open_tie_out",
                "customer.cost.period.reopen.action_confirm",
                "customer.cost.policy.action_open_breaches",
                "customer.cost.pool.action_open_costs",
                "customer.cost.profitability.action_open_costs",
                "customer.cost.profitability.action_open_invoices",
                "customer.cost.limits.action_save",
                "customer.cost.line.action_open_entry",
                "customer.cost.recording.action_open_periods",
                "customer.cost.recording.period.action_record",
                "customer.cost.override.give.action_confirm",
                "customer.cost.refuse.action_confirm",
                "customer.cost.release.action_confirm",
                "customer.cost.request.pick.action_confirm",
                "customer.cost.question.action_confirm",
                "customer.cost.review.check.action_tick",
                "customer.cost.review.get_waiting_counts",
                "customer.cost.settings.action_save",
                "customer.cost.overview.get_overview",
                "customer.cost.overview.get_trust",
                "customer.cost.setup.action_accept_accounts",
                "customer.cost.setup.action_accept_months",
                "customer.cost.setup.action_back",
                "customer.cost.setup.action_calculate",
                "customer.cost.setup.action_continue",
                "customer.cost.setup.action_open",
                "customer.cost.setup.action_open_rules",
                "customer.cost.setup.action_read_accounts",
                "customer.cost.setup.action_restart",
                "customer.cost.setup.action_show_result",
                "customer.cost.setup.action_stop",
                "customer.cost.setup.month.action_open_run",
                "customer.cost.summary.action_check",
                "customer.cost.summary.action_open_customer",
                "customer.cost.summary.action_rebuild",
                "customer.cost.item.month.action_open_costs",
                "customer.cost.rule.action_open_terms",
                "customer.cost.term.get_import_templates",
                "customer.cost.run.action_check",
                "customer.cost.run.action_compare",
                "customer.cost.run.action_compute",
                "customer.cost.run.action_compute_checked",
                "customer.cost.run.action_open_customers",
                "customer.cost.run.action_open_late",
                "customer.cost.run.action_open_transfers",
                "customer.cost.run.action_open_unsent",
                "customer.cost.run.action_post",
                "customer.cost.run.action_prove",
                "customer.cost.run.action_reverse",
                "customer.cost.run.action_simulate",
                "customer.cost.run.cell.action_open_pool",
                "customer.cost.run.check.action_compute",
                "customer.cost.run.check.line.action_open",
                "customer.cost.run.compare.action_compare",
                "customer.cost.run.step.action_open_rows",
                "customer.cost.tie.out.get_tie_out",
                "customer.cost.tie.out.open_records",
            },
        )


@tagged("post_install", "-at_install")
class TestForgingOverHttp(CustomerCostCommon, HttpCase):
    """The same through the door the web client uses."""

    def call(self, role, model, method, args, kwargs=None):
        login = self.users[role].login
        self.authenticate(login, login)
        answer = self.url_open(
            f"/web/dataset/call_kw/{model}/{method}",
            data=json.dumps(
                {"params": {"model": model, "method": method, "args": args, "kwargs": kwargs or {}}}
            ),
            headers={"Content-Type": "application/json"},
        )
        return answer.json()

    def assertRefusedOverHttp(self, message, *call):
        answer = self.call(*call)
        self.assertNotIn("result", answer)
        self.assertIn(message, answer["error"]["data"]["message"])

    @mute_logger("odoo.http")
    def test_protected_state_over_http(self):
        entry = self.create_cost(user=self.users["manager"])
        forged = {"context": {"customer_cost_guard": True, "default_state": "approved"}}
        good = {
            "date": "2025-03-10",
            "item_id": self.item.id,
            "customer_id": self.customer_a.id,
            "amount": 100.0,
        }
        with self.assertNothingChanged():
            self.assertRefusedOverHttp(
                "State cannot be set directly",
                "manager",
                ENTRY,
                "write",
                [entry.ids, {"state": "approved"}],
                forged,
            )
            self.assertRefusedOverHttp(
                "State cannot be set directly", "manager", ENTRY, "create", [good], forged
            )
            self.assertRefusedOverHttp(
                "cannot be called remotely", "manager", ENTRY, "_append_to_ledger", [entry.ids]
            )

    @mute_logger("odoo.http")
    def test_bad_input_over_http(self):
        with self.assertNothingChanged():
            self.assertRefusedOverHttp(
                "A cost needs a cost item",
                "manager",
                ENTRY,
                "create",
                [{"date": "2025-03-10", "amount": 1.0}],
            )
            self.assertRefusedOverHttp(
                "The amount is no number",
                "manager",
                ENTRY,
                "create",
                [{"item_id": self.item.id, "date": "2025-03-10", "amount": float("nan")}],
            )
