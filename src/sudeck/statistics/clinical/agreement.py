"""Do readings of one thing agree? The intraclass correlation, and the error of one reading.

One-way random effects, ICC(1,1) of Shrout & Fleiss 1979, Psychol Bull 86:420-428: a bias between readers
counts as error, and the number of readings may differ. Interval from the F distribution.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sudeck.core.errors import InputError
from sudeck.core.estimate import Estimate
from sudeck.core.record import Record


@dataclass(frozen=True, slots=True)
class Agreement(Record):
    """How far readings of the same things agree.

    Attributes
    ----------
    icc : Estimate
        Share of the variance of one reading that is between things.
    error_sd : float
        Standard deviation of one reading about the mean of all readings of its thing, in the unit of the
        readings.
    n, readings : int
        Things read at least twice, and readings of them.
    """

    icc: Estimate
    error_sd: float
    n: int
    readings: int

    def __str__(self) -> str:
        return f"{self.icc}; one reading has a standard error of {self.error_sd:.3g}"


def reading_agreement(readings: Sequence[Sequence[float]], *, level: float = 0.95) -> Agreement:
    """Return how far repeated readings agree.

    Parameters
    ----------
    readings : sequence of sequences of float
        The readings of each thing; those read once say nothing and are left out.

    Raises
    ------
    InputError
        If fewer than three things were read twice, or all readings are the same.

    Examples
    --------
    >>> judges = [(9, 2, 5, 8), (6, 1, 3, 2), (8, 4, 6, 8), (7, 1, 2, 6), (10, 5, 6, 9), (6, 2, 4, 7)]
    >>> print(reading_agreement(judges).icc)
    ICC 0.1657 (95 % interval -0.1329 to 0.7226)
    """
    from scipy.stats import f

    repeated = [np.asarray(values, dtype=np.float64) for values in readings if len(values) > 1]
    n, sizes = len(repeated), np.array([len(values) for values in repeated], dtype=np.float64)
    if n < 3:
        raise InputError("the readings", f"{n} were read twice", "at least three are needed")
    total = float(sizes.sum())
    means = np.array([values.mean() for values in repeated])
    grand = float(np.concatenate(repeated).mean())
    within = sum(float(((values - values.mean()) ** 2).sum()) for values in repeated) / (total - n)
    between = float((sizes * (means - grand) ** 2).sum()) / (n - 1)
    if within + between == 0:
        raise InputError("the readings", "all are the same number", "check that they are readings")
    per_thing = (total - float((sizes**2).sum()) / total) / (n - 1)

    def correlation(ratio: float) -> float:
        return 1.0 if math.isinf(ratio) else (ratio - 1) / (ratio + per_thing - 1)

    ratio = between / within if within > 0 else math.inf
    degrees = n - 1, total - n
    tail = (1 - level) / 2
    low, high = (correlation(ratio / float(f.ppf(point, *degrees))) for point in (1 - tail, tail))
    icc = Estimate(
        "ICC",
        correlation(ratio),
        low,
        high,
        level=level,
        unit="",
        method="one-way random effects, F interval",
        n=n,
        n_unit="read twice or more",
    )
    return Agreement(icc, math.sqrt(within), n, int(total))
