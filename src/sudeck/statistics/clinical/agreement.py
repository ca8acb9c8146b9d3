"""Do readings of one thing agree? The intraclass correlation, the error of one reading, and kappa.

One-way random effects, ICC(1,1) of Shrout & Fleiss 1979, Psychol Bull 86:420-428: a bias between readers
counts as error, and the number of readings may differ. Interval from the F distribution. Kappa of two
readers: Cohen 1960, Educ Psychol Meas 20:37-46.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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


_DRAWS = 2000
_FEWEST_GROUPS = 5  # whose resampling says anything


def kappa(
    first: Sequence[bool], second: Sequence[bool], groups: Sequence[str], *, level: float = 0.95
) -> Estimate:
    """Return how far two readers agree on yes and no beyond chance: Cohen's kappa.

    Parameters
    ----------
    first, second : sequence of bool
        What each said of the same things.
    groups : sequence of str
        Whose thing each is: things of one patient are alike, so whole patients are resampled. With fewer
        than five the interval is everything there is, from -1 to 1.
    level : float
        Coverage of the interval, by the bootstrap over groups.

    Raises
    ------
    InputError
        If neither reader told any two things apart.

    Examples
    --------
    >>> yes, no = [True] * 20 + [False] * 15, [True] * 5 + [False] * 10  # 20 yes-yes, 15 no-no, 5, 10
    >>> print(kappa(yes + no, [True] * 20 + [False] * 15 + [False] * 5 + [True] * 10, ["a"] * 50))
    kappa 0.4000 (95 % interval -1.000 to 1.000)
    """
    names, of_group = np.unique(np.asarray(groups), return_inverse=True)
    # Counts of the four answers, a row a group.
    table = np.zeros((len(names), 4))
    np.add.at(table, (of_group, 2 * np.asarray(first, dtype=int) + np.asarray(second, dtype=int)), 1)
    value = float(_kappa_of(table.sum(axis=0)))
    if not math.isfinite(value):
        raise InputError(
            "the judgements", "neither reader told any two apart", "nothing can be said of chance"
        )
    low, high = -1.0, 1.0
    if len(names) >= _FEWEST_GROUPS:
        chosen = np.random.default_rng(0).integers(len(names), size=(_DRAWS, len(names)))
        drawn = _kappa_of(table[chosen].sum(axis=1))
        tail = (1 - level) / 2
        low, high = (float(one) for one in np.nanquantile(drawn, [tail, 1 - tail]))
    return Estimate(
        "kappa",
        value,
        min(low, value),
        max(high, value),
        level=level,
        method="Cohen's kappa, bootstrap over patients",
        n=len(first),
        n_unit="judgements",
    )


def _kappa_of(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    neither, second, first, both = np.moveaxis(counts, -1, 0)
    n = counts.sum(axis=-1)
    seen = (neither + both) / n
    chance = ((both + first) * (both + second) + (neither + first) * (neither + second)) / n**2
    with np.errstate(invalid="ignore", divide="ignore"):
        value: NDArray[np.float64] = (seen - chance) / np.where(chance < 1, 1 - chance, np.nan)
    return value
