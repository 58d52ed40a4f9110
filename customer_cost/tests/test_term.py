from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import CustomerCostCommon


class TermCommon(CustomerCostCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.items = cls.item | cls.other_item
        cls.driver = cls.create_driver({cls.customer_a: 1, cls.customer_b: 1, cls.customer_c: 1})
        cls.rule = cls.create_rule(cls.driver, cls.items)

    @classmethod
    def create_term(cls, kind="exempt", value=0.0, user="accountant", **vals):
        """Term of customer A about the rule; ``value`` is that of the kind."""
        name = {"weight": "factor", "fixed_pct": "percentage"}.get(kind, "amount")
        return (
            cls.env["customer.cost.term"]
            .with_user(cls.users[user])
            .create(
                {
                    "company_id": cls.company.id,
                    "customer_id": cls.customer_a.id,
                    "rule_id": cls.rule.id,
                    "kind": kind,
                    name: value,
                    **vals,
                }
            )
        )


@tagged("post_install", "-at_install")
class TestTerm(TermCommon):
    """Contract terms as records: what they may say, and who may."""

    def assertTermRefused(self, message, kind="exempt", value=0.0, **vals):
        before = self.env["customer.cost.term"].with_context(active_test=False).search([])
        with mute_logger("odoo.sql_db"), self.assertRefused(message, Exception):
            self.create_term(kind, value, **vals)
        after = self.env["customer.cost.term"].with_context(active_test=False).search([])
        self.assertEqual(after, before)

    # ------------------------------------------------------------
    # One term
    # ------------------------------------------------------------

    def test_a_term_belongs_to_the_customer_of_the_contact(self):
        contact = self.env["res.partner"].create(
            {"name": "Ann", "parent_id": self.customer_a.id, "company_id": False}
        )
        term = self.create_term(customer_id=contact.id)
        self.assertEqual(term.customer_id, self.customer_a)
        with self.assertRaisesText(ValidationError, "Ann is a contact of Cost Customer A"):
            term.customer_id = contact

    def test_a_term_says_what_was_agreed(self):
        texts = [
            self.create_term(kind, value, item_id=self.item.id, reference="K-1").value_text
            for kind, value in (("weight", 1.5), ("cap", 200.0), ("floor", 100.0))
        ]
        self.assertEqual(
            texts, ["Quantity × 1.5", "At most $\xa0200.00 a month", "At least $\xa0100.00 a month"]
        )
        self.assertEqual(
            self.create_term("fixed_pct", 2.5).display_name,
            "Cost Customer A: Fixed percentage, Test rule",
        )

    def test_values_out_of_range_are_refused(self):
        for message, vals in (
            ("names an allocation rule, a cost item, or both", {"rule_id": ""}),
            ("weight of a quantity lies above 0", {"kind": "weight", "factor": "0"}),
            ("lies above 0 and not above 100", {"kind": "fixed_pct", "percentage": "0"}),
            ("lies above 0 and not above 100", {"kind": "fixed_pct", "percentage": "100.5"}),
            ("amount of a contract term lies above 0", {"kind": "cap", "amount": "0"}),
            ("amount of a contract term lies above 0", {"kind": "floor", "amount": "-1"}),
            ("cannot end before it begins", {"date_from": "2025-03-02", "date_to": "2025-03-01"}),
        ):
            vals = {"customer_id": "Cost Customer A", "rule_id": "Test rule", **vals}
            with self.subTest(vals), mute_logger("odoo.sql_db"):
                result = self.rpc(
                    self.users["accountant"],
                    "customer.cost.term",
                    "load",
                    list(vals),
                    [list(vals.values())],
                )
                self.assertFalse(result["ids"])
                self.assertIn(message, result["messages"][0]["message"])
        self.assertFalse(self.env["customer.cost.term"].search([]))

    def test_an_item_that_the_rule_does_not_send_is_refused(self):
        self.assertTermRefused(
            "Test rule does not send .*Test administration: .*Cost Customer A would never hold",
            item_id=self.admin_item.id,
        )
        below = self.create_item("T-TRV-1", "Test taxi", parent_id=self.item.id)
        self.assertTrue(self.create_term(item_id=below.id))

    def test_changes_are_tracked(self):
        term = self.create_term("cap", 100.0)
        self.cr.precommit.run()
        vals = {"amount": 90.0}
        self.rpc(self.users["accountant"], "customer.cost.term", "write", term.ids, vals)
        self.cr.precommit.run()
        tracked = term.message_ids.sudo().tracking_value_ids
        self.assertEqual(
            [(value.old_value_float, value.new_value_float) for value in tracked], [(100.0, 90.0)]
        )

    # ------------------------------------------------------------
    # Terms together
    # ------------------------------------------------------------

    def test_conflicting_terms_are_refused_with_both_named(self):
        self.create_term("cap", 100.0, date_to="2025-06-30", reference="K-1")
        both = (
            "Cost Customer A: .*Test rule.* and Cost Customer A: .*Test rule.* "
            "cannot hold at the same time"
        )
        for kind, value in (("exempt", 0), ("cap", 50), ("fixed_amount", 10), ("fixed_pct", 5)):
            self.assertTermRefused(both, kind, value, date_from="2025-06-30")
        self.assertTermRefused(both + ", for the most lies below the least", "floor", 100.01)
        self.assertTermRefused("K-1", "exempt")

    def test_terms_that_go_together_are_accepted(self):
        self.create_term("cap", 100.0, date_to="2025-06-30")
        self.create_term("cap", 50.0, date_from="2025-07-01")
        self.create_term("floor", 50.0)
        self.create_term("weight", 2.0)
        self.create_term("exempt", item_id=self.item.id)
        self.create_term("exempt", rule_id=False, item_id=self.item.id)
        self.create_term("exempt", customer_id=self.customer_b.id)
        self.create_term("exempt", active=False)

    def test_a_change_that_makes_a_conflict_is_refused(self):
        self.create_term("cap", 100.0)
        archived = self.create_term("exempt", active=False)
        with self.assertRaisesText(ValidationError, "cannot hold at the same time"):
            archived.active = True
        floor = self.create_term("floor", 100.0)
        with self.assertRaisesText(ValidationError, "the most lies below the least"):
            floor.amount = 101.0
        other = self.create_term("exempt", customer_id=self.customer_b.id)
        with self.assertRaisesText(ValidationError, "cannot hold at the same time"):
            other.customer_id = self.customer_a

    def test_terms_of_a_company_and_its_branch_conflict(self):
        branch = self.env["res.company"].create({"name": "Branch", "parent_id": self.company.id})
        self.users["accountant"].company_ids |= branch
        self.create_term("cap", 100.0)
        self.assertTermRefused("cannot hold at the same time", company_id=branch.id)

    def test_fixed_percentages_above_a_hundred_are_refused(self):
        self.create_term("fixed_pct", 60.0, date_to="2025-06-30")
        self.create_term("fixed_pct", 70.0, date_from="2025-07-01")
        self.create_term("fixed_pct", 30.0, customer_id=self.customer_b.id)
        message = (
            "The fixed percentages of Test rule come to 110 % from 0?7/0?1/2025 on: "
            r"Cost Customer A \(70 %\), Cost Customer B \(30 %\), Cost Customer C \(10 %\)"
        )
        self.assertTermRefused(message, "fixed_pct", 10.0, customer_id=self.customer_c.id)
        self.create_term("fixed_pct", 10.0, customer_id=self.customer_c.id, date_to="2025-06-30")

    def test_fixed_percentages_of_an_item_add_to_those_of_the_rule(self):
        self.create_term("fixed_pct", 60.0)
        self.assertTermRefused(
            "fixed percentages of Test rule / Test travel come to 101 %",
            "fixed_pct",
            41.0,
            rule_id=False,
            item_id=self.item.id,
            customer_id=self.customer_b.id,
        )
        self.create_term("fixed_pct", 90.0, item_id=self.item.id)
        self.create_term(
            "fixed_pct",
            41.0,
            rule_id=False,
            item_id=self.admin_item.id,
            customer_id=self.customer_b.id,
        )

    def test_a_percentage_that_goes_to_another_customer_adds_to_the_rest(self):
        self.create_term("fixed_pct", 60.0)
        own = self.create_term("fixed_pct", 50.0, item_id=self.item.id)
        with self.assertRaisesText(ValidationError, "Test rule / Test travel come to 110 %"):
            own.customer_id = self.customer_b

    # ------------------------------------------------------------
    # Customers that change
    # ------------------------------------------------------------

    def merge(self, source, target):
        self.env.flush_all()
        wizard = self.env["base.partner.merge.automatic.wizard"]
        wizard._merge((source | target).ids, target, extra_checks=False)
        self.env.invalidate_all()

    def test_terms_follow_a_merge(self):
        term = self.create_term("cap", 100.0)
        other = self.create_term("weight", 2.0, customer_id=self.customer_b.id)
        self.merge(self.customer_a, self.customer_b)
        self.assertEqual((term | other).customer_id, self.customer_b)

    def test_colliding_terms_stop_a_merge_with_both_named(self):
        term = self.create_term("cap", 100.0)
        self.create_term("exempt", customer_id=self.customer_b.id)
        with self.assertRaisesText(UserError, "Cost Customer A: At most .*Cost Customer B: Exempt"):
            self.merge(self.customer_a, self.customer_b)
        self.assertEqual(term.customer_id, self.customer_a)

    def test_terms_follow_a_customer_that_becomes_a_contact(self):
        term = self.create_term("cap", 100.0)
        other = self.create_term("exempt", customer_id=self.customer_b.id)
        self.customer_a.is_company = False
        with self.assertRaisesText(UserError, "cannot both hold for one customer"):
            self.customer_a.parent_id = self.customer_b
        other.active = False
        self.customer_a.parent_id = self.customer_b
        self.assertEqual(term.customer_id, self.customer_b)

    # ------------------------------------------------------------
    # Who may
    # ------------------------------------------------------------

    @mute_logger("odoo.addons.base.models.ir_model", "odoo.addons.base.models.ir_rule")
    def test_only_cost_accountants_agree_on_terms(self):
        term = self.create_term("cap", 100.0)
        self.customer_a.user_id = self.rep
        for role in ("rep", "cost_user", "reviewer", "auditor", "internal"):
            user = self.users[role]
            for method, args in (
                ("write", [term.ids, {"amount": 1.0}]),
                ("unlink", [term.ids]),
                ("copy", [term.ids]),
                ("create", [{"customer_id": self.customer_b.id, "rule_id": self.rule.id}]),
                ("web_save", [term.ids, {"kind": "exempt"}, {"kind": {}}]),
            ):
                with (
                    self.subTest(f"{role} {method}"),
                    self.assertRefused("access|records", AccessError),
                ):
                    self.rpc(user, "customer.cost.term", method, *args)
            if role != "auditor":
                with self.assertRefused("access|records", AccessError):
                    self.rpc(user, "customer.cost.term", "read", term.ids, ["amount"])
        self.assertEqual(term.amount, 100.0)
        read = self.rpc(self.users["auditor"], "customer.cost.term", "read", term.ids, ["amount"])
        self.assertEqual(read[0]["amount"], 100.0)
        for role in ("accountant", "manager"):
            self.rpc(self.users[role], "customer.cost.term", "write", term.ids, {"note": role})

    @mute_logger("odoo.addons.base.models.ir_model", "odoo.addons.base.models.ir_rule")
    def test_terms_of_a_customer_are_hidden_from_those_without_the_role(self):
        term = self.create_term("cap", 100.0)
        name = "customer_cost_term_ids"
        for role in ("rep", "cost_user", "internal"):
            with self.assertRaises(AccessError):
                self.rpc(self.users[role], "res.partner", "read", self.customer_a.ids, [name])
            with self.assertRaises(AccessError):
                self.rpc(self.users[role], "res.partner", "search", [(f"{name}.amount", ">", 1)])
        (values,) = self.rpc(
            self.users["auditor"], "res.partner", "read", self.customer_a.ids, [name]
        )
        self.assertEqual(values[name], term.ids)

    @mute_logger("odoo.addons.base.models.ir_model", "odoo.addons.base.models.ir_rule")
    def test_terms_of_another_company_are_out_of_reach(self):
        other = self.env["res.company"].create({"name": "Elsewhere"})
        term = self.env["customer.cost.term"].create(
            {
                "company_id": other.id,
                "customer_id": self.customer_a.id,
                "item_id": self.item.id,
            }
        )
        model = "customer.cost.term"
        for role in ("accountant", "manager", "auditor"):
            user = self.users[role]
            self.assertEqual(self.rpc(user, model, "search", [("id", "=", term.id)]), [])
            with self.assertRefused("access|records", AccessError):
                self.rpc(user, model, "read", term.ids, ["kind"])
            with self.assertRefused("access|records", AccessError):
                self.rpc(user, model, "write", term.ids, {"note": "x"})
        vals = {"customer_id": self.customer_b.id, "item_id": self.item.id}
        with self.assertRefused("access|records", AccessError):
            self.rpc(self.users["accountant"], model, "create", {**vals, "company_id": other.id})
        with self.assertRaisesText(UserError, "Incompatible companies|company"):
            term.rule_id = self.rule

    # ------------------------------------------------------------
    # Many, and reachable
    # ------------------------------------------------------------

    def test_terms_are_imported_from_a_file(self):
        result = self.rpc(
            self.users["accountant"],
            "customer.cost.term",
            "load",
            ["customer_id", "rule_id", "kind", "amount", "date_from", "reference"],
            [
                ["Cost Customer A", "Test rule", "At most an amount a month", "90", "", "K-1"],
                ["Cost Customer B", "Test rule", "floor", "10.5", "2025-01-01", "K-2"],
            ],
        )
        self.assertFalse(result["messages"])
        self.assertRecordValues(
            self.env["customer.cost.term"].browse(result["ids"]),
            [{"kind": "cap", "amount": 90.0}, {"kind": "floor", "amount": 10.5}],
        )
        result = self.rpc(
            self.users["accountant"],
            "customer.cost.term",
            "load",
            ["customer_id", "rule_id", "kind"],
            [["Cost Customer A", "Test rule", "Exempt"]],
        )
        self.assertIn("cannot hold at the same time", result["messages"][0]["message"])

    def test_many_terms_are_checked_in_a_few_queries(self):
        customers = self.env["res.partner"].create(
            [{"name": f"Many {number}", "is_company": True} for number in range(60)]
        )
        terms = self.env["customer.cost.term"].create(
            [
                {
                    "company_id": self.company.id,
                    "customer_id": customer.id,
                    "rule_id": self.rule.id,
                    "kind": "fixed_pct",
                    "percentage": 1.0,
                }
                for customer in customers
            ]
        )
        self.env.flush_all()
        self.env.invalidate_all()
        with self.assertQueryCount(25):
            terms._check_conflicts()
            terms._check_percentages()

    def test_terms_open_from_their_rule_and_their_customer(self):
        own = self.create_term("cap", 100.0)
        general = self.create_term(
            "exempt", rule_id=False, item_id=self.item.id, customer_id=self.customer_b.id
        )
        self.create_term("exempt", rule_id=False, item_id=self.admin_item.id)
        rule = self.rule.with_user(self.users["accountant"])
        self.assertEqual(rule.term_count, 2)
        action = rule.action_open_terms()
        self.assertEqual(self.env[action["res_model"]].search(action["domain"]), own | general)
        action = self.customer_a.with_user(self.users["accountant"]).action_new_customer_cost_term()
        self.assertEqual(action["context"]["default_customer_id"], self.customer_a.id)
