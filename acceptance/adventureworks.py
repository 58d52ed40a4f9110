"""AdventureWorks' business customers in 2012: from the files to every customer's figures.

The price precision is set to four digits first (SOURCE.md: at two the total is another), and the
company rounds every invoice line, as the reference does. Customers
are made in the order of their key, because left-over cents go to the lowest id as they go to the
lowest key in the reference. A product's cost did not change within 2012, so it is set once.
"""

from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from odoo.fields import Command

from .allocations import allocate_100k, allocate_ledger
from .books import Books, read_profitability
from .source import YEAR, Source, item_code
from .steps import create_account, create_company, map_account, post_entries, step

BATCH = 150


def replay(env, folder, comparison):
    """Load the data, allocate, and hand every customer's figures to ``comparison``."""
    with step(env, f"Reading {folder}"):
        source = Source(folder)
        comparison.names = dict(
            zip(source.customers.customer_key.astype(int), source.customers.name, strict=True)
        )
        revenue = source.expected("y2012_revenue")
        comparison.order = sorted(revenue.index, key=lambda key: (-revenue[key], key))
    with step(env, "Company, price precision of four digits, amounts rounded per line"):
        env.ref("product.decimal_price").digits = 4
        books = Books(create_company(env, "AdventureWorks, business customers"))
        books.company.tax_calculation_rounding_method = "round_per_line"
    with step(env, f"{len(source.customers)} customers, {len(source.products)} products"):
        load_customers(books, source)
        load_products(books, source)
    orders = list(source.sales.groupby("order_no", sort=True))
    with step(env, f"{len(orders)} invoices, {len(source.sales)} lines: created and posted"):
        load_invoices(books, orders)
    compare_invoices(books, source, comparison)
    allocate_100k(books, source, comparison)
    with step(env, f"{len(source.ledger)} expense lines as journal entries"):
        load_expenses(books, source)
    compare_expenses(books, source, comparison)
    allocate_ledger(books, source, comparison)
    compare_tie_out(books, source, comparison)


# ------------------------------------------------------------
# Loading
# ------------------------------------------------------------


def load_customers(books, source):
    countries = {country.code: country.id for country in books.env["res.country"].search([])}
    rows = source.customers.assign(key=source.customers.customer_key.astype(int)).sort_values("key")
    partners = books.env["res.partner"].create(
        [
            {
                "name": row["name"],
                "ref": row["customer_ref"],
                "is_company": True,
                "customer_rank": 1,
                "phone": row["phone"],
                "street": row["street"],
                "street2": row["street2"],
                "city": row["city"],
                "zip": row["zip"],
                "country_id": countries.get(row["country_code"]),
            }
            for row in rows.to_dict("records")
        ]
    )
    books.customers = dict(zip(rows.key.tolist(), partners.ids, strict=True))


def load_products(books, source):
    costs = source.sales.groupby("product_key").unit_cost.agg(["nunique", "first"])
    if (costs["nunique"] > 1).any():
        raise ValueError("a product's unit cost changes within the year: post in the order of cost")
    rows = source.products.to_dict("records")
    products = books.env["product.product"].create(
        [
            {
                "name": row["name"],
                "default_code": row["product_ref"],
                "type": "consu",
                "list_price": float(row["list_price"] or 0),
                "standard_price": float(
                    costs["first"].get(row["product_key"]) or row["standard_cost"] or 0
                ),
                "taxes_id": [Command.clear()],
                "supplier_taxes_id": [Command.clear()],
            }
            for row in rows
        ]
    )
    books.products = dict(zip((row["product_key"] for row in rows), products.ids, strict=True))


def load_invoices(books, orders):
    """One posted customer invoice per order."""
    for start in range(0, len(orders), BATCH):
        batch = orders[start : start + BATCH]
        invoices = books.env["account.move"].create(
            [prepare_invoice(books, number, lines) for number, lines in batch]
        )
        invoices.action_post()
        books.env.cr.commit()
        books.env.invalidate_all()
        print(f"    {start + len(batch)} of {len(orders)} invoices", flush=True)


def prepare_invoice(books, number, lines):
    head = lines.iloc[0]
    return {
        "move_type": "out_invoice",
        "partner_id": books.customers[int(head.customer_key)],
        "ref": number,
        "date": head.order_date,
        "invoice_date": head.order_date,
        "invoice_date_due": head.due_date,
        "invoice_payment_term_id": False,
        "invoice_line_ids": [
            Command.create(prepare_invoice_line(books, line)) for line in lines.to_dict("records")
        ],
    }


def prepare_invoice_line(books, line):
    net = Decimal(line["quantity"]) * Decimal(line["unit_price"])
    net = (net * (1 - Decimal(line["discount_pct"]))).quantize(Decimal("0.01"), ROUND_HALF_UP)
    return {
        "product_id": books.products[line["product_key"]],
        "quantity": float(line["quantity"]),
        "price_unit": float(line["unit_price"]),
        "discount": float(Decimal(line["discount_pct"]) * 100),
        "tax_ids": [Command.clear()],
        # A guess: Odoo works out the amounts itself, and saves writing every line twice where the
        # guess is right. A wrong one is corrected.
        "balance": -float(net),
        "amount_currency": -float(net),
    }


def load_expenses(books, source):
    """The operating expenses, each account mapped; an entry per day and organisation."""
    env, company = books.env, books.company
    items = {
        "SAL-COM": env.ref("customer_cost.item_sal_com"),
        "SAL-TRV": env.ref("customer_cost.item_sal_trv"),
        "MKT": env.ref("customer_cost.item_mkt"),
        "ADM": env.ref("customer_cost.item_adm"),
    }
    names = source.accounts.set_index("account_code").account
    for code in sorted(source.ledger.account_code.unique()):
        books.accounts[code] = create_account(company, code, names[code])
        map_account(company, books.accounts[code], items[item_code(code)])
    accrued = create_account(company, "2300", names["2300"], "liability_current")
    entries = [
        (
            day,
            organisation,
            [
                (books.accounts[line["account_code"]], line["department"], float(line["amount"]))
                for line in lines.to_dict("records")
            ],
        )
        for (day, organisation), lines in source.ledger.groupby(["date", "organization"])
    ]
    post_entries(company, accrued, entries)


# ------------------------------------------------------------
# Comparing what was loaded
# ------------------------------------------------------------


def compare_invoices(books, source, comparison):
    """Revenue, product cost and the shipped drivers' quantities of every customer."""
    sales = read_profitability(books, ("net_sales", "product_cost"))
    comparison.add_customers("Revenue", source.expected("y2012_revenue"), sales["net_sales"])
    comparison.add_customers(
        "Product cost, frozen at posting",
        source.expected("y2012_product_cost"),
        sales["product_cost"],
    )
    for title, driver, column in (
        ("Orders, driver Invoices", "invoice_count", "y2012_orders"),
        ("Lines, driver Invoice lines", "invoice_line_count", "y2012_lines"),
        ("Units, driver Quantity sold", "quantity_sold", "y2012_units"),
    ):
        shipped = books.env.ref(f"customer_cost.driver_{driver}")
        quantities = shipped.new({"window": "year"}, origin=shipped)._get_quantities(
            books.company, date(int(YEAR), 12, 31)
        )
        comparison.add_customers(title, source.expected(column), books.by_key(quantities), digits=0)


def compare_expenses(books, source, comparison):
    """What capture made of the journal entries, by cost item."""
    amounts = source.ledger.amount.map(Decimal)
    expected = amounts.groupby(source.ledger.account_code.map(item_code)).sum()
    groups = books.env["customer.cost.line"]._read_group(
        [("company_id", "=", books.company.id), ("customer_id", "=", False)],
        ["item_id"],
        ["amount:sum"],
    )
    got = {item.code: amount for item, amount in groups}
    for code in expected.index:
        comparison.add_total(f"Pool {code}, captured", expected[code], got.get(code, 0))


def compare_tie_out(books, source, comparison):
    """The year ties out: every difference is zero, and the figures are those of the files."""
    figures = books.env["customer.cost.tie.out"]._get_figures(
        books.company, date(int(YEAR), 1, 1), date(int(YEAR), 12, 31)
    )
    comparison.tie_out = figures
    for row in figures["accounts"]:
        comparison.add_total(f"Tie-out, account {row['code']}", 0, row["difference"])
    for section in figures["sections"]:
        comparison.add_total(f"Tie-out, {section['title']}", 0, section["difference"])
    expenses = source.ledger.amount.map(Decimal).sum()
    sales = source.expected("y2012_revenue").sum()
    comparison.add_total("Tie-out, sales accounts", sales, figures["totals"]["sales"])
    comparison.add_total("Tie-out, cost captured", -expenses, figures["totals"]["captured"])
    comparison.add_total(
        "Tie-out, result of the books", sales - expenses, figures["totals"]["balance"]
    )
