"""Time-activity curves of the flow: arrival of the tracer and the slope of its rise, on each side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sudeck.core.estimate import Estimate
from sudeck.core.quantile import normal_quantile

_MIN_FRAMES = 8
_GRID = 64  # break points tried along the flow


@dataclass(frozen=True)
class TimeActivityCurve:
    """Counts per second of one region over the flow, and the broken line that describes them.

    Attributes
    ----------
    side : str
        ``"affected"`` or ``"healthy"``.
    time_s : ndarray, shape [frame]
        Middle of each frame.
    rate : ndarray, shape [frame]
        Counts per second and pixel.
    rate_se : ndarray, shape [frame]
        Poisson standard error of `rate`.
    fitted : ndarray, shape [first frames]
        Broken line over the frames it was fitted to, up to the peak: flat, rising from the arrival, flat
        again; empty when it could not be fitted.
    arrival, slope : Estimate or None
        Arrival time in s: the corner of the broken line, where the rise begins, with half a frame of error
        beyond its profile; and slope of the rise as a fraction of the plateau per second.
    """

    side: str
    time_s: NDArray[np.float64]
    rate: NDArray[np.float64]
    rate_se: NDArray[np.float64]
    fitted: NDArray[np.float64]
    arrival: Estimate | None
    slope: Estimate | None

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values."""
        return {
            "side": self.side,
            "time_s": self.time_s.tolist(),
            "counts_per_pixel_s": self.rate.tolist(),
            "se": self.rate_se.tolist(),
            "fitted": self.fitted.tolist(),
            "arrival": self.arrival.to_dict() if self.arrival else None,
            "slope": self.slope.to_dict() if self.slope else None,
        }


def time_activity_curve(
    counts: NDArray[np.float64],
    start_s: NDArray[np.float64],
    duration_s: NDArray[np.float64],
    weights: NDArray[np.float64],
    *,
    side: str,
    level: float = 0.95,
) -> TimeActivityCurve:
    """Measure the curve of a region over the frames of a flow and fit a broken line to it.

    Parameters
    ----------
    counts : ndarray, shape [frame, row, column]
    start_s, duration_s : ndarray, shape [frame]
    weights : ndarray, shape [row, column]
        Share of each pixel in the region.
    side : str
    level : float
        Coverage of the intervals, from the profile of the weighted squared error.

    Returns
    -------
    TimeActivityCurve
    """
    area = float(weights.sum())
    rows, columns = np.nonzero(weights > 0)
    box = (slice(None), slice(rows.min(), rows.max() + 1), slice(columns.min(), columns.max() + 1))
    inside = np.tensordot(counts[box], weights[box[1:]], axes=([1, 2], [0, 1]))
    seen_s = area * duration_s
    rate = inside / seen_s
    # Half a count in empty frames: their error is not zero.
    rate_se = np.sqrt(np.maximum(inside, 0.5)) / seen_s
    time = start_s + duration_s / 2
    fit = (
        _broken_line(time, rate, _smooth_variance(inside) / seen_s**2, level)
        if time.size >= _MIN_FRAMES
        else None
    )
    if fit is None:
        return TimeActivityCurve(side, time, rate, rate_se, np.empty(0), None, None)
    fitted, bounds = fit
    method = (
        "corner and rise of a broken line fitted to the curve; interval from its profile, and half a frame"
    )
    arrival, slope = (
        Estimate(name, *bounds[name], level=level, unit=unit, method=method, n=time.size, n_unit="frames")
        for name, unit in (("arrival", "s"), ("slope", "1/s"))
    )
    return TimeActivityCurve(side, time, rate, rate_se, fitted, arrival, slope)


def _smooth_variance(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Poisson variances from neighbouring frames, so that a frame low by chance does not weigh more."""
    padded = np.pad(counts, 2, mode="edge")
    return np.maximum(np.convolve(padded, np.ones(5) / 5, mode="valid"), 0.5)


def _broken_line(
    time: NDArray[np.float64], rate: NDArray[np.float64], variance: NDArray[np.float64], level: float
) -> tuple[NDArray[np.float64], Mapping[str, tuple[float, float, float]]] | None:
    """Fit base + slope * (rise between two break points) by weighted least squares over a grid of breaks."""
    seen = _up_to_peak(rate)
    time, rate, variance = time[:seen], rate[:seen], variance[:seen]
    low, high = float(time[0]), float(time[-1])
    breaks = np.linspace(low, high, _GRID)
    first, second = (grid.ravel() for grid in np.meshgrid(breaks, breaks, indexing="ij"))
    longest = second - first
    kept = longest >= 1.5 * (high - low) / time.size
    first, second = first[kept], second[kept]
    rise = np.clip(time[None, :] - first[:, None], 0.0, (second - first)[:, None])
    weight = 1.0 / variance
    total = weight.sum()
    mean_rise = rise @ weight / total
    mean_rate = float(rate @ weight / total)
    centred = rise - mean_rise[:, None]
    spread = (centred**2) @ weight
    slope = (centred @ (weight * (rate - mean_rate))) / np.maximum(spread, 1e-12)
    error = ((rate[None, :] - mean_rate - slope[:, None] * centred) ** 2) @ weight
    error = np.where((slope > 0) & (spread > 1e-9), error, np.inf)
    if not np.isfinite(error).any():
        return None
    best = int(error.argmin())
    base = mean_rate - slope[best] * mean_rise[best]
    plateau = slope[best] * (second - first)[best]
    flat = float(((rate - mean_rate) ** 2) @ weight)
    if plateau <= 0 or flat - error[best] < 12.0:
        return None
    # Overdispersion (motion, a curve that is no broken line) widens the profile.
    scale = max(1.0, float(error[best]) / max(time.size - 4, 1))
    reach = normal_quantile(level) ** 2 * scale
    near = error <= error[best] + reach
    step = breaks[1] - breaks[0]
    frame_s = (high - low) / max(time.size - 1, 1)
    share = slope / np.maximum(base + slope * (second - first), 1e-12)
    share_se = np.sqrt(scale / spread[best]) / (base + plateau)
    z = normal_quantile(level)
    bounds = {
        # The corner of a rise that is round lies within half a frame of it, not closer.
        "arrival": (
            float(first[best]),
            float(first[near].min() - step / 2 - frame_s / 2),
            float(first[near].max() + step / 2 + frame_s / 2),
        ),
        "slope": (
            float(share[best]),
            float(min(share[near].min(), share[best] - z * share_se)),
            float(max(share[near].max(), share[best] + z * share_se)),
        ),
    }
    line = np.clip(time - first[best], 0.0, (second - first)[best])
    return base + slope[best] * line, bounds


def _up_to_peak(rate: NDArray[np.float64]) -> int:
    """Return how many frames lead up to the peak of the bolus: what follows it is washout, not arrival."""
    smooth = np.convolve(np.pad(rate, 2, mode="edge"), np.ones(5) / 5, mode="valid")
    return max(int(smooth.argmax()) + 2, min(_MIN_FRAMES, rate.size))
