"""The motor threshold of a table of amplitudes, whose noise nothing states, is neither low nor too sure."""

from __future__ import annotations

import numpy as np
import pytest

from sudeck.tms.measures.lognormal import freed_of_noise
from sudeck.tms.thresholds.motor_threshold import bayesian_threshold
from sudeck.tms.thresholds.table_noise import FLOOR_OVER_NOISE, table_noise


def table(rng: np.random.Generator, noise_mv: float) -> tuple[float, np.ndarray, np.ndarray]:
    """Return a true threshold, and pulses whose response and noise add to a sweep: extremes read by eye."""
    true = rng.normal(52, 7)
    width, top_mv, log_sd = true * rng.uniform(0.04, 0.08), rng.uniform(1, 5), rng.uniform(0.5, 1.0)
    half = true + width * np.log(top_mv / 0.05 - 1)
    mso = np.repeat(np.round(true * np.array([0.86, 0.93, 1.0, 1.07, 1.15, 1.3, 1.45])), 7)
    size_mv = top_mv / (1 + np.exp((half - mso) / width)) * np.exp(log_sd * rng.standard_normal(mso.size))
    time_ms = np.arange(15, 60, 0.2)
    shape = -(time_ms - 27) * np.exp(-(((time_ms - 27) / 3) ** 2) / 2)
    noise = rng.standard_normal((mso.size, time_ms.size)) * noise_mv / 5.6
    return true, mso, np.ptp(size_mv[:, None] * shape / np.ptp(shape) + noise, axis=1)


@pytest.mark.parametrize("noise_mv", [0.005, 0.012, 0.03])
def test_threshold_of_a_noisy_table_is_unbiased_and_covered(noise_mv: float) -> None:
    error, covered = [], []
    for seed in range(30):
        true, mso, amplitude = table(np.random.default_rng([7, seed]), noise_mv)
        found = table_noise(mso, amplitude, criterion_mv=0.05)
        assert found is not None
        estimate = bayesian_threshold(
            mso,
            freed_of_noise(amplitude, found.noise_mv),
            floor_mv=FLOOR_OVER_NOISE * found.noise_mv,
        ).estimate
        error.append(estimate.value - true)
        covered.append(estimate.low <= true <= estimate.high)
    assert abs(np.mean(error)) < 0.45
    assert sum(covered) >= 26


def test_noise_is_that_of_the_weak_pulses() -> None:
    mso = np.repeat([40.0, 45.0, 50.0, 60.0], 5)
    amplitude = np.array([0.02, 0.022, 0.018, 0.021, 0.019] * 2 + [0.06] * 5 + [0.8] * 5)
    found = table_noise(mso, amplitude, criterion_mv=0.05)
    assert found is not None
    assert found.noise_mv == pytest.approx(0.02)
    assert found.quiet.sum() == 10
    assert found.below_threshold


def test_a_table_that_writes_zeros_or_only_responses_tells_no_noise() -> None:
    mso = np.repeat([40.0, 50.0], 5)
    assert table_noise(mso, np.array([0.0] * 5 + [0.3] * 5), criterion_mv=0.05) is None
    assert table_noise(mso, np.full(10, 0.4), criterion_mv=0.05) is None


def test_noise_above_the_criterion_is_told_by_its_small_scatter() -> None:
    rng = np.random.default_rng(3)
    mso = np.repeat([38.0, 40.0, 42.0, 50.0, 60.0], 6)
    noise = 0.07 * np.exp(0.15 * rng.standard_normal(mso.size))
    response = np.repeat([0.0, 0.0, 0.0, 0.3, 1.5], 6) * np.exp(0.6 * rng.standard_normal(mso.size))
    amplitude = np.hypot(noise, response)
    amplitude[2] = 0.2  # One stray response among the weakest pulses.
    found = table_noise(mso, amplitude, criterion_mv=0.05)
    assert found is not None
    assert found.noise_mv == pytest.approx(0.07, rel=0.1)
    assert 14 <= found.quiet.sum() <= 17


def test_responses_of_a_table_without_weak_pulses_are_not_taken_for_noise() -> None:
    rng = np.random.default_rng(4)
    taken = 0
    for _ in range(40):
        mso = np.repeat([60.0, 66.0, 72.0], 10)
        amplitude = np.repeat([0.5, 1.0, 1.6], 10) * np.exp(0.6 * rng.standard_normal(mso.size))
        taken += table_noise(mso, amplitude, criterion_mv=0.05) is not None
    assert taken == 0
