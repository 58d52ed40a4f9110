"""What becomes of a profit-and-loss account: proposed from its type, code and name.

Rules are tried in order and the first that matches decides. Names are compared in every language
they are kept in; a rule may ask for the area that the account belongs to (selling, administration,
finance), which the names of the accounts above it in the chart tell, or their code in the Chinese
charts. German charts are told by code ranges, which their numbering fixes.
"""

import re
from dataclasses import dataclass
from functools import cache

SALES, COST_OF_SALES, COST, LEFT_OUT = "sales", "cost_of_sales", "cost", "left_out"


@dataclass(frozen=True)
class Proposal:
    """Class of an account, with its cost item or the reason why it is left out."""

    kind: str
    item: str = ""
    reason: str = ""


# Codes that the Chinese standards fix, for accounts below them whatever they are called.
CHINESE_AREAS = {
    "5601": "selling",
    "6601": "selling",
    "5602": "administration",
    "6602": "administration",
    "5603": "finance",
    "6603": "finance",
    "5711": "extraordinary",
    "6711": "extraordinary",
}
AREA_NAMES = (
    ("selling", r"^(sales|selling|distribution)( and \w+)? (expenses?|costs?)|销售费用|营业费用"),
    ("administration", r"^(general|administrati\w+)\b.*(expenses?|costs?)|管理费用"),
    ("finance", r"^financ\w+ (expenses?|costs?)|财务费用"),
    ("extraordinary", r"non-?operating|extraordinary|营业外"),
)
AREA_DEFAULTS = {
    "selling": Proposal(COST, "sal"),
    "administration": Proposal(COST, "adm"),
    "finance": Proposal(LEFT_OUT, reason="financial"),
    "extraordinary": Proposal(LEFT_OUT, reason="extraordinary"),
}

# (words, outcome, outcome by area); an outcome is a cost item, or a reason with a leading "!".
NAME_RULES = (
    (r"\b(income|corporat\w+|profits?) tax|所得税", "!income_tax", {}),
    (r"exchange|currency (gain|loss|translation|difference)|汇兑", "!exchange", {}),
    (
        r"(cash|early payment|settlement) discount|discounts? (granted|allowed)|现金折扣|折扣折让",
        "pay",
        {},
    ),
    (r"\bbad debts?|doubtful|uncollectible|credit (loss|impairment)|坏账|信用减值", "oth", {}),
    (
        r"bank (fee|charge|cost|service)|(card|payment|transaction|merchant|handling) fees?"
        r"|手续费|银行费用",
        "pay_fee",
        {},
    ),
    (r"cash (difference|short|over)|现金(短缺|溢余)|现金差额", "!cash_difference", {}),
    (
        r"\binterest|\bloans?\b|invest|\bbonds?\b|equit|dividend|fair value|hedging|financial"
        r"|利息|投资|债券|股权|红利|公允价值|套期|财务费用",
        "!financial",
        {},
    ),
    (
        r"non-?operating|extraordinary|force majeure|\bfines?\b|penalt|late tax|donation"
        r"|disposal of|impairment|prior[- ](year|period)|restructuring"
        r"|营业外|自然灾害|滞纳金|罚款|捐赠|处置|减值|以前年度|赞助支出",
        "!extraordinary",
        {},
    ),
    (
        r"cost of (goods|sales|revenue)|stock (variation|change)|inventory|raw material"
        r"|purchases? of goods|freight in|customs|import (fee|dut)"
        r"|存货|库存|原材料|材料采购|进货|盘亏|关税",
        "!goods",
        {},
    ),
    (r"commission|佣金|提成", "sal_com", {}),
    (
        r"salar|\bwages?\b|payroll|personnel|\bstaff\b|social (security|insurance|charge)|pension"
        r"|bonus(es)?\b|(employees?|healthcare|other) benefits?|workers.? compensation"
        r"|(unemployment|disability) insurance"
        r"|工资|薪酬|薪金|奖金|社会?保险?费?$|五险|公积金|福利费|职工|劳务费|养老|工会经费",
        "adm_sal",
        {"selling": "sal_sal"},
    ),
    (r"customer training|客户培训", "sup_trn", {}),
    (r"market research|市场调研|市场调查", "mkt_res", {}),
    (r"trade fair|exhibition|trade show|展览|展会|参展", "mkt_evt", {}),
    (r"advertis|marketing|promotion|publicity|广告|宣传|推广|促销", "mkt_adv", {}),
    (r"brochure|printed|印刷", "mkt_prt", {"administration": "adm_off"}),
    (r"entertain|hospitality|\bmeals?\b|catering|招待", "oth_evt", {}),
    (r"\bgifts?\b|礼品|赠品", "oth_gft", {}),
    (r"\bsamples?\b|样品", "mat_smp", {}),
    (r"packag|packing|包装", "mat_pck", {}),
    (
        r"travel|\btrips?\b|airfare|flights?\b|hotel|lodging|taxi|(public|ground) transport"
        r"|差旅|出差|交通费",
        "sal_trv",
        {"administration": "adm"},
    ),
    (
        r"freight|shipping|deliver|carriage|transport|logistics|courier"
        r"|运输|运费|物流|快递|装卸|配送|邮寄费",
        "mat_frt",
        {"administration": "adm_off"},
    ),
    (
        r"warrant|after[- ]sales|product repair|customer (service|support)"
        r"|商品维修|售后|质保|保修|三包|客服",
        "sup_rep",
        {},
    ),
    (
        r"depreciat|amorti[sz]|折旧|摊销",
        "adm_dep",
        {},
    ),
    (r"\brent(al|s)?\b|\bleases?\b|leasing|premises|租赁|租金|房租|物业", "adm_rnt", {}),
    (
        r"audit|\blegal|lawyer|consult|professional (fee|service)|\baccounting\b|bookkeeping"
        r"|审计|律师|法律|诉讼|咨询|顾问|中介",
        "adm_pro",
        {},
    ),
    (
        r"office|stationer|tele(phone|com)|internet|software|postage|utilit|electricity|equipment|computer"
        r"|办公|通讯|通信|电话|软件|网络|水电|电费|水费|低值易耗",
        "adm_off",
        {},
    ),
    (r"management (fee|remuneration)|director|executive|董事会?费|高管", "adm_mgt", {}),
)

# (first code, first code of the next range, outcome), the first range that holds a code decides.
GERMAN_RANGES = {
    "de_skr03": (
        (2150, 2170, "!exchange"),
        (2100, 2150, "!financial"),
        (2200, 2290, "!income_tax"),
        (2400, 2460, "oth"),
        (2660, 2670, "!exchange"),
        (2000, 2500, "!extraordinary"),
        (2500, 3000, "!other_income"),
        (3000, 4000, "!goods"),
        (4100, 4200, "adm_sal"),
        (4200, 4300, "adm_rnt"),
        (4320, 4321, "!income_tax"),
        (4600, 4630, "mkt_adv"),
        (4630, 4640, "oth_gft"),
        (4640, 4660, "oth_evt"),
        (4660, 4700, "sal_trv"),
        (4700, 4710, "sal"),
        (4710, 4730, "mat_pck"),
        (4730, 4760, "mat_frt"),
        (4760, 4780, "sal_com"),
        (4780, 4790, "sal"),
        (4790, 4800, "sup_rep"),
        (4820, 4900, "adm_dep"),
        (4910, 4940, "adm_off"),
        (4945, 4950, "adm"),
        (4950, 4960, "adm_pro"),
        (4960, 4969, "adm_off"),
        (4970, 4971, "pay_fee"),
        (4975, 4976, "!financial"),
        (4990, 5000, "!imputed"),
        (4000, 5000, "adm"),
        (8000, 10000, "!other_income"),
    ),
    "de_skr04": (
        (5000, 6000, "!goods"),
        (6000, 6200, "adm_sal"),
        (6200, 6300, "adm_dep"),
        (6310, 6350, "adm_rnt"),
        (6600, 6610, "mkt_adv"),
        (6610, 6640, "oth_gft"),
        (6640, 6650, "oth_evt"),
        (6650, 6700, "sal_trv"),
        (6700, 6710, "sal"),
        (6710, 6740, "mat_pck"),
        (6740, 6770, "mat_frt"),
        (6770, 6780, "sal_com"),
        (6780, 6790, "sal"),
        (6790, 6800, "sup_rep"),
        (6800, 6820, "adm_off"),
        (6825, 6835, "adm_pro"),
        (6835, 6850, "adm_off"),
        (6855, 6856, "pay_fee"),
        (6875, 6880, "!financial"),
        (6880, 6890, "!exchange"),
        (6920, 6940, "oth"),
        (6970, 6990, "!imputed"),
        (6890, 7000, "!extraordinary"),
        (6300, 6900, "adm"),
        (7000, 7500, "!financial"),
        (7500, 7600, "!extraordinary"),
        (7600, 7700, "!income_tax"),
        (4000, 10000, "!extraordinary"),
    ),
}
TYPE_DEFAULTS = {
    "income_other": Proposal(LEFT_OUT, reason="other_income"),
    "expense_other": Proposal(LEFT_OUT, reason="extraordinary"),
    "expense_depreciation": Proposal(COST, "adm_dep"),
}


def propose(account_type, code="", names=(), parents=(), chart=""):
    """Return the ``Proposal`` for one profit-and-loss account.

    :param account_type: as Odoo names it
    :param code: code of the account in its company
    :param names: its name in every language it is kept in
    :param parents: names of the accounts above it by code, the nearest last
    :param chart: the chart template, ``cn``, ``de_skr03`` ..., for codes that a standard fixes
    """
    if account_type == "income":
        return Proposal(SALES)
    if account_type == "expense_direct_cost":
        return Proposal(COST_OF_SALES)
    if chart in GERMAN_RANGES:
        found = _propose_by_range(code, GERMAN_RANGES[chart])
    else:
        area = _get_area(code, names, parents, chart)
        found = _propose_by_name(names, area) or AREA_DEFAULTS.get(area)
    if account_type == "income_other" and not (found and found.kind == LEFT_OUT):
        found = None
    return found or TYPE_DEFAULTS.get(account_type) or Proposal(COST, "adm")


def _propose_by_range(code, ranges):
    digits = re.match(r"\d{4}", code)
    if digits:
        for first, end, outcome in ranges:
            if first <= int(digits[0]) < end:
                return _to_proposal(outcome)
    return None


def _get_area(code, names, parents, chart):
    if chart.startswith("cn") and code[:4] in CHINESE_AREAS:
        return CHINESE_AREAS[code[:4]]
    for group in (names, *([name] for name in reversed(parents))):
        for area, words in AREA_NAMES:
            if _matches(words, group):
                return area
    return None


def _propose_by_name(names, area):
    for words, outcome, by_area in NAME_RULES:
        if _matches(words, names):
            return _to_proposal(by_area.get(area, outcome))
    return None


def _to_proposal(outcome):
    if outcome == "!goods":
        return Proposal(COST_OF_SALES)
    if outcome.startswith("!"):
        return Proposal(LEFT_OUT, reason=outcome[1:])
    return Proposal(COST, outcome)


def _matches(words, names):
    return any(_compile(words).search(name) for name in names)


@cache
def _compile(words):
    return re.compile(words, re.IGNORECASE)
