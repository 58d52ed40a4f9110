from collections import defaultdict
from itertools import chain, islice

from odoo import fields, models
from odoo.fields import Domain
from odoo.tools import format_date

# Days around the date within which the same cost looks like a duplicate.
NEAR_DAYS = 30
MAX_DUPLICATES = 10


class CustomerCostEntry(models.Model):
    """Costs that may have been recorded twice, and what else is to be known of many at once."""

    _inherit = "customer.cost.entry"

    def _get_remarks(self):
        """What the reviewer should know of these costs before approving them together.

        :return: dict of cost to list of ``(level, text)``, costs without any left out; the level
            is ``duplicate`` or that of a finding
        """
        # sudo: costs that may be the same, told to who decides on one of them
        duplicates = self.sudo()._find_duplicates()
        findings = self._get_findings()
        remarks = {}
        for entry in self:
            found = [
                ("duplicate", other._get_duplicate_text(same_receipt))
                for other, same_receipt in duplicates[entry]
            ]
            found += [(finding.level, finding.message) for finding in findings.get(entry, ())]
            if found:
                remarks[entry] = found
        return remarks

    def _get_duplicate_text(self, same_receipt):
        values = {
            "cost": self.display_name,
            "date": format_date(self.env, self.date),
            "amount": self._format_money(self.amount_company),
            "author": self.create_uid.name,
        }
        if same_receipt:
            return self.env._(
                "The same receipt as %(cost)s: %(amount)s of %(date)s, recorded by %(author)s",
                **values,
            )
        return self.env._("Like %(cost)s: %(amount)s of %(date)s, recorded by %(author)s", **values)

    def _find_duplicates(self):
        """Costs that may be the same as each of these: those of the same receipt file first.

        Otherwise the same customer, item and amount within 30 days. The number of queries does
        not grow with the costs.

        :return: dict of cost to list of ``(cost, whether it has the same receipt file)``
        """
        files = self._find_same_receipts()
        others = self.search(self._get_alike_domain(set().union(*files.values())))
        other_ids = set(others.ids)
        alike = others.grouped(lambda other: other._get_substance_key())
        found = {}
        for entry in self:
            same = self.browse(sorted(files[entry.id] & other_ids))
            near = (
                other
                for other in alike.get(entry._get_substance_key(), ())
                if other not in same and abs((other.date - entry.date).days) <= NEAR_DAYS
            )
            left_out = entry | entry.reversal_of_id
            found[entry] = [
                (other, other in same)
                for other in islice(
                    (other for other in chain(same, near) if other not in left_out),
                    MAX_DUPLICATES,
                )
            ]
        return found

    def _get_substance_key(self):
        return self.company_id, self.customer_id, self.item_id, self.currency_id, self.amount

    def _get_alike_domain(self, ids):
        """Domain of what may be the same as one of these costs, beside the costs ``ids``."""
        dates = self.mapped("date") or [fields.Date.context_today(self)]
        near = Domain(
            [
                ("customer_id", "in", [entry.customer_id.id for entry in self]),
                ("item_id", "in", self.item_id.ids),
                ("currency_id", "in", self.currency_id.ids),
                ("amount", "in", self.mapped("amount")),
                ("date", ">=", fields.Date.subtract(min(dates), days=NEAR_DAYS)),
                ("date", "<=", fields.Date.add(max(dates), days=NEAR_DAYS)),
            ]
        )
        return (
            Domain("company_id", "in", self.company_id.ids)
            & Domain("state", "not in", ("refused", "withdrawn"))
            & (near | Domain("id", "in", list(ids)))
        )

    def _find_same_receipts(self):
        """Ids of costs that have a receipt file of each of these: dict of id to set of ids."""
        receipts = Domain("res_model", "=", self._name) & Domain("checksum", "!=", False)
        attachments = self.env["ir.attachment"]
        own = attachments.search(receipts & Domain("res_id", "in", self.ids))
        holders = defaultdict(set)
        for other in attachments.search(
            receipts & Domain("checksum", "in", own.mapped("checksum"))
        ):
            holders[other.checksum].add(other.res_id)
        found = {entry.id: set() for entry in self}
        for receipt in own:
            found[receipt.res_id] |= holders[receipt.checksum] - {receipt.res_id}
        return found
