"""What may be wrong with a set of sweeps: findings with their number and their limit, never a deletion.

Dead, interrupted and copied sweeps are found when the sweeps are cut (`sudeck.tms.signals.sweeps`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from sudeck.core.flags import Flag, Severity
from sudeck.core.record import Record
from sudeck.tms.responses.windows import Window, as_sweeps

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, slots=True)
class QualityLimits(Record):
    """Limits the findings are held against.

    Attributes
    ----------
    background_mv : float
        RMS of a resting muscle before the pulse. Laboratories use 2.5 to 20 µV; already 5 µV raises the
        chance of an MEP at threshold from 46 to 63 %.
    artefact_mv : float
        Decay of the artefact where the search for the response begins.
    hum_mv : float
        Median peak amplitude of the mains hum before it was removed.
    drift : float
        Factor by which the amplitude may change over a block of like trials.
    marker_delay_ms : float
        Distance from the marker to the stimulus artefact.
    """

    background_mv: float = 0.010
    artefact_mv: float = 0.010
    hum_mv: float = 0.020
    drift: float = 2.0
    marker_delay_ms: float = 1.0


DEFAULT_LIMITS: Final = QualityLimits()


def trial_subject(trial: int | np.integer[Any]) -> str:
    """Return the subject of a flag on one sweep; trials count from 1 for people."""
    return f"trial {int(trial) + 1}"


def flag_background(
    baseline_rms_mv: NDArray[np.float64],
    resting: NDArray[np.bool_],
    *,
    limits: QualityLimits = DEFAULT_LIMITS,
) -> list[Flag]:
    """Flag sweeps of a resting muscle that was not at rest before the pulse."""
    loud = resting & (baseline_rms_mv > limits.background_mv)
    return [
        Flag(
            "background-emg",
            f"The muscle was not at rest before the pulse of trial {trial + 1}: "
            f"{1e3 * baseline_rms_mv[trial]:.1f} µV RMS, above {1e3 * limits.background_mv:g} µV.",
            "caution",
            trial_subject(trial),
            1e3 * float(baseline_rms_mv[trial]),
            1e3 * limits.background_mv,
            "µV",
        )
        for trial in np.flatnonzero(loud)
    ]


def flag_clipping(
    emg_mv: ArrayLike,
    rate_hz: float,
    pulse_sample: int,
    *,
    window_ms: Window = (5.0, 100.0),
    shortest_ms: float = 0.5,
) -> list[Flag]:
    """Flag sweeps whose response stays at the rail of the amplifier.

    A rail is the largest or smallest value of the whole set, reached exactly by at least two sweeps that
    stay there for half a millisecond, or by one that stays for two; the peak of a true response touches
    its highest value and leaves. The artefact itself may clip without harm: only what
    comes in `window_ms` after the pulse counts.
    """
    sweeps = as_sweeps(emg_mv, rate_hz, pulse_sample)
    first = min(pulse_sample + round(window_ms[0] * rate_hz / 1e3), sweeps.shape[1] - 1)
    last = pulse_sample + round(window_ms[1] * rate_hz / 1e3)
    response = np.nan_to_num(sweeps[:, first:last])
    noise = float(np.median(np.abs(response - np.median(response, axis=1, keepdims=True))))
    shortest = max(3, round(shortest_ms * rate_hz / 1e3))
    flags: dict[int, Flag] = {}
    for rail in (response.max(), response.min()):
        if abs(rail) <= 20.0 * noise:
            continue
        longest = {
            int(trial): _longest_run(response[trial] == rail)
            for trial in np.flatnonzero((response == rail).any(axis=1))
        }
        clipped = [trial for trial, run in longest.items() if run >= shortest]
        if len(clipped) < 2:
            clipped = [trial for trial in clipped if longest[trial] >= 4 * shortest]
        for trial in clipped:
            stay_ms = longest[trial] * 1e3 / rate_hz
            flags[trial] = Flag(
                "clipping",
                f"Trial {trial + 1} stays at the rail of {rail:.3g} mV for {stay_ms:.1f} ms: its amplitude "
                "is too small.",
                "serious",
                trial_subject(trial),
                stay_ms,
                shortest_ms,
                "ms",
            )
    return [flags[trial] for trial in sorted(flags)]


def _longest_run(marked: NDArray[np.bool_]) -> int:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], marked, [False]]).astype(np.int8)))
    return int(np.max(edges[1::2] - edges[::2], initial=0))


def flag_decay(reach_mv: NDArray[np.float64], *, limits: QualityLimits = DEFAULT_LIMITS) -> list[Flag]:
    """Flag sweeps in which the decay of the artefact reached the response, from the fitted decay there."""
    return [
        Flag(
            "artefact-decay",
            f"The artefact of trial {trial + 1} had decayed only to {1e3 * abs(reach_mv[trial]):.0f} µV "
            "when the response could begin; a fitted exponential was subtracted.",
            "caution",
            trial_subject(trial),
            1e3 * float(abs(reach_mv[trial])),
            1e3 * limits.artefact_mv,
            "µV",
        )
        for trial in np.flatnonzero(np.abs(reach_mv) > limits.artefact_mv)
    ]


def flag_short_window(wanted_ms: tuple[float, float], used_ms: tuple[float, float]) -> tuple[Flag, ...]:
    """Flag sweeps that end, or begin, inside the window in which the response is looked for."""
    if used_ms == wanted_ms:
        return ()
    return (
        Flag(
            "window-shortened",
            f"The sweeps hold only {used_ms[0]:g} to {used_ms[1]:g} ms of the search window of "
            f"{wanted_ms[0]:g} to {wanted_ms[1]:g} ms; a late response may be cut.",
            "caution",
            "search window",
            value=used_ms[1],
            limit=wanted_ms[1],
            unit="ms",
        ),
    )


def flag_no_response(begins_early: NDArray[np.bool_], repeats: NDArray[np.bool_]) -> list[Flag]:
    """Flag sweeps in which something stood out that was not taken for a response, and why."""
    found = [
        Flag(
            "onset-before-window",
            f"What stands out in trial {trial + 1} had begun before the search window: the tail of the "
            "artefact, or a window that opens too late.",
            "caution",
            trial_subject(trial),
        )
        for trial in np.flatnonzero(begins_early)
    ]
    return found + [
        Flag(
            "second-artefact",
            f"In trial {trial + 1} the artefact comes again in the search window: another pulse.",
            "caution",
            trial_subject(trial),
        )
        for trial in np.flatnonzero(repeats)
    ]


def flag_hum(
    mains_hz: float | None, amplitude_mv: NDArray[np.float64], *, limits: QualityLimits = DEFAULT_LIMITS
) -> list[Flag]:
    """Flag mains hum, large or small, that was found and removed."""
    if mains_hz is None:
        return []
    typical = float(np.nanmedian(amplitude_mv))
    message = f"Mains hum of {1e3 * typical:.0f} µV at {mains_hz:.2f} Hz was removed by regression."
    severity: Severity = "caution" if typical > limits.hum_mv else "info"
    return [Flag("hum", message, severity, "", 1e3 * typical, 1e3 * limits.hum_mv, "µV")]


def flag_drift(
    amplitude_mv: NDArray[np.float64],
    conditions: Sequence[object],
    *,
    limits: QualityLimits = DEFAULT_LIMITS,
    fewest: int = 8,
    significance: float = 0.01,
) -> list[Flag]:
    """Flag conditions whose amplitude rose or fell over the block.

    A straight line through log amplitude against the order of the trial, by condition. Flagged when the
    line changes by more than the factor `limits.drift` from first to last trial and its slope differs from
    zero (two-sided t test).

    Parameters
    ----------
    amplitude_mv : ndarray, shape (n_trials,)
        Peak-to-peak amplitudes.
    conditions : sequence
        One a trial; like trials have equal conditions.
    """
    from scipy.special import stdtr

    flags = []
    positive = np.isfinite(amplitude_mv) & (amplitude_mv > 0)
    for condition in dict.fromkeys(conditions):
        rows = np.flatnonzero(positive & np.array([other == condition for other in conditions]))
        n = rows.size
        if n < fewest:
            continue
        log_amplitude = np.log(amplitude_mv[rows])
        order = (rows - rows.mean()) / np.ptp(rows)
        change = float(order @ log_amplitude / (order @ order))
        residual = log_amplitude - log_amplitude.mean() - change * order
        error = float(np.sqrt(residual @ residual / (n - 2) / (order @ order)))
        p_value = 2.0 * float(stdtr(n - 2, -abs(change) / error)) if error > 0 else 0.0
        factor = float(np.exp(abs(change)))
        if factor > limits.drift and p_value < significance:
            word = "rose" if change > 0 else "fell"
            flags.append(
                Flag(
                    "drift",
                    f"The amplitude {word} by a factor of {factor:.1f} over the block of {n} like trials "
                    f"(p = {p_value:.2g}).",
                    "caution",
                    str(condition) if condition else "",
                    factor,
                    limits.drift,
                )
            )
    return flags


def flag_marker_delay(
    emg_mv: ArrayLike,
    rate_hz: float,
    pulse_sample: int,
    *,
    isi_ms: ArrayLike = np.nan,
    reach_ms: float = 14.0,
    limits: QualityLimits = DEFAULT_LIMITS,
) -> list[Flag]:
    """Flag a marker that is not where the stimulus is: the artefact stands elsewhere, always at one distance.

    The artefact is the steepest step of each sweep within `reach_ms` of the marker, if it is at least ten
    times as steep as what is usual there. Sweeps with a conditioning pulse inside the reach are left out.
    """
    sweeps = as_sweeps(emg_mv, rate_hz, pulse_sample)
    isi = np.broadcast_to(np.asarray(isi_ms, dtype=np.float64), len(sweeps))
    single = sweeps[~(np.abs(isi) <= reach_ms + 2.0)]
    first = max(pulse_sample - round(reach_ms * rate_hz / 1e3), 0)
    last = min(pulse_sample + round(reach_ms * rate_hz / 1e3), sweeps.shape[1] - 1)
    if len(single) == 0 or last - first < 5:
        return []
    steps = np.abs(np.diff(np.nan_to_num(single[:, first : last + 1]), axis=1))
    usual = np.median(steps, axis=1)
    clear = steps.max(axis=1) > 10.0 * np.maximum(usual, 1e-12)
    delay_ms = (first + steps.argmax(axis=1) - pulse_sample) * 1e3 / rate_hz
    if clear.mean() < 0.6:
        return []
    middle = float(np.median(delay_ms[clear]))
    scatter = float(np.median(np.abs(delay_ms[clear] - middle)))
    if abs(middle) <= limits.marker_delay_ms or scatter > 0.5:
        return []
    word = "late" if middle < 0 else "early"
    return [
        Flag(
            "marker-delay",
            f"The markers come {abs(middle):.1f} ms too {word}: that far away stands the stimulus artefact; "
            "latencies are off by as much.",
            "serious",
            "",
            middle,
            limits.marker_delay_ms,
            "ms",
        )
    ]
