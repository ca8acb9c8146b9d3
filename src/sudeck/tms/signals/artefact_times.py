"""The stimulus artefact as a clock: how sharp a signal is at given times, and where it is sharp."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from sudeck.tms.signals.muscles import is_derived
from sudeck.tms.signals.units import voltage_unit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sudeck.tms.signals.recording import Recording, Signal

# A coil's artefact lasts under a millisecond before the amplifier rounds it; EMG has little above 500 Hz.
# The second difference over 0.2 ms brings the one out and keeps the other and mains hum down.
_LAG_S = 2e-4
_NEAR_MS = (-2.0, 5.0)
_QUIET_MS = (-80.0, -20.0)
# A stimulus without marker must stand this far out of the sharpness of the whole channel (robust SDs).
_STANDS_OUT = 25.0
# Sharp moments closer than this to an earlier one belong to it: ringing, not another stimulus.
RINGING_S = 1.2e-3
# A quieter stretch as long as this ends an artefact; the amplifier's swings are closer together.
_PAUSE_S = 6e-4
# One artefact is over within this time, two of a close pair that run together within twice of it; a
# response goes on being sharp for 8 ms and longer.
BRIEF_S = 3.5e-3
_LONGEST_S = 2 * BRIEF_S
# Of the artefact's peak sharpness: what still counts as part of the burst.
BURST_SHARE = 0.25
# Artefacts are rare: a channel that is sharp for a larger share of its time holds something else.
_RARE = 0.02
# Of the range of a burst: the least second difference of an artefact.
_ANGULAR = 0.18
_BOUNCE_S = 0.8e-3
_TRIGGER_WORDS = ("trig", "ttl", "sync", "tms", "stim", "mag")


def sharpness(samples: NDArray[np.float64], rate_hz: float) -> NDArray[np.float64]:
    """Return the absolute second difference over 0.2 ms, as long as `samples`; ends are zero.

    Parameters
    ----------
    samples : ndarray, shape (n_samples,)
    rate_hz : float
        At rates below 5 kHz the lag is one sample.
    """
    lag = lag_of(rate_hz)
    sharp = np.zeros(samples.size)
    if samples.size > 2 * lag:
        sharp[lag:-lag] = np.abs(samples[2 * lag :] - 2 * samples[lag:-lag] + samples[: -2 * lag])
    return np.nan_to_num(sharp)


def lag_of(rate_hz: float) -> int:
    """Return the lag of the second difference, in samples."""
    return max(1, round(_LAG_S * rate_hz))


def artefact_ratio(
    recording: Recording, times_s: Sequence[float], *, before_ms: float = -_QUIET_MS[0]
) -> tuple[float, float, Signal | None]:
    """Compare the sharpest moment near each time with quiet EMG before it.

    Parameters
    ----------
    recording : Recording
    times_s : sequence of float
    before_ms : float
        How far before each time there is EMG; where it is little, what is quiet begins later.

    Returns
    -------
    ratio : float
        Median over times of sharpest-near over sharpest-before, in the channel that shows it best; NaN if
        no channel covers the times.
    lag_ms : float
        Median lag of the sharpest moment after the time, in that channel.
    signal : Signal or None
        That channel.
    """
    best, best_lag, best_signal = float("nan"), float("nan"), None
    for signal in voltages(recording):
        per_ms = signal.rate_hz / 1e3
        quiet_ms = -min(before_ms, -_QUIET_MS[0]), -min(before_ms / 2, -_QUIET_MS[1])
        n_quiet = round((quiet_ms[1] - quiet_ms[0]) * per_ms)
        first = round((_NEAR_MS[0] - quiet_ms[0]) * per_ms)
        near, before, lags = [], [], []
        for time_s in times_s:
            centre = recording.sample_at(signal, time_s)
            if centre is None:
                continue
            # Sharpness is wanted around the times only: compute it there, not over an hour of recording.
            start, stop = centre + round(quiet_ms[0] * per_ms), centre + round(_NEAR_MS[1] * per_ms) + 2
            if start < 0 or stop > signal.samples_mv.size or n_quiet < 1 or stop - start < first + 3:
                continue
            sharp = sharpness(signal.samples_mv[start:stop], signal.rate_hz)
            near.append(float(sharp[first:].max()))
            before.append(float(sharp[:n_quiet].max()))
            lags.append((first + int(sharp[first:].argmax()) - (centre - start)) / per_ms)
        if not near or np.median(before) <= 0:
            continue
        ratio = float(np.median(near)) / float(np.median(before))
        if not ratio <= best:
            best, best_lag, best_signal = ratio, float(np.median(lags)), signal
    return best, best_lag, best_signal


def artefact_times(recording: Recording) -> tuple[float, ...]:
    """Find stimuli by their artefact alone: moments brief, and far sharper than everything else.

    The channel whose brief moments stand out most decides; the onset of each is its time.
    """
    best: tuple[float, tuple[float, ...]] = (0.0, ())
    for signal in voltages(recording):
        sharp = sharpness(signal.samples_mv, signal.rate_hz)
        margin = 2 * lag_of(signal.rate_hz)
        for section in range(1, len(recording.sections)):  # a seam between sections is sharp, but no artefact
            seam = recording.bounds(signal, section)[0]
            sharp[max(0, seam - margin) : seam + margin] = 0
        spread = float(np.median(sharp[sharp > 0])) / 0.6745 if np.any(sharp > 0) else 0.0
        if spread <= 0 or np.mean(sharp > _STANDS_OUT * spread) > _RARE:
            continue
        onsets, _, heights = artefacts_in(
            signal.samples_mv, signal.rate_hz, _STANDS_OUT * spread, sharp=sharp
        )
        if onsets.size == 0:
            continue
        # Conditioning pulses are weaker than test pulses, but not by more than a factor of four.
        kept = onsets[heights >= 0.25 * np.quantile(heights, 0.9)]
        score = float(np.quantile(heights, 0.9)) / spread  # of Python's floats: it overflows in silence
        if score > best[0]:
            best = (score, tuple(time_of(recording, signal, int(sample)) for sample in kept))
    return best[1]


def bursts(
    sharp: NDArray[np.float64], rate_hz: float, limit: float
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """Return onset, end and height of bursts of sharpness above `limit` that are over in 7 ms.

    Parameters
    ----------
    sharp : ndarray, shape (n_samples,)
        From `sharpness`.
    limit : float
        Least height of a burst.

    Notes
    -----
    A burst reaches, both ways, until 0.6 ms pass below a quarter of its peak, so that pairs 2 ms apart are
    two bursts and the weaker of them begins where the stronger does.
    """
    ringing, pause = max(2, round(RINGING_S * rate_hz)), max(2, round(_PAUSE_S * rate_hz))
    longest = round(_LONGEST_S * rate_hz)
    found: list[tuple[int, int, float]] = []
    end = -1
    for crossing in np.flatnonzero(sharp > limit):
        if crossing <= end:
            continue
        reach = sharp[crossing : crossing + ringing]
        height = float(reach.max())
        quiet = BURST_SHARE * height
        start = max(end + 1, _follow(sharp, int(crossing), -pause, quiet, longest))
        end = _follow(sharp, int(crossing + reach.argmax()), pause, quiet, longest)
        if end - start <= longest:
            found.append((start, end, height))
    starts, ends, heights = zip(*found, strict=True) if found else ((), (), ())
    return np.array(starts, dtype=np.intp), np.array(ends, dtype=np.intp), np.array(heights, dtype=np.float64)


def _follow(sharp: NDArray[np.float64], start: int, pause: int, quiet: float, longest: int) -> int:
    """Walk from `start` until `abs(pause)` samples in a row are quiet; a negative pause walks back."""
    at, step = start, 1 if pause > 0 else -1
    while abs(at - start) <= 3 * longest:
        low, high = (at + 1, at + 1 + pause) if step > 0 else (max(0, at + pause), at)
        loud = np.flatnonzero(sharp[low:high] > quiet)
        if loud.size == 0:
            break
        at = low + int(loud[-1] if step > 0 else loud[0])
    return at


def angular(
    samples: NDArray[np.float64], sharp: NDArray[np.float64], start: int, end: int, rate_hz: float
) -> bool:
    """Tell an artefact from a response by its corners.

    The second difference over 0.2 ms of a swing at frequency f is about (2 pi f 0.2 ms)^2 / 2 of its range:
    up to 0.1 for the steepest responses (150 Hz, at 3 kHz), 0.25 and more for artefacts above 500 Hz.
    """
    lag = lag_of(rate_hz)
    swing = float(np.ptp(samples[max(0, start - lag) : end + lag + 1]))
    return swing > 0 and float(sharp[start : end + 1].max()) >= _ANGULAR * swing


def artefacts_in(
    samples: NDArray[np.float64], rate_hz: float, limit: float, *, sharp: NDArray[np.float64] | None = None
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """Return onset, end and height of artefacts in a stretch of signal: brief bursts with corners.

    Parameters
    ----------
    samples : ndarray, shape (n_samples,)
    rate_hz, limit : float
        See `bursts`.
    sharp : ndarray, optional
        Sharpness of `samples`, where it is known already.
    """
    sharp = sharpness(samples, rate_hz) if sharp is None else sharp
    starts, ends, heights = bursts(sharp, rate_hz, limit)
    corners = [
        angular(samples, sharp, int(start), int(end), rate_hz)
        for start, end in zip(starts, ends, strict=True)
    ]
    kept = np.array(corners, dtype=bool)
    return starts[kept] + lag_of(rate_hz), ends[kept], heights[kept]


def common_artefact_sample(channels: Sequence[NDArray[np.float64]], rate_hz: float) -> int | None:
    """Return the sample at which nearly every sweep has its stimulus artefact, or ``None``.

    Parameters
    ----------
    channels : sequence of ndarray, each of shape (n_trials, n_samples)
    rate_hz : float

    Notes
    -----
    The median sharpness over trials must have a brief burst that stands out of the rest by a factor of
    eight, and most sweeps must have corners there; responses are rounder and less punctual.
    """
    best: tuple[float, int] | None = None
    for sweeps in channels:
        alive = sweeps[np.nan_to_num(np.ptp(sweeps, axis=1)) > 0]
        if alive.size == 0:
            continue
        sharp = np.array([sharpness(sweep, rate_hz) for sweep in alive])
        together = np.median(sharp, axis=0)
        usual = float(np.median(together[together > 0])) if np.any(together > 0) else 0.0
        if usual <= 0:
            continue
        for start, end, height in zip(*bursts(together, rate_hz, 8.0 * usual), strict=True):
            corners = [
                angular(*pair, int(start), int(end), rate_hz) for pair in zip(alive, sharp, strict=True)
            ]
            if np.mean(corners) > 0.5 and (best is None or height / usual > best[0]):
                best = (float(height / usual), int(start) + lag_of(rate_hz))
    return None if best is None else best[1]


def trigger_times(recording: Recording) -> tuple[str, tuple[float, ...]] | None:
    """Return name and edges of a two-level trigger line among the analogue channels, if there is one."""
    for signal in recording.signals:
        if not any(word in signal.name.lower() for word in _TRIGGER_WORDS):
            continue
        x = signal.samples_mv
        low, high = float(np.nanmin(x)), float(np.nanmax(x))
        if not high > low:
            continue
        is_low, is_high = x < low + 0.2 * (high - low), x > high - 0.2 * (high - low)
        if np.mean(is_low | is_high) < 0.98:
            continue
        up = is_high if np.mean(is_low) > 0.5 else is_low
        edges = np.flatnonzero(~up[:-1] & up[1:]) + 1
        ends = np.flatnonzero(up[:-1] & ~up[1:]) + 1
        before = ends[np.searchsorted(ends, edges[1:]) - 1] if edges.size > 1 and ends.size else edges[1:]
        # A line that falls for less than this and rises again has bounced: it is the same pulse.
        edges = edges[np.append(True, edges[1:] - before >= _BOUNCE_S * signal.rate_hz)[: edges.size]]
        if 0 < edges.size < x.size / 20:
            return signal.name, tuple(time_of(recording, signal, int(edge)) for edge in edges)
    return None


def voltages(recording: Recording) -> list[Signal]:
    """Return the channels that are voltages, or might be; those that call themselves smoothed only if alone.

    Smoothing spreads an artefact over its window, so that its edges are at two moments, both wrong.
    """
    found = [s for s in recording.signals if voltage_unit(s.unit_in_file) or not s.unit_in_file.strip()]
    return [signal for signal in found if not is_derived(signal.name)] or found


def time_of(recording: Recording, signal: Signal, sample: int) -> float:
    """Return the clock time of a sample of `signal`; NaN beyond its end."""
    for index, section in enumerate(recording.sections):
        first, last = recording.bounds(signal, index)
        if first <= sample < last:
            lag = signal.start_s - recording.sections[0].start_s
            return section.start_s + lag + (sample - first) / signal.rate_hz
    return float("nan")
