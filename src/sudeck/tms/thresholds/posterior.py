"""The posterior of a motor threshold on a grid, updated pulse by pulse or with all pulses at once.

The response to a pulse is modelled as a latent excitation that grows with intensity and varies from pulse to
pulse with a normal error (the probit). An amplitude above the criterion counts as a response. Amplitudes near
the criterion say more than yes or no: with ``evidence="amplitude"`` those within `GRADED_FACTOR` of the
criterion enter as log-normal readings of the latent excitation and all others as censored, which shortens the
interval by a fifth to a third. Responses grow to a plateau and scatter less the higher they are: otherwise
pulses well above threshold, all of which answer, would draw it down.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from sudeck.core.errors import InputError
from sudeck.tms.thresholds.prior import RESTING_HAND, ThresholdPrior

FloatArray = NDArray[np.float64]
Evidence = Literal["amplitude", "response"]

RESTING_CRITERION_MV = 0.05
ACTIVE_CRITERION_MV = 0.2

# Amplitudes within this factor of the criterion are read as amplitudes; those beyond are censored, because
# the logarithm of the recruitment curve is straight only near threshold.
GRADED_FACTOR = 2.5
# A response grows to a plateau, and scatters less the higher it is. From 0.35 to 1.4 mV the scatter falls to
# 0.59 of itself in eight people (Sorkhabi 2022) and to 0.86 in 27 others (Parchure 2025): half-way between,
# on a logarithmic scale, with the plateau of the eight (`bench_tms_people_scatter.py`).
USUAL_PLATEAU_MV = 2.3
_PLATEAU_SCATTER = 0.65  # over what excitability adds to it at threshold
_MOST_OF_PLATEAU = 0.5  # a criterion as high as the usual plateau asks for a larger one
_STEEPEST = 50.0
COARSE_STEP_MSO = 0.5
FINE_POINTS = 121


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
        responded = amplitude_mv if isinstance(amplitude_mv, bool) else amplitude_mv >= self.criterion_mv
        return replace(
            self,
            weight=_normalised(self.weight * _likelihood(self, intensity_mso, amplitude_mv)),
            n_pulses=self.n_pulses + 1,
            n_responses=self.n_responses + int(responded),
        )


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
        threshold = np.arange(prior.low_mso, prior.high_mso + COARSE_STEP_MSO / 2, COARSE_STEP_MSO)
    else:
        threshold = np.linspace(*range_mso, FINE_POINTS)
    threshold_weight = np.exp(-0.5 * ((threshold - prior.mean_mso) / prior.sd_mso) ** 2)
    weight = threshold_weight[:, None, None] * spread_weight[:, None] * amplitude_weight
    return threshold, spread, amplitude_sd, _normalised(weight)


def observe_all(
    posterior: ThresholdPosterior, intensity_mso: FloatArray, amplitude_mv: NDArray[Any]
) -> ThresholdPosterior:
    """Observe all pulses at once; those that say the same at the same intensity are computed once."""
    responded = amplitude_mv if amplitude_mv.dtype == np.bool_ else amplitude_mv >= posterior.criterion_mv
    low, high = graded_window(posterior)
    if amplitude_mv.dtype != np.bool_:
        amplitude_mv = np.where(amplitude_mv < low, 0.0, np.minimum(amplitude_mv, high))
    log_weight = np.log(np.maximum(posterior.weight, 1e-300))
    pulses, counts = np.unique(np.column_stack([intensity_mso, amplitude_mv]), axis=0, return_counts=True)
    for (intensity, amplitude), count in zip(pulses, counts, strict=True):
        said = bool(amplitude) if amplitude_mv.dtype == np.bool_ else float(amplitude)
        log_weight += count * np.log(_likelihood(posterior, float(intensity), said) + 1e-300)
    return replace(
        posterior,
        weight=_normalised(np.exp(log_weight - log_weight.max())),
        n_pulses=posterior.n_pulses + intensity_mso.size,
        n_responses=posterior.n_responses + int(responded.sum()),
    )


def graded_window(posterior: ThresholdPosterior) -> tuple[float, float]:
    """Amplitudes read as amplitudes: around the criterion, above the floor."""
    criterion = posterior.criterion_mv
    if posterior.evidence == "response":
        return criterion, criterion
    low, high = criterion / GRADED_FACTOR, criterion * GRADED_FACTOR
    return min(max(low, posterior.floor_mv), high), high


def _likelihood(
    posterior: ThresholdPosterior, intensity_mso: float, amplitude_mv: float | bool
) -> FloatArray:
    """Likelihood of one pulse at every grid point, shape (t, s, a)."""
    lapse, criterion = posterior.lapse, posterior.criterion_mv
    amplitude_sd = posterior.log_amplitude_sd
    low, high = graded_window(posterior)
    if isinstance(amplitude_mv, bool):
        low = high = criterion
        amplitude_mv = 2 * criterion if amplitude_mv else 0.0
    threshold = posterior.threshold_mso[:, None]
    excitation = ((intensity_mso - threshold) / (threshold * posterior.relative_spread))[:, :, None]
    log_size, scatter = excitation * amplitude_sd, amplitude_sd
    if posterior.evidence == "amplitude":
        log_size, relative = _size_and_scatter(log_size, criterion)
        scatter = relative * amplitude_sd
    likelihood: FloatArray
    if low <= amplitude_mv < high:
        distance = (log_size - math.log(amplitude_mv / criterion)) / scatter
        density = np.exp(-0.5 * distance**2) / (math.sqrt(2 * math.pi) * scatter)
        # A lapse may give any amplitude: spread evenly over a log-amplitude range of about ten.
        likelihood = lapse / 10 + (1 - lapse) * density
    else:
        sign, bound = (-1.0, low) if amplitude_mv < low else (1.0, high)
        probability = ndtr(sign * (log_size - math.log(bound / criterion)) / scatter)
        likelihood = lapse / 2 + (1 - lapse) * probability
    return likelihood


def _size_and_scatter(steep: FloatArray, criterion_mv: float) -> tuple[FloatArray, FloatArray]:
    """Return ln of a median response over the criterion, and its scatter over that at threshold.

    Parameters
    ----------
    steep : ndarray
        What ln would be if responses grew for ever as they do at threshold.
    criterion_mv : float
    """
    least = min(criterion_mv / USUAL_PLATEAU_MV, _MOST_OF_PLATEAU)
    share = least * np.exp(np.minimum(steep, _STEEPEST))
    share = share / (1 - least + share)
    scatter: FloatArray = np.hypot(1 - share, _PLATEAU_SCATTER) / math.hypot(1 - least, _PLATEAU_SCATTER)
    return np.log(share / least), scatter


def _normalised(weight: FloatArray) -> FloatArray:
    normalised: FloatArray = weight / weight.sum()
    return normalised
