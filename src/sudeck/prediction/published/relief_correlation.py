"""The published analysis: correlation of relief with each of the six measures, Pearson and Spearman."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from sudeck.core.errors import InputError
from sudeck.core.estimate import Estimate
from sudeck.core.published import PUBLISHED_RATIOS
from sudeck.prediction.cohort import RELIEF, Cohort
from sudeck.prediction.ratios import MEASURES
from sudeck.statistics.arrays import FloatArray, paired
from sudeck.statistics.correlation import fisher_interval, p_value
from sudeck.statistics.roc import round_ties

CorrelationKind = Literal["pearson", "spearman"]


@dataclass(frozen=True, slots=True)
class Correlation:
    """A correlation with its interval, its two-sided P value and the number of pairs."""

    kind: CorrelationKind
    r: Estimate
    p: float
    n: int

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values; ``r``, ``low`` and ``high`` are bare numbers."""
        return {
            "kind": self.kind,
            "r": self.r.value,
            "low": self.r.low,
            "high": self.r.high,
            "level": self.r.level,
            "p": self.p,
            "n": self.n,
            "method": self.r.method,
        }

    def __str__(self) -> str:
        return f"{self.r}, P = {self.p:.3g}, n = {self.n}"


@dataclass(frozen=True)
class MeasureAgainstRelief:
    """One measure against relief: Pearson as published, Spearman beside it, and what was printed."""

    measure: str
    pearson: Correlation
    spearman: Correlation
    published_r: float | None

    def to_dict(self) -> dict[str, Any]:
        """Return the Pearson correlation as plain values, with Spearman and the printed r beside."""
        return self.pearson.to_dict() | {
            "spearman": self.spearman.to_dict(),
            "published_r": self.published_r,
        }


@dataclass(frozen=True)
class PublishedAnalysis:
    """Relief against all six measures, on one cohort.

    Attributes
    ----------
    measures : Mapping of str to MeasureAgainstRelief
        In the order VPr, TPr, BPr, TPr/VPr, BPr/TPr, BPr/VPr.
    outcome : str
        The column relief was read from.
    """

    measures: Mapping[str, MeasureAgainstRelief]
    outcome: str

    def to_dict(self) -> dict[str, Any]:
        """Return one entry a measure with r, low, high, p and n."""
        return {name: measure.to_dict() for name, measure in self.measures.items()}

    def __str__(self) -> str:
        return "\n".join(str(measure.pearson) for measure in self.measures.values())


def correlate(
    x: ArrayLike, y: ArrayLike, *, kind: CorrelationKind = "pearson", level: float = 0.95, name: str = "r"
) -> Correlation:
    """Correlate two columns over the patients who have both.

    Intervals are Fisher's z; for Spearman with the variance (1 + r²/2) / (n - 3) of Bonett & Wright 2000,
    Psychometrika 65:23-28. Values that agree in ten digits are ties, as in the ROC. P values are from the t
    distribution with n - 2 degrees of freedom.

    Raises
    ------
    InputError
        If fewer than four pairs are complete, or one column does not vary.

    Examples
    --------
    >>> print(correlate([1, 2, 3, 4, 5, 6], [2, 1, 4, 3, 6, 5]))
    r 0.8286 (95 % interval 0.05193 to 0.9807), P = 0.0416, n = 6
    """
    from scipy.stats import rankdata

    first, second = paired(x, y, least=4, subject=name)
    if kind == "spearman":
        first, second = (np.asarray(rankdata(round_ties(values))) for values in (first, second))
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        raise InputError(name, "one of the two columns does not vary", "a correlation needs both to vary")
    n = len(first)
    r = _pearson(first, second)
    spread = 1.0 + r * r / 2 if kind == "spearman" else 1.0
    low, high = fisher_interval(r, n, level=level, spread=spread)
    method = f"{kind}, Fisher z interval" + (" (Bonett-Wright)" if kind == "spearman" else "")
    estimate = Estimate(name, r, low, high, level=level, method=method, n=n, n_unit="patients")
    return Correlation(kind, estimate, p_value(r, n), n)


def published_analysis(cohort: Cohort, *, level: float = 0.95) -> PublishedAnalysis:
    """Repeat the published analysis: correlate relief with the six measures, each by itself.

    Every measure uses the patients who have it and the outcome, so `n` may differ between measures, and is
    printed with each.

    Parameters
    ----------
    cohort : Cohort
    """
    relief = cohort.outcome(RELIEF)
    measures = {}
    for name in MEASURES:
        values = cohort.ratios.values(name)
        published = PUBLISHED_RATIOS.get(name)
        measures[name] = MeasureAgainstRelief(
            name,
            correlate(values, relief, level=level, name=name),
            correlate(values, relief, kind="spearman", level=level, name=name),
            None if published is None else float(published.r),
        )
    return PublishedAnalysis(measures, RELIEF)


def _pearson(x: FloatArray, y: FloatArray) -> float:
    first, second = x - x.mean(), y - y.mean()
    r = float(first @ second / math.sqrt(float(first @ first) * float(second @ second)))
    return min(1.0, max(-1.0, r))
