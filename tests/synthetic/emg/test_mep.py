"""Shapes on the trace."""

from __future__ import annotations

import numpy as np
import pytest

from sudeck.synthetic.emg.mep import artefact_shape, background_emg, mains_hum, mep_shape


@pytest.mark.parametrize(("duration", "phases"), [(12.0, 1.25), (9.0, 1.0), (18.0, 2.0)])
def test_mep_has_unit_size_and_starts_at_zero(duration, phases):
    time = np.arange(-5, 25, 0.005)
    shape = mep_shape(time, duration_ms=duration, phases=phases)
    assert np.ptp(shape) == pytest.approx(1.0, abs=1e-3)
    assert not shape[(time < 0) | (time > duration)].any()
    visible = time[np.abs(shape) > 0.02][0]
    assert 0 < visible < 0.4


def test_artefact_is_over_before_the_response():
    time = np.arange(-2, 30, 0.1)
    shape = artefact_shape(time)
    assert np.ptp(shape) > 1.5
    assert np.abs(shape[time > 15]).max() < 1e-6


def test_hum_sits_on_the_mains_and_its_harmonics():
    hum = mains_hum(10_000, 2000.0, amplitude_mv=0.1, mains_hz=60.0, rng=np.random.default_rng(1))
    spectrum = np.abs(np.fft.rfft(hum))
    strongest = np.argsort(spectrum)[-1] / 5.0
    assert strongest == pytest.approx(60.0, abs=0.3)


def test_background_has_the_rms_and_band_asked_for():
    noise = background_emg(50_000, 5000.0, rms_mv=0.1, rng=np.random.default_rng(2))
    assert np.sqrt(np.mean(noise**2)) == pytest.approx(0.1)
    power = np.abs(np.fft.rfft(noise)) ** 2
    frequency = np.fft.rfftfreq(noise.size, 1 / 5000)
    inside = (frequency > 15) & (frequency < 600)
    assert power[inside].sum() / power.sum() > 0.9
    assert not background_emg(100, 5000.0, rms_mv=0.0, rng=np.random.default_rng(3)).any()
