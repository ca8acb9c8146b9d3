"""The EMG before the first pulse: level, background, and how large nothing looks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sudeck.tms.responses.amplitude import baseline_rms, noise_floor

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sudeck.tms.responses.windows import Window


@dataclass(frozen=True, slots=True)
class Baseline:
    """The EMG before the first pulse of each sweep; every array has one value a trial.

    Attributes
    ----------
    level_mv : ndarray
        Median before the pulse: what zero is.
    rms_mv : ndarray
        Root mean square in the 100 ms before the pulse; NaN where the sweep begins too late.
    floor_mv : ndarray
        Peak to peak in a window as long as the search; NaN where the sweep begins too late.
    denoised_floor_mv : ndarray
        The same by `denoised_peak_to_peak`.
    """

    level_mv: NDArray[np.float64]
    rms_mv: NDArray[np.float64]
    floor_mv: NDArray[np.float64]
    denoised_floor_mv: NDArray[np.float64]

    @property
    def noise_mv(self) -> NDArray[np.float64]:
        """Noise SD for the onset rules: the RMS, and zero where it is not known."""
        return np.nan_to_num(self.rms_mv)


def measure_baseline(
    sweeps: NDArray[np.float64],
    rate_hz: float,
    pulse_sample: int,
    lead_ms: NDArray[np.float64],
    search_ms: Window,
) -> Baseline:
    """Look before the first pulse of each sweep, which for pairs comes `lead_ms` before the test pulse."""
    level, rms, floor, denoised = (np.full(len(sweeps), np.nan) for _ in range(4))
    for lead in np.unique(lead_ms):
        rows = np.flatnonzero(lead_ms == lead)
        first_pulse = max(pulse_sample - round(lead * rate_hz / 1e3), 0)
        own = sweeps[rows]
        level[rows] = np.median(own[:, : max(first_pulse, 2)], axis=1)
        rms[rows] = baseline_rms(own, rate_hz, first_pulse)
        floor[rows] = noise_floor(own, rate_hz, first_pulse, window_ms=search_ms)
        denoised[rows] = noise_floor(own, rate_hz, first_pulse, window_ms=search_ms, denoised=True)
    return Baseline(level, rms, floor, denoised)


def smallest_response(floor_mv: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what a response must exceed: the floor of its sweep and that of 95 % of the sweeps.

    Where no sweep has a floor the customary 50 µV stand in.
    """
    if not np.isfinite(floor_mv).any():
        return np.full(floor_mv.shape, 0.050)
    return np.asarray(np.fmax(floor_mv, np.nanquantile(floor_mv, 0.95)))
