from datetime import date

from odoo.fields import Command

from .common import CustomerCostCommon

DAY = date(2025, 3, 10)


class GeneratedCommon(CustomerCostCommon):
    """Bills for two customers and two cost items, with what Odoo adds to them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.pool = cls.env["res.partner"]
        cls.private_account, cls.tax_account = cls.env["account.account"].create(
            [
                {
                    "name": name,
                    "code": code,
                    "account_type": "expense",
                    "company_ids": [Command.set(cls.company.ids)],
                }
                for name, code in (("Private", "T60011"), ("Tax not recovered", "T60012"))
            ]
        )

    @classmethod
    def create_tax(cls, account=None, amount=10.0, **vals):
        """Purchase tax that is a cost: on ``account``, or else on the account of its base."""
        repartition = [
            Command.clear(),
            Command.create({"repartition_type": "base"}),
            Command.create(
                {"repartition_type": "tax", "account_id": account.id if account else False}
            ),
        ]
        return cls.env["account.tax"].create(
            {
                "name": f"Not recoverable {amount} {cls.env['account.tax'].search_count([])}",
                "amount": amount,
                "type_tax_use": "purchase",
                "company_id": cls.company.id,
                "invoice_repartition_line_ids": repartition,
                "refund_repartition_line_ids": repartition,
                **vals,
            }
        )

    def for_customer(self, customer, **vals):
        return {"cost_customer_id": customer.id, **vals}

    def taxed(self, tax, *customers, **vals):
        return [
            (
                account,
                amount,
                {"cost_customer_id": customer.id, "tax_ids": [Command.set(tax.ids)], **vals},
            )
            for (account, amount), customer in zip(
                ((self.expense_account, 100.0), (self.other_account, 300.0)), customers, strict=True
            )
        ]

    def by_customer(self, moves):
        """Ledger as (customer, item) to amount, whatever the month."""
        sums = {}
        for (customer, item, _day), amount in self.ledger(moves).items():
            sums[customer, item] = round(sums.get((customer, item), 0) + amount, 3)
        return {key: amount for key, amount in sums.items() if amount}

    def assertSynced(self, moves):
        """Another comparison adds nothing, and every amount is the journal item's."""
        self.assertEqual(self.env["customer.cost.capture"]._sync(moves.ids), 0)
        for entry in self.env["customer.cost.entry"].search([("source_move_id", "in", moves.ids)]):
            self.assertEqual(
                round(sum(entry.line_ids.mapped("amount")), 3), round(entry.amount_company, 3)
            )
        captured = self.env["customer.cost.entry"]._read_group(
            [("source_move_id", "in", moves.ids), ("state", "=", "captured")],
            ["source_line_id"],
            ["amount_company:sum"],
        )
        for line_id, amount in captured:
            line = self.env["account.move.line"].browse(line_id)
            self.assertEqual(round(amount, 3), line.balance, line.name)
