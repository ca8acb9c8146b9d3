"""Paired-pulse ratios: against known truth, textbook Welch, and tables of mixed trials."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest
from scipy import stats

from sudeck.core.errors import InputError
from sudeck.tms.measures.paired_pulse import geometric_ratio, paired_pulse_measures, ratio_of_means
from sudeck.tms.measures.paired_pulse_rules import DEFAULT_RULES, PairedPulseRule, PairedPulseRules

FLOOR = 0.05


def draw(median: float, n: int, rng: np.random.Generator) -> np.ndarray:
    amplitude = median * np.exp(0.7 * rng.standard_normal(n))
    return np.where(amplitude > FLOOR, amplitude, FLOOR * rng.uniform(0.4, 1.0, n))


def test_uncensored_interval_is_welch():
    rng = np.random.default_rng(7)
    over, under = np.exp(rng.normal(-1, 0.9, 8)), np.exp(rng.normal(0, 0.5, 14))
    estimate = geometric_ratio(over, under)
    welch = stats.ttest_ind(np.log(over), np.log(under), equal_var=False).confidence_interval()
    assert (estimate.low, estimate.high) == pytest.approx((math.exp(welch.low), math.exp(welch.high)))
    assert estimate.value == pytest.approx(math.exp(np.log(over).mean() - np.log(under).mean()))


@pytest.mark.parametrize("trials", [6, 12, 30])
@pytest.mark.parametrize("hidden", [0.0, 0.3])
def test_covers_without_bias(trials, hidden):
    rng = np.random.default_rng(trials)
    median = FLOOR / math.exp(0.7 * NormalDist().inv_cdf(hidden)) if hidden else 0.4
    runs = 250
    results = [
        geometric_ratio(draw(median, trials, rng), draw(1.0, trials, rng), floor_mv=FLOOR)
        for _ in range(runs)
    ]
    covered = np.mean([r.low <= median <= r.high for r in results])
    bias = np.exp(np.mean(np.log([r.value for r in results]))) / median - 1
    monte_carlo = 0.7 * math.sqrt(2 / trials / runs)
    assert 0.91 <= covered <= 0.985
    assert abs(bias) < 0.02 + 2.5 * monte_carlo


def test_taking_the_noise_for_a_response_would_make_inhibition_look_weaker():
    rng = np.random.default_rng(8)
    over, under = draw(0.04, 30, rng), draw(1.0, 30, rng)
    censored = geometric_ratio(over, under, floor_mv=FLOOR).value
    dropped = geometric_ratio(over[over > FLOOR], under).value
    assert censored < dropped


def test_nothing_left_of_the_conditioned_response():
    estimate = geometric_ratio([0.01] * 10, [1.0, 0.8, 1.3, 0.9], floor_mv=FLOOR)
    assert estimate.low == 0.0
    assert 0 < estimate.value < estimate.high < 0.2
    with pytest.raises(InputError, match="no unconditioned trial rises"):
        geometric_ratio([1.0, 2.0], [0.01, 0.02], floor_mv=FLOOR)


def test_ratio_of_means_is_the_ratio_of_means():
    over, under = [0.2, 0.5, 0.3], [1.0, 1.4, 0.9, 1.1]
    estimate = ratio_of_means(over, under)
    assert estimate.value == pytest.approx(np.mean(over) / np.mean(under))
    # The delta method: each mean with its relative standard error, degrees of freedom after Welch.
    parts = [np.var(values, ddof=1) / np.mean(values) ** 2 / len(values) for values in (over, under)]
    freedom = sum(parts) ** 2 / sum(part**2 / (n - 1) for part, n in zip(parts, (3, 4), strict=True))
    half = stats.t.ppf(0.975, freedom) * math.sqrt(sum(parts))
    ends = [estimate.value * math.exp(half * sign) for sign in (-1, 1)]
    assert (estimate.low, estimate.high) == pytest.approx(ends)
    with pytest.raises(InputError, match="zero"):
        ratio_of_means([0.0, 0.0], [1.0, 1.0])


def test_measures_every_interval_and_intensity_against_the_test_alone():
    rng = np.random.default_rng(9)
    plan = (
        [(0.0, np.nan, 1.0)] * 20
        + [(2.5, 80.0, 0.4)] * 15
        + [(2.5, 60.0, 0.8)] * 15
        + [(12.0, 80.0, 1.5)] * 6
    )
    isi, conditioning, ratio = np.array(plan).T
    amplitude = ratio * np.exp(0.4 * rng.standard_normal(len(plan)))
    order = rng.permutation(len(plan))
    measures = paired_pulse_measures(amplitude[order], isi[order], conditioning_intensity=conditioning[order])
    assert [(m.measure, m.isi_ms, m.conditioning_intensity) for m in measures] == [
        ("SICI", 2.5, 60.0),
        ("SICI", 2.5, 80.0),
        ("ICF", 12.0, 80.0),
    ]
    assert [m.n_conditioned for m in measures] == [15, 15, 6]
    assert {m.n_unconditioned for m in measures} == {20}
    for measure, truth in zip(measures, (0.8, 0.4, 1.5), strict=True):
        assert measure.estimate.low < truth < measure.estimate.high
    assert [flag.code for flag in measures[2].flags] == ["few-trials"]
    assert measures[0].to_dict()["estimate"]["n_unit"] == "trials"
    assert "conditioning 60 %RMT" in str(measures[0])


def test_flags_a_condition_mostly_below_the_floor():
    amplitude = np.array([1.0] * 10 + [0.01] * 7 + [0.2] * 3) * np.linspace(0.9, 1.1, 20)
    isi = [np.nan] * 10 + [3.0] * 10
    (measure,) = paired_pulse_measures(amplitude, isi, floor_mv=FLOOR)
    assert measure.n_below_floor == 7
    assert "mostly-below-floor" in [flag.code for flag in measure.flags]


@pytest.mark.parametrize(
    ("isi", "message"),
    [([2.0, 2.0], "test pulse alone"), ([0.0, 0.0], "no trial has"), ([2.0], "differ in length")],
)
def test_refuses_what_can_not_be_compared(isi, message):
    with pytest.raises(InputError, match=message):
        paired_pulse_measures([1.0, 0.5], isi)


@pytest.mark.parametrize(
    ("isi", "strength", "other", "name"),
    [
        (1.0, None, False, "SICI"),
        (6.0, 80, False, "SICI"),
        (15.0, 80, False, "ICF"),
        (2.0, 110, False, "SICF"),
        (100.0, 120, False, "LICI"),
        (100.0, None, False, "LICI"),
        (10.0, 120, True, "IHI"),
        (7.0, None, False, None),
        (100.0, 80, False, None),
    ],
)
def test_default_rules(isi, strength, other, name):
    assert DEFAULT_RULES.measure(isi, conditioning_rmt=strength, other_hemisphere=other) == name


def test_rules_are_a_setting():
    mine = PairedPulseRules((PairedPulseRule("SICI", 3.0, 3.0), PairedPulseRule("early ICF", 7.0, 7.0)))
    measures = paired_pulse_measures([1.0, 0.5, 0.7, 1.2], [0, 2.5, 3.0, 7.0], rules=mine)
    assert [m.measure for m in measures] == ["paired pulse", "SICI", "early ICF"]
    with pytest.raises(InputError, match="not ordered"):
        PairedPulseRule("SICI", 6.0, 1.0)
    assert DEFAULT_RULES.to_dict()["rules"][0]["measure"] == "SICI"
