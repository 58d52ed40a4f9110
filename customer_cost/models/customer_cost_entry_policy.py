from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import date_utils

from ..findings import Finding


class CustomerCostEntry(models.Model):
    """What the policies say of a cost, and what it did not keep when it was submitted."""

    _inherit = "customer.cost.entry"

    policy_text = fields.Text(
        compute="_compute_policy_text", help="What the company and the cost item ask for."
    )
    submitted_on = fields.Date(readonly=True, copy=False)
    breach_ids = fields.One2many("customer.cost.policy.breach", "entry_id", string="Breaches")

    @api.depends("item_id", "company_id", "kind")
    def _compute_policy_text(self):
        manual = self.filtered(lambda entry: entry.kind != "captured")
        policies = manual._get_policies()
        for entry in self:
            entry.policy_text = "\n".join(entry._get_policy_lines(policies.get(entry, ())))

    def _get_policy_lines(self, policies):
        """The texts of the company, of the item from its root down, and of the rules."""
        items = self.env["customer.cost.item"]
        path = (self.item_id.parent_path or "").split("/")[:-1]
        texts = [self.company_id.customer_cost_policy_text]
        texts += items.browse(map(int, path)).mapped("policy_text")
        # what a rule says, and what its owner adds to it
        texts += [
            self.env._("• %(rule)s. %(text)s", rule=policy.display_name, text=policy.text)
            if policy.text
            else f"• {policy.display_name}"
            for policy in policies
        ]
        return [text.strip() for text in texts if text and text.strip()]

    @api.depends("payment_method", "receipt_ids", "customer_id.category_id", "amount_company")
    def _compute_findings(self):
        return super()._compute_findings()

    def _get_findings(self):
        found = super()._get_findings()
        for entry, breaches in self._get_policy_breaches().items():
            findings = [
                Finding(breach.policy.level, breach.message, breach.policy) for breach in breaches
            ]
            found[entry] = [*found.get(entry, ()), *findings]
        return found

    def _get_policies(self):
        """Dict of cost to the active policies of its company and item, one query."""
        # sudo: the rules of a company hold whatever its people may read
        policies = self.env["customer.cost.policy"].sudo()
        entries = self.sudo()  # sudo: as above, for companies above the cost's own
        found = policies.search([("company_id", "in", entries.company_id.parent_ids.ids)])
        found = found.sorted(lambda policy: policy.item_id.parent_path or "")
        return {
            entry: found.filtered(lambda policy, own=own: policy._applies_to(own))
            for entry, own in zip(self, entries, strict=True)
        }

    def _get_policy_breaches(self):
        """Policies these costs do not keep; the number of queries does not grow with the costs.

        Of costs that are checked together, each counts those before it towards a month's limit.

        :return: dict of cost to list of :class:`~.customer_cost_policy.Breach`
        """
        checked = self.filtered(lambda entry: entry.kind != "captured" and not entry.reversal_of_id)
        policies = checked._get_policies()
        totals = checked._get_month_totals(policies)
        found = {}
        for entry in checked:
            breaches = [
                # sudo: figures of the policy, also those of costs the user may not see
                policy._get_breach(entry.sudo(), totals.get((entry, policy), (entry.date, 0.0)))
                for policy in policies[entry]
            ]
            if any(breaches):
                found[entry] = [breach for breach in breaches if breach]
        return found

    def _get_month_totals(self, policies):
        """What a month comes to with these costs, for the policies that limit it.

        Ledger and commitments of customer, month and the policy's items, company currency. Of the
        months that a cost serves the one that comes to most.

        :param policies: dict of cost to its policies
        :return: dict of (cost, policy) to month and amount
        """
        totals = {}
        for (entry, policy), months in self._get_month_sums(policies).items():
            month, (_own, total) = max(months.items(), key=lambda pair: pair[1][1])
            totals[entry, policy] = (month, policy.currency_id.round(total))
        return totals

    def _get_month_sums(self, policies):
        """What these costs ask of each month they serve, and what the month comes to with them.

        :return: dict of (cost, policy that limits a month) to dict of month to (asked, total)
        """
        limits = {
            entry: policies[entry].filtered(lambda policy: policy.kind == "month_limit")
            for entry in self
            if entry.customer_id and entry.date and entry.item_id
        }
        limited = self.filtered(lambda entry: limits.get(entry))
        if not limited:
            return {}
        asked = limited._get_asked_by_month()
        spent = limited._read_months({key[-1] for own in asked.values() for key in own})
        sums = {}
        for entry in limited:
            for policy in limits[entry]:
                path = policy.item_id.parent_path or ""
                sums[entry, policy] = {
                    key[-1]: (
                        own,
                        own
                        + sum(
                            amount
                            for item, entry_id, amount in spent[key]
                            if item.parent_path.startswith(path) and entry_id != entry._origin.id
                        ),
                    )
                    for key, own in asked[entry].items()
                }
            if entry.state != "submitted":
                for key, own in asked[entry].items():
                    spent[key].append((entry.item_id, entry._origin.id, own))
        return sums

    def _get_policy_rooms(self):
        """What of this cost each policy on amounts that it breaks would let pass.

        :return: list of ``(policy, amount)``, company currency
        """
        self.ensure_one()
        breaches = self._get_policy_breaches().get(self, ())
        broken = {breach.policy for breach in breaches}
        rooms = [(policy, policy.amount) for policy in broken if policy.kind == "entry_limit"]
        months = self._get_month_sums(self._get_policies())
        rooms += [
            (policy, policy._get_room(self.amount_company, sums.values()))
            for (_entry, policy), sums in months.items()
            if policy in broken
        ]
        return rooms

    def _get_asked_by_month(self):
        """Dict of cost to dict of company, customer and month to what it asks of the month."""
        asked = defaultdict(lambda: defaultdict(float))
        for entry, months in self._get_month_amounts().items():
            for day, _service_day, amount in months:
                month = date_utils.start_of(day, "month")
                asked[entry][entry.company_id.id, entry.customer_id._origin.id, month] += amount
        return asked

    def _read_months(self, dates):
        """Dict of company, customer and month to its (item, entry id, amount), two queries."""
        domain = [
            ("company_id", "in", self.company_id.ids),
            ("customer_id", "in", self.customer_id._origin.ids),
            ("date", ">=", date_utils.start_of(min(dates), "month")),
            ("date", "<=", date_utils.end_of(max(dates), "month")),
        ]
        groupby = ["company_id", "customer_id", "item_id", "date:month"]
        # sudo: a limit counts what is spent, also what the user may not see
        ledger = self.env["customer.cost.line"].sudo()
        commitments = self.env["customer.cost.commitment"].sudo()  # sudo: as above
        rows = [
            (company, customer, item, month, False, amount)
            for company, customer, item, month, amount in ledger._read_group(
                domain, groupby, ["amount:sum"]
            )
        ]
        rows += [
            (company, customer, item, month, entry.id, amount)
            for company, customer, item, month, entry, amount in commitments._read_group(
                domain, [*groupby, "entry_id"], ["amount:sum"]
            )
        ]
        spent = defaultdict(list)
        for company, customer, item, month, entry_id, amount in rows:
            spent[company.id, customer.id, fields.Date.to_date(month)].append(
                (item, entry_id, amount)
            )
        return spent

    def _get_submission_day(self):
        """The day a cost was submitted on; today while it is not."""
        return (self.state == "submitted" and self.submitted_on) or fields.Date.context_today(self)

    # ------------------------------------------------------------
    # Submission
    # ------------------------------------------------------------

    def write(self, vals):
        if vals.get("state") == "submitted":
            vals = {**vals, "submitted_on": fields.Date.context_today(self)}
        return super().write(vals)

    def _submit(self):
        self._refresh_amount_company()
        breaches = self._get_policy_breaches()
        res = super()._submit()
        self._log_breaches(breaches)
        return res

    def _restart_review(self, text=None):
        res = super()._restart_review(text)
        self._log_breaches(self._get_policy_breaches())
        return res

    def _check_findings(self):
        try:
            return super()._check_findings()
        except UserError:
            breaches = self.env["customer.cost.policy.breach"]
            breaches._count_blocked_after_rollback(self._prepare_blocked())
            raise

    def _submit_queued(self):
        res = super()._submit_queued()
        # What could not be submitted is told in messages: here nothing is undone.
        left = self._filtered_access("write")
        if left := left.filtered(lambda entry: entry.state in ("draft", "refused")):
            breaches = self.env["customer.cost.policy.breach"].sudo()  # sudo: nobody else writes
            breaches._count_blocked(left._prepare_blocked())
        return res

    def _log_breaches(self, breaches):
        """Replace what passed of these costs; ``breaches`` as they were just before."""
        logged = self.env["customer.cost.policy.breach"].sudo()  # sudo: nobody else writes them
        logged.search([("entry_id", "in", self.ids), ("level", "=", "warn")]).unlink()
        logged.create(self._prepare_breaches(breaches))

    def _prepare_blocked(self):
        """Values of the policies that block these costs today."""
        blocks = {
            entry: [breach for breach in breaches if breach.policy.level == "block"]
            for entry, breaches in self._get_policy_breaches().items()
        }
        today = fields.Date.context_today(self)
        submitted = set(self.filtered(lambda entry: entry.state == "submitted").ids)
        return [
            {
                **vals,
                "date": today,
                "user_id": vals["user_id"] if vals["entry_id"] in submitted else self.env.uid,
            }
            for vals in self._prepare_breaches(blocks)
        ]

    def _prepare_breaches(self, breaches):
        return [
            {
                "entry_id": entry.id,
                "policy_id": breach.policy.id,
                "company_id": entry.company_id.id,
                "kind": breach.policy.kind,
                "level": breach.policy.level,
                "figure": breach.figure,
                "limit": breach.limit,
                "message": breach.message,
                "date": entry.submitted_on or fields.Date.context_today(self),
                "user_id": entry.submitter_id.id,
                "customer_id": entry.customer_id.id,
                "item_id": entry.item_id.id,
            }
            for entry in self
            for breach in breaches.get(entry, ())
        ]
