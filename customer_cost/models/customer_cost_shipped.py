from odoo import api, models


class CustomerCostShipped(models.AbstractModel):
    """Records that the code makes for every company, whose texts follow the languages in use."""

    _name = "customer.cost.shipped"
    _description = "Shipped Records"

    @api.model
    def _get_shipped_texts(self):
        """Texts that ship, in the language of the environment, always in the same order."""
        raise NotImplementedError

    def _get_shipped_fields(self):
        """Where such texts stand: list of records and the name of their translated field."""
        raise NotImplementedError

    def _translate_shipped(self, langs=None):
        """Translate what reads as it shipped; what somebody wrote in its place stays.

        :param langs: codes of languages, those in use by default
        """
        langs = langs or [code for code, _name in self.env["res.lang"].get_installed()]
        english = self.with_context(lang="en_US")
        source = english._get_shipped_texts()
        for lang in langs:
            translated = self.with_context(lang=lang)._get_shipped_texts()
            texts = dict(zip(source, translated, strict=True))
            for records, name in english._get_shipped_fields():
                for record in records:
                    own = record.with_context(lang=lang)
                    if own[name] == record[name] and record[name] in texts:
                        own[name] = texts[record[name]]
