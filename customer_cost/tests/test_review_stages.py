from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..findings import Finding
from .review_common import ReviewCommon


@tagged("post_install", "-at_install")
class TestReviewStages(ReviewCommon):
    """Which stages a cost passes, and who decides at them."""

    # ------------------------------------------------------------
    # Which stages
    # ------------------------------------------------------------

    def test_three_stages_ship_for_every_company(self):
        company = self.env["res.company"].create({"name": "Later company"})
        stages = self.env["customer.cost.review.stage"].with_context(active_test=False)
        made = stages.search([("company_id", "=", company.id)])
        self.assertEqual(made.mapped("name"), self.stages.mapped("name"))
        self.assertEqual(made.mapped("active"), [True, False, False])
        self.assertEqual([len(stage.check_ids) for stage in made], [0, 2, 1])
        count = stages.search_count([])
        stages._start()
        self.assertEqual(stages.search_count([]), count, "a second start makes no more")

    def test_stages_are_passed_in_order_by_different_persons(self):
        self.set_stage(self.middle)
        self.set_stage(self.final)
        entry = self.submit()
        self.assertEqual(self.waiting(entry), ["Initial Review", "Second Review", "Final Review"])
        for user, left in ((self.reviewer, 2), (self.second, 1), (self.third, 0)):
            self.assertEqual(entry.state, "submitted")
            entry.with_user(user).action_approve()
            self.assertEqual(len(self.waiting(entry)), left)
        self.assertEqual(entry.state, "approved")
        self.assertEqual(entry.line_ids.mapped("amount"), [100.0])
        self.assertEqual(
            self.decisions(entry),
            [
                ("Initial Review", "approved", self.reviewer),
                ("Second Review", "approved", self.second),
                ("Final Review", "approved", self.third),
            ],
        )

    def test_nobody_approves_two_stages(self):
        self.set_stage(self.middle)
        entry = self.submit()
        entry.with_user(self.reviewer).action_approve()
        with self.assertRefused("You decided on an earlier stage"):
            entry.with_user(self.reviewer).action_approve()
        self.assertFalse(entry.line_ids)

    def test_amount_band_is_compared_in_company_currency_bounds_included(self):
        self.set_stage(self.final, amount_from=100.0, amount_to=200.0)
        euro = self.setup_other_currency("EUR", rates=[("2025-03-01", 2.0)])
        for amount, currency, passed in (
            (99.99, self.company.currency_id, False),
            (100.0, self.company.currency_id, True),
            (200.0, self.company.currency_id, True),
            (200.01, self.company.currency_id, False),
            (199.98, euro, False),
            (200.0, euro, True),
            (400.02, euro, False),
        ):
            entry = self.submit(amount=amount, currency_id=currency.id)
            with self.subTest(f"{amount} {currency.name}"):
                self.assertEqual("Final Review" in self.waiting(entry), passed)

    def test_reversal_is_compared_by_its_size(self):
        entry = self.create_cost(post=True)
        self.set_stage(self.final, amount_from=100.0)
        action = entry.with_user(self.author).action_reverse()
        reversal = self.env["customer.cost.entry"].browse(action["res_id"])
        reversal.with_user(self.author).action_submit()
        self.assertIn("Final Review", self.waiting(reversal))

    def test_items_include_those_below(self):
        below = self.create_item("T-TRV-1", "Test flights", parent_id=self.item.id)
        self.set_stage(self.final, item_ids=[Command.set(self.item.ids)])
        for item, passed in ((self.item, True), (below, True), (self.other_item, False)):
            with self.subTest(item.code):
                waiting = self.waiting(self.submit(item_id=item.id))
                self.assertEqual("Final Review" in waiting, passed)

    def test_customer_tags(self):
        tag = self.env["res.partner.category"].create({"name": "Key account"})
        self.customer_b.category_id = tag
        self.set_stage(self.final, tag_ids=[Command.set(tag.ids)])
        self.assertIn("Final Review", self.waiting(self.submit(customer_id=self.customer_b.id)))
        self.assertNotIn("Final Review", self.waiting(self.submit()))
        self.assertNotIn("Final Review", self.waiting(self.submit(customer_id=False)))

    def test_where_no_stage_applies_any_reviewer_decides(self):
        self.initial.active = False
        entry = self.submit()
        self.assertFalse(entry.cost_review_id.stage_id)
        self.assertEqual(self.waiting(entry), ["Any reviewer"])
        entry.with_user(self.reviewer).action_approve()
        self.assertEqual(entry.state, "approved")

    def test_finding_asks_for_one_more_stage(self):
        self.patch(
            self.env.registry["customer.cost.entry"],
            "_get_findings",
            lambda entries: {
                entry: [Finding("review", "Over budget", entry, self.final)] for entry in entries
            },
        )
        self.assertEqual(self.waiting(self.submit()), ["Initial Review", "Final Review"])

    def test_bad_conditions_are_refused(self):
        with mute_logger("odoo.sql_db"):
            for vals, message in (
                ({"amount_from": 5.0, "amount_to": 4.0}, "amounts_in_order"),
                ({"amount_from": -1.0}, "amounts_in_order"),
                ({"deadline_days": -1}, "days_positive"),
            ):
                with self.subTest(str(vals)), self.assertRefused(message, Exception):
                    with self.cr.savepoint():
                        self.final.write(vals)
        with self.assertRefused("name the persons", ValidationError):
            self.final.write({"reviewer_kind": "users", "user_ids": [Command.clear()]})

    # ------------------------------------------------------------
    # A stage changes while costs wait
    # ------------------------------------------------------------

    def test_edited_stage_concerns_later_submissions_but_for_its_reviewers(self):
        self.name_persons(self.initial, self.reviewer)
        entry = self.submit()
        self.initial.write({"name": "Renamed", "amount_from": 5000.0})
        self.name_persons(self.initial, self.second)
        self.assertEqual(self.waiting(entry), ["Initial Review"])
        with self.assertRaises(AccessError), mute_logger("odoo.addons.base.models.ir_rule"):
            entry.with_user(self.reviewer).action_approve()
        entry.invalidate_recordset()
        entry.with_user(self.second).action_approve()
        self.assertEqual(entry.state, "approved")

    def test_archived_stage_keeps_what_waits(self):
        entry = self.submit()
        self.initial.active = False
        self.assertEqual(self.waiting(entry), ["Initial Review"])
        entry.with_user(self.reviewer).action_approve()
        self.assertEqual(entry.state, "approved")

    def test_used_stage_is_not_deleted(self):
        self.submit()
        with self.assertRefused("has been used and cannot be deleted", ValidationError):
            self.initial.with_user(self.users["manager"]).unlink()
        self.final.with_user(self.users["manager"]).unlink()
        self.assertFalse(self.final.exists())

    def test_stages_are_kept_by_cost_managers(self):
        self.final.with_user(self.users["manager"]).write({"active": True, "deadline_days": 3})
        for role in ("rep", "accountant", "reviewer", "auditor"):
            with self.subTest(role), self.assertRaises(AccessError):
                with mute_logger("odoo.addons.base.models.ir_model"):
                    self.final.with_user(self.users[role]).active = False

    # ------------------------------------------------------------
    # Who decides
    # ------------------------------------------------------------

    def assertAwaits(self, entry, *users):
        """Exactly these of the reviewers find the cost in their queue, and may read it."""
        found = []
        for user in (self.reviewer, self.second, self.third):
            entries = self.env["customer.cost.entry"].with_user(user)
            in_queue = entries.search_count([("cost_awaits_me", "=", True), ("id", "=", entry.id)])
            self.assertEqual(bool(in_queue), entry.with_user(user).has_access("read"), user.login)
            self.assertEqual(bool(in_queue), entry.with_user(user).sudo().cost_awaits_me)
            if in_queue:
                found.append(user)
        self.assertEqual(found, list(users))

    def test_named_persons_decide_and_nobody_else(self):
        self.name_persons(self.initial, self.second)
        entry = self.submit()
        self.assertAwaits(entry, self.second)
        both = self.create_user("cost_reader_reviewer", "accountant", "reviewer")
        with self.assertRefused("Stage Initial Review is decided by cost_reviewer_2"):
            entry.with_user(both).action_approve()

    def test_group_decides_as_far_as_its_members_are_reviewers(self):
        group = self.env["res.groups"].create({"name": "Board"})
        group.user_ids = self.third | self.users["internal"]
        self.set_stage(self.initial, group_id=group.id)
        self.assertAwaits(self.submit(), self.third)

    def test_manager_of_the_author_decides(self):
        self.author.customer_cost_manager_id = self.second
        self.set_stage(self.initial, reviewer_kind="manager")
        self.assertAwaits(self.submit(), self.second)
        self.author.customer_cost_manager_id = self.third
        self.assertAwaits(self.submit(), self.third)

    def test_salesperson_of_the_customer_decides(self):
        self.customer_b.user_id = self.second
        self.set_stage(self.initial, reviewer_kind="salesperson")
        entry = self.submit(customer_id=self.customer_b.id)
        self.assertAwaits(entry, self.second)
        self.customer_b.user_id = self.third
        self.env.invalidate_all()
        self.assertAwaits(entry, self.third)

    def test_substitute_decides_while_the_reviewer_is_absent(self):
        self.name_persons(self.initial, self.second)
        self.rpc(
            self.second,
            "res.users",
            "write",
            self.second.ids,
            {
                "customer_cost_substitute_id": self.third.id,
                "out_of_office_from": fields.Datetime.now() - timedelta(days=1),
                "out_of_office_to": fields.Datetime.now() + timedelta(days=1),
            },
        )
        entry = self.submit()
        self.assertAwaits(entry, self.second, self.third)
        self.assertEqual(entry.activity_ids.user_id, self.third, "the absent one is not told")
        self.second.out_of_office_to = fields.Datetime.now() - timedelta(hours=1)
        self.env.invalidate_all()
        self.assertAwaits(entry, self.second)

    def test_only_the_own_substitute_is_set_and_never_the_own_manager(self):
        for user, vals in (
            (self.second, {"customer_cost_substitute_id": self.third.id}),
            (self.reviewer, {"customer_cost_manager_id": self.reviewer.id}),
        ):
            target = self.reviewer
            with (
                self.subTest(str(vals)),
                self.assertRaises(AccessError),
                mute_logger(
                    "odoo.addons.base.models.ir_model", "odoo.addons.base.models.res_users"
                ),
            ):
                self.rpc(user, "res.users", "write", target.ids, vals)

    def test_cost_manager_sets_the_managers_of_authors(self):
        values = {"user_ids": [Command.set(self.author.ids)], "manager_id": self.second.id}
        wizard = self.env["customer.cost.author.manager"].with_user(self.users["manager"])
        wizard.create(values).action_save()
        self.assertEqual(self.author.customer_cost_manager_id, self.second)
        with self.assertRaises(AccessError), mute_logger("odoo.addons.base.models.ir_model"):
            wizard.with_user(self.users["accountant"]).create(values)

    def test_cost_does_not_wait_for_somebody_who_left(self):
        boss = self.create_user("cost_manager_reviewer", "manager", "reviewer")
        self.name_persons(self.initial, self.second, escalation_user_id=self.third.id)
        entry = self.submit()
        self.second.active = False
        self.env.invalidate_all()
        self.assertTrue(entry.with_user(self.third).has_access("read"))
        self.third.group_ids = self.env.ref("base.group_user")
        self.env.invalidate_all()
        entry.with_user(boss).action_approve()
        self.assertEqual(entry.state, "approved")

    def test_reviewer_who_lost_the_role_decides_no_more(self):
        entry = self.submit()
        self.reviewer.group_ids = self.env.ref("base.group_user")
        with self.assertRaises(AccessError), mute_logger("odoo.addons.base.models.ir_model"):
            entry.with_user(self.reviewer).action_approve()
        entry.invalidate_recordset()
        self.assertEqual(entry.state, "submitted")

    def test_stage_names_persons_without_the_role(self):
        self.name_persons(self.initial, self.second, self.users["internal"])
        self.assertIn("cost_internal", self.initial.missing_role)
        self.assertNotIn("cost_reviewer_2", self.initial.missing_role)
        self.name_persons(self.initial, self.second)
        self.assertFalse(self.initial.missing_role)

    def test_nobody_left_is_said(self):
        self.name_persons(self.initial, self.second)
        entry = self.submit()
        self.second.active = False
        self.env.invalidate_all()
        both = self.create_user("cost_reader_reviewer", "accountant", "reviewer")
        with self.assertRefused("Nobody can decide at stage Initial Review: a cost manager"):
            entry.with_user(both).action_approve()

    # ------------------------------------------------------------
    # The right to approve own costs
    # ------------------------------------------------------------

    def leave_one_reviewer(self):
        alone = self.create_user("cost_alone", "manager", "reviewer")
        reviewers = self.env.ref("customer_cost.group_customer_cost_reviewer")
        others = reviewers.all_user_ids.filtered(
            lambda user: user != alone and self.company in user.company_ids
        )
        for user in others:
            user.group_ids = self.env.ref("base.group_user")
        return alone

    def test_only_reviewer_is_told_the_remedy_and_the_settings_offer_it(self):
        alone = self.leave_one_reviewer()
        entry = self.create_cost(user=alone)
        entry.action_submit()
        with self.assertRefused("nobody else can.*in the settings"):
            entry.action_approve()
        settings = self.env["customer.cost.settings"].with_user(alone).create({})
        self.assertEqual(settings.sole_reviewer_id, alone)
        self.assertFalse(settings.own_approval)
        settings.own_approval = True
        settings.action_save()
        self.env.invalidate_all()
        entry.action_approve()
        self.assertEqual(entry.state, "approved")
        self.assertTrue(
            entry.message_ids.filtered(lambda m: "by the right to approve own" in m.body)
        )
        settings = self.env["customer.cost.settings"].with_user(alone).create({})
        self.assertTrue(settings.own_approval)
        settings.own_approval = False
        settings.action_save()
        self.assertFalse(alone.has_group("customer_cost.group_customer_cost_own_approval"))

    def test_settings_offer_nothing_where_several_may_decide(self):
        settings = self.env["customer.cost.settings"].with_user(self.users["manager"]).create({})
        self.assertFalse(settings.sole_reviewer_id)
        settings.own_approval = True
        settings.action_save()
        group = self.env.ref("customer_cost.group_customer_cost_own_approval")
        self.assertFalse(group.all_user_ids & (self.reviewer | self.second | self.third))

    def test_right_to_approve_own_costs_does_not_pass_two_stages(self):
        self.set_stage(self.middle)
        both = self.create_user("cost_own", "accountant", "reviewer")
        both.group_ids |= self.env.ref("customer_cost.group_customer_cost_own_approval")
        entry = self.create_cost(user=both)
        entry.action_submit()
        entry.action_approve()
        with self.assertRefused("You decided on an earlier stage", UserError):
            entry.action_approve()
