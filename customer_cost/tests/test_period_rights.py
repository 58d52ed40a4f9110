from freezegun import freeze_time

from odoo.exceptions import AccessError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .period_common import PeriodCommon

PERIOD = "customer.cost.period"
CHECK = "customer.cost.period.check"
CLOSING = "customer.cost.period.closing"
REOPEN = "customer.cost.period.reopen"
QUIET = ("odoo.addons.base.models.ir_model", "odoo.addons.base.models.ir_rule")
NO_ACCESS = ("rep", "cost_user", "reviewer", "internal")


@tagged("post_install", "-at_install")
@freeze_time("2025-06-15")
class TestPeriodRights(PeriodCommon):
    """Who reads, signs, closes and reopens; and that nothing of it can be forged over RPC."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        periods = cls.env[PERIOD]
        cls.closing_period = periods._get(cls.company, "2025-03-10")
        cls.closing_period.action_start_closing()
        cls.closed_period = periods._get(cls.company, "2025-02-10")
        cls.closed_period.action_close()
        cls.open_period = periods._get(cls.company, "2025-04-10")
        cls.line = cls.closing_period.check_ids.filtered(lambda check: check.code == "captured")

    def snapshot(self):
        self.env.invalidate_all()
        return [
            self.env[model].with_context(active_test=False).search([]).read(names)
            for model, names in (
                (PERIOD, ["state", "touched", "closing_id", "fiscal_year", "date_from"]),
                (
                    CHECK,
                    [
                        "active",
                        "verdict",
                        "figure",
                        "signed_by_id",
                        "signed_at",
                        "signed_figure",
                        "note",
                        "closing_id",
                        "period_id",
                    ],
                ),
                (CLOSING, ["tie_out", "fingerprint", "closed_by_id", "line_amount", "reported"]),
            )
        ]

    def assertNoRight(self, roles, model, method, *args, error=AccessError, **kwargs):
        before = self.snapshot()
        for role in roles:
            with self.subTest(f"{role}: {model}.{method}{args}"):
                with mute_logger(*QUIET), self.assertRaises(error):
                    self.rpc(self.users[role], model, method, *args, **kwargs)
                    self.env.flush_all()
        self.assertEqual(self.snapshot(), before)

    def test_reading(self):
        for role in ("accountant", "manager", "auditor"):
            for model in (PERIOD, CHECK, CLOSING):
                self.assertTrue(self.rpc(self.users[role], model, "search_read", [], []))
        for model in (PERIOD, CHECK, CLOSING):
            self.assertNoRight(NO_ACCESS, model, "search_read", [], [])
        self.assertNoRight(NO_ACCESS, PERIOD, "action_open_periods")

    def test_working_on_a_checklist(self):
        outsiders = (*NO_ACCESS, "auditor")
        self.assertNoRight(outsiders, PERIOD, "action_start_closing", self.open_period.ids)
        for method in ("action_cancel_closing", "action_check", "action_sign_passed"):
            self.assertNoRight(outsiders, PERIOD, method, self.closing_period.ids)
        for method in ("action_sign", "action_capture"):
            self.assertNoRight(outsiders, CHECK, method, self.line.ids)
        for method in ("action_check", "action_sign_passed"):
            self.rpc(self.users["accountant"], PERIOD, method, self.closing_period.ids)
        self.assertEqual(self.line.signed_by_id, self.users["accountant"])

    def test_closing_and_reopening(self):
        others = (*NO_ACCESS, "auditor", "accountant")
        self.assertNoRight(others, PERIOD, "action_close", self.closing_period.ids)
        self.assertNoRight(others, PERIOD, "action_reopen", self.closed_period.ids)
        self.assertNoRight(
            others,
            REOPEN,
            "create",
            [{"period_ids": [(6, 0, self.closed_period.ids)], "reason": "Because"}],
        )
        manager = self.users["manager"]
        self.rpc(manager, PERIOD, "action_close", self.closing_period.ids)
        values = {"period_ids": [(6, 0, self.closed_period.ids)], "reason": "Because"}
        [wizard] = self.rpc(manager, REOPEN, "create", [values])
        self.rpc(manager, REOPEN, "action_confirm", [wizard])
        self.assertEqual(self.closing_period.state, "closed")
        self.assertEqual(self.closed_period.state, "open")

    def test_wizard_of_a_manager_confirmed_by_another(self):
        values = {"period_ids": [(6, 0, self.closed_period.ids)], "reason": "Because"}
        [wizard] = self.rpc(self.users["manager"], REOPEN, "create", [values])
        self.assertNoRight(
            (*NO_ACCESS, "auditor", "accountant"), REOPEN, "action_confirm", [wizard]
        )

    def test_signatures_are_not_written(self):
        forgeries = {
            "signed_by_id": self.users["manager"].id,
            "signed_at": "2025-06-01 00:00:00",
            "signed_figure": 5.0,
            "verdict": "passed",
            "figure": 0.0,
            "places": "Elsewhere",
            "checked_at": "2025-06-01 00:00:00",
            "active": False,
            "code": "tied_out",
            "period_id": self.open_period.id,
            "closing_id": self.closed_period.closing_id.id,
        }
        everybody = ("accountant", "manager", *NO_ACCESS, "auditor")
        for name, value in forgeries.items():
            for context in ({}, {"customer_cost_guard": True}):
                self.assertNoRight(
                    everybody, CHECK, "write", self.line.ids, {name: value}, context=context
                )
            # through the form of the period
            self.assertNoRight(
                everybody,
                PERIOD,
                "web_save",
                self.closing_period.ids,
                {"check_ids": [(1, self.line.id, {name: value})]},
                {},
                context={"customer_cost_guard": True},
            )

    def test_lines_are_not_made_nor_removed(self):
        everybody = ("accountant", "manager", *NO_ACCESS, "auditor")
        values = {"period_id": self.open_period.id, "code": "captured"}
        self.assertNoRight(everybody, CHECK, "create", [values])
        self.assertNoRight(everybody, CHECK, "unlink", self.line.ids)
        for command in ((0, 0, {"code": "captured"}), (2, self.line.id, 0)):
            self.assertNoRight(
                everybody, PERIOD, "write", self.closing_period.ids, {"check_ids": [command]}
            )

    def test_closings_are_not_made_changed_nor_removed(self):
        everybody = ("accountant", "manager", *NO_ACCESS, "auditor")
        closing = self.closed_period.closing_id
        values = {
            "period_id": self.open_period.id,
            "closed_by_id": self.users["manager"].id,
            "closed_at": "2025-06-01 00:00:00",
        }
        self.assertNoRight(everybody, CLOSING, "create", [values])
        self.assertNoRight(everybody, CLOSING, "write", closing.ids, {"tie_out": {}})
        self.assertNoRight(everybody, CLOSING, "unlink", closing.ids)
        self.assertNoRight(
            everybody,
            PERIOD,
            "write",
            self.closed_period.ids,
            {"closing_ids": [(1, closing.id, {"tie_out": {}})]},
        )

    def test_states_are_not_written(self):
        everybody = ("accountant", "manager", *NO_ACCESS, "auditor")
        for name, value in {
            "state": "closed",
            "closing_id": self.closed_period.closing_id.id,
            "fiscal_year": "1999",
            "date_from": "2025-01-01",
            "touched": 9,
        }.items():
            for context in ({}, {"customer_cost_guard": True}):
                self.assertNoRight(
                    everybody,
                    PERIOD,
                    "write",
                    self.closing_period.ids,
                    {name: value},
                    context=context,
                )

    def test_note_of_an_auditor_or_outsider(self):
        for role in (*NO_ACCESS, "auditor"):
            self.assertNoRight([role], CHECK, "write", self.line.ids, {"note": "Hello"})
        self.rpc(self.users["accountant"], CHECK, "write", self.line.ids, {"note": "Hello"})
        self.assertEqual(self.line.note, "Hello")

    def test_another_company(self):
        other = self.setup_other_company()["company"]
        period = self.env[PERIOD]._get(other, "2025-03-10")
        period.action_start_closing()
        both = ("accountant", "manager")
        for model, records in ((PERIOD, period), (CHECK, period.check_ids)):
            self.assertNoRight(both, model, "read", records.ids, ["display_name"])
        self.assertNoRight(both, PERIOD, "action_check", period.ids)
        self.assertNoRight(both, PERIOD, "action_close", period.ids)
        self.assertNoRight(both, CHECK, "action_sign", period.check_ids[:1].ids)
        period.action_close()
        self.assertNoRight(both, CLOSING, "read", period.closing_id.ids, ["tie_out"])
        self.assertNoRight(both, PERIOD, "action_reopen", period.ids)
