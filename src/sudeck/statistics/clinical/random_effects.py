"""Several centres taken together: one number a centre, random effects, two stages.

Variance between centres after Paule & Mandel 1982, J Res Natl Bur Stand 87:377-385; interval of the mean
after Hartung & Knapp 2001, Stat Med 20:3875-3889. The usual prediction interval takes the variance between
centres as known, and with eight centres holds 90 % where it says 95; here that variance has its own
distribution, from the sum of squares whose law is known (as in Nagashima, Noma & Furukawa 2019, Stat Methods
Med 28:1689-1702).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from sudeck.core.errors import InputError
from sudeck.core.estimate import Estimate
from sudeck.core.record import Record
from sudeck.statistics.arrays import FloatArray

_POINTS: Final = 200  # of the distribution of the variance between centres
_HALVINGS: Final = 60


@dataclass(frozen=True, slots=True)
class Pooled(Record):
    """One number of several centres.

    Attributes
    ----------
    mean : Estimate
        Of the centres that these stand for.
    prediction_low, prediction_high : float or None
        Where the number of another centre is to be expected; None with two centres.
    between_sd : float
        Standard deviation of the true numbers between centres.
    heterogeneity_p : float
        Cochran's test that all centres have one true number.
    centres : int
    """

    mean: Estimate
    prediction_low: float | None
    prediction_high: float | None
    between_sd: float
    heterogeneity_p: float
    centres: int

    def __str__(self) -> str:
        if self.prediction_low is None:
            ahead = "no prediction interval from two centres"
        else:
            ahead = f"another centre: {self.prediction_low:.3g} to {self.prediction_high:.3g}"
        return f"{self.mean}, {self.centres} centres, SD between them {self.between_sd:.3g}; {ahead}"


def pool_estimates(name: str, values: ArrayLike, errors: ArrayLike, *, level: float = 0.95) -> Pooled:
    """Pool one number of several centres.

    Parameters
    ----------
    name : str
    values, errors : array, shape (k,)
        Estimate and standard error of each centre, on a scale where they are about normal.

    Raises
    ------
    InputError
        If there are fewer than two centres, or an error is not positive.
    """
    from scipy.stats import chi2, t

    y, v = np.asarray(values, dtype=np.float64), np.asarray(errors, dtype=np.float64) ** 2
    k = len(y)
    if k < 2:
        raise InputError(name, f"{k} centre has it", "two or more are needed to pool")
    if not (np.isfinite(y).all() and np.isfinite(v).all() and (v > 0).all()):
        raise InputError(name, "a centre has no positive standard error of it", "leave that centre out")
    tau2 = float(_variance_at(y, v, k - 1)[0])
    weights = 1 / (v + tau2)
    mean = float((weights * y).sum() / weights.sum())
    variance = float((weights * (y - mean) ** 2).sum() / ((k - 1) * weights.sum()))
    se = math.sqrt(variance)
    half = float(t.ppf(0.5 + level / 2, k - 1)) * se
    low = high = None
    if k > 2:
        low, high = _prediction(y, v, level)
    estimate = Estimate(
        name,
        mean,
        mean - half,
        mean + half,
        level=level,
        unit="",
        method="random effects, Paule-Mandel, Hartung-Knapp interval",
        n=k,
        n_unit="centres",
        se=se,
    )
    return Pooled(estimate, low, high, math.sqrt(tau2), float(chi2.sf(_q(y, v, np.zeros(1))[0], k - 1)), k)


def _q(y: FloatArray, v: FloatArray, tau2: FloatArray) -> FloatArray:
    """Return the weighted sum of squares about the mean at each variance between centres."""
    weights = 1 / (v + tau2[:, None])
    mean = (weights * y).sum(axis=1) / weights.sum(axis=1)
    return np.asarray((weights * (y - mean[:, None]) ** 2).sum(axis=1))


def _variance_at(y: FloatArray, v: FloatArray, q: ArrayLike) -> FloatArray:
    """Return the variances between centres at which the weighted sum of squares is `q`; 0 if it is below."""
    wanted = np.atleast_1d(np.asarray(q, dtype=np.float64))
    low = np.zeros_like(wanted)
    high = np.full_like(wanted, float(y.var(ddof=1)) + float(v.max()))
    while (short := _q(y, v, high) > wanted).any():
        high[short] *= 2
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        above = _q(y, v, middle) > wanted
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return np.where(_q(y, v, np.zeros_like(wanted)) <= wanted, 0.0, (low + high) / 2)


def _prediction(y: FloatArray, v: FloatArray, level: float) -> tuple[float, float]:
    """Return where another centre's true number lies.

    The weighted sum of squares at the true variance follows chi-squared, which gives that variance a
    distribution; at each of its points the mean and another centre are normal, and their mixture is asked.
    """
    from scipy.optimize import brentq
    from scipy.stats import chi2, norm

    points = (np.arange(_POINTS) + 0.5) / _POINTS
    tau2 = _variance_at(y, v, chi2.ppf(points, len(y) - 1))
    weights = 1 / (v + tau2[:, None])
    means = (weights * y).sum(axis=1) / weights.sum(axis=1)
    spread = np.sqrt(tau2 + 1 / weights.sum(axis=1))
    reach = float(spread.max()) * 10

    def quantile(share: float) -> float:
        def above(x: float) -> float:
            return float(norm.cdf((x - means) / spread).mean()) - share

        return float(brentq(above, means.min() - reach, means.max() + reach))

    return quantile((1 - level) / 2), quantile((1 + level) / 2)
