"""Mains hum: found by its narrow line, removed by regression on what lies outside the response."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from sudeck.tms.responses.windows import Window, as_sweeps

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

MAINS_HZ: Final = (50.0, 60.0)

# Grids stay within 0.2 Hz of their nominal frequency in normal operation; twice that for small grids.
_FREQUENCY_SLACK_HZ: Final = 0.4
_HIGHEST_HARMONIC_HZ: Final = 500.0

# Hum is looked for and fitted at most this far from the pulse: further off, a wandering mains frequency
# would spoil the fit where it matters.
_REACH_MS: Final = 500.0

# The line is searched for in this many sweeps at most, and then taken out of all.
_MOST_SEARCHED: Final = 60

# Fewer cycles than this outside the response do not pin down a line.
_FEWEST_CYCLES: Final = 4.0


@dataclass(frozen=True)
class HumRemoval:
    """Sweeps without their mains hum, and what was taken out.

    Attributes
    ----------
    emg_mv : ndarray, shape (n_trials, n_samples)
        The sweeps, cleaned where hum was found and as they came where not.
    mains_hz : float or None
        Frequency of the mains as fitted, ``None`` where no hum was found.
    harmonics : tuple of int
        Multiples of the mains frequency that were removed; 1 is the mains frequency itself.
    amplitude_mv : ndarray, shape (n_trials,)
        Peak amplitude of the removed line and its harmonics (root of the sum of squares); 0 without hum.
    """

    emg_mv: NDArray[np.float64]
    mains_hz: float | None
    harmonics: tuple[int, ...]
    amplitude_mv: NDArray[np.float64]

    def __str__(self) -> str:
        if self.mains_hz is None:
            return "no mains hum found"
        peak_uv = 1e3 * float(np.nanmedian(self.amplitude_mv))
        lines = ", ".join(str(harmonic) for harmonic in self.harmonics)
        return f"hum of {peak_uv:.1f} µV at {self.mains_hz:.2f} Hz removed (harmonics {lines})"

    def to_dict(self) -> dict[str, Any]:
        """Return what was removed as plain JSON-ready values, without the sweeps."""
        return {
            "mains_hz": self.mains_hz,
            "harmonics": list(self.harmonics),
            "median_amplitude_mv": float(np.nanmedian(self.amplitude_mv)) if self.mains_hz else 0.0,
        }


def remove_hum(
    emg_mv: ArrayLike,
    rate_hz: float,
    pulse_sample: int,
    *,
    mains_hz: float | None = None,
    response_ms: Window = (-3.0, 100.0),
    smallest_mv: float = 0.005,
) -> HumRemoval:
    """Find mains hum in a set of sweeps and subtract it by regression.

    A sine and a cosine at the mains frequency and at each harmonic that stands out are fitted to every
    sweep by least squares, with a straight line beside them, on the samples outside `response_ms` and
    within half a second of the pulse. The fit is extended through the response and subtracted. Unlike a
    notch filter this does not ring at the response, and leaves its amplitude and onset alone.

    The line is refined within 0.4 Hz of its nominal frequency, jointly over the sweeps. A set without a
    line, or with one too small to matter, comes back unchanged, to the last bit.

    Parameters
    ----------
    emg_mv : array_like, shape (n_trials, n_samples)
        Sweeps in millivolts.
    rate_hz : float
        Samples a second.
    pulse_sample : int
        Column of the pulse.
    mains_hz : float, optional
        50 or 60; the stronger of the two unless given.
    response_ms : (float, float)
        What to leave out of the fit: artefact and response, in ms after the pulse.
    smallest_mv : float
        A line below this median peak amplitude is left in; 5 µV does not move a 50 µV criterion.

    Examples
    --------
    >>> time_s = np.arange(5000) / 5000.0
    >>> sweeps = np.vstack([0.05 * np.sin(2 * np.pi * 60.1 * time_s + phase) for phase in range(5)])
    >>> removal = remove_hum(sweeps, 5000.0, 1000)
    >>> print(removal)
    hum of 50.0 µV at 60.10 Hz removed (harmonics 1)
    >>> bool(abs(removal.emg_mv).max() < 1e-3)
    True
    """
    sweeps = as_sweeps(emg_mv, rate_hz, pulse_sample)
    unchanged = HumRemoval(sweeps, None, (), np.zeros(len(sweeps)))
    time_s = (np.arange(sweeps.shape[1]) - pulse_sample) / rate_hz
    fitted = (np.abs(time_s) <= _REACH_MS / 1e3) & (
        (time_s < response_ms[0] / 1e3) | (time_s > response_ms[1] / 1e3)
    )
    usable = np.isfinite(sweeps).all(axis=1) & (np.ptp(sweeps, axis=1) > 0)
    if not usable.any() or fitted.sum() / rate_hz * min(MAINS_HZ) < _FEWEST_CYCLES:
        return unchanged

    coarse, coarse_time_s = _averaged(
        sweeps[_spread(np.flatnonzero(usable), _MOST_SEARCHED)], time_s, fitted, rate_hz
    )
    frequency = _find_mains(coarse, coarse_time_s, (mains_hz,) if mains_hz else MAINS_HZ)
    if frequency is None:
        return unchanged
    coarse_rate = 1.0 / float(np.median(np.diff(coarse_time_s)))
    highest = int(min(_HIGHEST_HARMONIC_HZ, 0.4 * coarse_rate) // frequency)
    harmonics = (1, *(h for h in range(2, highest + 1) if _stands_out(coarse, coarse_time_s, h * frequency)))

    design = _design(time_s, frequency, harmonics)
    coefficients = np.linalg.pinv(design[fitted]) @ sweeps[usable][:, fitted].T
    amplitude = np.sqrt(np.sum(coefficients[2:] ** 2, axis=0))
    line = (design[:, 2:] @ coefficients[2:]).T
    sides = (fitted & (time_s < 0), fitted & (time_s > 0))
    if np.median(amplitude) < smallest_mv or not all(_explains(line, sweeps[usable], s) for s in sides):
        return unchanged
    cleaned = sweeps.copy()
    cleaned[usable] -= line
    amplitudes = np.full(len(sweeps), np.nan)
    amplitudes[usable] = amplitude
    return HumRemoval(cleaned, frequency, harmonics, amplitudes)


def _spread(rows: NDArray[np.intp], most: int) -> NDArray[np.intp]:
    """Return at most `most` of the rows, evenly spread."""
    return rows[np.unique(np.linspace(0, rows.size - 1, min(rows.size, most)).astype(np.intp))]


def _averaged(
    sweeps: NDArray[np.float64], time_s: NDArray[np.float64], fitted: NDArray[np.bool_], rate_hz: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the samples outside the response, averaged down to about 2 kHz and freed of mean and trend."""
    block = max(1, int(rate_hz // 2000.0))
    n_blocks = sweeps.shape[1] // block
    used = n_blocks * block
    whole = fitted[:used].reshape(n_blocks, block).all(axis=1)
    values = sweeps[:, :used].reshape(len(sweeps), n_blocks, block).mean(axis=2)[:, whole]
    times = time_s[:used].reshape(n_blocks, block).mean(axis=1)[whole]
    trend = np.column_stack([np.ones_like(times), times])
    return values - (trend @ (np.linalg.pinv(trend) @ values.T)).T, times


def _power(
    values: NDArray[np.float64], times_s: NDArray[np.float64], frequencies: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the mean power over sweeps at each frequency: a periodogram on the times there are."""
    turns = np.exp(-2j * np.pi * np.outer(frequencies, times_s))
    return np.asarray(np.mean(np.abs(turns @ values.T) ** 2, axis=1))


def _prominence(
    values: NDArray[np.float64], times_s: NDArray[np.float64], frequencies: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return power at each frequency over the median power at frequencies a few resolutions off."""
    apart = max(6.0, 2.0 / float(np.ptp(times_s)))
    beside = apart * np.array([-2.0, -1.5, -1.0, 1.0, 1.5, 2.0])
    grid = (frequencies[:, np.newaxis] + beside).ravel()
    around = np.median(_power(values, times_s, grid).reshape(len(frequencies), -1), axis=1)
    return np.asarray(_power(values, times_s, frequencies) / np.maximum(around, np.finfo(float).tiny))


def _limit(n_sweeps: int) -> float:
    """Return the prominence a line must have: chance alone exceeds it in fewer than 1 of 10,000 sets."""
    return 3.0 + 12.0 / n_sweeps


def _stands_out(values: NDArray[np.float64], times_s: NDArray[np.float64], frequency: float) -> bool:
    return bool(_prominence(values, times_s, np.array([frequency]))[0] > _limit(len(values)))


def _find_mains(
    values: NDArray[np.float64], times_s: NDArray[np.float64], candidates: tuple[float, ...]
) -> float | None:
    best: tuple[float, float] | None = None
    for nominal in candidates:
        grid = nominal + np.arange(-_FREQUENCY_SLACK_HZ, _FREQUENCY_SLACK_HZ + 1e-9, 0.02)
        power = _power(values, times_s, grid)
        frequency = float(grid[np.argmax(power)])
        if _stands_out(values, times_s, frequency) and (best is None or power.max() > best[1]):
            best = frequency, float(power.max())
    return None if best is None else best[0]


def _explains(line: NDArray[np.float64], sweeps: NDArray[np.float64], side: NDArray[np.bool_]) -> bool:
    """Return whether subtracting the line lowers the variance on one side of the pulse as true hum would.

    The tail of a large response can look like a line after the pulse; it is none before it.
    """
    if side.sum() < 3:
        return True
    lowered = np.var(sweeps[:, side], axis=1) - np.var((sweeps - line)[:, side], axis=1)
    return bool(lowered.mean() > 0.5 * np.var(line[:, side], axis=1).mean())


def _design(time_s: NDArray[np.float64], frequency: float, harmonics: tuple[int, ...]) -> NDArray[np.float64]:
    columns = [np.ones_like(time_s), time_s]
    for harmonic in harmonics:
        angle = 2.0 * np.pi * harmonic * frequency * time_s
        columns += [np.cos(angle), np.sin(angle)]
    return np.column_stack(columns)
