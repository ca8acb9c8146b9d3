"""Recruitment curves: known truth, unreached plateaux, stray trials, real people."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np
import pytest

from sudeck.core.errors import InputError
from sudeck.tms.measures.recruitment import recruitment_curve


def trials(
    top: float,
    rng: np.random.Generator,
    *,
    s50: float = 60.0,
    width: float = 3.0,
    log_sd: float = 0.5,
    repeats: int = 8,
) -> tuple[np.ndarray, np.ndarray]:
    x = np.repeat(np.linspace(45.0, top, 10), repeats)
    median = 0.02 + 3.0 / (1 + np.exp((s50 - x) / width))
    return x, median * np.exp(log_sd * rng.standard_normal(x.size))


def test_finds_the_curve_it_was_given():
    curve = recruitment_curve(*trials(80.0, np.random.default_rng(1), repeats=30))
    assert curve.plateau_reached
    assert curve.flags == ()
    assert curve.s50.value == pytest.approx(60.0, abs=1.0)
    assert curve.mep_max.value == pytest.approx(3.0, rel=0.15)
    assert curve.slope.value == pytest.approx(0.25, rel=0.2)
    for estimate, truth in zip(curve.estimates[:3], (60.0, 3.0, 0.25), strict=True):
        assert estimate.low < truth < estimate.high
        assert estimate.n == 300
    x = np.linspace(45, 80, 2001)
    area = np.trapezoid(0.02 + 3.0 / (1 + np.exp((60.0 - x) / 3.0)), x)
    assert curve.area.value == pytest.approx(area, rel=0.08)
    assert curve.area.low < curve.area.value < curve.area.high
    assert curve.log_sd == pytest.approx(
        0.5 * 0.85, rel=0.3
    )  # scale of a t with 4 df fitted to normal errors


def test_intervals_cover():
    rng = np.random.default_rng(12)
    hits = np.zeros(3)
    runs = 20
    for _ in range(runs):
        s50, width = 60 + 3 * rng.standard_normal(), 3 * math.exp(0.2 * rng.standard_normal())
        curve = recruitment_curve(*trials(80.0, rng, s50=s50, width=width, log_sd=0.7))
        truth = (s50, 3.0, 3.0 / (4 * width))
        hits += [e.low <= t <= e.high for e, t in zip(curve.estimates[:3], truth, strict=True)]
    assert (hits >= 0.8 * runs).all()


def test_intervals_cover_whichever_sigmoid_it_is():
    """A Hill curve read as a Boltzmann curve has another S50: one of these twelve intervals held it."""
    rng = np.random.default_rng(21)
    x = np.repeat(np.linspace(25.0, 100.0, 8), 8)
    median = 0.005 + 4.0 / (1 + (62.0 / x) ** 6)
    hits = np.zeros(2)
    for _ in range(12):
        curve = recruitment_curve(x, median * np.exp(0.4 * rng.standard_normal(x.size)))
        hits += [curve.s50.low <= 62.0 <= curve.s50.high, curve.mep_max.low <= 4.0 <= curve.mep_max.high]
    assert (hits >= 9).all(), hits


def test_says_when_the_plateau_was_not_reached():
    curve = recruitment_curve(*trials(58.0, np.random.default_rng(13)))
    assert not curve.plateau_reached
    assert curve.mep_max.high == curve.s50.high == math.inf
    assert curve.s50.value <= 58.0
    assert curve.mep_max.value < 3.0
    assert "plateau-not-reached" in [flag.code for flag in curve.flags]
    assert curve.to_dict()["estimates"][1]["high"] is None


def test_stray_trials_move_it_little():
    x, y = trials(80.0, np.random.default_rng(14))
    clean = recruitment_curve(x, y)
    stray = y.copy()
    stray[[3, 30, 60]] *= [200.0, 50.0, 0.01]
    spoilt = recruitment_curve(x, stray)
    assert spoilt.s50.value == pytest.approx(clean.s50.value, abs=1.0)
    assert spoilt.mep_max.value == pytest.approx(clean.mep_max.value, rel=0.15)


def test_a_flat_block_is_flagged():
    rng = np.random.default_rng(15)
    x = np.repeat([50.0, 55.0, 60.0, 65.0], 6)
    curve = recruitment_curve(x, np.exp(0.5 * rng.standard_normal(x.size)))
    assert "flat-curve" in [flag.code for flag in curve.flags]


def test_same_seed_same_numbers_and_any_order():
    x, y = trials(80.0, np.random.default_rng(16))
    order = np.random.default_rng(17).permutation(x.size)
    one, two = recruitment_curve(x, y), recruitment_curve(x[order], y[order])
    assert recruitment_curve(x, y).to_dict() == one.to_dict()
    assert two.s50.value == pytest.approx(one.s50.value, rel=0.01)


def test_unit_of_intensity_does_not_matter():
    x, y = trials(80.0, np.random.default_rng(18))
    fraction = recruitment_curve(x / 100, y)
    assert 100 * fraction.s50.value == pytest.approx(recruitment_curve(x, y).s50.value, rel=0.01)


@pytest.mark.parametrize(
    ("x", "y"),
    [
        ([50, 55, 60], [0.1, 0.5, 1.0]),
        ([50, 55, 60, 65], [0.1, 0.0, 0.5, 1.0]),
        ([50, 55, 60, np.nan], [0.1, 0.2, 0.5, 1.0]),
        ([50, 55, 60, 65], [0.1, 0.2, 0.5]),
    ],
)
def test_refuses(x, y):
    with pytest.raises(InputError):
        recruitment_curve(x, y)


def test_real_people_stay_sane(shared: Path):
    people: dict[str, list[tuple[float, float]]] = {}
    with (shared / "tms" / "iocTBS" / "io_long.csv").open() as file:
        for row in csv.DictReader(file):
            people.setdefault(row["Subj_ID"], []).append((float(row["raw_Intensity"]), float(row["raw_MEP"])))
    assert len(people) == 27
    for rows in people.values():
        x, y = np.array(rows).T
        curve = recruitment_curve(x, y)
        reach = np.ptp(x) / 4
        assert x.min() - reach <= curve.s50.value <= x.max() + reach
        assert curve.mep_max.value <= 2 * y.max()
        assert curve.slope.low > 0


def test_trials_held_at_the_floor_do_not_take_the_scatter_to_nothing() -> None:
    # A muscle that hardly answers: nearly all trials lie at the noise of the table, equal to the last digit.
    intensity = np.repeat(np.arange(40.0, 80.0, 5.0), 12)
    amplitude = np.full(intensity.size, 0.044)
    amplitude[-1] = 0.05
    curve = recruitment_curve(intensity, amplitude, floor_mv=0.044)
    assert np.isfinite(curve.s50.value)
    assert not curve.plateau_reached
