"""Threshold-tracking SICI from logged trials."""

from __future__ import annotations

import numpy as np
import pytest

from sudeck.core.errors import InputError
from sudeck.tms.measures.threshold_tracking import tracked_measures

TARGET = 0.2


def tracked_run(threshold: float, n: int, rng: np.random.Generator) -> tuple[list[float], list[float]]:
    """Track as laboratories do: one step up after a miss, one down after a hit."""
    x, intensity, amplitude = threshold + 4.0, [], []
    for _ in range(n):
        y = TARGET * np.exp(1.2 * ((x - threshold) / (0.06 * threshold) + rng.standard_normal()))
        intensity.append(x)
        amplitude.append(float(y))
        x += 1.0 if y < TARGET else -1.0
    return intensity, amplitude


def test_finds_the_change_of_threshold():
    rng = np.random.default_rng(10)
    truths = {0.0: 50.0, 2.5: 57.5, 12.0: 48.0}
    rows = [(x, y, isi) for isi, t in truths.items() for x, y in zip(*tracked_run(t, 40, rng), strict=True)]
    sici, icf = tracked_measures(*map(list, zip(*rows, strict=True)))
    assert (sici.measure, icf.measure) == ("SICI", "ICF")
    assert sici.estimate.low < 15.0 < sici.estimate.high
    assert icf.estimate.low < -4.0 < icf.estimate.high
    assert sici.estimate.low > 0 > icf.estimate.high - 3
    assert sici.estimate.value == pytest.approx(
        100 * (sici.conditioned.value / sici.unconditioned.value - 1), abs=0.2
    )
    assert sici.to_dict()["estimate"]["unit"] == "%"


def test_refuses_without_test_alone():
    with pytest.raises(InputError, match="test pulse alone"):
        tracked_measures([50.0], [0.2], [2.5])
