"""The stimulus artefact as a clock: how sharp a signal is at given times, and where it is sharp."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from sudeck.tms.units import voltage_unit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sudeck.tms.recording import Recording, Signal

# A coil's artefact lasts under a millisecond before the amplifier rounds it; EMG has little above 500 Hz.
# The second difference over 0.2 ms brings the one out and keeps the other and mains hum down.
_LAG_S = 2e-4
_NEAR_MS = (-2.0, 5.0)
_QUIET_MS = (-80.0, -20.0)
# A stimulus without marker must stand this far out of the sharpness of the whole channel (robust SDs).
_STANDS_OUT = 25.0
# Sharp moments closer than this to an earlier one belong to it: ringing, not another stimulus.
_RINGING_S = 1.2e-3
_TRIGGER_WORDS = ("trig", "ttl", "sync", "tms", "stim", "mag")


def sharpness(samples: NDArray[np.float64], rate_hz: float) -> NDArray[np.float64]:
    """Return the absolute second difference over 0.2 ms, as long as `samples`; ends are zero.

    Parameters
    ----------
    samples : ndarray, shape (n_samples,)
    rate_hz : float
        At rates below 5 kHz the lag is one sample.
    """
    lag = max(1, round(_LAG_S * rate_hz))
    sharp = np.zeros(samples.size)
    if samples.size > 2 * lag:
        sharp[lag:-lag] = np.abs(samples[2 * lag :] - 2 * samples[lag:-lag] + samples[: -2 * lag])
    return np.nan_to_num(sharp)


def artefact_ratio(recording: Recording, times_s: Sequence[float]) -> tuple[float, float]:
    """Compare the sharpest moment near each time with quiet EMG before it.

    Returns
    -------
    ratio : float
        Median over times of sharpest-near over sharpest-before, in the channel that shows it best; NaN if
        no channel covers the times.
    lag_ms : float
        Median lag of the sharpest moment after the time, in that channel.
    """
    best, best_lag = float("nan"), float("nan")
    for signal in _voltages(recording):
        # Sharpness is wanted around the times only: compute it there, not over an hour of recording.
        near, before, lags = [], [], []
        for time_s in times_s:
            centre = recording.sample_at(signal, time_s)
            if centre is None:
                continue
            start = centre + round(_QUIET_MS[0] * signal.rate_hz / 1e3)
            stop = centre + round(_NEAR_MS[1] * signal.rate_hz / 1e3) + 2
            if start < 0 or stop > signal.samples_mv.size:
                continue
            sharp = sharpness(signal.samples_mv[start:stop], signal.rate_hz)
            quiet = sharp[: round((_QUIET_MS[1] - _QUIET_MS[0]) * signal.rate_hz / 1e3)]
            first = round((_NEAR_MS[0] - _QUIET_MS[0]) * signal.rate_hz / 1e3)
            near.append(float(sharp[first:].max()))
            before.append(float(quiet.max()))
            lags.append(1e3 * (first + int(sharp[first:].argmax()) - (centre - start)) / signal.rate_hz)
        if not near or np.median(before) <= 0:
            continue
        ratio = float(np.median(near) / np.median(before))
        if not ratio <= best:
            best, best_lag = ratio, float(np.median(lags))
    return best, best_lag


def artefact_times(recording: Recording) -> tuple[float, ...]:
    """Find stimuli by their artefact alone: moments far sharper than everything else.

    The channel whose sharp moments stand out most decides; the onset of each is its time.
    """
    best: tuple[float, tuple[float, ...]] = (0.0, ())
    for signal in _voltages(recording):
        sharp = sharpness(signal.samples_mv, signal.rate_hz)
        margin = 2 * max(1, round(_LAG_S * signal.rate_hz))
        for section in range(1, len(recording.sections)):  # a seam between sections is sharp, but no artefact
            seam = recording.bounds(signal, section)[0]
            sharp[max(0, seam - margin) : seam + margin] = 0
        spread = float(np.median(sharp[sharp > 0])) / 0.6745 if np.any(sharp > 0) else 0.0
        if spread <= 0:
            continue
        peaks = _peaks(sharp, _STANDS_OUT * spread, max(1, round(_RINGING_S * signal.rate_hz)))
        if peaks.size == 0:
            continue
        # A pulse of half the sharpness of the typical one is a conditioning pulse; less is a response.
        heights = sharp[peaks]
        kept = peaks[heights >= 0.25 * np.quantile(heights, 0.9)]
        score = float(np.median(sharp[kept]) / spread)
        if score > best[0]:
            times = tuple(_time_of(recording, signal, int(sample)) for sample in kept)
            best = (score, times)
    return best[1]


def common_artefact_sample(channels: Sequence[NDArray[np.float64]], rate_hz: float) -> int | None:
    """Return the sample at which nearly every sweep has its stimulus artefact, or ``None``.

    Parameters
    ----------
    channels : sequence of ndarray, each of shape (n_trials, n_samples)
    rate_hz : float

    Notes
    -----
    The sharpness of all sweeps is averaged by its median over trials; the artefact must stand out of that by
    a factor of eight, which a response, being rounder and less punctual, does not reach. Its onset is where
    the sharpness first exceeds a fifth of its peak.
    """
    best: tuple[float, int] | None = None
    for sweeps in channels:
        alive = sweeps[np.nan_to_num(np.ptp(sweeps, axis=1)) > 0]
        if alive.size == 0:
            continue
        together = np.median([sharpness(sweep, rate_hz) for sweep in alive], axis=0)
        peak = int(together.argmax())
        usual = float(np.median(together[together > 0])) if np.any(together > 0) else 0.0
        if usual > 0 and together[peak] > 8.0 * usual and (best is None or together[peak] / usual > best[0]):
            near = together[max(0, peak - round(2e-3 * rate_hz)) : peak + 1]
            onset = peak - (near.size - 1) + int((near > 0.2 * together[peak]).argmax())
            best = (float(together[peak] / usual), onset + max(1, round(_LAG_S * rate_hz)))
    return None if best is None else best[1]


def trigger_times(recording: Recording) -> tuple[str, tuple[float, ...]] | None:
    """Return name and rising edges of a two-level trigger line among the analogue channels, if there is one."""
    for signal in recording.signals:
        if not any(word in signal.name.lower() for word in _TRIGGER_WORDS):
            continue
        x = signal.samples_mv
        low, high = float(np.nanmin(x)), float(np.nanmax(x))
        if not high > low:
            continue
        two_levels = np.mean((x < low + 0.2 * (high - low)) | (x > high - 0.2 * (high - low))) > 0.98
        rest_is_low = np.median(x) < low + 0.2 * (high - low)
        if not two_levels:
            continue
        up = x > (low + high) / 2 if rest_is_low else x < (low + high) / 2
        edges = np.flatnonzero(~up[:-1] & up[1:]) + 1
        if 0 < edges.size < x.size / 20:
            return signal.name, tuple(_time_of(recording, signal, int(edge)) for edge in edges)
    return None


def _voltages(recording: Recording) -> list[Signal]:
    return [s for s in recording.signals if voltage_unit(s.unit_in_file) or not s.unit_in_file.strip()]


def _peaks(sharp: NDArray[np.float64], limit: float, apart: int) -> NDArray[np.intp]:
    """Return the first crossing of each burst above `limit`; bursts are at least `apart` samples apart."""
    above = np.flatnonzero(sharp > limit)
    if above.size == 0:
        return above
    starts = above[np.concatenate([[True], np.diff(above) > apart])]
    return np.array([s + int(sharp[s : s + apart].argmax()) for s in starts], dtype=np.intp)


def _time_of(recording: Recording, signal: Signal, sample: int) -> float:
    """Return the clock time of a sample of `signal`."""
    for index, section in enumerate(recording.sections):
        first, last = recording.bounds(signal, index)
        if first <= sample < last:
            lag = signal.start_s - recording.sections[0].start_s
            return section.start_s + lag + (sample - first) / signal.rate_hz
    return float("nan")
