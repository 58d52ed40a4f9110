from odoo import api, models


def read_tags(partners):
    """Pairs of ids ``(partner, tag)`` that these partners hold now, in every company."""
    # sudo: the pairs alone, to be compared with those after the change
    return {
        (partner.id, tag.id)
        for partner in partners.sudo().with_context(active_test=False)
        for tag in partner.category_id
    }


class ResPartner(models.Model):
    """The day on which a customer got or lost a tag is kept: a class budget asks for it.

    What a customer is tagged with when it is created, it always was.
    """

    _inherit = "res.partner"

    def write(self, vals):
        if "category_id" not in vals:
            return super().write(vals)
        before = read_tags(self)
        res = super().write(vals)
        self.env["customer.cost.class.member"]._record(before, read_tags(self))
        return res


class ResPartnerCategory(models.Model):
    _inherit = "res.partner.category"

    @api.model_create_multi
    def create(self, vals_list):
        categories = super().create(vals_list)
        holders = categories.sudo().with_context(active_test=False).partner_ids  # sudo: as above
        if holders:
            tags = set(categories.ids)
            gained = {pair for pair in read_tags(holders) if pair[1] in tags}
            self.env["customer.cost.class.member"]._record(set(), gained)
        return categories

    def write(self, vals):
        if "partner_ids" not in vals:
            return super().write(vals)
        tags = set(self.ids)
        every = self.sudo().with_context(active_test=False)  # sudo: as in read_tags
        holders = every.partner_ids
        before = {pair for pair in read_tags(holders) if pair[1] in tags}
        res = super().write(vals)
        after = {pair for pair in read_tags(every.partner_ids) if pair[1] in tags}
        self.env["customer.cost.class.member"]._record(before, after)
        return res
