"""Curves with bands: the smooth calibration curve, corrected for optimism or of new patients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from sudeck.prediction.bootstrap import Resamples
from sudeck.statistics.arrays import FloatArray, both_classes
from sudeck.statistics.calibration import (
    local_curve,
)
from sudeck.statistics.regression.logistic import expit


@dataclass(frozen=True)
class Curve:
    """A curve with its band, on a grid.

    Attributes
    ----------
    x, y, low, high : array, shape (g,)
    """

    x: FloatArray
    y: FloatArray
    low: FloatArray
    high: FloatArray

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists."""
        return {name: getattr(self, name).tolist() for name in ("x", "y", "low", "high")}


def corrected_calibration(
    resamples: Resamples, *, grid: ArrayLike | None = None, level: float = 0.95
) -> Curve:
    """Return the smooth calibration curve, corrected for optimism, with a bootstrap band.

    Parameters
    ----------
    grid : array, shape (g,), optional
        Predicted probabilities; 30 between the 2nd and 98th percentile unless given.
    """
    y, p = resamples.outcome, expit(resamples.apparent)
    at = _grid(p) if grid is None else np.asarray(grid, dtype=np.float64)
    boot = expit(resamples.predictions)
    apparent = local_curve(p, y, at)
    in_sample = local_curve(boot, y, at, weights=resamples.weights)
    on_original = local_curve(boot, y, at)
    moved = in_sample - (in_sample - on_original).mean(axis=0)
    curve = np.clip(apparent - (in_sample - on_original).mean(axis=0), 0.0, 1.0)
    low, high = np.clip(np.quantile(moved, [(1 - level) / 2, (1 + level) / 2], axis=0), 0.0, 1.0)
    return Curve(at, curve, np.minimum(low, curve), np.maximum(high, curve))


def calibration_curve(
    probability: ArrayLike,
    outcome: ArrayLike,
    *,
    rng: np.random.Generator,
    n_boot: int = 500,
    grid: ArrayLike | None = None,
    level: float = 0.95,
) -> Curve:
    """Return the smooth calibration curve of predictions made elsewhere, with a band over patients."""
    y = both_classes(outcome, subject="the outcome of the calibration curve")
    p = np.asarray(probability, dtype=np.float64)
    at = _grid(p) if grid is None else np.asarray(grid, dtype=np.float64)
    draws = rng.multinomial(len(y), np.full(len(y), 1 / len(y)), size=n_boot).astype(np.float64)
    curve = local_curve(p, y, at)
    low, high = np.quantile(local_curve(p, y, at, weights=draws), [(1 - level) / 2, (1 + level) / 2], axis=0)
    return Curve(at, curve, np.minimum(low, curve), np.maximum(high, curve))


def _grid(p: FloatArray) -> FloatArray:
    low, high = np.quantile(p, [0.02, 0.98])
    return np.linspace(float(low), float(high), 30)
