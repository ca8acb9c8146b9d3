"""The pause in voluntary EMG after a pulse, in the average of rectified sweeps: also the shallow ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sudeck.tms.silent_period import IPSILATERAL_MS, SLOPE_SPAN_MS, slope_energy
from sudeck.tms.windows import Window, as_sweeps

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class AveragedSilentPeriod:
    """The pause in the average of the rectified sweeps.

    Attributes
    ----------
    onset_ms, offset_ms : float
        In ms after the pulse; NaN without a pause. Where `censored`, `offset_ms` is the end of the search.
    censored : bool
        Whether the EMG had not returned.
    depth : float
        Mean rectified EMG in the pause over that before the pulse.
    limit_mv : float
        Lower control limit the average fell below.
    n_trials : int
        Sweeps averaged.
    """

    onset_ms: float
    offset_ms: float
    censored: bool
    depth: float
    limit_mv: float
    n_trials: int

    @property
    def duration_ms(self) -> float:
        """Time from begin to end of the pause."""
        return self.offset_ms - self.onset_ms

    def __str__(self) -> str:
        if not np.isfinite(self.onset_ms):
            return f"no silent period in the average of {self.n_trials} sweeps"
        sign = ">" if self.censored else ""
        return (
            f"silent period {self.onset_ms:.1f} to {sign}{self.offset_ms:.1f} ms, "
            f"EMG down to {100 * self.depth:.0f} % (average of {self.n_trials} sweeps)"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the pause as plain JSON-ready values."""
        found = bool(np.isfinite(self.onset_ms))
        return {
            "onset_ms": self.onset_ms if found else None,
            "offset_ms": self.offset_ms if found else None,
            "censored": self.censored,
            "depth": self.depth if found else None,
            "n_trials": self.n_trials,
        }


def average_silent_period(
    emg_mv: ArrayLike,
    rate_hz: float,
    pulse_sample: int,
    *,
    search_ms: Window = IPSILATERAL_MS,
    baseline_ms: Window = (-105.0, -5.0),
    shortest_ms: float = 5.0,
) -> AveragedSilentPeriod:
    """Find the silent period in the average of rectified sweeps, by a control limit.

    What is rectified is the slope over a millisecond, as in `find_silent_periods`, and the average is taken
    in steps of a millisecond. The pause begins with the first 5 ms below
    mean − 2.66 · MCD of the EMG before the pulse, where MCD is the mean absolute difference of successive
    steps, and ends with the first 5 ms back above (Garvey et al. 2001, Clin Neurophysiol 112:1451-1460:
    2.66 MCD are three standard deviations of independent steps). This is the rule for the ipsilateral
    silent period, too shallow to be seen in a single sweep.

    Parameters
    ----------
    emg_mv, rate_hz, pulse_sample, search_ms, baseline_ms
        As in `find_silent_periods`.
    shortest_ms : float
        A stretch must last so long to begin or end the pause.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> emg = 0.1 * rng.standard_normal((30, 3000))
    >>> emg[:, 1000 + 5 * 35:1000 + 5 * 60] *= 0.5
    >>> print(average_silent_period(emg, 5000.0, 1000))
    silent period 35.0 to 60.0 ms, EMG down to 52 % (average of 30 sweeps)
    """
    sweeps = as_sweeps(emg_mv, rate_hz, pulse_sample)
    complete = sweeps[np.isfinite(sweeps).all(axis=1) & (np.ptp(sweeps, axis=1) > 0)]
    nothing = AveragedSilentPeriod(np.nan, np.nan, False, np.nan, np.nan, len(complete))
    if len(complete) == 0:
        return nothing
    rectified = np.sqrt(slope_energy(complete, max(1, round(SLOPE_SPAN_MS * rate_hz / 1e3))))
    times_ms, trace = _by_millisecond(rectified.mean(axis=0), rate_hz, pulse_sample)
    before = trace[(times_ms >= baseline_ms[0]) & (times_ms < baseline_ms[1])]
    searched = (times_ms >= search_ms[0]) & (times_ms < search_ms[1] + 100.0)
    if before.size < 20 or not searched.any():
        return nothing
    limit = float(before.mean() - 2.66 * np.abs(np.diff(before)).mean())
    within, values = times_ms[searched], trace[searched]
    steps = round(shortest_ms)
    begin = _first_run(values < limit, steps)
    if begin is None or within[begin] >= search_ms[1]:
        return nothing
    length = _first_run(values[begin:] >= limit, steps)
    end = values.size if length is None else begin + length
    return AveragedSilentPeriod(
        onset_ms=float(within[begin]),
        offset_ms=float(within[end - 1] + 1.0),
        censored=length is None,
        depth=float(values[begin:end].mean() / before.mean()),
        limit_mv=limit,
        n_trials=len(complete),
    )


def _by_millisecond(
    trace: NDArray[np.float64], rate_hz: float, pulse_sample: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return begin and mean of each whole millisecond, one of them beginning at the pulse."""
    step = np.floor((np.arange(trace.size) - pulse_sample) * 1e3 / rate_hz + 1e-9).astype(np.intp)
    counts = np.bincount(step - step[0])
    return np.arange(step[0], step[-1] + 1, dtype=np.float64), np.bincount(step - step[0], trace) / counts


def _first_run(marked: NDArray[np.bool_], length: int) -> int | None:
    """Return where the first run of `length` marked steps begins."""
    runs = np.flatnonzero(np.convolve(marked, np.ones(length), mode="valid") >= length - 0.5)
    return int(runs[0]) if runs.size else None
