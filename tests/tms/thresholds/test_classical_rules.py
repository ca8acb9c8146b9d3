"""The classical rules: 5 out of 10, and ML-PEST."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import brentq, minimize_scalar
from scipy.stats import norm

from sudeck.core.errors import InputError
from sudeck.tms.thresholds.classical_rules import (
    five_of_ten_threshold,
    ml_pest_threshold,
    next_by_five_of_ten,
    next_by_ml_pest,
)


def test_five_of_ten_takes_the_lowest_intensity_of_an_unbroken_run():
    intensity = np.repeat([50.0, 48.0, 46.0, 44.0], 10)
    hits = [9, 6, 4, 5]  # 44 passes again by luck, below one that fell short
    responded = np.concatenate([[True] * k + [False] * (10 - k) for k in hits])
    estimate = five_of_ten_threshold(intensity, responded)
    assert (estimate.low, estimate.value, estimate.high) == (46.0, 48.0, 48.0)


def test_five_of_ten_ignores_a_dead_block_and_refuses_without_a_threshold():
    intensity = np.repeat([44.0, 46.0, 48.0], 10)
    amplitude = np.concatenate([np.full(10, 0.01), np.full(10, 0.2), np.zeros(10)])
    assert five_of_ten_threshold(intensity, amplitude).value == 46.0
    with pytest.raises(InputError, match="stimulate at higher"):
        five_of_ten_threshold([40] * 10, [False] * 10)


def test_ml_pest_maximises_its_likelihood():
    intensity = np.array([60, 50, 45, 47, 48, 46, 47, 49.0])
    responded = np.array([1, 1, 0, 0, 1, 0, 1, 1], dtype=bool)

    def lost(threshold: float) -> float:
        z = (intensity - threshold) / (0.07 * threshold)
        return -float(np.where(responded, norm.logcdf(z), norm.logsf(z)).sum())

    best = minimize_scalar(lost, bounds=(30, 70), method="bounded").x
    estimate = ml_pest_threshold(intensity, responded)
    assert estimate.value == pytest.approx(best, abs=0.15)
    # The ends of a 95 % interval lie where the likelihood has lost half a chi-squared quantile, 1.92.
    for bounds, end in (((30, best), estimate.low), ((best, 70), estimate.high)):
        assert end == pytest.approx(brentq(lambda x: lost(x) - lost(best) - 1.9207, *bounds), abs=0.25)


def test_ml_pest_starts_from_its_two_imagined_pulses():
    assert ml_pest_threshold([60.0], [True]).value < 60.0 < ml_pest_threshold([60.0], [False]).value
    assert next_by_ml_pest([60.0], [False], limit_mso=61.0) == 61.0


@pytest.mark.parametrize(
    ("intensity", "responded", "following"),
    [
        ([50] * 3, [1, 1, 0], 50.0),
        ([50] * 6, [1, 1, 0, 1, 1, 1], 49.0),
        ([50] * 5 + [49] * 6, [1] * 5 + [0] * 6, None),
        ([50] * 5 + [49] * 10, [1] * 5 + [0] * 5 + [1] * 5, 48.0),
    ],
)
def test_five_of_ten_procedure(intensity, responded, following):
    assert next_by_five_of_ten(intensity, np.array(responded, dtype=bool)) == following
