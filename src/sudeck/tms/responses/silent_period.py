"""The pause in voluntary EMG after a pulse, trial by trial: contralateral and ipsilateral silent period."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from sudeck.tms.responses.windows import Window, as_sweeps, clip_window

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

# Where the middle of the pause is looked for, in ms after the pulse.
CONTRALATERAL_MS: Final[Window] = (40.0, 400.0)
IPSILATERAL_MS: Final[Window] = (25.0, 80.0)

# EMG at or below this share of its level before the pulse is silence. Between a third and a half all real
# and simulated pauses agree; nearer to a half, a burst with a lull behind it is at times passed over.
_QUIET_SHARE: Final = 0.4
# The quietest stretch after the pulse must be so much quieter than the quietest before it, or there is no
# pause to measure: steady EMG has quiet stretches too.
_DEEPER_THAN_BEFORE: Final = 0.5
SLOPE_SPAN_MS: Final = 1.0
# Evidence (log likelihood ratio, one sample every 0.2 ms) that ends the pause, and the most one sample gives.
_EVIDENCE: Final = 10.0
_MOST_PER_SAMPLE: Final = 3.0


@dataclass(frozen=True)
class SilentPeriods:
    """Begin and end of the pause in each trial.

    Attributes
    ----------
    onset_ms : ndarray, shape (n_trials,)
        Begin of the pause (end of the MEP where there is one), in ms after the pulse; NaN without a pause.
    offset_ms : ndarray, shape (n_trials,)
        Return of the EMG. Where it `censored`, the end of what was recorded: the pause was longer.
    censored : ndarray of bool, shape (n_trials,)
        Whether the EMG had not returned when the sweep, or the search, ended.
    depth : ndarray, shape (n_trials,)
        EMG in the quietest stretch over EMG before the pulse: 0 is silence, 1 no change.
    """

    onset_ms: NDArray[np.float64]
    offset_ms: NDArray[np.float64]
    censored: NDArray[np.bool_]
    depth: NDArray[np.float64]

    @property
    def duration_ms(self) -> NDArray[np.float64]:
        """Time from begin to end of each pause."""
        return np.asarray(self.offset_ms - self.onset_ms)

    def __str__(self) -> str:
        found = np.isfinite(self.offset_ms)
        if not found.any():
            return f"no silent period in {found.size} trials"
        return (
            f"{int(found.sum())} silent periods in {found.size} trials, EMG back at "
            f"{np.median(self.offset_ms[found]):.0f} ms ({int(self.censored.sum())} had not returned)"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return counts and medians as plain JSON-ready values."""
        found = np.isfinite(self.offset_ms)
        return {
            "n_trials": int(found.size),
            "n_found": int(found.sum()),
            "n_censored": int(self.censored.sum()),
            "median_onset_ms": float(np.median(self.onset_ms[found])) if found.any() else None,
            "median_offset_ms": float(np.median(self.offset_ms[found])) if found.any() else None,
        }


def find_silent_periods(
    emg_mv: ArrayLike,
    rate_hz: float,
    pulse_sample: int,
    *,
    search_ms: Window = CONTRALATERAL_MS,
    baseline_ms: Window = (-105.0, -5.0),
    latest_ms: float = 500.0,
    quiet_span_ms: float = 20.0,
    quiet_share: float = _QUIET_SHARE,
) -> SilentPeriods:
    """Find the silent period of each trial by a cumulative sum on the slope of the EMG.

    The slope over a millisecond stands for the EMG: it lets go of the slow tail of the MEP, which else
    hides the begin of the pause. The quietest 20 ms in the search window are taken as its middle, if the
    slope there has less than half the RMS of the quietest 20 ms before the pulse. From there, forwards
    and backwards, the log likelihood ratio of "as loud as before the pulse" over "at most 40 % as loud" is
    summed up; when the sum has risen far enough above its minimum the pause is over, and it ended at that
    minimum (Page 1954, Biometrika 41:100-115; for silent periods King et al. 2005, J Physiol 565P:C21).
    The definition of the end matters: a return of EMG comes later than the first activity of any size (van
    Kuijk et al. 2014, doi 10.1186/1743-0003-11-1).

    Parameters
    ----------
    emg_mv : array_like, shape (n_trials, n_samples)
        Sweeps of a contracting muscle, in millivolts, not rectified.
    rate_hz : float
        Samples a second.
    pulse_sample : int
        Column of the pulse.
    search_ms : (float, float)
        Where the quietest stretch may lie; `IPSILATERAL_MS` for the ipsilateral silent period.
    baseline_ms : (float, float)
        EMG before the pulse, cut to what the sweep holds.
    latest_ms : float
        The return of the EMG is looked for until then, or until the sweep ends.
    quiet_span_ms : float
        Length of the quietest stretch: no shorter pause is found.
    quiet_share : float
        Loudness, as a share of that before the pulse, that still counts as silence.

    Returns
    -------
    SilentPeriods
        A trial without EMG before the pulse, or without a pause, has NaN.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> emg = 0.1 * rng.standard_normal((20, 3000))
    >>> emg[:, 1000 + 5 * 35:1000 + 5 * 150] *= 0.02
    >>> print(find_silent_periods(emg, 5000.0, 1000))
    20 silent periods in 20 trials, EMG back at 150 ms (0 had not returned)
    """
    sweeps = as_sweeps(emg_mv, rate_hz, pulse_sample)
    n_trials, n_samples = sweeps.shape

    def column(time_ms: float) -> int:
        return pulse_sample + round(time_ms * rate_hz / 1e3)

    energy = slope_energy(sweeps, max(1, round(SLOPE_SPAN_MS * rate_hz / 1e3)))

    def columns(window_ms: Window) -> tuple[int, int]:
        begin_ms, end_ms = clip_window(
            window_ms, rate_hz=rate_hz, pulse_sample=pulse_sample, n_samples=n_samples
        )
        return column(begin_ms), column(end_ms)

    begin, end = columns(baseline_ms)
    first, last = columns(search_ms)
    # The slope is not known over its own span at the very end of the sweep.
    end_of_search = min(column(latest_ms), n_samples - max(1, round(SLOPE_SPAN_MS * rate_hz / 1e3)))
    span = max(2, round(quiet_span_ms * rate_hz / 1e3))
    nothing = np.full(n_trials, np.nan)
    if end - begin < span or last - first <= span:
        return SilentPeriods(nothing, nothing, np.zeros(n_trials, dtype=bool), nothing)

    before = energy[:, begin:end].mean(axis=1)
    loud = np.where(before > 0, before, np.nan)
    moving = _moving_mean(energy[:, first:last], span)
    middle = first + moving.argmin(axis=1) + span // 2
    depth = np.sqrt(moving.min(axis=1) / loud)
    usual_depth = np.sqrt(_moving_mean(energy[:, begin:end], span).min(axis=1) / loud)

    onset, offset, censored = nothing.copy(), nothing.copy(), np.zeros(n_trials, dtype=bool)
    evidence = _EVIDENCE * rate_hz / 5000.0
    for trial in np.flatnonzero(depth < _DEEPER_THAN_BEFORE * usual_depth):
        loudness = energy[trial] / before[trial]
        gain = _log_likelihood_ratio(loudness, max(depth[trial], quiet_share))
        ahead = _change(gain[middle[trial] : end_of_search], evidence)
        back = _change(gain[pulse_sample : middle[trial]][::-1], evidence)
        censored[trial] = ahead is None
        end_column = end_of_search if ahead is None else middle[trial] + ahead
        begin_column = pulse_sample if back is None else middle[trial] - back
        offset[trial] = (end_column - pulse_sample) * 1e3 / rate_hz
        onset[trial] = (begin_column - pulse_sample) * 1e3 / rate_hz
    return SilentPeriods(onset, offset, censored, depth)


def slope_energy(sweeps: NDArray[np.float64], span: int) -> NDArray[np.float64]:
    """Return the squared difference over `span` samples, centred; zero at the edges.

    It stands for the loudness of the EMG: the slow tail of an MEP hardly adds to it.
    """
    energy = np.zeros_like(sweeps)
    half = span // 2
    energy[:, half : sweeps.shape[1] - (span - half)] = (sweeps[:, span:] - sweeps[:, :-span]) ** 2
    return energy


def _moving_mean(values: NDArray[np.float64], span: int) -> NDArray[np.float64]:
    """Return the mean over each stretch of `span` columns, the first beginning at column 0."""
    total = np.cumsum(np.pad(values, ((0, 0), (1, 0))), axis=1)
    return np.asarray((total[:, span:] - total[:, :-span]) / span)


def _log_likelihood_ratio(loudness: NDArray[np.float64], quiet: float) -> NDArray[np.float64]:
    """Return loud against quiet for each squared sample, in units of the loud variance; no sample decides."""
    ratio = 0.5 * (2.0 * np.log(quiet) + loudness * (quiet**-2.0 - 1.0))
    return np.asarray(np.minimum(ratio, _MOST_PER_SAMPLE))


def _change(gain: NDArray[np.float64], evidence: float) -> int | None:
    """Return how many samples pass before Page's sum begins to rise by `evidence`, if it ever does."""
    total = np.concatenate([[0.0], np.cumsum(gain)])
    risen = np.flatnonzero(total - np.minimum.accumulate(total) > evidence)
    return None if risen.size == 0 else int(total[: risen[0] + 1].argmin())
