import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from sudeck.scan.ratios.placement import Placement
from sudeck.scan.ratios.ratios import LogRatio, average_of, log_ratio, phase_ratio, ratio_of_ratios
from sudeck.scan.ratios.uptake import Background, RegionUptake

SURE = Placement(0.0, {})


def uptake(counts: float, area: float = 100.0, background: float = 0.0) -> RegionUptake:
    return RegionUptake(counts, counts, area, counts / area - background, np.zeros((1, 1)))


def ratio(affected: float, healthy: float, placement: Placement = SURE, level: float = 0.95) -> LogRatio:
    return log_ratio(uptake(affected), uptake(healthy), Background(), placement, level=level)


def test_the_error_of_many_counts_is_the_textbook_one() -> None:
    found = ratio(10_000, 8_000)
    assert found.value == pytest.approx(math.log(1.25))
    assert found.counting_se == pytest.approx(math.sqrt(1 / 10_000 + 1 / 8_000), rel=1e-3)


@pytest.mark.parametrize(("affected", "healthy"), [(6.0, 4.0), (15.0, 10.0), (60.0, 40.0)])
def test_intervals_cover_at_few_counts(affected: float, healthy: float) -> None:
    rng = np.random.default_rng(7)
    truth = math.log(affected / healthy)
    inside = tried = 0
    for _ in range(1500):
        a, h = rng.poisson([affected, healthy])
        if min(a, h) == 0:
            continue
        found = ratio(float(a), float(h))
        tried += 1
        inside += found.counting_low <= truth <= found.counting_high
    assert inside / tried == pytest.approx(0.95, abs=0.02)


@given(st.floats(30, 1e5), st.floats(30, 1e5), st.floats(0, 0.2))
def test_swapping_the_sides_mirrors_the_interval(affected: float, healthy: float, placement: float) -> None:
    error = Placement(placement, {})
    there, back = (
        phase_ratio("BPr", ratio(affected, healthy, error)),
        phase_ratio("BPr", ratio(healthy, affected, error)),
    )
    assert there.value * back.value == pytest.approx(1.0)
    assert there.low * back.high == pytest.approx(1.0)
    assert there.high * back.low == pytest.approx(1.0)


def test_placement_adds_in_squares_and_both_parts_are_shown() -> None:
    found = phase_ratio("BPr", ratio(10_000, 10_000, Placement(0.03, {"size": 0.04})))
    assert found.components["placement"] == pytest.approx(0.05)
    assert found.se == pytest.approx(math.hypot(0.05, found.components["counting"]))
    assert math.log(found.high) == pytest.approx(1.96 * found.se, rel=0.01)


def test_placement_errors_common_to_both_phases_cancel_in_their_ratio() -> None:
    common = Placement(0.0, {"size": 0.04, "region x": -0.01})
    over, under = ratio(1e6, 1e6, common), ratio(1e6, 1e6, common)
    found = ratio_of_ratios("BPr/TPr", over, under)
    assert found.components["placement"] == pytest.approx(0.0)
    opposite = Placement(0.0, {"size": -0.04})
    assert ratio_of_ratios("BPr/TPr", ratio(1e6, 1e6, opposite), over).components["placement"] > 0.079


def test_the_three_ratios_of_ratios_agree_with_each_other() -> None:
    bone, tissue, vascular = ratio(900, 700), ratio(500, 450), ratio(300, 310)
    values = {
        name: ratio_of_ratios(name, *pair).value
        for name, pair in {
            "BPr/TPr": (bone, tissue),
            "TPr/VPr": (tissue, vascular),
            "BPr/VPr": (bone, vascular),
        }.items()
    }
    assert values["BPr/TPr"] * values["TPr/VPr"] == pytest.approx(values["BPr/VPr"])


def test_opposed_views_average_on_the_log_scale() -> None:
    front, back = ratio(1200, 1000), ratio(900, 1000)
    both = average_of([front, back])
    assert both.value == pytest.approx((front.value + back.value) / 2)
    assert both.counting_se < front.counting_se


def test_a_shared_background_error_is_carried() -> None:
    rng = np.random.default_rng(3)
    logs, stated = [], []
    for _ in range(2000):
        level = rng.poisson(300) / 300
        a, h = rng.poisson([400 + 100, 200 + 100]).astype(float)
        found = log_ratio(
            uptake(a, background=level),
            uptake(h, background=level),
            Background(level, level / 300, 300.0),
            SURE,
        )
        logs.append(found.value)
        stated.append(found.counting_se)
    assert np.mean(logs) == pytest.approx(math.log(2), abs=0.01)
    assert np.mean(stated) == pytest.approx(np.std(logs), rel=0.05)


def test_nothing_has_no_ratio() -> None:
    with pytest.raises(ValueError, match="not positive"):
        ratio(0.0, 10.0)


def test_the_bounds_of_a_few_counts_are_those_of_jeffreys() -> None:
    found = ratio(4.0, 9.0)  # half a count more on either side
    low, high = (stats.beta.ppf(p, 4.5, 9.5) for p in (0.025, 0.975))
    assert math.exp(found.counting_low) == pytest.approx(low / (1 - low))
    assert math.exp(found.counting_high) == pytest.approx(high / (1 - high))


def test_each_limit_comes_from_the_error_on_its_side() -> None:
    lopsided = LogRatio(0.0, -0.1, 0.3, 0.2, SURE, 100.0, 0.95)
    found = phase_ratio("BPr", lopsided)
    assert (math.log(found.low), math.log(found.high)) == pytest.approx((-0.1, 0.3))
    over = ratio_of_ratios("BPr/TPr", lopsided, lopsided)
    assert math.log(over.low) == pytest.approx(-math.hypot(0.1, 0.3))
    apart = ratio_of_ratios("BPr/TPr", ratio(3000, 2000), ratio(2400, 2000))
    assert apart.value == pytest.approx(1.25)
    twice = ratio_of_ratios("BPr/TPr", lopsided, LogRatio(0.0, 0.0, 0.0, 0.0, SURE, 100.0, 0.95))
    assert (math.log(twice.low), math.log(twice.high)) == pytest.approx((-0.1, 0.3))
