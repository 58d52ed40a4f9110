from calendar import monthrange
from datetime import date, timedelta
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.tests import BaseCase, tagged

from ..engine import months_between, spread, whole_within

PROPERTIES = settings(deadline=None, derandomize=True, database=None, max_examples=300)
days = st.dates(date(2019, 1, 1), date(2029, 12, 31))
amounts = st.integers(-(10**15), 10**15)


@tagged("post_install", "-at_install")
class TestEngineServiceMonths(BaseCase):
    def test_twelve_full_months(self):
        months = spread(120_000, date(2025, 1, 1), date(2025, 12, 31))
        self.assertEqual([minor for _day, minor in months], [10_000] * 12)
        self.assertEqual([day for day, _minor in months][:2], [date(2025, 1, 1), date(2025, 2, 1)])

    def test_partial_months_weigh_the_share_of_their_days(self):
        # half of February, all of March, a third of April
        months = spread(110_000, date(2025, 2, 15), date(2025, 4, 10))
        self.assertEqual(
            months,
            [(date(2025, 2, 15), 30_000), (date(2025, 3, 1), 60_000), (date(2025, 4, 1), 20_000)],
        )

    def test_cents_are_rounded_cumulatively(self):
        months = spread(100, date(2025, 1, 1), date(2025, 3, 31))
        self.assertEqual([minor for _day, minor in months], [33, 34, 33])

    def test_one_day(self):
        self.assertEqual(spread(7, date(2024, 2, 29), date(2024, 2, 29)), [(date(2024, 2, 29), 7)])

    def test_months_between(self):
        self.assertEqual(months_between(date(2025, 1, 31), date(2025, 2, 1)), 2)
        self.assertEqual(months_between(date(2024, 12, 5), date(2025, 12, 5)), 13)

    @PROPERTIES
    @given(amounts, days, st.integers(0, 3600))
    def test_months_add_up_mirror_and_stay_within_a_unit_of_their_share(self, minor, first, more):
        last = first + timedelta(days=more)
        months = spread(minor, first, last)
        self.assertEqual(sum(units for _day, units in months), minor)
        self.assertEqual(len(months), months_between(first, last))
        self.assertEqual(spread(-minor, first, last), [(day, -units) for day, units in months])
        weights = []
        for day, _units in months:
            length = monthrange(day.year, day.month)[1]
            end = min(day.replace(day=length), last)
            weights.append(Fraction((end - day).days + 1, length))
        for (day, units), weight in zip(months, weights, strict=True):
            share = minor * weight / sum(weights)
            self.assertLess(abs(units - share), 1 + Fraction(1, 10**9), day)

    def test_what_a_month_has_room_for_of_an_amount(self):
        self.assertEqual(whole_within(50_000, 50_000, 20_000), 20_000)
        self.assertEqual(whole_within(50_000, 50_000, -1), 0)
        self.assertEqual(whole_within(90_000, 30_000, 10_000), 29_997)

    @PROPERTIES
    @given(st.integers(1, 10**12), days, st.integers(0, 1000), st.data())
    def test_a_month_of_what_it_has_room_for_stays_within_it(self, minor, first, more, data):
        last = first + timedelta(days=more)
        months = [part for part in spread(minor, first, last) if part[1] > 0]
        day, part = data.draw(st.sampled_from(months))
        room = data.draw(st.integers(0, part))
        reduced = dict(spread(whole_within(minor, part, room), first, last))
        self.assertLessEqual(reduced[day], room)
