"""Paired-pulse measures: how much a conditioning pulse changes the response to the test pulse.

SICI, ICF, LICI, SICF and IHI are the same number, conditioned over unconditioned amplitude, at different
intervals and conditioning pulses. Below 1 is inhibition, above 1 facilitation.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from sudeck.core.errors import InputError
from sudeck.core.estimate import Estimate
from sudeck.core.flags import Flag
from sudeck.core.quantile import t_quantile
from sudeck.core.record import Record
from sudeck.tms.measures.lognormal import (
    LogMean,
    censoring_phrase,
    checked_amplitudes,
    log_mean,
)
from sudeck.tms.measures.paired_pulse_rules import DEFAULT_RULES, PairedPulseRules

# Fewer trials a condition than this and the claim is flagged; published protocols use 8 to 20.
FEW_TRIALS = 8


@dataclass(frozen=True, slots=True)
class PairedPulse(Record):
    """One paired-pulse measure at one interval and conditioning intensity.

    Attributes
    ----------
    measure : str
        ``"SICI"``, ``"ICF"``, ``"LICI"``, ``"SICF"``, ``"IHI"``; ``"paired pulse"`` where no rule claims it.
    isi_ms : float
        Interval between conditioning and test pulse.
    conditioning_intensity : float or None
        Its intensity, in `conditioning_unit`.
    estimate : Estimate
        Geometric ratio, conditioned over unconditioned.
    ratio_of_means : Estimate
        Ratio of arithmetic means, for comparison with papers.
    n_conditioned, n_unconditioned, n_below_floor : int
        Trials of either kind; conditioned trials at or below the floor.
    flags : sequence of Flag
    """

    measure: str
    isi_ms: float
    conditioning_intensity: float | None
    estimate: Estimate
    ratio_of_means: Estimate
    n_conditioned: int
    n_unconditioned: int
    n_below_floor: int
    conditioning_unit: str = "%RMT"
    flags: Sequence[Flag] = ()

    def __str__(self) -> str:
        intensity = (
            ""
            if self.conditioning_intensity is None
            else f", conditioning {self.conditioning_intensity:g} {self.conditioning_unit}"
        )
        return f"{self.estimate} at {self.isi_ms:g} ms{intensity}"


def geometric_ratio(
    conditioned_mv: ArrayLike,
    unconditioned_mv: ArrayLike,
    *,
    name: str = "ratio",
    floor_mv: float = 0.0,
    level: float = 0.95,
) -> Estimate:
    """Estimate the ratio of two geometric mean amplitudes, with a Welch interval on the log scale.

    Parameters
    ----------
    conditioned_mv, unconditioned_mv : array-like, shapes (m,) and (n,)
        Peak-to-peak amplitudes in mV.
    name : str
        Name of the estimate.
    floor_mv : float
        Noise floor: amplitudes at or below it are censored there, neither dropped nor taken as they are.
    level : float
        Coverage of the interval.

    Returns
    -------
    Estimate
        The ratio, without unit: as often too large as too small, unbiased on the log scale, on which change
        and groups are worked out. On its own scale its mean is too large by exp(v/2), v the sampling variance
        of the log ratio; to take that off would make every average of logs too small by v/2.

    Raises
    ------
    InputError
        If a condition has no trial, or a zero amplitude and no floor.

    Notes
    -----
    Welch BL (1947), Biometrika 34:28-35, with the two sides of a censored mean kept apart.

    Examples
    --------
    >>> test = [1.2, 0.8, 1.9, 0.6, 1.1, 1.5]
    >>> print(geometric_ratio([0.3, 0.5, 0.2, 0.7, 0.4, 0.3], test, name="SICI"))
    SICI 0.3343 (95 % interval 0.1925 to 0.5807)
    """
    over, under = (log_mean(values, floor_mv=floor_mv) for values in (conditioned_mv, unconditioned_mv))
    if under.n_censored == under.n:
        raise InputError(
            name,
            "no unconditioned trial rises above the noise floor, so that there is nothing to compare with",
            "raise the test intensity or check the noise floor",
        )
    method = "geometric ratio, Welch interval on ln amplitude"
    return _ratio(
        name, over, under, level, method + censoring_phrase(floor_mv, over.n_censored + under.n_censored)
    )


def ratio_of_means(
    conditioned_mv: ArrayLike,
    unconditioned_mv: ArrayLike,
    *,
    name: str = "ratio of means",
    level: float = 0.95,
) -> Estimate:
    """Return the ratio of arithmetic means, as most papers do, with a delta-method interval on its logarithm.

    Examples
    --------
    >>> round(ratio_of_means([0.3, 0.5], [1.0, 1.2]).value, 3)
    0.364
    """
    logs = []
    for values in (conditioned_mv, unconditioned_mv):
        amplitude = checked_amplitudes(values, floor_mv=1e-9)
        mean = float(amplitude.mean())
        if mean == 0:
            raise InputError(name, "a mean amplitude is zero", "check the recording for dead sweeps")
        sd = float(amplitude.std(ddof=1)) / mean if amplitude.size > 1 else 1.0
        se = sd / math.sqrt(amplitude.size)
        logs.append(LogMean(math.log(mean), se, se, max(1.0, amplitude.size - 1.0), 0.0, amplitude.size))
    return _ratio(name, logs[0], logs[1], level, "ratio of arithmetic means, delta-method Welch interval")


def paired_pulse_measures(
    amplitude_mv: ArrayLike,
    isi_ms: ArrayLike,
    *,
    conditioning_intensity: ArrayLike | None = None,
    conditioning_unit: str = "%RMT",
    other_hemisphere: bool = False,
    rules: PairedPulseRules = DEFAULT_RULES,
    floor_mv: float = 0.0,
    level: float = 0.95,
    stated: Collection[str] | None = None,
    raw_mv: ArrayLike | None = None,
) -> tuple[PairedPulse, ...]:
    """Measure every combination of interval and conditioning intensity against the test pulse alone.

    Parameters
    ----------
    amplitude_mv : array-like, shape (n,)
        Peak-to-peak amplitude of each trial.
    isi_ms : array-like, shape (n,)
        Interval of each trial; NaN or 0 for the test pulse alone.
    conditioning_intensity : array-like, shape (n,), optional
        Conditioning intensity of each trial; NaN where unknown or single.
    other_hemisphere : bool
        Whether the conditioning pulse went to the other hemisphere (IHI).
    rules : PairedPulseRules
        Which interval and conditioning intensity counts as which measure.
    floor_mv, level
        See `geometric_ratio`.
    stated : collection of str, optional
        Measures that the laboratory names itself. Where it is given, a pair to one hemisphere whose
        conditioning intensity is unknown is only called by a name in it: an interval alone tells inhibition
        from facilitation no more than SICI from SICF.
    raw_mv : array-like, shape (n,), optional
        Amplitudes for the ratio of means, where `amplitude_mv` are denoised.

    Returns
    -------
    tuple of PairedPulse
        In order of interval, then conditioning intensity.

    Raises
    ------
    InputError
        If no trial is a test pulse alone, none is paired, or the arrays differ in length.
    """
    amplitude = checked_amplitudes(amplitude_mv, floor_mv or 1e-9)
    raw = amplitude if raw_mv is None else checked_amplitudes(raw_mv, 1e-9)
    isi = np.nan_to_num(np.atleast_1d(np.asarray(isi_ms, dtype=np.float64)))
    conditioning = np.full(amplitude.size, np.nan)
    if conditioning_intensity is not None:
        conditioning = np.atleast_1d(np.asarray(conditioning_intensity, dtype=np.float64))
    if not amplitude.shape == isi.shape == conditioning.shape:
        raise InputError(
            "paired pulses",
            "amplitudes, intervals and intensities differ in length",
            "give one of each a trial",
        )
    alone = amplitude[isi == 0]
    if alone.size == 0:
        raise InputError(
            "paired pulses",
            "there is no trial with the test pulse alone",
            "name the unconditioned trials in the events table or the protocol",
        )
    if alone.size == amplitude.size:
        raise InputError(
            "paired pulses", "no trial has a conditioning pulse", "give the interval of each trial"
        )
    pairs = np.column_stack([isi, np.where(np.isnan(conditioning), -1.0, conditioning)])[isi != 0]
    measures = []
    for interval, strength in np.unique(pairs, axis=0):
        chosen = (isi == interval) & (np.isnan(conditioning) if strength < 0 else conditioning == strength)
        known = None if strength < 0 else float(strength)
        in_rmt = known if conditioning_unit == "%RMT" else None
        name = rules.measure(float(interval), conditioning_rmt=in_rmt, other_hemisphere=other_hemisphere)
        if known is None and stated is not None and not other_hemisphere and name not in stated:
            name = None
        measures.append(
            _measure(
                name or "paired pulse", float(interval), known, conditioning_unit, amplitude[chosen], alone,
                floor_mv, level, (raw[chosen], raw[isi == 0]),
            )
        )  # fmt: skip
    return tuple(measures)


def _measure(
    name: str,
    isi_ms: float,
    conditioning: float | None,
    unit: str,
    conditioned: Any,
    alone: Any,
    floor_mv: float,
    level: float,
    raw: tuple[Any, Any],
) -> PairedPulse:
    below = int((conditioned <= floor_mv).sum())
    fewest = min(conditioned.size, alone.size)
    where = f"{name} at {isi_ms:g} ms"
    flags = []
    if fewest < FEW_TRIALS:
        text = f"{where} rests on {fewest} trials in one condition, fewer than {FEW_TRIALS}."
        flags.append(Flag("few-trials", text, "caution", name, float(fewest), float(FEW_TRIALS), "trials"))
    if below > conditioned.size / 2:
        text = (
            f"{where}: {below} of {conditioned.size} conditioned trials lie below the noise floor; "
            "the ratio is known mostly from above."
        )
        flags.append(Flag("mostly-below-floor", text, "caution", name, below / conditioned.size, 0.5))
    return PairedPulse(
        name,
        isi_ms,
        conditioning,
        geometric_ratio(conditioned, alone, name=name, floor_mv=floor_mv, level=level),
        ratio_of_means(*raw, name=f"{name} (means)", level=level),
        conditioned.size,
        alone.size,
        below,
        unit,
        tuple(flags),
    )


def _ratio(name: str, over: LogMean, under: LogMean, level: float, method: str) -> Estimate:
    """Ratio of two log means: Welch-Satterthwaite degrees of freedom, lower and upper errors kept apart."""
    variance = over.variance + under.variance
    parts = over.variance**2 / over.df + under.variance**2 / under.df
    df = variance**2 / parts if parts > 0 else over.df + under.df
    t = t_quantile(level, df)
    difference = over.value - under.value
    value = math.exp(difference)
    return Estimate(
        name,
        value,
        min(value, math.exp(difference - t * math.hypot(over.se_low, under.se_high))),
        max(value, math.exp(difference + t * math.hypot(over.se_high, under.se_low))),
        level=level,
        method=method,
        n=float(over.n + under.n),
        n_unit="trials",
        scale="log",
        se=math.sqrt(variance),
        components={"conditioned": math.sqrt(over.variance), "unconditioned": math.sqrt(under.variance)},
    )
