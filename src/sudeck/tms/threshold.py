"""Motor threshold from every pulse at every intensity: a Bayesian probit with its slope marginalised.

The response to a pulse is modelled as a latent excitation that grows with intensity and varies from pulse to
pulse with a normal error (the probit). An amplitude above the criterion counts as a response. Amplitudes near
the criterion say more than yes or no: with ``evidence="amplitude"`` those within `GRADED_FACTOR` of the
criterion enter as log-normal readings of the latent excitation and all others as censored, which leaves the
probability of a response exactly the same probit and shortens the interval by a fifth to a third.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

from sudeck.core.errors import InputError
from sudeck.core.estimate import Estimate
from sudeck.core.flags import Flag

FloatArray = NDArray[np.float64]
Evidence = Literal["amplitude", "response"]

RESTING_CRITERION_MV = 0.05
ACTIVE_CRITERION_MV = 0.2

# Amplitudes within this factor of the criterion are read as amplitudes; those beyond are censored, because
# the logarithm of the recruitment curve is straight only near threshold.
GRADED_FACTOR = 2.5

_COARSE_STEP_MSO = 0.5
_FINE_POINTS = 121
# From this many pulses at one intensity, all of exactly zero amplitude, we speak of a dead block.
_DEAD_BLOCK_PULSES = 3


@dataclass(frozen=True, slots=True)
class ThresholdPrior:
    """What is believed of a threshold before the first pulse; replace it where something better is known.

    Attributes
    ----------
    mean_mso, sd_mso : float
        Normal prior of the threshold, in percent of maximum stimulator output.
    low_mso, high_mso : float
        Thresholds outside are taken as impossible; above 100 means out of reach of the stimulator.
    relative_spread, relative_spread_log_sd : float
        Log-normal prior of the spread of the probit as a fraction of the threshold: its median and the
        standard deviation of its logarithm. Awiszus (2003) fixed it at 0.07.
    log_amplitude_sd, log_amplitude_sd_log_sd : float
        Log-normal prior of the trial-to-trial SD of ln amplitude at threshold; used by graded evidence only.
    source : str
        Where the numbers come from.

    Examples
    --------
    >>> RESTING_HAND.mean_mso
    54.0
    """

    mean_mso: float = 54.0
    sd_mso: float = 13.0
    low_mso: float = 10.0
    high_mso: float = 130.0
    relative_spread: float = 0.07
    relative_spread_log_sd: float = 0.5
    log_amplitude_sd: float = 1.2
    log_amplitude_sd_log_sd: float = 0.5
    source: str = ""

    def __post_init__(self) -> None:
        if not 0 < self.low_mso < self.high_mso or self.sd_mso <= 0:
            raise InputError(
                "threshold prior", "its bounds or its SD are not positive and ordered", "correct the prior"
            )

    def __str__(self) -> str:
        return (
            f"normal {self.mean_mso:g} ± {self.sd_mso:g} %MSO, relative spread {self.relative_spread:g} "
            f"times or over e^{self.relative_spread_log_sd:g}"
        )


# TMSMultiLab's HandLab table: 455 resting thresholds of FDI, mean 54.3, SD 11.9 %MSO; 69 of the isometrically
# contracting FDI, mean 37.4, SD 10.6 (visible or EMG criterion, several stimulators: hence a little wider).
RESTING_HAND = ThresholdPrior(source="TMSMultiLab HandLab table, FDI at rest, n = 455")
ACTIVE_HAND = ThresholdPrior(
    mean_mso=38.0, sd_mso=12.0, source="TMSMultiLab HandLab table, FDI active, n = 69"
)


@dataclass(frozen=True, slots=True)
class ThresholdPosterior:
    """The joint posterior of threshold, spread and amplitude variability on a grid.

    Attributes
    ----------
    threshold_mso : ndarray, shape (t,)
        Grid of thresholds, evenly spaced.
    relative_spread, log_amplitude_sd : ndarray, shapes (s,) and (a,)
        Grids of the two nuisance parameters; `a` is 1 for yes-or-no evidence.
    weight : ndarray, shape (t, s, a)
        Posterior weights, summing to one.
    criterion_mv, floor_mv, lapse : float
        Settings of the likelihood.
    evidence : {"amplitude", "response"}
        What of each pulse was used.
    """

    threshold_mso: FloatArray
    relative_spread: FloatArray
    log_amplitude_sd: FloatArray
    weight: FloatArray
    criterion_mv: float
    floor_mv: float
    lapse: float
    evidence: Evidence
    n_pulses: int = 0
    n_responses: int = 0

    @property
    def density(self) -> FloatArray:
        """Marginal posterior of the threshold on its grid, shape (t,), summing to one."""
        density: FloatArray = self.weight.sum(axis=(1, 2))
        return density

    @property
    def mean_mso(self) -> float:
        """Posterior mean of the threshold."""
        return float(self.density @ self.threshold_mso)

    @property
    def sd_mso(self) -> float:
        """Posterior standard deviation of the threshold."""
        density = self.density
        mean = density @ self.threshold_mso
        return float(np.sqrt(density @ (self.threshold_mso - mean) ** 2))

    def quantile(self, probability: float) -> float:
        """Return a quantile of the threshold, each grid point spreading its weight over its own cell."""
        step = self.threshold_mso[1] - self.threshold_mso[0]
        edges = np.append(self.threshold_mso - step / 2, self.threshold_mso[-1] + step / 2)
        return float(np.interp(probability, np.append(0.0, np.cumsum(self.density)), edges))

    def observe(self, intensity_mso: float, amplitude_mv: float | bool) -> ThresholdPosterior:
        """Return the posterior after one more pulse.

        Parameters
        ----------
        intensity_mso : float
            Intensity of the pulse.
        amplitude_mv : float or bool
            Its peak-to-peak amplitude, or whether it gave a response.
        """
        amplitude = np.array([amplitude_mv])
        log_likelihood = _log_likelihood(self, np.array([float(intensity_mso)]), amplitude)
        return replace(
            self,
            weight=_normalised(self.weight * np.exp(log_likelihood - log_likelihood.max())),
            n_pulses=self.n_pulses + 1,
            n_responses=self.n_responses + int(_responded(amplitude, self.criterion_mv)[0]),
        )


@dataclass(frozen=True, slots=True)
class Threshold:
    """A motor threshold: the estimate, the posterior behind it, and what is doubtful about it."""

    estimate: Estimate
    posterior: ThresholdPosterior
    flags: Sequence[Flag] = field(default_factory=tuple)

    def __str__(self) -> str:
        return "\n".join(map(str, (self.estimate, *self.flags)))

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values: the estimate, the marginal posterior and the flags."""
        return {
            "estimate": self.estimate.to_dict(),
            "threshold_mso": self.posterior.threshold_mso.tolist(),
            "density": self.posterior.density.tolist(),
            "flags": [flag.to_dict() for flag in self.flags],
        }


def prior_posterior(
    prior: ThresholdPrior = RESTING_HAND,
    *,
    criterion_mv: float = RESTING_CRITERION_MV,
    floor_mv: float = 0.0,
    lapse: float = 0.01,
    evidence: Evidence = "amplitude",
    range_mso: tuple[float, float] | None = None,
) -> ThresholdPosterior:
    """Return the posterior before the first pulse, ready to `observe`.

    Parameters
    ----------
    prior : ThresholdPrior
        Belief before the first pulse.
    criterion_mv : float
        Peak-to-peak amplitude that counts as a response: 0.05 mV at rest, 0.2 mV when active.
    floor_mv : float
        Amplitudes at or below say only that there was no larger response; the noise floor of the recording.
    lapse : float
        Share of pulses whose response has nothing to do with the intensity (coil off, muscle moved).
    evidence : {"amplitude", "response"}
        Read amplitudes near the criterion as amplitudes, or every pulse as yes or no.
    range_mso : (float, float), optional
        Put a fine grid of thresholds on this range instead of a coarse one on that of the prior.
    """
    if not (criterion_mv > 0 and floor_mv >= 0 and 0 <= lapse < 1):
        raise InputError(
            "threshold settings",
            f"criterion {criterion_mv} mV, floor {floor_mv} mV, lapse {lapse} make no sense",
            "give a positive criterion, a floor of 0 or more and a lapse below 1",
        )
    threshold, spread, amplitude_sd, weight = _grid(prior, evidence, range_mso)
    return ThresholdPosterior(
        threshold, spread, amplitude_sd, weight, criterion_mv, floor_mv, lapse, evidence
    )


def threshold_posterior(
    intensity_mso: ArrayLike,
    amplitude_mv: ArrayLike,
    *,
    prior: ThresholdPrior = RESTING_HAND,
    criterion_mv: float = RESTING_CRITERION_MV,
    floor_mv: float = 0.0,
    lapse: float = 0.01,
    evidence: Evidence = "amplitude",
) -> ThresholdPosterior:
    """Return the posterior of the threshold given every pulse; see `bayesian_threshold`."""
    intensity, amplitude = checked_pulses(intensity_mso, amplitude_mv)
    if amplitude.dtype == np.bool_ or np.unique(amplitude).size <= 2:
        # Two values, or one, are a code for yes and no, not measured amplitudes.
        evidence = "response"
    settings: dict[str, Any] = {
        "criterion_mv": criterion_mv,
        "floor_mv": floor_mv,
        "lapse": lapse,
        "evidence": evidence,
    }
    coarse = _observe_all(prior_posterior(prior, **settings), intensity, amplitude)
    reach = 7 * max(coarse.sd_mso, _COARSE_STEP_MSO / 2)
    low = max(prior.low_mso, coarse.mean_mso - reach)
    high = min(prior.high_mso, coarse.mean_mso + reach)
    if (high - low) / (_FINE_POINTS - 1) >= _COARSE_STEP_MSO:
        return coarse
    fine = prior_posterior(prior, **settings, range_mso=(low, high))
    return _observe_all(fine, intensity, amplitude)


def bayesian_threshold(
    intensity_mso: ArrayLike,
    amplitude_mv: ArrayLike,
    *,
    name: str = "RMT",
    prior: ThresholdPrior = RESTING_HAND,
    criterion_mv: float = RESTING_CRITERION_MV,
    floor_mv: float = 0.0,
    lapse: float = 0.01,
    evidence: Evidence = "amplitude",
    level: float = 0.95,
) -> Threshold:
    """Estimate the intensity at which half of the pulses give a response, from all pulses.

    Parameters
    ----------
    intensity_mso : array-like, shape (n,)
        Intensity of each pulse in percent of maximum stimulator output.
    amplitude_mv : array-like, shape (n,)
        Peak-to-peak amplitude of each response in mV, or booleans: response or none.
    name : str
        Name of the estimate, ``"RMT"`` or ``"AMT"``.
    prior, criterion_mv, floor_mv, lapse, evidence
        See `prior_posterior`.
    level : float
        Probability of the equal-tailed credible interval.

    Returns
    -------
    Threshold
        Posterior mean and interval in %MSO, the posterior, and flags: ``threshold-not-bracketed``,
        ``few-pulses``, ``dead-block``.

    Raises
    ------
    InputError
        If there is no pulse, an entry is not a number, or the two arrays differ in length.

    Notes
    -----
    P(response | x) = lapse / 2 + (1 - lapse) Φ((x - T) / (r T)), with r the relative spread. Probit and
    ML-PEST spread: Awiszus F (2003), Suppl Clin Neurophysiol 56:13-23. Lapse after Wichmann & Hill (2001).

    Examples
    --------
    >>> responses = [False] * 8 + [True, False, True, True] + [True] * 8
    >>> print(bayesian_threshold([*range(36, 56)], responses).estimate)
    RMT 44.56 %MSO (95 % interval 42.13 to 47.07)
    """
    intensity, amplitude = checked_pulses(intensity_mso, amplitude_mv)
    intensity, amplitude, flags = without_dead_blocks(intensity, amplitude)
    posterior = threshold_posterior(
        intensity,
        amplitude,
        prior=prior,
        criterion_mv=criterion_mv,
        floor_mv=floor_mv,
        lapse=lapse,
        evidence=evidence,
    )
    read = "every pulse as yes or no"
    if posterior.evidence == "amplitude":
        low, high = _graded_window(posterior)
        read = f"amplitudes from {low:.3g} to {high:.3g} mV graded"
    mean = posterior.mean_mso
    estimate = Estimate(
        name,
        mean,
        min(mean, posterior.quantile(0.5 - level / 2)),
        max(mean, posterior.quantile(0.5 + level / 2)),
        level=level,
        unit="%MSO",
        method=f"Bayesian probit at {criterion_mv:g} mV, spread marginalised, {read}, prior {prior}",
        n=posterior.n_pulses,
        n_unit="pulses",
        se=posterior.sd_mso,
    )
    return Threshold(estimate, posterior, (*flags, *_doubts(name, posterior)))


def checked_pulses(intensity_mso: ArrayLike, amplitude_mv: ArrayLike) -> tuple[FloatArray, NDArray[Any]]:
    """Return intensities and amplitudes as arrays of equal length, or refuse in one sentence.

    Amplitudes stay booleans where booleans were given.
    """
    intensity = np.atleast_1d(np.asarray(intensity_mso, dtype=np.float64))
    amplitude = np.atleast_1d(np.asarray(amplitude_mv))
    if amplitude.dtype != np.bool_:
        amplitude = amplitude.astype(np.float64)
    if intensity.ndim != 1 or intensity.shape != amplitude.shape:
        raise InputError(
            "threshold",
            f"{intensity.size} intensities came with {amplitude.size} amplitudes",
            "give one amplitude for each pulse",
        )
    if intensity.size == 0:
        raise InputError("threshold", "there is no pulse", "give at least one pulse with its intensity")
    if not (np.isfinite(intensity).all() and np.isfinite(amplitude).all()):
        raise InputError(
            "threshold", "an intensity or amplitude is not a number", "leave that pulse out or fill it in"
        )
    if (intensity < 0).any() or (amplitude < 0).any():
        raise InputError(
            "threshold",
            "an intensity or a peak-to-peak amplitude is negative",
            "give intensities in %MSO and peak-to-peak amplitudes in mV",
        )
    return intensity, amplitude


def without_dead_blocks(
    intensity_mso: FloatArray, amplitude_mv: NDArray[Any]
) -> tuple[FloatArray, NDArray[Any], tuple[Flag, ...]]:
    """Set aside blocks of exact zeros above an intensity that did give responses, with a flag for each.

    A recording of a living arm is never exactly zero, but a table may hold zeros for *no response*: zeros
    count as no response unless the whole block is zero although a weaker pulse gave an amplitude.
    """
    if amplitude_mv.dtype == np.bool_ or not amplitude_mv.any():
        return intensity_mso, amplitude_mv, ()
    keep = np.ones(intensity_mso.size, dtype=bool)
    flags = []
    for intensity in np.unique(intensity_mso):
        block = intensity_mso == intensity
        weaker = amplitude_mv[intensity_mso < intensity]
        if (
            block.sum() >= _DEAD_BLOCK_PULSES
            and not amplitude_mv[block].any()
            and weaker.size
            and weaker.max() >= RESTING_CRITERION_MV
        ):
            keep &= ~block
            flags.append(
                Flag(
                    "dead-block",
                    f"All {block.sum()} pulses at {intensity:g} %MSO have an amplitude of exactly zero "
                    "although weaker pulses gave responses; they were set aside.",
                    "serious",
                    f"{intensity:g} %MSO",
                    float(block.sum()),
                    float(_DEAD_BLOCK_PULSES),
                    "pulses",
                )
            )
    return intensity_mso[keep], amplitude_mv[keep], tuple(flags)


def _doubts(name: str, posterior: ThresholdPosterior) -> list[Flag]:
    flags = []
    if posterior.n_responses in (0, posterior.n_pulses):
        what = "no pulse" if posterior.n_responses == 0 else "every pulse"
        flags.append(
            Flag(
                "threshold-not-bracketed",
                f"{name}: {what} gave a response, so that the estimate leans on its prior.",
                "serious",
                name,
                float(posterior.n_responses),
                float(posterior.n_pulses),
                "responses",
            )
        )
    if posterior.n_pulses < 10:
        flags.append(
            Flag(
                "few-pulses",
                f"{name} rests on {posterior.n_pulses} pulses, fewer than 10.",
                "caution",
                name,
                float(posterior.n_pulses),
                10.0,
                "pulses",
            )
        )
    return flags


@lru_cache(maxsize=8)
def _prior_factors(
    prior: ThresholdPrior, evidence: Evidence
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    spread_z = np.linspace(-2.2, 2.2, 9)
    spread = prior.relative_spread * np.exp(prior.relative_spread_log_sd * spread_z)
    if evidence == "response":
        return spread, np.ones(1), np.exp(-0.5 * spread_z**2), np.ones(1)
    amplitude_z = np.linspace(-2.2, 2.2, 7)
    amplitude_sd = prior.log_amplitude_sd * np.exp(prior.log_amplitude_sd_log_sd * amplitude_z)
    return spread, amplitude_sd, np.exp(-0.5 * spread_z**2), np.exp(-0.5 * amplitude_z**2)


def _grid(
    prior: ThresholdPrior, evidence: Evidence, range_mso: tuple[float, float] | None
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    spread, amplitude_sd, spread_weight, amplitude_weight = _prior_factors(prior, evidence)
    if range_mso is None:
        threshold = np.arange(prior.low_mso, prior.high_mso + _COARSE_STEP_MSO / 2, _COARSE_STEP_MSO)
    else:
        threshold = np.linspace(*range_mso, _FINE_POINTS)
    threshold_weight = np.exp(-0.5 * ((threshold - prior.mean_mso) / prior.sd_mso) ** 2)
    weight = threshold_weight[:, None, None] * spread_weight[:, None] * amplitude_weight
    return threshold, spread, amplitude_sd, _normalised(weight)


def _observe_all(
    posterior: ThresholdPosterior, intensity_mso: FloatArray, amplitude_mv: NDArray[Any]
) -> ThresholdPosterior:
    log_weight = np.log(np.maximum(posterior.weight, 1e-300))
    log_weight += _log_likelihood(posterior, intensity_mso, amplitude_mv)
    return replace(
        posterior,
        weight=_normalised(np.exp(log_weight - log_weight.max())),
        n_pulses=posterior.n_pulses + intensity_mso.size,
        n_responses=posterior.n_responses + int(_responded(amplitude_mv, posterior.criterion_mv).sum()),
    )


def _graded_window(posterior: ThresholdPosterior) -> tuple[float, float]:
    """Amplitudes read as amplitudes: around the criterion, above the floor."""
    criterion = posterior.criterion_mv
    if posterior.evidence == "response":
        return criterion, criterion
    return min(criterion, max(criterion / GRADED_FACTOR, posterior.floor_mv)), criterion * GRADED_FACTOR


def _responded(amplitude_mv: NDArray[Any], criterion_mv: float) -> NDArray[np.bool_]:
    if amplitude_mv.dtype == np.bool_:
        return amplitude_mv
    responded: NDArray[np.bool_] = amplitude_mv >= criterion_mv
    return responded


def _log_likelihood(
    posterior: ThresholdPosterior, intensity_mso: FloatArray, amplitude_mv: NDArray[Any]
) -> FloatArray:
    """Sum of the log likelihood of the pulses at every grid point, shape (t, s, a).

    Pulses that say the same (same intensity, both below or both above the window) are computed once.
    """
    lapse, criterion = posterior.lapse, posterior.criterion_mv
    low, high = _graded_window(posterior)
    if amplitude_mv.dtype == np.bool_:
        low = high = criterion
        amplitude_mv = np.where(amplitude_mv, 2 * criterion, 0.0)
    threshold = posterior.threshold_mso[:, None]
    spread = threshold * posterior.relative_spread
    amplitude_sd = posterior.log_amplitude_sd
    total = np.zeros(posterior.weight.shape)
    censored = (amplitude_mv < low) | (amplitude_mv >= high)
    pulses = np.column_stack([intensity_mso[censored], amplitude_mv[censored] >= high])
    for (intensity, above), count in zip(*np.unique(pulses, axis=0, return_counts=True), strict=True):
        sign, bound = (1.0, high) if above else (-1.0, low)
        excitation = ((intensity - threshold) / spread)[:, :, None]
        probability = ndtr(sign * (excitation - np.log(bound / criterion) / amplitude_sd))
        total += count * np.log(lapse / 2 + (1 - lapse) * probability + 1e-300)
    for intensity, amplitude in zip(intensity_mso[~censored], amplitude_mv[~censored], strict=True):
        excitation = ((intensity - threshold) / spread)[:, :, None]
        distance = np.log(amplitude / criterion) / amplitude_sd - excitation
        density = np.exp(-0.5 * distance**2) / (np.sqrt(2 * np.pi) * amplitude_sd)
        # A lapse may give any amplitude: spread evenly over a log-amplitude range of about ten.
        total += np.log(lapse / 10 + (1 - lapse) * density + 1e-300)
    return total


def _normalised(weight: FloatArray) -> FloatArray:
    normalised: FloatArray = weight / weight.sum()
    return normalised
