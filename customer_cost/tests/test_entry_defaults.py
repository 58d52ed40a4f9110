from .common import CustomerCostCommon


class TestEntryDefaults(CustomerCostCommon):
    """Values by default are taken as carefully as values that were typed."""

    def create_with(self, **defaults):
        context = {f"default_{name}": value for name, value in defaults.items()}
        return (
            self.env(user=self.users["accountant"])["customer.cost.entry"]
            .with_context(**context)
            .create({"item_id": self.item.id, "date": "2025-03-10"})
        )

    def test_contact_by_default_counts_for_its_company(self):
        contact = self.env["res.partner"].create(
            {"name": "Buyer of A", "parent_id": self.customer_a.id}
        )
        entry = self.create_with(customer_id=contact.id, amount=10.0)
        self.assertEqual(entry.customer_id, self.customer_a)
        self.assertEqual(entry.contact_id, contact)

    def test_contact_by_default_of_a_driver_value_counts_for_its_company(self):
        contact = self.env["res.partner"].create(
            {"name": "Buyer of A", "parent_id": self.customer_a.id}
        )
        driver = self.create_driver()
        value = (
            self.env["customer.cost.driver.value"]
            .with_context(default_customer_id=contact.id)
            .create({"driver_id": driver.id, "quantity": 1})
        )
        self.assertEqual(value.customer_id, self.customer_a)

    def test_no_number_is_refused_however_it_comes(self):
        for amount in (float("nan"), float("inf"), "nan", "-inf"):
            with self.subTest(amount=amount), self.assertRefused("The amount is no number"):
                self.create_with(amount=amount)
        for amount in (float("nan"), "inf", "many"):
            with self.subTest(amount=amount), self.assertRefused("The amount is no number"):
                self.create_cost(amount=amount)

    def test_rate_entered_after_the_cost_is_the_one_that_counts(self):
        currency = self.setup_other_currency("EUR", rates=[("2025-01-01", 2.0)])
        entry = self.create_cost(currency_id=currency.id, amount=100.0)
        self.assertEqual(entry.amount_company, 50.0)
        self.env["res.currency.rate"].create(
            {
                "currency_id": currency.id,
                "company_id": self.company.id,
                "name": "2025-03-10",
                "rate": 4.0,
            }
        )
        entry.action_submit()
        self.assertEqual(entry.amount_company, 25.0)
        entry.with_user(self.users["reviewer"]).action_approve()
        self.assertEqual(entry.sudo().line_ids.mapped("amount"), [25.0])
