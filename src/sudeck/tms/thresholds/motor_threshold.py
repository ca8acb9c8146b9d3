"""Motor threshold from every pulse at every intensity: a Bayesian probit with its slope marginalised."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sudeck.core.errors import InputError
from sudeck.core.estimate import Estimate
from sudeck.core.flags import Flag
from sudeck.tms.thresholds.posterior import (
    ACTIVE_CRITERION_MV,
    COARSE_STEP_MSO,
    FINE_POINTS,
    RESTING_CRITERION_MV,
    Evidence,
    ThresholdPosterior,
    graded_window,
    observe_all,
    prior_posterior,
)
from sudeck.tms.thresholds.prior import ACTIVE_HAND, RESTING_HAND, ThresholdPrior

__all__ = [
    "ACTIVE_CRITERION_MV",
    "ACTIVE_HAND",
    "RESTING_CRITERION_MV",
    "RESTING_HAND",
    "Evidence",
    "Threshold",
    "ThresholdPosterior",
    "ThresholdPrior",
    "bayesian_threshold",
    "checked_pulses",
    "prior_posterior",
    "threshold_posterior",
    "without_dead_blocks",
]

FloatArray = NDArray[np.float64]

# From this many pulses at one intensity, all of exactly zero amplitude, we speak of a dead block.
_DEAD_BLOCK_PULSES = 3


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
    coarse = observe_all(prior_posterior(prior, **settings), intensity, amplitude)
    reach = 7 * max(coarse.sd_mso, COARSE_STEP_MSO / 2)
    low = max(prior.low_mso, coarse.mean_mso - reach)
    high = min(prior.high_mso, coarse.mean_mso + reach)
    if (high - low) / (FINE_POINTS - 1) >= COARSE_STEP_MSO:
        return coarse
    fine = prior_posterior(prior, **settings, range_mso=(low, high))
    return observe_all(fine, intensity, amplitude)


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
        Posterior median and interval in %MSO, the posterior, and flags: ``threshold-not-bracketed``,
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
    RMT 44.55 %MSO (95 % interval 42.13 to 47.07)
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
        low, high = graded_window(posterior)
        read = f"amplitudes from {low:.3g} to {high:.3g} mV graded"
    estimate = Estimate(
        name,
        posterior.quantile(0.5),
        posterior.quantile(0.5 - level / 2),
        posterior.quantile(0.5 + level / 2),
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
                f"{name} rests on {posterior.n_pulses} pulse{'s' if posterior.n_pulses > 1 else ''}, "
                "fewer than 10.",
                "caution",
                name,
                float(posterior.n_pulses),
                10.0,
                "pulses",
            )
        )
    return flags
