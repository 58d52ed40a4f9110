"""The demo company: a coffee roaster, its customers and what serving them takes.

Every figure is per month. Customers differ in what they buy and in how they are served; that, not
their size, decides who earns and who loses money.
"""

PRODUCTS = {
    # code: (name, price, cost)
    "BEAN": ("House blend, 1 kg", 24.0, 13.2),
    "ESPR": ("Espresso roast, 1 kg", 27.0, 14.6),
    "MACH": ("Espresso machine, two groups", 3900.0, 2850.0),
    "GRND": ("Grinder", 640.0, 452.0),
    "CUPS": ("Paper cups, case of 1,000", 58.0, 41.0),
}

# name, country, salesperson, invoices a month, {product: quantity per invoice}, discount %,
# days late, visits a month (direct travel), tickets a month, growth per month %
CUSTOMERS = (
    ("Harbor Bakeries", "us", "rep", 1, {"BEAN": 240, "ESPR": 180, "CUPS": 28}, 2, 0, 0.3, 2, 0.8),
    (
        "Metro Hotels Group",
        "us",
        "rep",
        5,
        {"BEAN": 47, "ESPR": 32, "CUPS": 5},
        17,
        38,
        3.0,
        26,
        1.2,
    ),
    ("Northlight Offices", "us", "rep", 1, {"BEAN": 95, "MACH": 1}, 5, 4, 0.5, 3, 0.0),
    ("Café Aurora", "fr", "rep", 2, {"ESPR": 33, "CUPS": 3}, 0, 0, 0.2, 1, 0.5),
    ("Grand Plaza Catering", "us", "manager", 4, {"BEAN": 26, "CUPS": 10}, 12, 21, 2.0, 15, -0.6),
    ("Green Valley Schools", "us", "manager", 1, {"BEAN": 120, "CUPS": 20}, 8, 45, 0.5, 4, 0.0),
    ("Blue Ridge Roasters Club", "us", "manager", 1, {"BEAN": 210, "GRND": 1}, 4, 0, 0.0, 1, 1.0),
    ("Station Kiosks", "de", "manager", 6, {"ESPR": 10, "CUPS": 2}, 3, 12, 0.4, 9, 0.0),
    ("Lindqvist Konditori", "se", "manager", 1, {"ESPR": 68, "BEAN": 20}, 0, 0, 0.2, 1, 1.5),
    (
        "Summit Coworking",
        "us",
        "cost_user",
        1,
        {"MACH": 2, "GRND": 2, "BEAN": 40},
        6,
        6,
        1.0,
        8,
        -1.5,
    ),
    ("Old Mill Restaurants", "us", "cost_user", 2, {"BEAN": 36, "ESPR": 40}, 9, 30, 1.0, 6, 0.0),
    ("Fernway Clinics", "us", "cost_user", 1, {"BEAN": 55, "CUPS": 8}, 0, 0, 0.1, 1, 0.3),
)

# account code, name, cost item (xml id) or the reason it is left out
ACCOUNTS = (
    ("620100", "Freight out", "item_mat_frt"),
    ("620200", "Packing material", "item_mat_pck"),
    ("621100", "Sales salaries", "item_sal_sal"),
    ("621200", "Sales commissions", "item_sal_com"),
    ("621300", "Travel of sales", "item_sal_trv"),
    ("622100", "Advertising", "item_mkt_adv"),
    ("622200", "Trade fairs", "item_mkt_evt"),
    ("623100", "Support salaries", "item_sup_sal"),
    ("623200", "Warranty and repair", "item_sup_rep"),
    ("624100", "Samples and gifts", "item_mat_smp"),
    ("625100", "Card and bank fees", "item_pay_fee"),
    ("626100", "Rent", "item_adm_rnt"),
    ("626200", "Management", "item_adm_mgt"),
    ("627100", "Interest on loans", "Financing: no customer causes it"),
)

# account code, amount a month; booked without a customer, so it waits in a pool
POOLS = (
    ("620100", 2350.0),
    ("620200", 910.0),
    ("621100", 7400.0),
    ("621200", 1650.0),
    ("622100", 1250.0),
    ("623100", 4900.0),
    ("625100", 486.4),
    ("626100", 3200.0),
    ("626200", 4100.0),
    ("627100", 730.0),
)

# name, cost items (xml ids), driver (xml id), full cost
RULES = (
    ("Delivery by invoices", ("item_mat",), "driver_invoice_count", False),
    ("Sales team by invoices", ("item_sal",), "driver_invoice_count", False),
    ("Marketing by net revenue", ("item_mkt",), "driver_net_revenue", False),
    ("Support by tickets", ("item_sup",), "tickets", False),
    ("Payment fees by net revenue", ("item_pay",), "driver_net_revenue", False),
    ("Administration by gross margin", ("item_adm",), "driver_gross_margin", True),
)

# login, name, groups
USERS = (
    ("rep", "Rita Sanchez", ("group_customer_cost_rep",)),
    ("cost_user", "Omar Haddad", ("group_customer_cost_user",)),
    (
        "accountant",
        "Chen Jing",
        ("group_customer_cost_accountant", "account.group_account_invoice"),
    ),
    ("manager", "Marta Nowak", ("group_customer_cost_manager", "account.group_account_manager")),
    ("reviewer", "Paul Okafor", ("group_customer_cost_reviewer",)),
    ("auditor", "Ines Ferreira", ("group_customer_cost_auditor",)),
)

# months back, customer, cost item (xml id), amount, text, what becomes of it
MANUAL_COSTS = (
    (
        5,
        "Metro Hotels Group",
        "item_oth_evt",
        860.0,
        "Tasting evening for the kitchen teams",
        "approve",
    ),
    (4, "Summit Coworking", "item_sup_trn", 540.0, "Barista course, two days", "approve"),
    (
        3,
        "Grand Plaza Catering",
        "item_oth_gft",
        320.0,
        "Anniversary gift from own stock",
        "approve",
    ),
    (2, "Metro Hotels Group", "item_sup_trn", 760.0, "Training of the night shift", "approve"),
    (1, "Harbor Bakeries", "item_mat_smp", 145.0, "Sample box, new single origin", "approve"),
    (0, "Metro Hotels Group", "item_oth_gft", 410.0, "Gift baskets, annual meeting", "submit"),
    (0, "Café Aurora", "item_mat_smp", 88.5, "Sample kit, spring menu", "submit"),
    (0, "Northlight Offices", "item_sup_trn", 260.0, "Machine care workshop", "draft"),
)
