"""Do predicted probabilities come true? Intercept, slope, Brier score, the usual tests, and a smooth curve.

Definitions as in rms::val.prob (Harrell, Regression Modeling Strategies) and Van Calster et al. 2016, J Clin
Epidemiol 74:167-176; the curve is Cleveland's local regression (1979, JASA 74:829-836) without robustness
iterations.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from sudeck.core.errors import InputError
from sudeck.core.estimate import Estimate
from sudeck.core.record import Record
from sudeck.statistics.arrays import FloatArray, both_classes
from sudeck.statistics.regression.logistic import bernoulli_log_likelihood, logit, maximise_logistic
from sudeck.statistics.roc import area_under_curve

_SPAN = 2.0 / 3.0  # share of patients each local fit sees, the default of lowess
_EDGE = 1e-12  # probabilities of exactly 0 or 1 have no logit


@dataclass(frozen=True)
class Performance(Record):
    """How predicted probabilities did on patients with known outcomes.

    Attributes
    ----------
    c_statistic : Estimate
    brier : Estimate
        Mean squared difference between probability and outcome.
    intercept_in_the_large : Estimate
        With the slope held at 1; above 0: predictions too low on average.
    intercept, slope : Estimate
        Of the logistic recalibration fitted together; slope below 1: predictions too extreme.
    observed_over_expected : Estimate
        Observed number of responders over the expected one.
    spiegelhalter_z, spiegelhalter_p : float
        Test of calibration through the Brier score (Spiegelhalter 1986, Stat Med 5:421-433).
    unreliability_chi2, unreliability_p : float
        Likelihood ratio test, 2 degrees of freedom, of intercept 0 and slope 1 together.
    discrimination, unreliability, quality : float
        D, U and Q = D - U of val.prob.
    nagelkerke_r2 : float
        Of the probabilities as they stand; negative if they are worse than the mean.
    mean_error, largest_error, error_90 : float
        Of the smooth curve against the diagonal over these patients: mean (also called ICI), maximum, and
        90th percentile.
    n, events : int
    """

    c_statistic: Estimate
    brier: Estimate
    intercept_in_the_large: Estimate
    intercept: Estimate
    slope: Estimate
    observed_over_expected: Estimate
    spiegelhalter_z: float
    spiegelhalter_p: float
    unreliability_chi2: float
    unreliability_p: float
    discrimination: float
    unreliability: float
    quality: float
    nagelkerke_r2: float
    mean_error: float
    largest_error: float
    error_90: float
    n: int
    events: int

    def __str__(self) -> str:
        return (
            f"{self.n} patients, {self.events} responders: {self.c_statistic}; {self.slope}; "
            f"{self.intercept_in_the_large}; {self.brier}"
        )


def measure_performance(probability: ArrayLike, outcome: ArrayLike, *, level: float = 0.95) -> Performance:
    """Measure discrimination and calibration of predicted probabilities.

    Parameters
    ----------
    probability : array, shape (n,)
        Between 0 and 1.
    outcome : array, shape (n,)
        0 and 1.

    Raises
    ------
    InputError
        If a probability is missing or outside 0 to 1, or one class is empty.
    """
    from scipy.special import expit
    from scipy.stats import chi2, norm

    y = both_classes(outcome, subject="the outcome of the validation")
    p = np.asarray(probability, dtype=np.float64)
    if p.shape != y.shape or not ((p >= 0) & (p <= 1)).all():
        raise InputError("the predictions", "a probability is missing or outside 0 to 1", "predict again")
    n, events = len(y), int(y.sum())
    eta = logit(np.clip(p, _EDGE, 1 - _EDGE))
    ones = np.ones((n, 1))
    large = maximise_logistic(ones, y, offset=eta)
    joint = maximise_logistic(np.column_stack([ones, eta]), y)
    covariance = np.linalg.pinv(joint.information, hermitian=True)
    # Robust (Royall 1986): where the slope is not 1, residuals vary otherwise than the model says.
    residual = y - expit(eta + large.coefficients[0])
    large_se = math.sqrt(n / (n - 1) * float(residual @ residual)) / float(large.information[0, 0])

    as_predicted = float(bernoulli_log_likelihood(y, eta).sum())
    best = float(joint.log_likelihood)
    empty = float(bernoulli_log_likelihood(y, np.full(n, float(logit(np.array(events / n))))).sum())
    discrimination = (2 * (as_predicted - empty) - 1) / n
    chi = max(2 * (best - as_predicted), 0.0)
    unreliability = (chi - 2) / n
    errors = np.abs(lowess(p, y) - p)
    brier = (p - y) ** 2
    z = float(((y - p) * (1 - 2 * p)).sum() / math.sqrt(float(((1 - 2 * p) ** 2 * p * (1 - p)).sum())))

    def estimate(name: str, value: float, se: float, method: str) -> Estimate:
        return Estimate.from_normal(name, value, se, level=level, method=method, n=n, n_unit="patients")

    recalibration = "logistic recalibration, Wald interval"
    return Performance(
        area_under_curve(eta, y, name="C statistic", level=level),
        estimate(
            "Brier score",
            float(brier.mean()),
            float(brier.std(ddof=1)) / math.sqrt(n),
            "mean, normal interval",
        ),
        estimate(
            "calibration in the large",
            float(large.coefficients[0]),
            large_se,
            "logistic intercept with slope 1, robust standard error",
        ),
        estimate(
            "calibration intercept", float(joint.coefficients[0]), math.sqrt(covariance[0, 0]), recalibration
        ),
        estimate(
            "calibration slope", float(joint.coefficients[1]), math.sqrt(covariance[1, 1]), recalibration
        ),
        Estimate.from_log(
            "observed over expected",
            math.log(events / float(p.sum())),
            math.sqrt((1 - events / n) / events),
            level=level,
            method="log-normal interval",
            n=n,
            n_unit="patients",
        ),
        z,
        float(2 * norm.sf(abs(z))),
        chi,
        float(chi2.sf(chi, 2)),
        discrimination,
        unreliability,
        discrimination - unreliability,
        (1 - math.exp(-2 * (as_predicted - empty) / n)) / (1 - math.exp(2 * empty / n)),
        float(errors.mean()),
        float(errors.max()),
        float(np.quantile(errors, 0.9)),
        n,
        events,
    )


def recalibration(
    linear_predictor: FloatArray, outcome: FloatArray, weights: FloatArray | None = None
) -> tuple[FloatArray, FloatArray]:
    """Return intercept and slope of the logistic recalibration of each linear predictor of a stack.

    Parameters
    ----------
    linear_predictor : array, shape (..., n)
    outcome : array, shape (n,)
    weights : array, shape (..., n), optional

    Returns
    -------
    intercept, slope : arrays, shape (...)
    """
    design = np.stack([np.ones_like(linear_predictor), linear_predictor], axis=-1)
    fit = maximise_logistic(design, outcome, weights=weights)
    return fit.coefficients[..., 0], fit.coefficients[..., 1]


def brier_score(
    probability: FloatArray, outcome: FloatArray, weights: FloatArray | None = None
) -> FloatArray:
    """Return the Brier score of each prediction of a stack, shape (...)."""
    w = np.ones(outcome.shape) if weights is None else weights
    return np.asarray((w * (probability - outcome) ** 2).sum(axis=-1) / w.sum(axis=-1))


def lowess(x: FloatArray, y: FloatArray, *, span: float = _SPAN) -> FloatArray:
    """Return the local linear regression of `y` at every `x`, no robustness iterations.

    Like R's ``lowess(x, y, iter = 0)``: points closer together than one hundredth of the range are not fitted
    one by one but interpolated between fitted neighbours.
    """
    order = np.argsort(x, kind="stable")
    xs, ys = x[order], y[order]
    n = len(xs)
    near = max(min(int(span * n + 1e-7), n), 2)
    reach = 0.01 * (xs[-1] - xs[0])
    fitted = np.empty(n)
    i, last = 0, -1
    while True:
        fitted[i] = _local_line(xs, ys, xs[i], near)
        if last < i - 1:
            between = slice(last + 1, i)
            share = (xs[between] - xs[last]) / (xs[i] - xs[last])
            fitted[between] = share * fitted[i] + (1 - share) * fitted[last]
        last = i
        # Equal values get the same fit; then jump as far as `reach` allows.
        ahead = last + 1
        while ahead < n and xs[ahead] <= xs[last] + reach:
            if xs[ahead] == xs[last]:
                fitted[ahead] = fitted[last]
                last = ahead
            ahead += 1
        i = max(last + 1, ahead - 1)
        if last >= n - 1:
            break
    result = np.empty(n)
    result[order] = fitted
    return result


def local_curve(
    x: FloatArray, y: FloatArray, at: FloatArray, *, weights: FloatArray | None = None, span: float = _SPAN
) -> FloatArray:
    """Return the local linear regression of `y` on `x` at given points, for each row of patient weights.

    Parameters
    ----------
    x : array, shape (n,) or (b, n)
    y : array, shape (n,)
    at : array, shape (g,)
    weights : array, shape (b, n), optional
        A patient drawn twice counts twice, also towards the share of patients a local fit sees.
    span : float
        Share of patients each local fit sees.

    Returns
    -------
    array, shape (g,) or (b, g)
        NaN where the points a fit would see have no spread and no mass.
    """
    w = np.ones(y.shape) if weights is None else weights
    # One point at a time: all of them times all resamples is gigabytes in a study of a thousand.
    return np.stack([_local_point(x, y, float(point), w, span) for point in at], axis=-1)


def _local_point(x: FloatArray, y: FloatArray, at: float, w: FloatArray, span: float) -> FloatArray:
    """Return the local linear regression at one point, shape ``()`` or ``(b,)``."""
    distance, counts = np.broadcast_arrays(np.abs(x - at), w)
    order = np.argsort(distance, axis=-1, kind="stable")
    filled = np.cumsum(np.take_along_axis(counts, order, axis=-1), axis=-1)
    needed = np.floor(span * filled[..., -1:] + 1e-7)
    position = np.minimum((filled < needed).sum(axis=-1), y.shape[-1] - 1)[..., None]
    bandwidth = np.take_along_axis(np.take_along_axis(distance, order, axis=-1), position, axis=-1)
    scaled = np.clip(distance / np.maximum(bandwidth, 1e-12), 0.0, 1.0)
    kernel = counts * (1 - scaled**3) ** 3
    mass = np.maximum(kernel.sum(axis=-1), 1e-300)
    centre = (kernel * x).sum(axis=-1) / mass
    level = (kernel * y).sum(axis=-1) / mass
    offset = x - centre[..., None]
    spread = (kernel * offset**2).sum(axis=-1)
    slope = (kernel * offset * y).sum(axis=-1) / np.maximum(spread, 1e-12)
    return np.asarray(np.clip(level + slope * (at - centre), 0.0, 1.0))


def _local_line(xs: FloatArray, ys: FloatArray, at: float, near: int) -> float:
    """Return Cleveland's tricube-weighted line at one point, with the cut-offs R's lowess uses."""
    distance = np.abs(xs - at)
    bandwidth = float(np.partition(distance, near - 1)[near - 1])
    if bandwidth == 0.0:  # as many have this very value
        kernel = (distance == 0).astype(float)
    else:
        kernel = (1 - (np.minimum(distance, bandwidth) / bandwidth) ** 3) ** 3
        kernel = np.where(distance <= 0.001 * bandwidth, 1.0, kernel)
        kernel = np.where(distance <= 0.999 * bandwidth, kernel, 0.0)
    kernel = kernel / kernel.sum()
    centre = float(kernel @ xs)
    spread = float(kernel @ (xs - centre) ** 2)
    if math.sqrt(spread) > 0.001 * float(xs[-1] - xs[0]):
        kernel = kernel * (1 + (at - centre) * (xs - centre) / spread)
    return float(kernel @ ys)
