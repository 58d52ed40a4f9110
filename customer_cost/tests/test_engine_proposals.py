from odoo.tests import BaseCase, tagged

from odoo.addons.customer_cost.engine import COST, COST_OF_SALES, LEFT_OUT, SALES, propose

# (name, above it, account type, chart, code) -> what it is proposed to be
NAMES = [
    ("Travel expenses", "", "expense", "", "", "sal_trv"),
    ("差旅费", "", "expense", "", "", "sal_trv"),
    ("差旅费", "管理费用", "expense", "", "660205", "adm"),
    ("差旅费", "", "expense", "cn", "560203", "adm"),
    ("差旅费", "", "expense", "cn", "560103", "sal_trv"),
    ("Hotels", "", "expense", "", "", "sal_trv"),
    ("工资", "销售费用", "expense", "", "660101", "sal_sal"),
    ("工资", "管理费用", "expense", "", "660201", "adm_sal"),
    ("职工薪酬", "", "expense", "cn_large_bis", "660102", "sal_sal"),
    ("Salary Expenses", "", "expense", "generic_coa", "630000", "adm_sal"),
    ("社会保险费", "", "expense", "", "", "adm_sal"),
    ("财产保险费", "管理费用", "expense", "", "", "adm"),
    ("Commissions to agents", "", "expense", "", "", "sal_com"),
    ("业务提成", "销售费用", "expense", "", "", "sal_com"),
    ("广告费和业务宣传费", "", "expense", "cn", "560102", "mkt_adv"),
    ("Advertising", "", "expense", "", "", "mkt_adv"),
    ("展览费", "", "expense", "", "", "mkt_evt"),
    ("业务招待费", "管理费用", "expense", "", "", "oth_evt"),
    ("Gifts to customers", "", "expense", "", "", "oth_gft"),
    ("样品费", "", "expense", "", "", "mat_smp"),
    ("包装费", "", "expense", "", "", "mat_pck"),
    ("运输费", "销售费用", "expense", "", "", "mat_frt"),
    ("Freight out", "", "expense", "", "", "mat_frt"),
    ("售后服务费", "", "expense", "", "", "sup_rep"),
    ("Warranty costs", "", "expense", "", "", "sup_rep"),
    ("Bank Fees", "", "expense", "generic_coa", "620000", "pay_fee"),
    ("银行手续费", "财务费用", "expense", "", "", "pay_fee"),
    ("现金折扣损失", "财务费用", "expense", "", "", "pay"),
    ("坏账损失", "营业外支出", "expense", "", "", "oth"),
    ("折旧费", "管理费用", "expense", "", "", "adm_dep"),
    ("Machines", "", "expense_depreciation", "", "", "adm_dep"),
    ("Rent", "", "expense", "generic_coa", "612000", "adm_rnt"),
    ("房租", "", "expense", "", "", "adm_rnt"),
    ("办公费", "", "expense", "", "", "adm_off"),
    ("审计费", "", "expense", "", "", "adm_pro"),
    ("Sales Expenses", "", "expense", "generic_coa", "962000", "sal"),
    ("其他", "", "expense", "cn", "560199", "sal"),
    ("Something nobody knows", "", "expense", "", "", "adm"),
    ("所得税费用", "", "expense", "cn", "580100", "!income_tax"),
    ("Income Tax", "", "expense", "", "", "!income_tax"),
    ("利息费用", "", "expense", "cn", "560301", "!financial"),
    ("其他", "", "expense", "cn_large_bis", "660399", "!financial"),
    ("汇兑损失", "", "expense", "cn", "560302", "!exchange"),
    ("Foreign Exchange Loss", "", "expense", "", "", "!exchange"),
    ("Foreign Exchange Gain", "", "income_other", "", "", "!exchange"),
    ("营业外支出", "", "expense", "cn", "571100", "!extraordinary"),
    ("Cash Difference Loss", "", "expense", "", "", "!cash_difference"),
    ("Other Income", "", "income_other", "generic_coa", "450000", "!other_income"),
    ("Advertising subsidies", "", "income_other", "", "", "!other_income"),
    ("Stock Variation", "", "expense", "generic_coa", "610000", COST_OF_SALES),
    ("库存盘亏", "", "expense", "", "", COST_OF_SALES),
    ("Foreign Exchange Gain", "", "income", "generic_coa", "441000", SALES),
    ("主营业务成本", "", "expense_direct_cost", "cn", "540100", COST_OF_SALES),
    # German names are not read: the code says it
    ("Reisekosten Arbeitnehmer", "", "expense", "de_skr03", "4660", "sal_trv"),
    ("Löhne und Gehälter", "", "expense", "de_skr03", "4100", "adm_sal"),
    ("Löhne und Gehälter", "", "expense", "de_skr04", "6000", "adm_sal"),
    ("Wareneingang", "", "expense", "de_skr03", "3200", COST_OF_SALES),
    ("Gewerbesteuer", "", "expense", "de_skr03", "4320", "!income_tax"),
    ("Zinsaufwendungen", "", "expense", "de_skr03", "2110", "!financial"),
    ("Ausgangsfrachten", "", "expense", "de_skr04", "6740", "mat_frt"),
    ("Neues Konto", "", "expense", "de_skr03", "4999000", "!imputed"),
    ("Konto ohne Nummer", "", "expense", "de_skr03", "", "adm"),
]


@tagged("post_install", "-at_install")
class TestEngineProposals(BaseCase):
    """What an account is proposed to be, by type, code and name."""

    def test_names_and_codes(self):
        for name, parent, account_type, chart, code, expected in NAMES:
            with self.subTest(f"{name} {code}"):
                found = propose(account_type, code, [name], [parent] if parent else [], chart)
                text = found.kind
                if found.kind == COST:
                    text = found.item
                elif found.kind == LEFT_OUT:
                    text = f"!{found.reason}"
                self.assertEqual(text, expected)

    def test_a_name_in_any_language_decides(self):
        self.assertEqual(propose("expense", "", ["Sonstiges", "差旅费"]).item, "sal_trv")

    def test_the_nearest_account_above_decides(self):
        self.assertEqual(
            propose("expense", "", ["其他"], ["管理费用", "销售费用"]).item,
            "sal",
        )

    def test_every_type_has_a_class(self):
        for account_type in (
            "income",
            "income_other",
            "expense",
            "expense_other",
            "expense_depreciation",
            "expense_direct_cost",
        ):
            found = propose(account_type)
            self.assertIn(found.kind, (SALES, COST_OF_SALES, COST, LEFT_OUT))
            self.assertEqual(found.kind == COST, bool(found.item))
            self.assertEqual(found.kind == LEFT_OUT, bool(found.reason))
