from collections import defaultdict

from odoo import models
from odoo.tools import SQL

# Tables whose rows name a customer and follow it.
CUSTOMER_TABLES = (
    "customer_cost_line",
    "customer_cost_allocation",
    "customer_cost_driver_value",
    "customer_cost_rule_fixed",
    "customer_cost_policy_breach",
    "customer_cost_budget",
    "customer_cost_term",
)


class ResPartner(models.Model):
    """A customer that becomes a contact, or a contact that becomes a customer, takes its figures.

    Sales belong to whom the partner on the document belongs to today. Costs are written to the
    customer, in every month, closed ones too, since the totals of a month do not change by it:

    * a customer that becomes a contact gives everything to the company it belongs to now;
    * a contact that becomes a customer, or changes company, takes the costs that name it: by
      hand as the contact, in the books as the customer of the journal item or of its analytic
      account. What runs charged to the company stays there: it was charged for all of it.
    """

    _inherit = "res.partner"

    def write(self, vals):
        if {"country_id", "user_id"}.intersection(vals):
            self.env["customer.cost.summary"]._mark_customers(self.ids)
        if not {"is_company", "parent_id"}.intersection(vals):
            return super().write(vals)
        # sudo: whom a contact belongs to changes for every user and company
        people = self.sudo().with_context(active_test=False).search([("id", "child_of", self.ids)])
        before = {person.id: person.commercial_partner_id.id for person in people}
        res = super().write(vals)
        moved = defaultdict(list)
        for person in people:
            change = before[person.id], person.commercial_partner_id.id
            if change[0] != change[1]:
                moved[change].append(person.id)
        if moved:
            self.env.flush_all()
        for (old, new), person_ids in moved.items():
            if old in person_ids:
                self._give_customer_costs(old, new)
            else:
                self._take_customer_costs(old, new, person_ids)
            for person in self.browse(person_ids) & self:
                person._message_log(
                    body=self.env._(
                        "Its sales and costs count for %(customer)s now.",
                        customer=self.browse(new).sudo().display_name,  # sudo: its name alone
                    )
                )
        return res

    def unlink(self):
        ids = self.ids
        res = super().unlink()
        for table in ("customer_cost_balance", "customer_cost_summary"):
            self.env.cr.execute(
                SQL("DELETE FROM %s WHERE customer_id = ANY(%s)", SQL.identifier(table), ids)
            )
        return res

    def _give_customer_costs(self, old, new):
        """Everything of customer ``old`` is ``new``'s, of which it is a contact now."""
        merge = self.env["base.partner.merge.automatic.wizard"]
        merge._fold_captured_costs(self.browse([old, new]))
        self.env.cr.execute(
            SQL(
                """UPDATE customer_cost_entry
                      SET customer_id = %(new)s,
                          contact_id = CASE kind WHEN 'captured' THEN contact_id
                                       ELSE COALESCE(contact_id, %(old)s) END
                    WHERE customer_id = %(old)s""",
                old=old,
                new=new,
            )
        )
        for table in CUSTOMER_TABLES:
            self.env.cr.execute(
                SQL(
                    "UPDATE %s SET customer_id = %s WHERE customer_id = %s",
                    SQL.identifier(table),
                    new,
                    old,
                )
            )
        self.env.invalidate_all(flush=False)
        self.env["customer.cost.balance"]._follow([old], new)
        self.env["customer.cost.alert"]._follow([old], new)
        self.env["customer.cost.succession"]._record([old], self.browse(new))

    def _take_customer_costs(self, old, new, person_ids):
        """Costs of customer ``old`` that name these people are customer ``new``'s."""
        accounts = self.env.execute_query(
            SQL("SELECT id FROM account_analytic_account WHERE partner_id = ANY(%s)", person_ids)
        )
        move_ids = self.env.execute_query(
            SQL(
                """SELECT DISTINCT e.source_move_id
                     FROM customer_cost_entry e JOIN account_move_line l ON l.id = e.source_line_id
                    WHERE e.customer_id = %s AND (l.cost_customer_id = ANY(%s) OR EXISTS (
                          SELECT FROM jsonb_object_keys(l.analytic_distribution) key
                           WHERE string_to_array(key, ',') && %s::text[]))""",
                old,
                person_ids,
                [str(account) for (account,) in accounts],
            )
        )
        self._rekey_named_costs(old, new, person_ids)
        # What several contacts of a company share in one journal item is told apart here.
        capture = self.env["customer.cost.capture"]
        move_ids = [move_id for (move_id,) in move_ids]
        capture._lock_moves(move_ids)
        capture._sync(move_ids)
        self.env["customer.cost.dirty"]._mark_customers([old, new])

    def _rekey_named_costs(self, old, new, person_ids):
        """Hand over the entries that name these people, with their ledger lines."""
        entries = self.env.execute_query(
            SQL(
                """UPDATE customer_cost_entry e SET customer_id = %(new)s
                     FROM customer_cost_entry named
                LEFT JOIN account_move_line l ON l.id = named.source_line_id
                    WHERE named.id = e.id AND e.customer_id = %(old)s
                      AND (l.cost_customer_id = ANY(%(people)s)
                           OR e.kind <> 'captured' AND e.contact_id = ANY(%(people)s))
                      AND NOT EXISTS (
                          SELECT FROM customer_cost_entry other
                           WHERE other.source_line_id = e.source_line_id
                             AND other.customer_id = %(new)s AND other.item_id = e.item_id)
                RETURNING e.id""",
                old=old,
                new=new,
                people=person_ids,
            )
        )
        self.env.cr.execute(
            SQL(
                "UPDATE customer_cost_line SET customer_id = %s WHERE entry_id = ANY(%s)",
                new,
                [entry for (entry,) in entries],
            )
        )
        self.env.invalidate_all(flush=False)
