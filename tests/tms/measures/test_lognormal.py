"""Mean of ln amplitude with censoring."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, stats

from sudeck.core.errors import InputError
from sudeck.tms.measures.lognormal import freed_of_noise, geometric_mean, log_mean
from sudeck.tms.responses.amplitude import denoised_peak_to_peak, noise_floor


def test_without_censoring_it_is_the_textbook_t_interval():
    amplitude = np.array([0.4, 0.9, 1.6, 0.7, 2.4, 1.1])
    estimate = geometric_mean(amplitude)
    low, high = stats.t.interval(0.95, 5, loc=np.log(amplitude).mean(), scale=stats.sem(np.log(amplitude)))
    assert (estimate.low, estimate.high) == pytest.approx((math.exp(low), math.exp(high)))


def test_censored_value_is_the_tobit_maximum():
    rng = np.random.default_rng(5)
    log_amplitude = -2.5 + 0.7 * rng.standard_normal(40)
    floor = math.exp(-2.7)
    seen = log_amplitude[log_amplitude > -2.7]

    def lost(p: np.ndarray) -> float:
        sd = math.exp(p[1])
        hidden = (40 - seen.size) * stats.norm.logcdf((-2.7 - p[0]) / sd)
        return -float(stats.norm.logpdf(seen, p[0], sd).sum() + hidden)

    best = optimize.minimize(lost, [-2.5, -0.4], method="Nelder-Mead").x
    mean = log_mean(np.exp(log_amplitude), floor_mv=floor)
    assert mean.n_censored == 40 - seen.size > 10
    assert mean.value == pytest.approx(best[0], abs=0.01)
    assert mean.sd == pytest.approx(math.exp(best[1]), rel=0.1)


@pytest.mark.parametrize("share_hidden", [0.0, 0.3, 0.5])
def test_intervals_cover_under_censoring(share_hidden):
    rng = np.random.default_rng(6)
    floor = math.exp(0.7 * stats.norm.ppf(share_hidden)) if share_hidden else 0.0
    runs, covered = 300, 0
    for _ in range(runs):
        estimate = geometric_mean(np.exp(0.7 * rng.standard_normal(10)), floor_mv=floor)
        covered += estimate.low <= 1.0 <= estimate.high
    assert 0.92 <= covered / runs <= 0.98


def test_nothing_above_the_floor_gives_a_bound_from_above():
    estimate = geometric_mean([0.01] * 10, floor_mv=0.05)
    assert estimate.low == 0.0
    assert 0 < estimate.value < estimate.high < 0.05


def test_one_trial_has_a_wide_interval():
    estimate = geometric_mean([0.8])
    assert estimate.high / estimate.low > 100


@pytest.mark.parametrize(
    ("amplitude", "floor"), [([], 0.0), ([0.1, 0.0], 0.0), ([np.nan], 0.1), ([-1.0], 0.1), ([1.0], np.inf)]
)
def test_refuses(amplitude, floor):
    with pytest.raises(InputError):
        log_mean(amplitude, floor_mv=floor)


@given(
    amplitude=st.lists(st.floats(1e-4, 20), min_size=1, max_size=15),
    floor=st.floats(0.001, 1.0),
    factor=st.floats(0.1, 10),
)
def test_ordered_and_free_of_unit(amplitude, floor, factor):
    one = geometric_mean(amplitude, floor_mv=floor)
    other = geometric_mean(np.array(amplitude) * factor, floor_mv=floor * factor)
    assert 0 <= one.low <= one.value <= one.high
    if all(abs(a / floor - 1) > 1e-9 for a in amplitude):
        assert other.value == pytest.approx(factor * one.value, rel=1e-6)


def test_noise_is_taken_out_by_its_power() -> None:
    """Peak to peak of a denoised response in noise comes out as the response, on average."""
    rng = np.random.default_rng(5)
    time_ms = np.arange(-100.0, 100.0, 0.25)
    wave = np.where((time_ms > 22) & (time_ms < 34), np.sin((time_ms - 22) * np.pi / 6), 0.0)
    noise = 0.004 * rng.standard_normal((400, time_ms.size))
    before = noise_floor(noise, 4000.0, 400, denoised=True)
    power = float(np.sqrt(np.mean(before**2)))
    for amplitude in (0.02, 0.04, 0.1):
        seen = denoised_peak_to_peak(noise + amplitude / 2 * wave, 4000.0, 400)
        plain, freed = np.log(seen / amplitude).mean(), np.log(freed_of_noise(seen, power) / amplitude).mean()
        assert abs(freed) < 0.04
        assert plain > abs(freed)


def test_two_trials_that_chance_made_alike_are_not_sure() -> None:
    alike = geometric_mean([0.0833, 0.0885])
    assert alike.high / alike.low > 10
    rng = np.random.default_rng(2)
    for sd in (0.4, 0.7, 1.1):
        covered = []
        for pair in np.exp(sd * rng.standard_normal((400, 2))):
            one = geometric_mean(pair)
            covered.append(one.low <= 1.0 <= one.high)
        assert np.mean(covered) > 0.95
