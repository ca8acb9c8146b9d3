"""Standardised size of a paired change, with its interval."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from sudeck.core.errors import InputError
from sudeck.core.estimate import Estimate


def standardise_change(changes: ArrayLike, *, name: str = "effect size", level: float = 0.95) -> Estimate:
    """Return the mean change over the standard deviation of the changes, free of small-sample bias.

    Parameters
    ----------
    changes : array (patients,)
        Change of each patient; NaN is left out.
    name : str
    level : float

    Returns
    -------
    Estimate
        Hedges' g for one sample (Cohen's d_z times ``J = 1 − 3/(4 df − 1)``; Hedges, J Educ Stat 1981;6:107-128);
        interval from the non-central t distribution, exact for normal changes.

    Raises
    ------
    InputError
        If fewer than two changes are given or they do not vary.

    Examples
    --------
    >>> print(standardise_change([0.3, 0.2, 0.4, 0.1, 0.3]))
    effect size 1.824 (95 % interval 0.3710 to 3.341)
    """

    x = np.asarray(changes, dtype=float)
    x = x[np.isfinite(x)]
    n = len(x)
    if n < 2:
        raise InputError(name, f"{n} change(s)", "an effect size needs two or more")
    spread = float(x.std(ddof=1))
    if spread <= 1e-12 * max(1e-300, float(np.abs(x).max())):
        raise InputError(name, "the changes do not vary", "check whether values were copied")
    df = n - 1
    t = float(x.mean()) / spread * math.sqrt(n)
    correction = 1 - 3 / (4 * df - 1) if df > 1 else 1 - 3 / 5
    upper = _noncentrality(t, df, 0.5 - level / 2)
    lower = _noncentrality(t, df, 0.5 + level / 2)
    scale = correction / math.sqrt(n)
    value = t * scale
    return Estimate(
        name,
        value,
        min(lower * scale, value),
        max(upper * scale, value),
        level=level,
        method="Hedges' g of paired changes, non-central t interval",
        n=n,
        n_unit="patients",
    )


def _noncentrality(t: float, df: int, probability: float) -> float:
    """Return the non-centrality at which a t as small as this one has the given probability."""
    from scipy import optimize, stats

    def excess(delta: float) -> float:
        return float(stats.nct.cdf(t, df, delta)) - probability

    reach = 10 + 3 * abs(t)
    return float(optimize.brentq(excess, t - reach, t + reach, xtol=1e-10))
