from odoo.exceptions import AccessError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .history_common import QUARTER, HistoryCommon


@tagged("post_install", "-at_install")
class TestHistoryRights(HistoryCommon):
    def test_only_accountants_start_one(self):
        for role in ("rep", "cost_user", "reviewer", "auditor", "internal"):
            with self.subTest(role), self.assertRaises(AccessError):
                self.create_history(role)
        history = self.create_history()
        for method in ("action_preview", "action_start", "action_stop", "action_undo"):
            for role in ("rep", "cost_user", "reviewer", "auditor", "internal"):
                with self.subTest(f"{role}: {method}"), self.assertRaises(AccessError):
                    self.rpc(self.users[role], history._name, method, history.ids)
        self.rpc(self.users["manager"], history._name, "action_start", history.ids)
        self.assertEqual(history.state, "running")

    def test_state_and_rows_cannot_be_forged(self):
        forged = {"customer_cost_guard": True}
        history = self.create_history()
        history.action_start()
        user = self.users["manager"]
        month = {
            "history_id": history.id,
            "date_from": "2024-01-01",
            "date_to": "2024-12-31",
            "state": "done",
        }
        model = "customer.cost.history"
        for target, method, args in (
            (model, "write", (history.ids, {"state": "done"})),
            (model, "write", (history.ids, {"month_ids": [(0, 0, month)]})),
            (model, "create", ({**QUARTER, "state": "undone"},)),
            (model, "create", ({**QUARTER, "month_ids": [(0, 0, month)]},)),
            (f"{model}.month", "create", (month,)),
            (f"{model}.month", "write", (history.month_ids.ids, {"state": "done"})),
            (f"{model}.month", "unlink", (history.month_ids.ids,)),
            (f"{model}.line", "create", ({"history_id": history.id, "kind": "direct"},)),
        ):
            with self.subTest(f"{target}.{method}"), mute_logger("odoo.addons.base.models"):
                with self.assertRaises(AccessError):
                    self.rpc(user, target, method, *args, context=forged)
        self.env.invalidate_all()
        self.assertEqual(history.state, "running")
        self.assertEqual(set(history.month_ids.mapped("state")), {"waiting"})

    def test_default_state_of_the_context_is_refused(self):
        with self.assertRaises(AccessError):
            self.rpc(
                self.users["manager"],
                "customer.cost.history",
                "create",
                QUARTER,
                context={"default_state": "done"},
            )

    def test_another_company_is_out_of_reach(self):
        other = self.setup_other_company(name="Elsewhere")["company"]
        with self.assertRaises(AccessError):
            self.create_history(company_id=other.id)
        history = self.env["customer.cost.history"].create({"company_id": other.id, **QUARTER})
        with self.assertRaises(AccessError):
            self.rpc(self.users["manager"], history._name, "action_start", history.ids)

    def test_started_one_keeps_its_days(self):
        history = self.bring_in()
        with self.assertRefused("has been started. Its days can no longer be changed"):
            history.date_to = "2025-12-31"
        with self.assertRefused("holds the months it brought in. Undo it first"):
            history.unlink()
        with self.assertRefused("has nothing left to bring in"):
            history.action_start()
        with self.assertRefused("is not running"):
            history.action_stop()
        history.action_undo()
        self.run_cron()
        with self.assertRefused("has brought nothing in that could be undone"):
            history.action_undo()
        history.unlink()
        self.assertFalse(history.exists())

    def test_copy_starts_anew(self):
        history = self.bring_in()
        copy = history.copy()
        self.assertRecordValues(copy, [{"state": "draft", "month_ids": [], "line_ids": []}])
