"""Sweeps whose truth is known, made here and independent of everything under test."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

RATE_HZ = 5000.0
PULSE = 1500


@dataclass(frozen=True)
class Simulated:
    """Sweeps at 5 kHz, 300 ms before to 500 ms after the pulse, and what is in them."""

    emg_mv: np.ndarray
    latency_ms: np.ndarray
    amplitude_mv: np.ndarray
    rate_hz: float = RATE_HZ
    pulse_sample: int = PULSE

    @property
    def time_ms(self) -> np.ndarray:
        return (np.arange(self.emg_mv.shape[1]) - PULSE) * 1e3 / RATE_HZ

    @property
    def parts(self) -> tuple[np.ndarray, float, int]:
        return self.emg_mv, self.rate_hz, self.pulse_sample


def simulate(
    n_trials: int = 30,
    *,
    latency_ms: float = 22.0,
    jitter_ms: float = 0.5,
    amplitude_mv: float = 1.0,
    log_sd: float = 0.5,
    noise_mv: float = 0.003,
    hum_mv: float = 0.0,
    hum_hz: float = 50.0,
    artefact_mv: float = 0.0,
    seed: int = 1,
) -> Simulated:
    rng = np.random.default_rng(seed)
    time_ms = (np.arange(4000) - PULSE) * 1e3 / RATE_HZ
    latency = latency_ms + jitter_ms * rng.standard_normal(n_trials)
    amplitude = amplitude_mv * np.exp(log_sd * rng.standard_normal(n_trials))
    since = time_ms - latency[:, np.newaxis]
    # One and a half unlike half waves that begin with a slope, as an MEP does; peak to peak is then 1.
    wave = np.where((since > 0) & (since < 12), np.sin(since * np.pi / 6) * np.exp(-since / 15), 0.0)
    wave /= np.ptp(np.sin(np.linspace(0, 2 * np.pi, 5001)) * np.exp(-np.linspace(0, 12, 5001) / 15))
    emg = amplitude[:, np.newaxis] * wave + noise_mv * rng.standard_normal((n_trials, time_ms.size))
    phase = rng.uniform(0, 2 * np.pi, (n_trials, 1))
    emg += hum_mv * np.sin(2 * np.pi * hum_hz * time_ms / 1e3 + phase)
    emg[:, PULSE : PULSE + 5] += artefact_mv * np.array([1.0, -1.0, 0.5, -0.2, 0.05])
    return Simulated(emg, latency, amplitude)


def contracting(
    n_trials: int = 20, *, quiet_ms: tuple[float, float] = (35.0, 150.0), share: float = 0.05, seed: int = 3
) -> np.ndarray:
    """Return EMG of a contracting muscle at 5 kHz that falls to a share of itself for a while."""
    rng = np.random.default_rng(seed)
    emg = rng.standard_normal((n_trials, 4000 + 20))
    emg = 0.1 * np.apply_along_axis(np.convolve, 1, emg, np.hanning(21) / 3.9, "valid")
    first, last = (PULSE + round(time * RATE_HZ / 1e3) for time in quiet_ms)
    emg[:, first:last] *= share
    return emg


@pytest.fixture
def mep() -> Callable[..., Simulated]:
    return simulate


@pytest.fixture
def active_emg() -> Callable[..., np.ndarray]:
    return contracting


@pytest.fixture(scope="session")
def forge() -> ModuleType:
    """Makers of recording files with known truth: the module ``made_recordings`` beside this file."""
    spec = spec_from_file_location("made_recordings", Path(__file__).with_name("made_recordings.py"))
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[spec.name] = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
