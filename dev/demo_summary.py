"""Run by `make demo` in `bin/odoo shell`: logins per role and what each customer earns."""

from odoo.addons.customer_cost.demo import story

company = env["res.company"].search([("name", "=", "Lakeside Coffee Supply")], limit=1)  # noqa: F821
print("\nLogins (the password is the login):")
print(f"  {'admin':<12} Administrator of the database, cost manager")
for login, name, groups in story.USERS:
    role = env.ref(f"customer_cost.{groups[0]}").name  # noqa: F821
    print(f"  {login:<12} {name}: {role}")

report = env["customer.cost.profitability"].with_company(company)  # noqa: F821
first, last = env["res.partner"]._get_customer_cost_rolling()  # noqa: F821
measures = ("net_sales", "gross_margin", "direct_cost", "allocated_cost", "profit", "full_profit")
rows = report._read_group(
    [("company_id", "=", company.id), ("month", ">=", first), ("month", "<=", last)],
    ["customer_id"],
    [f"{name}:sum" for name in measures],
    order="profit:sum desc",
)
titles = ("Net sales", "Gross margin", "Direct", "Allocated", "Profit", "Full-cost profit")
print(f"\n{company.name}, last 12 months, {company.currency_id.name}:")
print(f"  {'Customer':<26}" + "".join(f"{title:>18}" for title in titles))
for customer, *amounts in rows:
    print(f"  {customer.name:<26}" + "".join(f"{amount:>18,.2f}" for amount in amounts))
totals = [sum(row[1 + place] for row in rows) for place in range(len(measures))]
print(f"  {'Total':<26}" + "".join(f"{total:>18,.2f}" for total in totals))

year = company.compute_fiscalyear_dates(last)
figures = env["customer.cost.tie.out"]._get_figures(company, *year.values())  # noqa: F821
print(f"\nTie-out {figures['from']} to {figures['to']}, differences in {figures['currency']}:")
differences = {"Profit-and-loss accounts": figures["totals"]["difference"]}
differences |= {section["title"]: section["difference"] for section in figures["sections"]}
for title, difference in differences.items():
    print(f"  {title:<32}{difference:>12,.2f}")
for found in figures["findings"]:
    print(f"  {found['label']}: expected {found['expected']:,.2f}, present {found['present']:,.2f}")
