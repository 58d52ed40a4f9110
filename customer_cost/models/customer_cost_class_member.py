from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import SQL, date_utils


class CustomerCostClassMember(models.Model):
    """Since when, and until when, a customer has a tag: class budgets follow the day of a cost.

    Written when tags of a customer change. A tag without any row was always held.
    """

    _name = "customer.cost.class.member"
    _description = "Customer Class Membership"
    _order = "customer_id, category_id, date_from, id"
    _rec_name = "customer_id"

    customer_id = fields.Many2one("res.partner", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="customer_id.company_id")
    category_id = fields.Many2one(
        "res.partner.category", string="Tag", required=True, index=True, ondelete="cascade"
    )
    date_from = fields.Date(string="From", help="Left empty: always until then.")
    date_to = fields.Date(string="Until", help="The last day; left empty, the tag is still held.")

    @api.constrains("date_from", "date_to")
    def _check_dates(self):
        for member in self:
            if member.date_from and member.date_to and member.date_from > member.date_to:
                raise ValidationError(
                    self.env._(
                        "%(customer)s would hold the tag %(tag)s until before it has it.",
                        customer=member.customer_id.display_name,
                        tag=member.category_id.display_name,
                    )
                )

    @api.model
    def _sql_held(self) -> SQL:
        """Rows of category_id, customer_id, date_from, date_to; an empty date is open."""
        return SQL(
            """SELECT category_id, customer_id, date_from, date_to FROM customer_cost_class_member
            UNION ALL
               SELECT r.category_id, r.partner_id, NULL, NULL
                 FROM res_partner_res_partner_category_rel r
                WHERE NOT EXISTS (SELECT FROM customer_cost_class_member m
                                   WHERE m.category_id = r.category_id
                                     AND m.customer_id = r.partner_id)"""
        )

    @api.model
    def _flush_held(self):
        self.flush_model()
        self.env["res.partner"].flush_model(["category_id"])

    @api.model
    def _record(self, before, after):
        """Keep the change of tags with today's date.

        :param before: set of ``(customer id, tag id)`` held until yesterday
        :param after: set of the pairs held from today on
        """
        today = fields.Date.context_today(self)
        gained, lost = after - before, before - after
        # sudo: whoever may tag a customer changes its class; nobody else writes these rows here
        members = self.sudo()
        changed = gained | lost
        rows = members.search(
            [
                ("customer_id", "in", [customer for customer, _tag in changed]),
                ("category_id", "in", [tag for _customer, tag in changed]),
            ]
        ).grouped(lambda row: (row.customer_id.id, row.category_id.id))
        yesterday = date_utils.subtract(today, days=1)
        vals_list = []
        for pair in sorted(lost):
            known = rows.get(pair, members)
            current = known.filtered(lambda row: not row.date_to)
            fresh = current.filtered(lambda row: row.date_from and row.date_from > yesterday)
            (current - fresh).date_to = yesterday
            fresh.unlink()
            if not known:
                vals_list.append(self._prepare_vals(pair, date_to=yesterday))
            elif fresh == known:
                # Gained and lost on one day: without a row it would have been held always.
                vals_list.append(self._prepare_vals(pair, date_from=today, date_to=today))
        vals_list += [self._prepare_vals(pair, date_from=today) for pair in sorted(gained)]
        members.create(vals_list)

    @api.model
    def _prepare_vals(self, pair, **dates):
        customer, tag = pair
        return {"customer_id": customer, "category_id": tag, **dates}

    @api.model
    def _keep_always(self, customers):
        """Write out what these customers always held, before rows of others join theirs."""
        self._flush_held()
        self.env.cr.execute(
            SQL(
                """INSERT INTO customer_cost_class_member
                           (customer_id, category_id, create_uid, create_date)
                   SELECT r.partner_id, r.category_id, %s, now() AT TIME ZONE 'UTC'
                     FROM res_partner_res_partner_category_rel r
                    WHERE r.partner_id = ANY(%s) AND NOT EXISTS (
                          SELECT FROM customer_cost_class_member m
                           WHERE m.category_id = r.category_id AND m.customer_id = r.partner_id)""",
                self.env.uid,
                customers.ids,
            )
        )
        self.invalidate_model(flush=False)
