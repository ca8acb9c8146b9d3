"""Location of skewed amplitudes: a log-normal whose values at or below the floor are censored, not dropped.

A trial without an MEP is not a trial of 20 µV and not a missing trial: it says that the amplitude lay below
what the recording can show. Dropping it, or taking the noise for a response, makes inhibition look weaker.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import log_ndtr

from sudeck.core.errors import InputError
from sudeck.core.estimate import Estimate
from sudeck.core.quantile import t_quantile

FloatArray = NDArray[np.float64]

# Within-block SD of ln MEP amplitude in resting hand muscles; enters only where trials are censored or
# fewer than three, with the weight of one observation.
TYPICAL_LOG_SD = 0.7


@dataclass(frozen=True, slots=True)
class LogMean:
    """Mean of ln amplitude with its error.

    Attributes
    ----------
    value : float
        Mean of ln(amplitude in mV); exp of it is the geometric mean.
    se_low, se_high : float
        Standard errors towards smaller and larger values; they differ where trials are censored. Multiply
        by a t quantile with `df` degrees of freedom. `se_low` is infinite where every trial is censored.
    df : float
        Degrees of freedom.
    sd : float
        SD of ln amplitude between trials.
    n, n_censored : int
        Trials, and those at or below the floor.
    """

    value: float
    se_low: float
    se_high: float
    df: float
    sd: float
    n: int
    n_censored: int = 0

    @property
    def variance(self) -> float:
        """Sampling variance for the degrees of freedom; of the finite side where one is infinite."""
        if math.isinf(self.se_low):
            return self.se_high**2
        return ((self.se_low + self.se_high) / 2) ** 2


def log_mean(
    amplitude_mv: ArrayLike, *, floor_mv: float = 0.0, typical_sd: float = TYPICAL_LOG_SD
) -> LogMean:
    """Estimate the mean of ln amplitude; amplitudes at or below the floor are censored.

    Parameters
    ----------
    amplitude_mv : array-like, shape (n,)
        Peak-to-peak amplitudes.
    floor_mv : float
        Noise floor: smaller amplitudes can not be told from none.
    typical_sd : float
        SD of ln amplitude believed in, with the weight of one trial, where trials are censored or but two.

    Raises
    ------
    InputError
        If there is no trial, an amplitude is not a number, or one is zero while no floor is given.

    Notes
    -----
    Without censoring: mean, s/√n, n - 1; of two trials the SD is half believed and half their own, with two
    degrees of freedom. With censoring: maximum likelihood of the tobit for the value
    (Tobin 1958, Econometrica 26:24-36); the two standard errors from the quantiles of the marginal posterior
    under the prior 1/σ, which makes them those of Student's t where nothing is censored; degrees of freedom
    the uncensored trials less one and half of the censored ones.

    Examples
    --------
    >>> round(log_mean([0.5, 1.0, 2.0]).value, 3)
    0.0
    >>> log_mean([0.02, 0.01, 0.3, 0.5], floor_mv=0.03).n_censored
    2
    """
    amplitude = checked_amplitudes(amplitude_mv, floor_mv)
    seen = np.log(amplitude[amplitude > floor_mv])
    n, censored = amplitude.size, amplitude.size - seen.size
    if censored == 0 and n == 2:
        # Two that chance made alike would be sure of anything: the typical SD counts as much as theirs.
        sd = math.sqrt((float(seen.var(ddof=1)) + typical_sd**2) / 2)
        return LogMean(float(seen.mean()), sd / math.sqrt(n), sd / math.sqrt(n), float(n), sd, n)
    if censored == 0 and n >= 2:
        sd = float(seen.std(ddof=1))
        return LogMean(float(seen.mean()), sd / math.sqrt(n), sd / math.sqrt(n), n - 1.0, sd, n)
    if n == 1 and censored == 0:
        return LogMean(float(seen[0]), typical_sd, typical_sd, 1.0, typical_sd, 1)
    if seen.size == 0:
        return _all_censored(n, math.log(floor_mv), typical_sd)
    return _tobit(seen, censored, math.log(floor_mv), typical_sd)


def geometric_mean(
    amplitude_mv: ArrayLike,
    *,
    name: str = "MEP",
    floor_mv: float = 0.0,
    level: float = 0.95,
) -> Estimate:
    """Estimate the geometric mean (the typical, median) amplitude in mV.

    As often too large as too small: unbiased on the log scale, on which change and groups are worked out.

    Examples
    --------
    >>> print(geometric_mean([0.4, 0.9, 1.6, 0.7, 2.4, 1.1]))
    MEP 1.010 mV (95 % interval 0.5226 to 1.954)
    """
    mean = log_mean(amplitude_mv, floor_mv=floor_mv)
    t = t_quantile(level, mean.df)
    value = math.exp(mean.value)
    return Estimate(
        name,
        value,
        min(value, math.exp(mean.value - t * mean.se_low)),
        max(value, math.exp(mean.value + t * mean.se_high)),
        level=level,
        unit="mV",
        method="geometric mean, t interval on ln amplitude" + censoring_phrase(floor_mv, mean.n_censored),
        n=float(mean.n),
        n_unit="trials",
        scale="log",
        se=math.sqrt(mean.variance),
    )


def upper_limit(mean: Estimate) -> Estimate:
    """Return an amplitude whose trials hold no more responses than noise does: it may be none at all."""
    return replace(mean, low=0.0, method=f"{mean.method}; no more responses than chance finds")


def freed_of_noise(amplitude_mv: ArrayLike, noise_mv: float) -> FloatArray:
    """Take from amplitudes what noise adds to them on average: by its power, as in a magnitude.

    Extremes are found where noise helps: a response of twice the size of the noise looks a tenth larger than
    it is, which makes deep inhibition look weaker. Gudbjartsson & Patz 1995, Magn Reson Med 34:910-914.

    Parameters
    ----------
    amplitude_mv : array-like
    noise_mv : float
        What such an amplitude is without any response, root mean square.

    Examples
    --------
    >>> freed_of_noise([0.013, 0.060, 1.0], 0.012).round(4)
    array([0.005 , 0.0588, 0.9999])
    """
    amplitude = np.asarray(amplitude_mv, dtype=np.float64)
    return np.sqrt(np.maximum(amplitude**2 - noise_mv**2, 0.0))


def checked_amplitudes(amplitude_mv: ArrayLike, floor_mv: float = 0.0) -> FloatArray:
    """Return amplitudes as a one-dimensional array that a logarithm can be taken of, or refuse."""
    amplitude = np.atleast_1d(np.asarray(amplitude_mv, dtype=np.float64))
    if amplitude.ndim != 1 or amplitude.size == 0:
        raise InputError("amplitudes", "there is no trial", "give at least one trial")
    if not np.isfinite(amplitude).all():
        raise InputError("amplitudes", "one is not a number", "leave that trial out or measure it again")
    if (amplitude < 0).any():
        raise InputError("amplitudes", "one is negative", "give peak-to-peak amplitudes in mV")
    if not (math.isfinite(floor_mv) and floor_mv >= 0):
        raise InputError("amplitudes", f"the floor of {floor_mv} mV makes no sense", "give 0 mV or more")
    if floor_mv == 0 and (amplitude == 0).any():
        raise InputError(
            "amplitudes",
            "some are exactly zero and no noise floor is given",
            "give the noise floor, so that they count as below it",
        )
    return amplitude


def censoring_phrase(floor_mv: float, n_censored: int) -> str:
    """Say in half a sentence how trials at the floor were treated."""
    return f", {n_censored} trials at or below {floor_mv:g} mV censored" if n_censored else ""


def _all_censored(n: int, log_floor: float, sd: float) -> LogMean:
    """Where no trial rises above the floor only an upper bound exists: P(all n below) = Φ(z)^n."""
    from scipy.special import ndtri

    middle = log_floor - sd * float(ndtri(0.5 ** (1 / n)))
    upper = log_floor - sd * float(ndtri(0.025 ** (1 / n)))
    df = max(1.0, n / 2)
    return LogMean(middle, math.inf, (upper - middle) / t_quantile(0.95, df), df, sd, n, n)


def _tobit(seen: FloatArray, censored: int, log_floor: float, typical_sd: float) -> LogMean:
    n = seen.size + censored
    mean = float(seen.mean())
    scatter = float(((seen - mean) ** 2).sum())
    scale = max(math.sqrt(scatter / (seen.size - 1)) if seen.size > 1 else typical_sd, typical_sd / 3)
    # Grid of the mean: centred below the mean of what was seen, wide enough for heavy tails at small n.
    centre = mean - (mean - log_floor + scale) * censored / n
    width = scale / math.sqrt(n) * (1 + 2 * censored / n)
    location = np.linspace(centre - 14 * width, centre + 10 * width, 241)
    sigma = np.exp(np.linspace(math.log(scale) - 1.5, math.log(scale) + 2.0, 61))
    squares = scatter + seen.size * (mean - location[:, None]) ** 2
    log_likelihood = -seen.size * np.log(sigma) - squares / (2 * sigma**2)
    log_likelihood += censored * log_ndtr((log_floor - location[:, None]) / sigma)
    # On a grid of ln σ the prior 1/σ is flat; one typical trial keeps σ finite.
    log_posterior = log_likelihood - np.log(sigma) - typical_sd**2 / (2 * sigma**2)

    density = np.exp(log_posterior - log_posterior.max()).sum(axis=1)
    cumulative = (np.cumsum(density) - density / 2) / density.sum()
    low, median, high = np.interp([0.025, 0.5, 0.975], cumulative, location)
    peak_of = log_likelihood if seen.size > 1 else log_posterior
    value = _peak(location, peak_of.max(axis=1))
    sd_ml = float(sigma[peak_of.max(axis=0).argmax()])
    df = min(n - 1.0, max(seen.size - 1.0, 1.0) + censored / 2)
    t = t_quantile(0.95, df)
    # The interval stays where the posterior puts it, whatever the small step from its median to the peak.
    return LogMean(
        value,
        max((value - low) / t, (median - low) / t / 2),
        max((high - value) / t, (high - median) / t / 2),
        df,
        sd_ml * math.sqrt(n / max(n - 1.0, 1.0)),
        n,
        censored,
    )


def _peak(x: FloatArray, y: FloatArray) -> float:
    """Abscissa of the maximum of `y`, refined by the parabola through its three highest points."""
    best = int(np.clip(np.argmax(y), 1, y.size - 2))
    below, at, above = y[best - 1 : best + 2]
    curvature = below - 2 * at + above
    shift = 0.0 if curvature == 0 else 0.5 * (below - above) / curvature
    return float(x[best] + np.clip(shift, -1, 1) * (x[1] - x[0]))
