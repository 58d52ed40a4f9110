from freezegun import freeze_time
from psycopg2 import IntegrityError

from odoo.exceptions import AccessError, ValidationError
from odoo.fields import Command
from odoo.tools import mute_logger

from .common import CustomerCostCommon

RECORDING = "customer.cost.recording"
PERIOD = "customer.cost.recording.period"
QUIET = ("odoo.addons.base.models.ir_model", "odoo.addons.base.models.ir_rule")


class TestRecording(CustomerCostCommon):
    """Who recorded no cost by the day due is reminded once, until a cost is recorded."""

    def calendar(self, people=("rep",), **vals):
        return (
            self.env[RECORDING]
            .with_user(self.users["accountant"])
            .create(
                {
                    "name": "Travel",
                    "user_ids": [Command.set([self.users[name].id for name in people])],
                    **vals,
                }
            )
        )

    def run_cron(self, day):
        with freeze_time(day), self.enter_registry_test_mode():
            self.env.ref("customer_cost.ir_cron_recording").method_direct_trigger()
        self.env.invalidate_all()

    def periods(self, recording):
        return [
            (period.user_id, str(period.date_from), period.state, len(period.activity_ids))
            for period in recording.period_ids.sudo().sorted(
                lambda period: (period.user_id.id, period.date_from)
            )
        ]

    def test_a_month_is_asked_for_once_on_its_day(self):
        recording = self.calendar(month_day=28)
        self.run_cron("2025-03-27")
        self.assertFalse(recording.period_ids)
        for day in ("2025-03-28", "2025-03-28", "2025-03-31"):
            self.run_cron(day)
            self.assertEqual(self.periods(recording), [(self.rep, "2025-03-01", "missing", 1)], day)
        recording.period_ids.sudo().activity_ids.with_user(self.rep).action_done()
        self.run_cron("2025-03-31")
        self.assertEqual(self.periods(recording), [(self.rep, "2025-03-01", "missing", 0)])
        self.run_cron("2025-04-28")
        self.assertEqual(
            self.periods(recording),
            [(self.rep, "2025-03-01", "missing", 0), (self.rep, "2025-04-01", "missing", 1)],
        )

    def test_a_day_that_a_month_lacks_is_its_last(self):
        recording = self.calendar(month_day=31)
        self.run_cron("2025-02-27")
        self.assertFalse(recording.period_ids)
        self.run_cron("2025-02-28")
        self.assertEqual(self.periods(recording), [(self.rep, "2025-02-01", "missing", 1)])

    def test_a_week_is_asked_for_on_its_weekday(self):
        recording = self.calendar(interval="week", weekday="5")
        self.run_cron("2025-03-13")
        self.assertFalse(recording.period_ids)
        self.run_cron("2025-03-14")
        self.assertEqual(self.periods(recording), [(self.rep, "2025-03-10", "missing", 1)])
        self.assertEqual(str(recording.period_ids.date_to), "2025-03-16")

    def test_what_is_recorded_before_the_day_needs_no_reminder(self):
        recording = self.calendar(people=("rep", "cost_user"))
        self.create_cost(user=self.rep, date="2025-03-10")
        self.create_cost(user=self.users["cost_user"], date="2025-02-10")
        self.run_cron("2025-03-28")
        self.assertEqual(
            self.periods(recording.with_context(active_test=False)),
            [
                (self.rep, "2025-03-01", "recorded", 0),
                (self.users["cost_user"], "2025-03-01", "missing", 1),
            ],
        )

    def test_a_cost_closes_the_reminder_of_its_author_period_and_items(self):
        child = self.create_item("T-CHILD", "Flights", parent_id=self.item.id)
        recording = self.calendar(
            people=("rep", "cost_user"), item_ids=[Command.set(self.item.ids)]
        )
        self.run_cron("2025-03-28")
        missing = (self.rep, "2025-03-01", "missing", 1)
        other = (self.users["cost_user"], "2025-03-01", "missing", 1)
        for vals in (
            {"item_id": self.other_item.id},
            {"date": "2025-02-28"},
            {"user": self.users["accountant"]},
        ):
            self.create_cost(**{"user": self.rep, "item_id": child.id, **vals})
            self.assertEqual(self.periods(recording), [missing, other], vals)
        self.create_cost(user=self.rep, item_id=child.id, kind="request")
        self.assertEqual(self.periods(recording), [(self.rep, "2025-03-01", "recorded", 0), other])

    def test_a_cost_whose_date_is_corrected_closes_the_reminder_in_the_night(self):
        recording = self.calendar()
        self.run_cron("2025-03-28")
        entry = self.create_cost(user=self.rep, date="2025-02-10")
        entry.date = "2025-03-10"
        self.run_cron("2025-04-02")
        self.assertEqual(self.periods(recording), [(self.rep, "2025-03-01", "recorded", 0)])

    def test_who_left_or_lost_the_role_is_not_reminded(self):
        recording = self.calendar(people=("rep", "cost_user"))
        self.users["rep"].active = False
        self.users["cost_user"].group_ids = self.env.ref("base.group_user")
        self.run_cron("2025-03-28")
        self.assertFalse(recording.period_ids)

    def test_the_reminder_leads_to_a_cost_of_its_period(self):
        recording = self.calendar(item_ids=[Command.set(self.item.ids)])
        self.run_cron("2025-03-28")
        period = recording.period_ids.with_user(self.rep)
        action = period.action_record()
        self.assertEqual(
            (action["context"]["default_date"], action["context"]["default_item_id"]),
            ("2025-03-31", self.item.id),
        )

    def test_bad_input(self):
        for vals, message in (
            ({"people": ()}, "Say who records"),
            ({"people": ("reviewer",)}, "cost_reviewer does not record costs in"),
            ({"interval": "week", "weekday": False}, "on which weekday"),
        ):
            with self.subTest(message), self.assertRefused(message, ValidationError):
                self.calendar(**vals)
        with mute_logger("odoo.sql_db"), self.assertRefused("month_day_range", IntegrityError):
            self.calendar(month_day=32)

    def test_everybody_sees_their_own_periods_and_nobody_writes_them(self):
        recording = self.calendar(people=("rep", "cost_user"))
        self.run_cron("2025-03-28")
        for role, count in (("rep", 1), ("cost_user", 1), ("accountant", 2), ("auditor", 2)):
            found = self.env[PERIOD].with_user(self.users[role]).search([])
            self.assertEqual(len(found), count, role)
        period = recording.period_ids[0]
        vals = {
            "recording_id": recording.id,
            "company_id": self.company.id,
            "user_id": self.rep.id,
            "date_from": "2025-01-01",
            "date_to": "2025-01-31",
            "date_due": "2025-01-28",
        }
        for role in ("rep", "accountant", "manager", "auditor"):
            for method, args in (
                ("write", [period.ids, {"state": "recorded"}]),
                ("create", [vals]),
                ("unlink", [period.ids]),
            ):
                with self.subTest(f"{role} {method}"), mute_logger(*QUIET):
                    with self.assertRefused(".", AccessError):
                        self.rpc(self.users[role], PERIOD, method, *args)
        with mute_logger(*QUIET), self.assertRefused(".", AccessError):
            self.rpc(self.rep, RECORDING, "write", recording.ids, {"month_day": 1})
        with mute_logger(*QUIET), self.assertRefused(".", AccessError):
            command = {"period_ids": [Command.update(period.id, {"state": "recorded"})]}
            self.rpc(self.users["manager"], RECORDING, "write", recording.ids, command)
        other = self.setup_other_company(name="Other Recording Company")["company"]
        stranger = self.create_user("recording_stranger", "manager")
        stranger.write({"company_ids": [Command.set(other.ids)], "company_id": other.id})
        for model in (RECORDING, PERIOD):
            self.assertFalse(self.env[model].with_user(stranger).search([]), model)
