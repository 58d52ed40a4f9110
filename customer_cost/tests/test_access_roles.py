from odoo import SUPERUSER_ID
from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from .common import CustomerCostCommon

OPERATIONS = {"r": "read", "w": "write", "c": "create", "d": "unlink"}
ALL, RWC, READ, NONE = "rwcd", "rwc", "r", ""
ROLES = (
    "rep",
    "cost_user",
    "accountant",
    "manager",
    "reviewer",
    "auditor",
    "billing",
    "internal",
    "portal",
)
# fmt: off
MATRIX = {
    #                                      rep   user  acct  mgr   revw  audit bill  int   portal
    "customer.cost.account.map":          (NONE, NONE, ALL,  ALL,  NONE, READ, NONE, NONE, NONE),
    "customer.cost.alert":                (READ, READ, READ, READ, NONE, READ, NONE, NONE, NONE),
    "customer.cost.alert.act":            (*["rwc"] * 4,           NONE, NONE, NONE, NONE, NONE),
    "customer.cost.alert.metric":         (NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE),
    "customer.cost.alert.preview":        (NONE, NONE, ALL,  ALL,  NONE, ALL,  NONE, NONE, NONE),
    "customer.cost.alert.rule":           (NONE, NONE, ALL,  ALL,  NONE, READ, NONE, NONE, NONE),
    "customer.cost.allocation":           (READ, READ, READ, READ, NONE, READ, NONE, NONE, NONE),
    "customer.cost.analysis":             (READ, READ, READ, READ, NONE, READ, NONE, NONE, NONE),
    "customer.cost.balance":              (READ, READ, READ, READ, NONE, READ, NONE, NONE, NONE),
    "customer.cost.budget":               (READ, READ, ALL,  ALL,  NONE, READ, NONE, NONE, NONE),
    "customer.cost.budget.band":          (READ, READ, ALL,  ALL,  NONE, READ, NONE, NONE, NONE),
    "customer.cost.budget.fill":          (NONE, NONE, RWC,  RWC,  NONE, NONE, NONE, NONE, NONE),
    "customer.cost.budget.fill.line":     (NONE, NONE, ALL,  ALL,  NONE, NONE, NONE, NONE, NONE),
    "customer.cost.budget.line":          (READ, READ, ALL,  ALL,  NONE, READ, NONE, NONE, NONE),
    "customer.cost.budget.part":          (NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE),
    "customer.cost.budget.remedy":        (RWC,  RWC,  RWC,  RWC,  NONE, NONE, NONE, NONE, NONE),
    "customer.cost.budget.report":        (READ, READ, READ, READ, NONE, READ, NONE, NONE, NONE),
    "customer.cost.capture":              (NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE),
    "customer.cost.class.member":         (NONE, NONE, ALL,  ALL,  NONE, READ, NONE, NONE, NONE),
    "customer.cost.demo":                 (NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE),
    "customer.cost.dialog":               (NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE),
    "customer.cost.dirty":                (NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE),
    "customer.cost.driver":               (NONE, NONE, ALL,  ALL,  NONE, READ, NONE, NONE, NONE),
    "customer.cost.driver.component":     (NONE, NONE, ALL,  ALL,  NONE, READ, NONE, NONE, NONE),
    "customer.cost.driver.time":          (NONE, NONE, ALL,  ALL,  NONE, READ, NONE, NONE, NONE),
    "customer.cost.driver.preview":       (NONE, NONE, ALL,  ALL,  NONE, NONE, NONE, NONE, NONE),
    "customer.cost.driver.preview.line":  (NONE, NONE, ALL,  ALL,  NONE, NONE, NONE, NONE, NONE),
    "customer.cost.driver.value":         (NONE, NONE, ALL,  ALL,  NONE, READ, NONE, NONE, NONE),
    "customer.cost.entry":                (ALL,  ALL,  ALL,  ALL,  READ, READ, NONE, NONE, NONE),
    "customer.cost.figures":              (NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE),
    "customer.cost.account.mixin":        (NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE),
    "customer.cost.commitment":           (READ, READ, READ, READ, NONE, READ, NONE, NONE, NONE),
    "customer.cost.company.mixin":        (NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE),
    "customer.cost.guarded":              (NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE),
    "customer.cost.goods":                (NONE, NONE, READ, READ, NONE, READ, NONE, NONE, NONE),
    "customer.cost.history":              (NONE, NONE, ALL,  ALL,  NONE, READ, NONE, NONE, NONE),
    "customer.cost.history.line":         (NONE, NONE, READ, READ, NONE, READ, NONE, NONE, NONE),
    "customer.cost.history.month":        (NONE, NONE, READ, READ, NONE, READ, NONE, NONE, NONE),
    "customer.cost.item":                 (READ, READ, ALL,  ALL,  READ, READ, READ, NONE, NONE),
    "customer.cost.item.month":           (NONE, READ, READ, READ, NONE, READ, NONE, NONE, NONE),
    "customer.cost.limits":               (NONE, NONE, "rwc", "rwc", NONE, NONE, NONE, NONE, NONE),
    "customer.cost.line":                 (READ, READ, READ, READ, NONE, READ, NONE, NONE, NONE),
    "customer.cost.override":             (READ, READ, READ, READ, READ, READ, NONE, NONE, NONE),
    "customer.cost.override.give":        (NONE, NONE, NONE, "rwc", NONE, NONE, NONE, NONE, NONE),
    "customer.cost.map.apply":            (NONE, NONE, ALL,  ALL,  NONE, NONE, NONE, NONE, NONE),
    "customer.cost.map.apply.line":       (NONE, NONE, ALL,  ALL,  NONE, NONE, NONE, NONE, NONE),
    "customer.cost.map.preview":          (NONE, NONE, ALL,  ALL,  NONE, NONE, NONE, NONE, NONE),
    "customer.cost.map.preview.line":     (NONE, NONE, ALL,  ALL,  NONE, NONE, NONE, NONE, NONE),
    "customer.cost.span":                 (NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE),
    "customer.cost.period":               (NONE, NONE, "rw", "rw", NONE, READ, NONE, NONE, NONE),
    "customer.cost.period.check":         (NONE, NONE, "rw", "rw", NONE, READ, NONE, NONE, NONE),
    "customer.cost.period.closing":       (NONE, NONE, READ, READ, NONE, READ, NONE, NONE, NONE),
    "customer.cost.period.reopen":        (NONE, NONE, NONE, "rwc", NONE, NONE, NONE, NONE, NONE),
    "customer.cost.policy":               (READ, READ, ALL,  ALL,  READ, READ, NONE, NONE, NONE),
    "customer.cost.policy.breach":        (READ, READ, READ, READ, READ, READ, NONE, NONE, NONE),
    "customer.cost.pool":                 (NONE, NONE, READ, READ, NONE, READ, NONE, NONE, NONE),
    "customer.cost.profitability":        (READ, READ, READ, READ, NONE, READ, NONE, NONE, NONE),
    "customer.cost.ratios":               (NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE),
    "customer.cost.recording":            (READ, READ, ALL,  ALL,  NONE, READ, NONE, NONE, NONE),
    "customer.cost.recording.period":     (READ, READ, READ, READ, NONE, READ, NONE, NONE, NONE),
    "customer.cost.release":             ("rwc", "rwc", "rwc", "rwc", NONE, NONE, NONE, NONE, NONE),
    "customer.cost.request.pick":        ("rwc", "rwc", "rwc", "rwc", NONE, NONE, NONE, NONE, NONE),
    "customer.cost.request.pick.line":   ("rwc", "rwc", "rwc", "rwc", NONE, NONE, NONE, NONE, NONE),
    "customer.cost.refuse":               (NONE, NONE, NONE, NONE, "rwc", NONE, NONE, NONE, NONE),
    "customer.cost.settings":             (NONE, NONE, NONE, "rwc", NONE, NONE, NONE, NONE, NONE),
    "customer.cost.overview":             (NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE),
    "customer.cost.setup":                (NONE, NONE, NONE, "rw", NONE, NONE, NONE, NONE, NONE),
    "customer.cost.setup.account":        (NONE, NONE, NONE, "rw", NONE, NONE, NONE, NONE, NONE),
    "customer.cost.setup.month":          (NONE, NONE, NONE, READ, NONE, NONE, NONE, NONE, NONE),
    "customer.cost.approve":              (NONE, NONE, NONE, NONE, "rwc", NONE, NONE, NONE, NONE),
    "customer.cost.approve.remark":       (NONE, NONE, NONE, NONE, READ, NONE, NONE, NONE, NONE),
    "customer.cost.approve.skipped":      (NONE, NONE, NONE, NONE, READ, NONE, NONE, NONE, NONE),
    "customer.cost.author.manager":       (NONE, NONE, NONE, "rwc", NONE, NONE, NONE, NONE, NONE),
    "customer.cost.question":             (RWC,  RWC,  RWC,  RWC,  RWC,  NONE, RWC,  NONE, NONE),
    "customer.cost.review":               (READ, READ, READ, READ, READ, READ, READ, NONE, NONE),
    "customer.cost.review.check":         (READ, READ, READ, READ, READ, READ, NONE, NONE, NONE),
    "customer.cost.review.stage":         (READ, READ, READ, ALL,  READ, READ, NONE, NONE, NONE),
    "customer.cost.review.stage.check":   (READ, READ, READ, ALL,  READ, READ, NONE, NONE, NONE),
    "customer.cost.reviewed":             (NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE),
    "customer.cost.shipped":              (NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE),
    "customer.cost.rollup":               (NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE),
    "customer.cost.rule":                 (NONE, NONE, ALL,  ALL,  NONE, READ, NONE, NONE, NONE),
    "customer.cost.rule.fixed":           (NONE, NONE, ALL,  ALL,  NONE, READ, NONE, NONE, NONE),
    "customer.cost.rule.capacity":        (NONE, NONE, ALL,  ALL,  NONE, READ, NONE, NONE, NONE),
    "customer.cost.rule.centre":          (NONE, NONE, ALL,  ALL,  NONE, READ, NONE, NONE, NONE),
    "customer.cost.rule.dated":           (NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE),
    "customer.cost.run":                  (NONE, NONE, ALL,  ALL,  NONE, READ, NONE, NONE, NONE),
    "customer.cost.run.cell":             (NONE, NONE, READ, READ, NONE, READ, NONE, NONE, NONE),
    "customer.cost.run.transfer":         (NONE, NONE, READ, READ, NONE, READ, NONE, NONE, NONE),
    "customer.cost.run.check":            (NONE, NONE, RWC,  RWC,  NONE, NONE, NONE, NONE, NONE),
    "customer.cost.run.check.line":       (NONE, NONE, RWC,  RWC,  NONE, NONE, NONE, NONE, NONE),
    "customer.cost.run.compare":          (NONE, NONE, RWC,  RWC,  NONE, RWC,  NONE, NONE, NONE),
    "customer.cost.run.comparison":       (NONE, NONE, READ, READ, NONE, READ, NONE, NONE, NONE),
    "customer.cost.run.comparison.line":  (NONE, NONE, READ, READ, NONE, READ, NONE, NONE, NONE),
    "customer.cost.run.override":         (NONE, NONE, ALL,  ALL,  NONE, READ, NONE, NONE, NONE),
    "customer.cost.run.step":             (NONE, NONE, READ, READ, NONE, READ, NONE, NONE, NONE),
    "customer.cost.succession":           (NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE),
    "customer.cost.summary":              (READ, READ, READ, READ, NONE, READ, NONE, NONE, NONE),
    "customer.cost.term":                 (NONE, NONE, ALL,  ALL,  NONE, READ, NONE, NONE, NONE),
    "customer.cost.tie.out":              (NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE),
    "report.customer_cost.report_tie_out": (NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE),
}
# fmt: on


@tagged("post_install", "-at_install")
class TestAccessRoles(CustomerCostCommon):
    """What every role may do with every model of the add-on."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.users["billing"] = new_test_user(
            cls.env,
            login="cost_billing",
            groups="account.group_account_invoice",
            company_id=cls.company.id,
            company_ids=cls.company.ids,
        )
        cls.users["portal"] = new_test_user(
            cls.env, login="cost_portal", groups="base.group_portal"
        )

    def test_every_model_of_the_add_on_has_a_row(self):
        own = {
            name
            for name, model in self.env.registry.items()
            if model._original_module == "customer_cost"
        }
        self.assertEqual(own, set(MATRIX))

    def test_rights_on_models(self):
        for model, rights in MATRIX.items():
            for role, expected in zip(ROLES, rights, strict=True):
                records = self.env[model].with_user(self.users[role])
                granted = "".join(
                    letter for letter, right in OPERATIONS.items() if records.has_access(right)
                )
                self.assertEqual(granted, expected, f"{role} on {model}")

    @mute_logger("odoo.addons.base.models.ir_model")
    def test_models_refuse_in_fact(self):
        for model, rights in MATRIX.items():
            for role, expected in zip(ROLES, rights, strict=True):
                if "r" in expected or self.env[model]._abstract:
                    continue
                for method, args in (
                    ("search_read", [[]]),
                    ("search_count", [[]]),
                    ("formatted_read_group", [[], [], ["__count"]]),
                    ("name_search", []),
                ):
                    with self.subTest(f"{role}: {model}.{method}"):
                        with self.assertRaises(AccessError):
                            self.rpc(self.users[role], model, method, *args)

    def test_every_stored_model_has_a_rule_by_company(self):
        rules = self.env["ir.rule"].with_user(SUPERUSER_ID).search([("groups", "=", False)])
        guarded = set(rules.model_id.mapped("model"))
        for model in MATRIX:
            records = self.env[model]
            if records._abstract or records._transient:
                continue
            self.assertIn("company_id", records._fields)
            self.assertIn(model, guarded, f"{model} has no rule that keeps companies apart")

    def test_roles_imply_what_they_build_on(self):
        ladder = [
            self.env.ref(f"customer_cost.group_customer_cost_{name}")
            for name in ("rep", "user", "accountant", "manager")
        ]
        for lower, higher in zip(ladder, ladder[1:], strict=False):
            self.assertIn(lower, higher.all_implied_ids)
            self.assertNotIn(higher, lower.all_implied_ids)
        for name in ("reviewer", "auditor"):
            group = self.env.ref(f"customer_cost.group_customer_cost_{name}")
            self.assertFalse(group.all_implied_ids & (ladder[0] | ladder[1] | ladder[2]))

    def test_reviewer_and_manager_are_two_roles(self):
        self.assertFalse(
            self.users["manager"].has_group("customer_cost.group_customer_cost_reviewer")
        )
