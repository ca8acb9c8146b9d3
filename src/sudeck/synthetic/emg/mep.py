"""Shapes on the trace: the motor evoked potential, the stimulus artefact, mains hum, background EMG."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

# Harmonics of the mains relative to the fundamental: odd ones dominate.
_HARMONICS = {1: 1.0, 2: 0.1, 3: 0.3, 5: 0.15}


def mep_shape(time_ms: FloatArray, *, duration_ms: float = 12.0, phases: float = 1.25) -> FloatArray:
    """Return a motor evoked potential of unit peak-to-peak amplitude that starts at 0 ms.

    Parameters
    ----------
    time_ms : ndarray
        Times after onset; before 0 and after `duration_ms` the shape is exactly zero.
    duration_ms : float
        Onset to end.
    phases : float
        Cycles within the duration: about 1 is biphasic, more is polyphasic.

    Examples
    --------
    >>> shape = mep_shape(np.arange(0, 15, 0.01))
    >>> round(float(np.ptp(shape)), 3)
    1.0
    """
    fine = _unscaled(np.linspace(0, 1, 2001), phases)
    shape: FloatArray = _unscaled(np.asarray(time_ms, dtype=np.float64) / duration_ms, phases) / np.ptp(fine)
    return shape


def _unscaled(phase: FloatArray, cycles: float) -> FloatArray:
    inside = np.clip(phase, 0.0, 1.0)
    rise = 1 - np.exp(-inside / 0.04)  # a steep but finite take-off
    wave: FloatArray = np.sin(2 * np.pi * cycles * inside) * (1 - inside) ** 0.7 * rise
    return np.where((phase >= 0) & (phase <= 1), wave, 0.0)


def artefact_shape(time_ms: FloatArray, *, decay_ms: float = 0.8) -> FloatArray:
    """Return the stimulus artefact: a sharp biphasic spike at 0 ms and the amplifier's recovery after it."""
    after = np.where(time_ms >= 0, time_ms, np.inf)
    spike = np.exp(-0.5 * ((time_ms - 0.15) / 0.12) ** 2) - 0.8 * np.exp(-0.5 * ((time_ms - 0.5) / 0.15) ** 2)
    shape: FloatArray = spike - 0.25 * np.exp(-after / decay_ms)
    return shape


def mains_hum(
    samples: int, rate_hz: float, *, amplitude_mv: float, mains_hz: float, rng: np.random.Generator
) -> FloatArray:
    """Return mains hum with harmonics and slowly wandering amplitude, shape (samples,)."""
    time_s = np.arange(samples) / rate_hz
    hum = np.zeros(samples)
    for order, share in _HARMONICS.items():
        hum += share * np.sin(2 * np.pi * (order * mains_hz * time_s + rng.random()))
    wander = 1 + 0.1 * np.sin(2 * np.pi * (time_s / 37.0 + rng.random()))
    return np.asarray(amplitude_mv * wander * hum)


def background_emg(samples: int, rate_hz: float, *, rms_mv: float, rng: np.random.Generator) -> FloatArray:
    """Return tonic surface EMG: noise of the usual 20-450 Hz band, shape (samples,), of the given RMS."""
    from scipy.signal import butter, sosfilt

    top = min(450.0, 0.45 * rate_hz)
    sections = butter(2, [20.0, top], btype="bandpass", fs=rate_hz, output="sos")
    noise = sosfilt(sections, rng.standard_normal(samples + int(rate_hz / 5)))[-samples:]
    scale = rms_mv / math.sqrt(float(np.mean(noise**2))) if samples else 0.0
    return np.asarray(scale * noise)
