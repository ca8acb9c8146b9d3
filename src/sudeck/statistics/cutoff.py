"""The best cut-off by Youden's index, how far it moves between samples, and how much too good it looks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from sudeck.core.errors import InputError
from sudeck.core.estimate import Estimate
from sudeck.statistics.arrays import BoolArray, FloatArray, both_classes
from sudeck.statistics.proportion import DiagnosticAccuracy, diagnostic_accuracy


@dataclass(frozen=True)
class BestCutoff:
    """A cut-off chosen on the data it is judged on, with the bill for that.

    Attributes
    ----------
    name : str
    cutoff : Estimate
        Halfway between the two neighbouring observed values, so that ``>`` and ``>=`` say the same (the
        convention of pROC); bootstrap percentile interval.
    smallest_positive : float
        Smallest observed value above the cut-off (the convention of cutpointr, to be used with ``>=``).
    accuracy : DiagnosticAccuracy
        On the same data: too good.
    youden_apparent, youden_optimism, youden_corrected : float
        Youden's index on the data, the mean excess in bootstrap samples, and their difference
        (Efron & Tibshirani 1993, chapter 17).
    n_boot : int
        Bootstrap samples in which both classes occurred.
    """

    name: str
    cutoff: Estimate
    smallest_positive: float
    accuracy: DiagnosticAccuracy
    youden_apparent: float
    youden_optimism: float
    n_boot: int

    @property
    def youden_corrected(self) -> float:
        """Youden's index to expect in new patients."""
        return self.youden_apparent - self.youden_optimism

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values."""
        return {
            "name": self.name,
            "cutoff": self.cutoff.to_dict(),
            "smallest_positive": self.smallest_positive,
            "accuracy": self.accuracy.to_dict(),
            "youden": {
                "apparent": self.youden_apparent,
                "optimism": self.youden_optimism,
                "corrected": self.youden_corrected,
            },
            "n_boot": self.n_boot,
        }

    def __str__(self) -> str:
        return (
            f"{self.cutoff}; Youden {self.youden_apparent:.3f} on the same data, "
            f"{self.youden_corrected:.3f} after correction"
        )


@dataclass(frozen=True)
class BestOfSeveral:
    """The best cut-off of the best of several measures: choosing the measure costs optimism too.

    Attributes
    ----------
    cutoffs : Mapping of str to BestCutoff
        Each measure by itself.
    best : str
        The measure with the largest apparent Youden index.
    youden_apparent, youden_optimism : float
        Of the whole procedure, measure and cut-off chosen together in each bootstrap sample.
    all_exceeded : DiagnosticAccuracy
        Of the combination: every measure above its own best cut-off, on the same data.
    all_exceeded_optimism : float
        Of its Youden index, all cut-offs chosen anew in each bootstrap sample.
    """

    cutoffs: Mapping[str, BestCutoff]
    best: str
    youden_apparent: float
    youden_optimism: float
    all_exceeded: DiagnosticAccuracy
    all_exceeded_optimism: float

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values."""
        return {
            "cutoffs": {name: cutoff.to_dict() for name, cutoff in self.cutoffs.items()},
            "best": self.best,
            "youden": {
                "apparent": self.youden_apparent,
                "optimism": self.youden_optimism,
                "corrected": self.youden_apparent - self.youden_optimism,
            },
            "all_exceeded": self.all_exceeded.to_dict() | {"youden_optimism": self.all_exceeded_optimism},
        }

    def __str__(self) -> str:
        corrected = self.youden_apparent - self.youden_optimism
        return (
            f"best measure {self.best}: Youden {self.youden_apparent:.3f} on the same data, "
            f"{corrected:.3f} after correction for choosing among {len(self.cutoffs)}"
        )


def best_cutoff(
    score: ArrayLike,
    outcome: ArrayLike,
    *,
    rng: np.random.Generator,
    name: str = "cut-off",
    n_boot: int = 1000,
    level: float = 0.95,
) -> BestCutoff:
    """Find the cut-off with the largest Youden index; high scores predict the outcome.

    The index is compared in whole numbers of patients, so ties are exact; of tied cut-offs the lowest is
    taken. The interval is a bootstrap percentile interval: a cut-off converges with the cube root of the
    number of patients, so read it as a range of what other samples would have chosen, not as exact coverage.

    Parameters
    ----------
    score, outcome : array, shape (n,)
    rng : numpy.random.Generator
    n_boot : int

    Raises
    ------
    InputError
        If a score is missing, one class is empty, or all scores are equal.
    """
    several = best_of_several({name: score}, outcome, rng=rng, n_boot=n_boot, level=level)
    return several.cutoffs[name]


def best_of_several(
    scores: Mapping[str, ArrayLike],
    outcome: ArrayLike,
    *,
    rng: np.random.Generator,
    n_boot: int = 1000,
    level: float = 0.95,
) -> BestOfSeveral:
    """Find the best cut-off of each measure, of the best measure, and of all together, on the same samples.

    Parameters
    ----------
    scores : mapping of str to array, shape (n,)
        Complete, for the same patients.
    outcome : array, shape (n,)
        0 and 1.
    """
    y = both_classes(outcome, subject="the cut-off")
    n = len(y)
    draws = rng.multinomial(n, np.full(n, 1 / n), size=n_boot).astype(np.float64)
    draws = draws[(draws @ y > 0) & (draws @ (1 - y) > 0)]
    unit = np.ones((1, n))

    cutoffs: dict[str, BestCutoff] = {}
    in_sample, on_original = [], []
    together, boot_together = np.ones(n, bool), np.ones((len(draws), n), bool)
    for name, score in scores.items():
        ladder = _Ladder.of(score, y, name)
        chosen, apparent = ladder.best(unit)
        boot_chosen, boot_youden = ladder.best(draws)
        original = ladder.youden_at(unit)[0][boot_chosen]
        in_sample.append(boot_youden)
        on_original.append(original)
        boot_cuts = ladder.cuts[boot_chosen]
        cut = float(ladder.cuts[chosen[0]])
        positive = ladder.x > cut
        together &= positive
        boot_together &= ladder.x > boot_cuts[:, None]
        low, high = np.quantile(boot_cuts, [(1 - level) / 2, (1 + level) / 2])
        cutoffs[name] = BestCutoff(
            name,
            Estimate(
                name,
                cut,
                min(float(low), cut),
                max(float(high), cut),
                level=level,
                method=f"largest Youden index, bootstrap percentiles ({len(draws)} samples)",
                n=n,
                n_unit="patients",
            ),
            float(ladder.x[positive].min()),
            _accuracy(positive, y, level),
            float(apparent[0]),
            float((boot_youden - original).mean()),
            len(draws),
        )
    winner = np.argmax(in_sample, axis=0)[None, :]
    excess = np.take_along_axis(np.array(in_sample) - np.array(on_original), winner, axis=0)
    best = max(cutoffs, key=lambda name: cutoffs[name].youden_apparent)
    combined = _youden(boot_together, y, draws) - _youden(boot_together, y, np.ones(n))
    return BestOfSeveral(
        cutoffs,
        best,
        cutoffs[best].youden_apparent,
        float(excess.mean()),
        _accuracy(together, y, level),
        float(combined.mean()),
    )


def _accuracy(positive: BoolArray, y: FloatArray, level: float) -> DiagnosticAccuracy:
    yes, no = y == 1, y == 0
    counts = ((positive & yes), (positive & no), (~positive & yes), (~positive & no))
    return diagnostic_accuracy(*(int(cell.sum()) for cell in counts), level=level)


def _youden(positive: BoolArray, y: FloatArray, weights: FloatArray) -> FloatArray:
    """Return Youden's index of yes/no verdicts, shape (...), with patients weighted."""
    sensitivity = (positive * weights * y).sum(axis=-1) / (weights * y).sum(axis=-1)
    false_alarms = (positive * weights * (1 - y)).sum(axis=-1) / (weights * (1 - y)).sum(axis=-1)
    return np.asarray(sensitivity - false_alarms)


@dataclass(frozen=True)
class _Ladder:
    """All cut-offs between neighbouring values of one score."""

    x: FloatArray
    y: FloatArray
    order: np.ndarray
    last_below: np.ndarray
    cuts: FloatArray

    @classmethod
    def of(cls, score: ArrayLike, y: FloatArray, name: str) -> _Ladder:
        x = np.asarray(score, dtype=np.float64)
        if x.shape != y.shape or not np.isfinite(x).all():
            raise InputError(
                name, "the values do not fit the outcomes, or one is missing", "drop missing ones first"
            )
        order = np.argsort(x, kind="stable")
        ladder = x[order]
        # Values that differ by rounding alone are one value: no cut-off lies between them.
        least = 1e-12 * float(np.abs(ladder).max(initial=0.0))
        last_below = np.flatnonzero(ladder[1:] - ladder[:-1] > least)
        if len(last_below) == 0:
            raise InputError(name, "all values are equal", "a cut-off needs at least two different values")
        return cls(x, y, order, last_below, (ladder[last_below] + ladder[last_below + 1]) / 2)

    def youden_at(self, weights: FloatArray) -> FloatArray:
        """Return Youden's index at every cut, shape (..., cuts), for each row of patient weights."""
        cases, controls, signed = self._signed(weights)
        return np.asarray(signed / (cases * controls))

    def best(self, weights: FloatArray) -> tuple[np.ndarray, FloatArray]:
        cases, controls, signed = self._signed(weights)
        chosen = np.argmax(signed, axis=-1)
        value = np.take_along_axis(signed, chosen[..., None], axis=-1) / (cases * controls)
        return chosen, value[..., 0]

    def _signed(self, weights: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Youden times cases times controls: sums of whole numbers, exact in floating point."""
        w = weights[..., self.order]
        y = self.y[self.order]
        cases, controls = (w * y).sum(-1, keepdims=True), (w * (1 - y)).sum(-1, keepdims=True)
        cases_below = np.cumsum(w * y, axis=-1)[..., self.last_below]
        controls_below = np.cumsum(w * (1 - y), axis=-1)[..., self.last_below]
        return cases, controls, controls_below * cases - cases_below * controls
