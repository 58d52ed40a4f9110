from odoo import fields, models


class CustomerCostRunStepTerms(models.Model):
    """The contract terms that held in a step, as they were."""

    _inherit = "customer.cost.run.step"

    terms = fields.Json(
        string="Contract Terms",
        readonly=True,
        prefetch=False,
        help="By customer: kind, figure, contract and cost item of each term.",
    )

    def _describe_terms(self, customer, item, with_pool=True):
        """Terms of a customer that concern an item, in words and the reader's language.

        :param with_pool: whether percentages of the pool are shown
        :return: str, empty without any
        """
        self.ensure_one()
        own = (self.terms or {}).get(str(customer.id), ())
        sent = self.cell_ids.filtered(lambda cell: cell.charged_item_id == item).item_id
        decisive = [term for below in sent for term in self._get_decisive_terms(own, below)]
        texts = []
        for term in own:
            if term in decisive:
                kind, value, contract, _about = term
                text = self._describe_term(kind, value, with_pool)
                texts.append(f"{text} ({contract})" if contract else text)
        return "; ".join(texts)

    def _describe_term(self, kind, value, with_pool):
        if kind == "fixed_pct" and not with_pool:
            return self.env._("Fixed percentage")
        return self.env["customer.cost.term"]._describe(kind, value, self.currency_id)

    @staticmethod
    def _get_decisive_terms(terms, item):
        """Of the terms that concern an item, those about the nearest one, weights apart."""
        path = ["", *(item.parent_path or "").split("/")[:-1]]
        depths = {part: depth for depth, part in enumerate(path)}
        for weights in (True, False):
            found = [
                (depths[str(term[3] or "")], term)
                for term in terms
                if (term[0] == "weight") == weights and str(term[3] or "") in depths
            ]
            nearest = max((depth for depth, _term in found), default=0)
            yield from (term for depth, term in found if depth == nearest)
