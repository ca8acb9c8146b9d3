"""The stimulus artefact: blanked where it is short, modelled where its decay reaches the response."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from sudeck.tms.responses.windows import Window, as_sweeps

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

# Time constants the decay may have, in ms: from an amplifier that recovers at once to a 2 Hz high-pass.
_TIME_CONSTANTS_MS: Final = np.geomspace(0.5, 80.0, 60)

# Sampling may put the steepest step of two equal artefacts this far apart.
_STEP_SLACK_MS: Final = 0.7

# A decay is taken out only where the exponential explains nearly all there is between artefact and response.
_LEAST_EXPLAINED: Final = 0.9


@dataclass(frozen=True)
class DecayFit:
    """Sweeps without the decay of their artefact, and what was taken out.

    Attributes
    ----------
    emg_mv : ndarray, shape (n_trials, n_samples)
        The sweeps; only those with a decay differ from the input.
    reach_mv : ndarray, shape (n_trials,)
        Size of the fitted decay where the search for the response begins; 0 where none was fitted.
    time_constant_ms : ndarray, shape (n_trials,)
        Of the fitted decay; NaN where none was fitted.
    """

    emg_mv: NDArray[np.float64]
    reach_mv: NDArray[np.float64]
    time_constant_ms: NDArray[np.float64]

    def __str__(self) -> str:
        fitted = int(np.isfinite(self.time_constant_ms).sum())
        return f"artefact decay taken out of {fitted} of {self.reach_mv.size} sweeps"

    def to_dict(self) -> dict[str, Any]:
        """Return how many sweeps were touched and how far the decay reached, without the sweeps."""
        return {
            "n_fitted": int(np.isfinite(self.time_constant_ms).sum()),
            "largest_reach_mv": float(np.abs(self.reach_mv).max(initial=0.0)),
        }


def remove_decay(
    emg_mv: ArrayLike,
    rate_hz: float,
    pulse_sample: int,
    *,
    search_begin_ms: float = 15.0,
    baseline_mv: ArrayLike = 0.0,
    noise_sd_mv: ArrayLike = 0.0,
    begin_ms: float = 5.0,
    smallest_mv: float = 0.01,
) -> DecayFit:
    """Fit an exponential to the tail of the artefact and subtract it, where it reaches the response.

    Between `begin_ms` and `search_begin_ms` a resting sweep holds nothing but the tail of the artefact.
    There ``a · exp(−t / τ)`` is fitted to each sweep: `a` by least squares, τ by the best of a fixed
    grid, so that no start value can mislead the fit. It is subtracted, from `begin_ms` on, where it
    explains at least 90 % of that stretch and is still larger than `smallest_mv` and 5 noise SD when the
    search begins.

    Parameters
    ----------
    emg_mv : array_like, shape (n_trials, n_samples)
        Sweeps in millivolts.
    rate_hz : float
        Samples a second.
    pulse_sample : int
        Column of the test pulse.
    search_begin_ms : float
        Where the search for the response begins.
    baseline_mv, noise_sd_mv : array_like
        Level and noise SD before the pulse, one number or one a trial.
    begin_ms : float
        Where the fit begins; before that the amplifier may have been blind.
    smallest_mv : float
        A decay below this at the begin of the search is left alone.

    Examples
    --------
    >>> time_ms = np.arange(-50, 100, 0.2)
    >>> sweep = np.where(time_ms > 0, 0.6 * np.exp(-np.maximum(time_ms, 0) / 20.0), 0.0)[np.newaxis]
    >>> fit = remove_decay(sweep, 5000.0, 250)
    >>> round(float(fit.time_constant_ms[0])), bool(abs(fit.emg_mv[0, 400:]).max() < 0.01)
    (20, True)
    """
    sweeps = as_sweeps(emg_mv, rate_hz, pulse_sample)
    n_trials, n_samples = sweeps.shape
    nothing = DecayFit(sweeps, np.zeros(n_trials), np.full(n_trials, np.nan))
    first = pulse_sample + round(begin_ms * rate_hz / 1e3)
    stop = min(pulse_sample + round(search_begin_ms * rate_hz / 1e3), n_samples)
    if stop - first < 5:
        return nothing
    level = np.broadcast_to(np.asarray(baseline_mv, dtype=np.float64), n_trials)[:, np.newaxis]
    noise = np.broadcast_to(np.asarray(noise_sd_mv, dtype=np.float64), n_trials)
    tail = sweeps[:, first:stop] - level

    time_ms = np.arange(stop - first) * 1e3 / rate_hz
    shapes = np.exp(-time_ms / _TIME_CONSTANTS_MS[:, np.newaxis])
    norms = np.sum(shapes**2, axis=1)
    projections = tail @ shapes.T
    best = np.argmax(projections**2 / norms, axis=1)
    rows = np.arange(n_trials)
    size = projections[rows, best] / norms[best]
    tau = _TIME_CONSTANTS_MS[best]
    explained = (projections[rows, best] ** 2 / norms[best]) / np.maximum(np.sum(tail**2, axis=1), 1e-30)
    reach = size * np.exp(-(search_begin_ms - begin_ms) / tau)
    touched = (explained > _LEAST_EXPLAINED) & (np.abs(reach) > np.maximum(smallest_mv, 5.0 * noise))
    if not touched.any():
        return nothing

    cleaned = sweeps.copy()
    after_ms = np.arange(n_samples - first) * 1e3 / rate_hz
    cleaned[touched, first:] -= size[touched, np.newaxis] * np.exp(-after_ms / tau[touched, np.newaxis])
    return DecayFit(cleaned, np.where(touched, reach, 0.0), np.where(touched, tau, np.nan))


def repeats_artefact(
    emg_mv: ArrayLike,
    rate_hz: float,
    pulse_sample: int,
    *,
    window_ms: Window,
    span_ms: Window = (-1.0, 5.0),
    least_correlation: float = 0.9,
) -> NDArray[np.bool_]:
    """Tell which sweeps hold a second stimulus in a window: the artefact of the first, over again.

    The steepest step of the window and that within 1.5 ms of the pulse are laid one over the other, give
    or take a sample. When the six milliseconds around them correlate above `least_correlation`, are of one
    size within a factor of two, and the step in the window is nearly as steep, then what is in the window
    is the artefact of another pulse and not a response.

    Returns
    -------
    ndarray of bool, shape (n_trials,)

    Examples
    --------
    >>> sweep = np.zeros((1, 500))
    >>> for pulse in (100, 140):
    ...     sweep[0, pulse:pulse + 4] = 0.3, -0.2, -0.1, -0.05
    >>> repeats_artefact(sweep, 1000.0, 100, window_ms=(15.0, 60.0))
    array([ True])
    """
    sweeps = as_sweeps(emg_mv, rate_hz, pulse_sample)
    around = np.arange(round(span_ms[0] * rate_hz / 1e3), round(span_ms[1] * rate_hz / 1e3) + 1)
    slack = max(1, round(_STEP_SLACK_MS * rate_hz / 1e3))

    def column(time_ms: float) -> int:
        return pulse_sample + round(time_ms * rate_hz / 1e3)

    first, last = column(window_ms[0]), column(window_ms[1] - span_ms[1]) - slack
    if column(-1.5) + around[0] < 0 or last + around[-1] + slack + 1 >= sweeps.shape[1]:
        return np.zeros(len(sweeps), dtype=bool)
    onset = _steepest(sweeps, column(-1.5), column(1.5))
    stimulus = _segment(sweeps, onset, around)
    step = _steepest(sweeps, first, last)
    alike = np.zeros(len(sweeps), dtype=bool)
    for lag in range(-slack, slack + 1):
        other = _segment(sweeps, step + lag, around)
        energy, other_energy = np.sum(stimulus**2, axis=1), np.sum(other**2, axis=1)
        likeness = np.sum(stimulus * other, axis=1) / np.sqrt(np.maximum(energy * other_energy, 1e-30))
        similar = (other_energy < 4.0 * energy) & (energy < 4.0 * other_energy)
        alike |= similar & (likeness > least_correlation)
    rows = np.arange(len(sweeps))
    sharp = np.abs(sweeps[rows, step + 1] - sweeps[rows, step])
    stimulus_sharp = np.abs(sweeps[rows, onset + 1] - sweeps[rows, onset])
    return alike & (sharp > 0.6 * stimulus_sharp)


def _steepest(sweeps: NDArray[np.float64], first: int, last: int) -> NDArray[np.intp]:
    """Return the column before the steepest step of each sweep, from column `first` to `last`."""
    steps = np.abs(np.diff(sweeps[:, first : last + 2], axis=1))
    return np.asarray(first + np.nan_to_num(steps).argmax(axis=1), dtype=np.intp)


def _segment(
    sweeps: NDArray[np.float64], centre: NDArray[np.intp], around: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Return what lies around one column of each sweep, about its mean."""
    values = sweeps[np.arange(len(sweeps))[:, np.newaxis], centre[:, np.newaxis] + around]
    return np.asarray(values - values.mean(axis=1, keepdims=True))
