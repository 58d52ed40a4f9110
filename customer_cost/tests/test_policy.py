from freezegun import freeze_time
from psycopg2 import IntegrityError

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import Form
from odoo.tools import mute_logger

from .common import CustomerCostCommon

ENTRY = "customer.cost.entry"
POLICY = "customer.cost.policy"
BREACH = "customer.cost.policy.breach"
QUIET = ("odoo.addons.base.models.ir_model", "odoo.addons.base.models.ir_rule")


@freeze_time("2025-03-20")
class TestPolicy(CustomerCostCommon):
    """What a cost has to keep is said where it is recorded, and counted where it is not kept."""

    def policy(self, kind, **vals):
        accountant = self.users["accountant"]
        return self.env[POLICY].with_user(accountant).create({"kind": kind, **vals})

    def attach(self, entry):
        return (
            self.env["ir.attachment"]
            .with_user(self.users["accountant"])
            .create({"name": "receipt.txt", "raw": b"x", "res_model": ENTRY, "res_id": entry.id})
        )

    def messages(self, entry):
        entry.invalidate_recordset(["findings"])
        return [finding["message"] for finding in entry.findings or ()]

    def assertKept(self, entry):
        self.assertEqual(self.messages(entry), [])

    def assertBroken(self, entry, message):
        messages = self.messages(entry)
        self.assertEqual(len(messages), 1)
        self.assertRegex(messages[0], message)

    # ------------------------------------------------------------
    # Each rule
    # ------------------------------------------------------------

    def test_a_receipt_is_required_above_the_amount(self):
        self.policy("receipt", amount=100.0)
        self.assertKept(self.create_cost(amount=100.0))
        entry = self.create_cost(amount=100.01)
        self.assertBroken(
            entry, r"receipt is required above .*100\.00: this cost is .*100\.01 and has none"
        )
        self.attach(entry)
        self.assertKept(entry)

    def test_a_limit_per_cost_counts_company_currency(self):
        currency = self.setup_other_currency("EUR", rates=[("2025-01-01", 0.5)])
        self.policy("entry_limit", amount=200.0)
        self.assertKept(self.create_cost(amount=100.0, currency_id=currency.id))
        self.assertBroken(
            self.create_cost(amount=100.5, currency_id=currency.id),
            r"At most .*200\.00 per cost: this cost is .*201\.00",
        )

    def test_a_limit_per_month_counts_ledger_and_commitments_and_itself_once(self):
        self.policy("month_limit", amount=500.0)
        named = {"cost_customer_id": self.customer_a.id}
        self.create_bill([(self.expense_account, 100.0, named)])
        self.create_bill([(self.expense_account, 50.0, named)], post=False)
        self.create_bill([(self.expense_account, 900.0, named)], day="2025-02-10")
        self.create_cost(kind="request", amount=150.0, post=True)
        self.create_cost(amount=900.0, customer_id=self.customer_b.id, post=True)
        entry = self.create_cost(amount=200.0)
        self.assertKept(entry)
        entry.action_submit()
        self.assertKept(entry)
        self.assertBroken(
            self.create_cost(amount=0.5),
            r"At most .*500\.00 per customer and month: with this cost, March 2025 comes to "
            r".*500\.50 for Cost Customer A",
        )
        self.assertBroken(self.create_cost(amount=500.01, customer_id=self.customer_c.id), "500.01")

    def test_a_limit_per_month_looks_at_the_months_a_cost_serves(self):
        self.policy("month_limit", amount=100.0)
        half_year = {"service_from": "2025-03-01", "service_to": "2025-08-31"}
        entry = self.create_cost(amount=600.0, **half_year)
        self.assertKept(entry)
        entry.action_submit()
        self.assertBroken(
            self.create_cost(amount=1.0, service_from="2025-08-01", service_to="2025-08-31"),
            r"August 2025 comes to .*101\.00",
        )
        self.assertKept(
            self.create_cost(amount=100.0, service_from="2025-09-01", service_to="2025-09-30")
        )

    def test_a_limit_per_month_counts_the_items_of_its_rule(self):
        child = self.create_item("T-CHILD", "Flights", parent_id=self.item.id)
        self.policy("month_limit", amount=100.0, item_id=self.item.id)
        self.create_cost(amount=300.0, item_id=self.other_item.id, post=True)
        self.create_cost(amount=60.0, post=True)
        self.assertKept(self.create_cost(amount=900.0, item_id=self.other_item.id))
        self.assertKept(self.create_cost(amount=40.0, item_id=child.id))
        self.assertBroken(self.create_cost(amount=41.0, item_id=child.id), "101.00")

    def test_costs_submitted_together_share_the_limit_of_a_month(self):
        self.policy("month_limit", amount=150.0, level="block")
        both = self.create_cost() | self.create_cost()
        with self.assertRefused("200.00 for Cost Customer A"):
            both.action_submit()
        both[0].action_submit()
        with self.assertRefused("200.00 for Cost Customer A"):
            both[1].action_submit()

    def test_payment_methods_and_customer_tags(self):
        tag = self.env["res.partner.category"].create({"name": "Key account"})
        self.policy("payment", allow_company=True, item_id=self.item.id)
        entry = self.create_cost(payment_method="own")
        self.assertBroken(
            entry, "Payment only: Paid by the company: this cost is: Paid by the employee"
        )
        entry.payment_method = "company"
        self.assertKept(entry)
        self.policy("tag", tag_ids=[Command.set(tag.ids)], item_id=self.item.id)
        self.assertBroken(entry, "customers with tag: Key account: Cost Customer A has none")
        self.customer_a.category_id = tag
        self.assertKept(entry)

    def test_a_cost_is_late_by_the_day_it_is_submitted(self):
        self.policy("late", days=10)
        entry = self.create_cost()
        self.assertKept(entry)
        entry.action_submit()
        with freeze_time("2025-06-01"):
            self.assertKept(entry)
            self.assertBroken(
                self.create_cost(), "Submitted within 10 days: this cost is 83 days old"
            )

    def test_a_rule_holds_for_its_item_what_is_below_and_its_company(self):
        child = self.create_item("T-CHILD", "Flights", parent_id=self.item.id)
        policy = self.policy("entry_limit", amount=10.0, item_id=self.item.id)
        here = self.create_cost(item_id=child.id)
        self.assertBroken(here, "Test travel: At most")
        self.assertKept(self.create_cost(item_id=self.other_item.id))
        policy.active = False
        self.assertKept(here)
        other = self.setup_other_company(name="Other Policy Company")["company"]
        self.env[POLICY].create({"kind": "entry_limit", "amount": 1.0, "company_id": other.id})
        self.assertKept(here)

    def test_reversals_and_captured_costs_are_not_checked(self):
        entry = self.create_cost(post=True)
        self.policy("entry_limit", amount=10.0, level="block")
        action = entry.action_reverse()
        reversal = self.env[ENTRY].browse(action["res_id"])
        self.assertKept(reversal)
        self.create_bill([(self.expense_account, 99.0, {"cost_customer_id": self.customer_a.id})])
        captured = self.env[ENTRY].search([("kind", "=", "captured")])
        self.assertFalse(captured._get_policy_breaches())

    def test_the_form_says_a_breach_before_it_is_saved(self):
        self.policy("receipt", amount=100.0)
        self.company.customer_cost_policy_text = "Ask before you spend."
        self.item.policy_text = "Economy class only."
        child = self.create_item("T-CHILD", "Flights", parent_id=self.item.id)
        child.policy_text = "Book 14 days ahead."
        self.policy("entry_limit", amount=900.0, item_id=self.item.id, text="Ask finance first.")
        form = Form(self.env[ENTRY].with_user(self.rep))
        form.customer_id = self.customer_a
        form.item_id = child
        form.amount = 50.0
        form.date = "2025-03-10"
        self.assertEqual(
            form.policy_text.replace("\xa0", ""),
            "Ask before you spend.\nEconomy class only.\nBook 14 days ahead.\n"
            "• A receipt is required above $100.00\n"
            "• Test travel: At most $900.00 per cost. Ask finance first.",
        )
        entry = form.save()
        self.assertKept(entry)
        draft = self.env[ENTRY].with_user(self.rep).new(origin=entry)
        draft.amount = 150.0
        self.assertRegex(draft.findings[0]["message"], "has none")

    # ------------------------------------------------------------
    # Submission and report
    # ------------------------------------------------------------

    def test_a_block_refuses_the_submission_and_a_warning_is_counted(self):
        policy = self.policy("entry_limit", amount=50.0, level="block")
        entry = self.create_cost()
        with self.assertRefused(r"At most .*50\.00 per cost: this cost is .*100\.00"):
            entry.action_submit()
        self.assertFalse(entry.breach_ids)
        policy.level = "warn"
        entry.action_submit()
        self.assertRecordValues(
            entry.breach_ids,
            [
                {
                    "policy_id": policy.id,
                    "kind": "entry_limit",
                    "level": "warn",
                    "figure": 100.0,
                    "limit": 50.0,
                    "user_id": self.users["accountant"].id,
                    "customer_id": self.customer_a.id,
                    "item_id": self.item.id,
                    "company_id": self.company.id,
                }
            ],
        )
        self.assertEqual(str(entry.breach_ids.date), "2025-03-20")
        self.assertEqual(policy.breach_count, 1)

    def blocked(self):
        """Blocked attempts as they are counted once the refused transactions are undone."""
        with self.enter_registry_test_mode():
            self.cr.postrollback.run()
        return self.env[BREACH].search([("level", "=", "block")])

    def test_a_blocked_submission_is_counted_once_per_cost_and_day(self):
        policy = self.policy("entry_limit", amount=50.0, level="block")
        self.policy("receipt", amount=50.0)
        entry, other = self.create_cost(user=self.rep), self.create_cost(amount=40.0)
        with self.assertRefused("At most"):
            self.rpc(self.rep, ENTRY, "action_submit", entry.ids)
        self.assertFalse(entry.breach_ids)
        self.assertRecordValues(
            self.blocked(),
            [
                {
                    "entry_id": entry.id,
                    "policy_id": policy.id,
                    "level": "block",
                    "figure": 100.0,
                    "limit": 50.0,
                    "user_id": self.rep.id,
                    "customer_id": self.customer_a.id,
                    "item_id": self.item.id,
                    "company_id": self.company.id,
                    "date": fields.Date.to_date("2025-03-20"),
                }
            ],
        )
        entry.amount = 60.0
        with self.assertRefused("At most"):
            (other | entry).action_submit()
        self.assertEqual(self.blocked().mapped("figure"), [60.0])
        with freeze_time("2025-03-21"):
            with self.assertRefused("At most"):
                entry.action_submit()
            self.assertEqual(len(self.blocked()), 2)
        self.assertEqual(policy.breach_count, 2)
        entry.amount = 50.0
        entry.action_submit()
        self.assertEqual(entry.state, "submitted")
        self.assertEqual(len(self.blocked() & entry.breach_ids), 2)

    def test_what_other_checks_refuse_is_no_blocked_attempt_of_a_policy(self):
        self.policy("entry_limit", amount=50.0)
        entry = self.create_cost()
        self.close_period()
        with self.assertRefused("closed"):
            entry.action_submit()
        self.assertFalse(self.blocked())

    def test_a_blocked_change_under_review_is_counted_with_its_submitter(self):
        self.policy("entry_limit", amount=150.0, level="block")
        entry = self.create_cost(user=self.rep)
        entry.action_submit()
        with self.assertRefused("At most"):
            self.rpc(self.rep, ENTRY, "write", entry.ids, {"amount": 200.0})
        self.assertRecordValues(self.blocked(), [{"figure": 200.0, "user_id": self.rep.id}])
        self.assertEqual(entry.amount, 100.0)

    def test_a_cost_that_is_gone_with_its_transaction_counts_nothing(self):
        self.policy("entry_limit", amount=50.0, level="block")
        with self.assertRefused("At most"):
            self.create_cost().action_submit()
        self.assertFalse(self.blocked())

    def test_what_is_blocked_in_the_background_is_counted_at_once(self):
        self.policy("entry_limit", amount=50.0, level="block")
        self.patch(self.env.registry[ENTRY], "_submit_at_once", 1)
        entries = self.create_cost(amount=40.0) | self.create_cost(amount=70.0)
        entries.action_submit()
        with self.enter_registry_test_mode():
            self.env.ref("customer_cost.ir_cron_submit").method_direct_trigger()
        self.env.invalidate_all()
        self.assertEqual(entries.mapped("state"), ["submitted", "draft"])
        self.assertRecordValues(
            self.env[BREACH].search([("level", "=", "block")]),
            [{"entry_id": entries[1].id, "user_id": self.users["accountant"].id}],
        )

    def test_a_breach_of_a_cost_without_its_day_of_submission_is_logged(self):
        policy = self.policy("entry_limit", amount=50.0)
        entry = self.create_cost(user=self.users["accountant"], amount=40.0)
        entry.action_submit()
        entry._unguarded().write({"submitted_on": False})
        entry.amount = 60.0
        breach = self.env["customer.cost.policy.breach"].search([("policy_id", "=", policy.id)])
        self.assertEqual(breach.date, fields.Date.context_today(entry))

    def test_resubmission_replaces_the_breaches_of_the_cost(self):
        self.policy("entry_limit", amount=50.0)
        entry, other = self.create_cost(), self.create_cost()
        (entry | other).action_submit()
        entry.with_user(self.users["reviewer"])._refuse("Too much")
        entry.amount = 60.0
        entry.action_submit()
        self.assertEqual(entry.breach_ids.mapped("figure"), [60.0])
        entry.action_withdraw()
        entry.amount = 40.0
        entry.action_submit()
        self.assertFalse(entry.breach_ids)
        self.assertEqual(other.breach_ids.mapped("figure"), [100.0])

    def test_breaches_are_counted_in_the_background_and_after_a_change_under_review(self):
        self.policy("entry_limit", amount=50.0)
        self.patch(self.env.registry[ENTRY], "_submit_at_once", 1)
        entries = self.create_cost() | self.create_cost(amount=70.0)
        entries.action_submit()
        with self.enter_registry_test_mode():
            self.env.ref("customer_cost.ir_cron_submit").method_direct_trigger()
        self.env.invalidate_all()
        self.assertEqual(sorted(entries.breach_ids.mapped("figure")), [70.0, 100.0])
        entries[0].amount = 80.0
        self.assertEqual(sorted(entries.breach_ids.mapped("figure")), [70.0, 80.0])
        entries[0].amount = 30.0
        self.assertEqual(entries.breach_ids.mapped("figure"), [70.0])

    def test_checks_cost_the_same_queries_for_two_costs_and_for_fifty(self):
        self.policy("receipt", amount=50.0)
        self.policy("month_limit", amount=50.0)
        tag = self.env["res.partner.category"].create({"name": "Key account"})
        self.policy("tag", tag_ids=[Command.set(tag.ids)])
        costs = self.env[ENTRY].concat(*(self.create_cost() for _number in range(50)))
        counts = []
        for batch in (costs, costs[:2], costs):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            self.assertEqual(len(batch._get_policy_breaches()), len(batch))
            counts.append(self.cr.sql_log_count - before)
        self.assertLessEqual(counts[2], counts[1])

    def test_a_breach_follows_its_customer_into_a_company(self):
        self.policy("entry_limit", amount=50.0)
        entry = self.create_cost()
        entry.action_submit()
        self.customer_a.write({"is_company": False, "parent_id": self.customer_b.id})
        entry.invalidate_recordset()
        self.assertEqual(entry.breach_ids.customer_id, self.customer_b)

    # ------------------------------------------------------------
    # Bad input
    # ------------------------------------------------------------

    def test_a_rule_without_its_figure_is_refused(self):
        for vals, message in (
            ({"kind": "entry_limit"}, "Say the amount"),
            ({"kind": "payment"}, "at least one payment method"),
            ({"kind": "tag"}, "Choose the customer tags"),
        ):
            with self.subTest(message), self.assertRefused(message, ValidationError):
                self.policy(**vals)
        with mute_logger("odoo.sql_db"), self.assertRefused("figures_positive", IntegrityError):
            self.policy("receipt", amount=-1.0).flush_recordset()

    def test_a_breached_policy_is_archived_not_deleted(self):
        policy = self.policy("entry_limit", amount=50.0)
        self.create_cost().action_submit()
        with self.assertRefused("Archive it instead", UserError):
            policy.unlink()
        unused = self.policy("receipt")
        unused.unlink()
        self.assertFalse(unused.exists())

    def test_an_item_of_another_company_is_refused(self):
        other = self.setup_other_company(name="Other Policy Company")["company"]
        foreign = self.create_item("T-FOR", "Foreign", company_id=other.id)
        with self.assertRefused("(?i)compan"):
            self.policy("receipt", item_id=foreign.id)

    # ------------------------------------------------------------
    # Who sees and does what
    # ------------------------------------------------------------

    def test_breaches_are_read_by_those_who_may_read_the_cost(self):
        self.policy("entry_limit", amount=50.0)
        self.create_cost().action_submit()
        other = self.create_cost(customer_id=self.customer_b.id)
        other.action_submit()
        self.create_cost(customer_id=False).action_submit()
        for role, count in (
            ("rep", 1),
            ("cost_user", 2),
            ("accountant", 3),
            ("auditor", 3),
            ("reviewer", 3),
        ):
            found = self.env[BREACH].with_user(self.users[role]).search([])
            self.assertEqual(len(found), count, role)
        other.with_user(self.users["reviewer"]).action_approve()
        reviewer = self.create_user("policy_reviewer", "reviewer")
        self.assertEqual(len(self.env[BREACH].with_user(reviewer).search([])), 2)

    def test_companies_do_not_see_each_others_rules_and_breaches(self):
        other = self.setup_other_company(name="Other Policy Company")["company"]
        self.policy("entry_limit", amount=50.0)
        self.create_cost().action_submit()
        stranger = self.create_user("policy_stranger", "manager")
        stranger.write({"company_ids": [Command.set(other.ids)], "company_id": other.id})
        for model in (POLICY, BREACH):
            self.assertFalse(self.env[model].with_user(stranger).search([]), model)

    def test_rules_and_breaches_cannot_be_forged(self):
        policy = self.policy("entry_limit", amount=50.0)
        entry = self.create_cost(user=self.rep)
        entry.action_submit()
        breach = entry.breach_ids
        for role in ("rep", "cost_user", "reviewer", "auditor", "internal"):
            for method, args in (
                ("write", [policy.ids, {"amount": 9999.0}]),
                ("create", [{"kind": "receipt"}]),
                ("unlink", [policy.ids]),
            ):
                with self.subTest(f"{role} {method}"), mute_logger(*QUIET):
                    with self.assertRefused(".", AccessError):
                        self.rpc(self.users[role], POLICY, method, *args)
        vals = {
            "entry_id": entry.id,
            "policy_id": policy.id,
            "company_id": self.company.id,
            "kind": "late",
            "level": "warn",
            "date": "2025-03-20",
            "user_id": self.rep.id,
            "item_id": self.item.id,
        }
        for role in ("rep", "accountant", "manager", "reviewer", "auditor"):
            for model, method, args in (
                (BREACH, "write", [breach.ids, {"figure": 1.0}]),
                (BREACH, "create", [vals]),
                (BREACH, "unlink", [breach.ids]),
                (BREACH, "copy", [breach.ids]),
                (ENTRY, "write", [entry.ids, {"breach_ids": [Command.clear()]}]),
                (ENTRY, "write", [entry.ids, {"breach_ids": [Command.create(vals)]}]),
            ):
                with self.subTest(f"{role} {model} {method}"), mute_logger(*QUIET):
                    with self.assertRefused(".", AccessError):
                        self.rpc(
                            self.users[role],
                            model,
                            method,
                            *args,
                            context={"customer_cost_guard": True},
                        )
        entry.invalidate_recordset()
        self.assertEqual(entry.breach_ids, breach)
