"""Threshold-tracking SICI: by how much the intensity must rise to keep the response to a fixed target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from sudeck.core.errors import InputError
from sudeck.core.estimate import Estimate
from sudeck.core.flags import Flag
from sudeck.core.record import Record
from sudeck.tms.measures.paired_pulse_rules import DEFAULT_RULES, PairedPulseRules
from sudeck.tms.thresholds.motor_threshold import bayesian_threshold
from sudeck.tms.thresholds.posterior import ThresholdPosterior
from sudeck.tms.thresholds.prior import RESTING_HAND, ThresholdPrior

TARGET_MV = 0.2


@dataclass(frozen=True, slots=True)
class TrackedPair(Record):
    """Change of the tracked threshold by conditioning at one interval.

    Attributes
    ----------
    measure : str
        As in `sudeck.tms.measures.paired_pulse.PairedPulse`.
    isi_ms : float
        Interval between conditioning and test pulse.
    estimate : Estimate
        100 (conditioned / unconditioned threshold - 1), in percent: above 0 is inhibition.
    conditioned, unconditioned : Estimate
        The two thresholds in %MSO.
    """

    measure: str
    isi_ms: float
    estimate: Estimate
    conditioned: Estimate
    unconditioned: Estimate
    flags: Sequence[Flag] = ()

    def __str__(self) -> str:
        return f"{self.estimate} at {self.isi_ms:g} ms"


def tracked_measures(
    intensity_mso: ArrayLike,
    amplitude_mv: ArrayLike,
    isi_ms: ArrayLike,
    *,
    target_mv: float = TARGET_MV,
    floor_mv: float = 0.0,
    prior: ThresholdPrior = RESTING_HAND,
    rules: PairedPulseRules = DEFAULT_RULES,
    level: float = 0.95,
) -> tuple[TrackedPair, ...]:
    """Measure threshold-tracking SICI (or ICF …) from every logged trial of a tracking run.

    Whatever rule moved the test intensity, the trials of each condition are pulses at known intensities:
    the threshold for the target amplitude follows by the same Bayesian probit as the motor threshold.

    Parameters
    ----------
    intensity_mso : array-like, shape (n,)
        Intensity of the test pulse of each trial.
    amplitude_mv : array-like, shape (n,)
        Peak-to-peak amplitude of each response.
    isi_ms : array-like, shape (n,)
        Interval; NaN or 0 for the test pulse alone.
    target_mv : float
        Amplitude that was tracked; 0.2 mV in most protocols.
    floor_mv, prior, level
        See `bayesian_threshold`; the prior serves every condition alike.
    rules : PairedPulseRules
        Which interval counts as which measure.

    Returns
    -------
    tuple of TrackedPair
        In order of interval. The interval is that of the ratio of the two independent posteriors.

    Raises
    ------
    InputError
        If no trial is a test pulse alone, or the arrays differ in length.
    """
    intensity = np.atleast_1d(np.asarray(intensity_mso, dtype=np.float64))
    amplitude = np.atleast_1d(np.asarray(amplitude_mv, dtype=np.float64))
    isi = np.nan_to_num(np.atleast_1d(np.asarray(isi_ms, dtype=np.float64)))
    if not intensity.shape == amplitude.shape == isi.shape:
        raise InputError(
            "threshold tracking",
            "the arrays differ in length",
            "give intensity, amplitude and interval a trial",
        )
    if not (isi == 0).any():
        raise InputError(
            "threshold tracking", "no trial is a test pulse alone", "log the unconditioned trials as well"
        )
    thresholds = {
        interval: bayesian_threshold(
            intensity[isi == interval],
            amplitude[isi == interval],
            name=f"threshold at {interval:g} ms" if interval else "unconditioned threshold",
            prior=prior,
            criterion_mv=target_mv,
            floor_mv=floor_mv,
            level=level,
        )
        for interval in map(float, np.unique(isi))
    }
    alone = thresholds.pop(0.0)
    pairs = []
    for interval, tracked in thresholds.items():
        name = rules.measure(interval) or "paired pulse"
        tails = [0.5, 0.5 - level / 2, 0.5 + level / 2]
        value, low, high = 100 * (_ratio_quantiles(tracked.posterior, alone.posterior, tails) - 1)
        estimate = Estimate(
            f"{name} (tracked)",
            float(value),
            float(low),
            float(high),
            level=level,
            unit="%",
            method=f"ratio of the posteriors of the thresholds for {target_mv:g} mV, less 1",
            n=float(tracked.posterior.n_pulses + alone.posterior.n_pulses),
            n_unit="trials",
        )
        flags = (*tracked.flags, *alone.flags)
        pairs.append(TrackedPair(name, interval, estimate, tracked.estimate, alone.estimate, flags))
    return tuple(pairs)


def _ratio_quantiles(
    over: ThresholdPosterior, under: ThresholdPosterior, probabilities: Sequence[float]
) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Quantiles of the ratio of two independent thresholds, from all pairs of posterior quantiles."""
    ranks = (np.arange(400) + 0.5) / 400
    numerator = np.array([over.quantile(rank) for rank in ranks])
    denominator = np.array([under.quantile(rank) for rank in ranks])
    return np.asarray(np.quantile(numerator[:, None] / denominator, probabilities))
