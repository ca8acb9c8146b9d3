"""The pause in voluntary EMG after a pulse, in the average of rectified sweeps: also the shallow ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from sudeck.core.errors import InputError
from sudeck.core.estimate import Estimate
from sudeck.tms.responses.silent_period import IPSILATERAL_MS, SLOPE_SPAN_MS, slope_energy
from sudeck.tms.responses.windows import Window, as_sweeps

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_BASELINE_MS: Final[Window] = (-105.0, -5.0)
_SHORTEST_MS: Final = 5.0
# The EMG may return so long after the end of the search.
_RETURN_MS: Final = 100.0


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
    baseline_ms: Window = _BASELINE_MS,
    shortest_ms: float = _SHORTEST_MS,
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
    times_ms, traces = _rectified_traces(emg_mv, rate_hz, pulse_sample)
    if len(traces) == 0:
        return _no_pause(0)
    trace = traces.mean(axis=0)
    return _pause(times_ms, trace, len(traces), search_ms, baseline_ms, round(shortest_ms))


def estimate_averaged_silent_period(
    emg_mv: ArrayLike,
    rate_hz: float,
    pulse_sample: int,
    *,
    name: str = "iSP",
    search_ms: Window = IPSILATERAL_MS,
    level: float = 0.95,
    draws: int = 400,
    rng: np.random.Generator | int = 1900,
) -> tuple[Estimate, Estimate]:
    """Estimate duration and depth of the pause in the average, with intervals from trials drawn anew.

    Parameters
    ----------
    emg_mv, rate_hz, pulse_sample, search_ms
        As in `average_silent_period`.
    name : str
        Name of the estimate; that of the depth adds `` depth``.
    level : float
        Coverage of the percentile interval.
    draws : int
        Averages of trials drawn with replacement.
    rng : numpy Generator or seed
        Of the draws.

    Returns
    -------
    duration, depth : Estimate
        In ms, and as rectified EMG in the pause over that before the pulse. Draws without a pause count as
        0 ms, and draws whose EMG had not returned as endless; the depth is that of the same milliseconds in
        every draw.

    Raises
    ------
    InputError
        If the average shows no pause.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> emg = 0.1 * rng.standard_normal((30, 3000))
    >>> emg[:, 1000 + 5 * 35:1000 + 5 * 60] *= 0.5
    >>> duration, depth = estimate_averaged_silent_period(emg, 5000.0, 1000)
    >>> round(duration.value), round(depth.value, 1)
    (25, 0.5)
    """
    times_ms, traces = _rectified_traces(emg_mv, rate_hz, pulse_sample)
    n_trials = len(traces)
    whole = average_silent_period(emg_mv, rate_hz, pulse_sample, search_ms=search_ms)
    if not np.isfinite(whole.onset_ms):
        raise InputError(
            name,
            f"the average of {n_trials} trials shows no pause",
            "average more trials, or check the contraction",
        )
    paused = (times_ms >= whole.onset_ms) & (times_ms < whole.offset_ms)
    before = (times_ms >= _BASELINE_MS[0]) & (times_ms < _BASELINE_MS[1])
    generator = np.random.default_rng(rng)
    durations, depths = [], []
    for _ in range(draws):
        trace = traces[generator.integers(0, n_trials, n_trials)].mean(axis=0)
        pause = _pause(times_ms, trace, n_trials, search_ms)
        shown = 0.0 if np.isnan(pause.onset_ms) else pause.duration_ms
        durations.append(np.inf if pause.censored else shown)
        depths.append(float(trace[paused].mean() / trace[before].mean()))
    method = "average of rectified EMG, control limit of mean − 2.66 MCD, percentile bootstrap over trials"
    tails = (0.5 - level / 2, 0.5 + level / 2)

    def estimate(called: str, value: float, values: list[float], unit: str) -> Estimate:
        # Order statistics, not interpolated: an endless pause must not make its neighbour endless too.
        low, high = np.quantile(np.array([*values, value]), tails, method="nearest")
        bounds = min(value, float(low)), max(value, float(high))
        return Estimate(
            called, value, *bounds, level=level, unit=unit, method=method, n=float(n_trials), n_unit="trials"
        )

    return (
        estimate(name, whole.duration_ms, durations, "ms"),
        estimate(f"{name} depth", whole.depth, depths, ""),
    )


def _rectified_traces(
    emg_mv: ArrayLike, rate_hz: float, pulse_sample: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the begin of each millisecond, and the rectified slope in it of every usable sweep."""
    sweeps = as_sweeps(emg_mv, rate_hz, pulse_sample)
    complete = sweeps[np.isfinite(sweeps).all(axis=1) & (np.ptp(sweeps, axis=1) > 0)]
    rectified = np.sqrt(slope_energy(complete, max(1, round(SLOPE_SPAN_MS * rate_hz / 1e3))))
    step = np.floor((np.arange(sweeps.shape[1]) - pulse_sample) * 1e3 / rate_hz + 1e-9).astype(np.intp)
    begins, first, counts = np.unique(step, return_index=True, return_counts=True)
    return begins.astype(np.float64), np.add.reduceat(rectified, first, axis=1) / counts


def _no_pause(n_trials: int) -> AveragedSilentPeriod:
    return AveragedSilentPeriod(np.nan, np.nan, False, np.nan, np.nan, n_trials)


def _pause(
    times_ms: NDArray[np.float64],
    trace: NDArray[np.float64],
    n_trials: int,
    search_ms: Window,
    baseline_ms: Window = _BASELINE_MS,
    steps: int = round(_SHORTEST_MS),
) -> AveragedSilentPeriod:
    """Find the first stretch of `steps` milliseconds below the control limit, and the first back above."""
    before = trace[(times_ms >= baseline_ms[0]) & (times_ms < baseline_ms[1])]
    searched = (times_ms >= search_ms[0]) & (times_ms < search_ms[1] + _RETURN_MS)
    if before.size < 20 or not searched.any():
        return _no_pause(n_trials)
    limit = float(before.mean() - 2.66 * np.abs(np.diff(before)).mean())
    within, values = times_ms[searched], trace[searched]
    begin = _first_run(values < limit, steps)
    if begin is None or within[begin] >= search_ms[1]:
        return _no_pause(n_trials)
    length = _first_run(values[begin:] >= limit, steps)
    end = values.size if length is None else begin + length
    return AveragedSilentPeriod(
        onset_ms=float(within[begin]),
        offset_ms=float(within[end - 1] + 1.0),
        censored=length is None,
        depth=float(values[begin:end].mean() / before.mean()),
        limit_mv=limit,
        n_trials=n_trials,
    )


def _first_run(marked: NDArray[np.bool_], length: int) -> int | None:
    """Return where the first run of `length` marked steps begins."""
    runs = np.flatnonzero(np.convolve(marked, np.ones(length), mode="valid") >= length - 0.5)
    return int(runs[0]) if runs.size else None
