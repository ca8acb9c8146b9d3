"""At the stimulator: which intensity next, and when the threshold is known well enough to stop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sudeck.core.estimate import Estimate
from sudeck.core.flags import Flag
from sudeck.core.record import Record
from sudeck.tms.thresholds.motor_threshold import bayesian_threshold
from sudeck.tms.thresholds.posterior import (
    RESTING_CRITERION_MV,
    Evidence,
    ThresholdPosterior,
    prior_posterior,
)
from sudeck.tms.thresholds.prior import RESTING_HAND, ThresholdPrior

STOP_SD_MSO = 1.5
# So many pulses without a response at the upper end, or with one at the lower, become five of ten no more.
_IN_VAIN = 6


@dataclass(frozen=True, slots=True)
class Advice(Record):
    """What to do next.

    Attributes
    ----------
    next_intensity_mso : float
        Intensity of the next pulse; where `stop` is true, the threshold on the stimulator's scale.
    stop : bool
        Whether the threshold is known well enough, or more pulses would not help.
    reason : str
        One sentence.
    sd_mso : float
        Present posterior SD of the threshold.
    estimate : Estimate or None
        Present estimate; ``None`` before the first pulse.
    """

    next_intensity_mso: float
    stop: bool
    reason: str
    sd_mso: float
    estimate: Estimate | None = None
    flags: Sequence[Flag] = ()

    def __str__(self) -> str:
        if self.stop:
            return f"Stop. {self.reason}" + (f" {self.estimate}." if self.estimate else "")
        return f"Next pulse: {self.next_intensity_mso:g} %MSO. {self.reason}"


def advise_threshold(
    intensity_mso: ArrayLike = (),
    amplitude_mv: ArrayLike = (),
    *,
    name: str = "RMT",
    prior: ThresholdPrior = RESTING_HAND,
    criterion_mv: float = RESTING_CRITERION_MV,
    floor_mv: float = 0.0,
    evidence: Evidence = "amplitude",
    stop_sd_mso: float = STOP_SD_MSO,
    max_pulses: int = 60,
    step_mso: float = 1.0,
    limit_mso: float = 100.0,
    level: float = 0.95,
) -> Advice:
    """Say which intensity to give next, or to stop, given the pulses so far.

    The next pulse goes to the posterior mean of the threshold, where a response is as likely as none: for a
    probit that is the most informative place but for a few percent, and it needs no look-ahead.

    Parameters
    ----------
    intensity_mso, amplitude_mv : array-like, shape (n,)
        Pulses so far; amplitudes in mV or booleans. Empty before the first pulse.
    prior, criterion_mv, floor_mv, evidence, level
        See `sudeck.tms.thresholds.motor_threshold.bayesian_threshold`.
    stop_sd_mso : float
        Stop once the posterior SD is at most this, in %MSO.
    max_pulses : int
        Stop after this many pulses in any case.
    step_mso, limit_mso : float
        Step and upper end of the stimulator's scale.

    Returns
    -------
    Advice

    Examples
    --------
    >>> advise_threshold().next_intensity_mso
    54.0
    >>> print(advise_threshold([54, 46], [0.9, 0.01]))
    Next pulse: 51 %MSO. Posterior SD 5.1 %MSO after 2 pulses; stop at 1.5.
    """
    if np.size(intensity_mso) == 0 and np.size(amplitude_mv) == 0:
        start = prior_posterior(prior, criterion_mv=criterion_mv, evidence=evidence)
        return Advice(
            next_intensity(start, step_mso=step_mso, limit_mso=limit_mso),
            False,
            "No pulse yet: the mean of the prior.",
            start.sd_mso,
        )
    threshold = bayesian_threshold(
        intensity_mso,
        amplitude_mv,
        name=name,
        prior=prior,
        criterion_mv=criterion_mv,
        floor_mv=floor_mv,
        evidence=evidence,
        level=level,
    )
    posterior = threshold.posterior
    n, sd = posterior.n_pulses, posterior.sd_mso
    at = np.atleast_1d(np.asarray(intensity_mso, dtype=np.float64))
    given = f"{n} pulse" if n == 1 else f"{n} pulses"
    stop, reason = False, f"Posterior SD {sd:.1f} %MSO after {given}; stop at {stop_sd_mso:g}."
    if sd <= stop_sd_mso and 0 < posterior.n_responses < n:
        stop, reason = True, f"The posterior SD is {sd:.2f} %MSO after {given}."
    elif posterior.quantile(0.025) > limit_mso:
        stop, reason = True, f"The threshold is out of reach of the stimulator (above {limit_mso:g} %MSO)."
    elif _more_silent(answers := _responded(amplitude_mv, criterion_mv), at >= limit_mso - step_mso / 2):
        stop, reason = (
            True,
            (
                f"The stimulator's range is exhausted: {_IN_VAIN} more pulses at {limit_mso:g} %MSO gave no "
                "response than gave one."
            ),
        )
    elif _more_silent(~answers, at <= max(prior.low_mso, step_mso) + step_mso / 2):
        stop, reason = (
            True,
            (
                f"Pulses as weak as {at.min():g} %MSO still count as answered: look whether noise or the "
                f"artefact passes for a response, and raise the criterion of {criterion_mv:g} mV."
            ),
        )
    elif n >= max_pulses:
        stop, reason = True, f"{n} pulses were given and the posterior SD is still {sd:.2f} %MSO."
    return Advice(
        next_intensity(posterior, step_mso=step_mso, limit_mso=limit_mso),
        stop,
        reason,
        sd,
        threshold.estimate,
        threshold.flags,
    )


def _responded(amplitude_mv: ArrayLike, criterion_mv: float) -> NDArray[np.bool_]:
    amplitude = np.atleast_1d(np.asarray(amplitude_mv))
    responded: NDArray[np.bool_] = amplitude if amplitude.dtype == np.bool_ else amplitude >= criterion_mv
    return responded


def _more_silent(responded: NDArray[np.bool_], at_end: NDArray[np.bool_]) -> bool:
    """Tell whether so many more pulses at an end of the scale gave no response than gave one."""
    return int((at_end & ~responded).sum() - (at_end & responded).sum()) >= _IN_VAIN


def next_intensity(
    posterior: ThresholdPosterior, *, step_mso: float = 1.0, limit_mso: float = 100.0
) -> float:
    """Return the posterior mean of the threshold on the stimulator's scale."""
    return float(min(limit_mso, max(step_mso, step_mso * round(posterior.mean_mso / step_mso))))
