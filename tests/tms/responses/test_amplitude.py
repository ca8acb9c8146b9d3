from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sudeck.core.errors import InputError
from sudeck.tms.responses.amplitude import (
    baseline_rms,
    denoised_peak_to_peak,
    highpass,
    noise_floor,
    peak_to_peak,
    rectified_area,
)


def test_amplitude_is_that_of_the_response(mep) -> None:
    sweeps = mep(noise_mv=0.0)
    np.testing.assert_allclose(peak_to_peak(*sweeps.parts), sweeps.amplitude_mv, rtol=2e-3)


def test_spline_finds_the_peak_between_samples(mep) -> None:
    sweeps = mep(noise_mv=0.0, log_sd=0.0)
    coarse = sweeps.emg_mv[:, ::3]
    plain = peak_to_peak(coarse, 5000 / 3, 500)
    fine = peak_to_peak(coarse, 5000 / 3, 500, oversample=10)
    assert np.abs(fine - 1.0).mean() < 0.3 * np.abs(plain - 1.0).mean()


@given(
    sweep=arrays(np.float64, (2, 200), elements=st.floats(-5, 5)),
    gain=st.floats(0.01, 100),
    shift=st.floats(-3, 3),
)
def test_amplitude_ignores_level_and_follows_gain(sweep: np.ndarray, gain: float, shift: float) -> None:
    plain = peak_to_peak(sweep, 2000.0, 50)
    np.testing.assert_allclose(
        peak_to_peak(-gain * sweep + shift, 2000.0, 50), gain * plain, rtol=1e-9, atol=1e-9
    )


def test_missing_samples_give_nan_not_a_number(mep) -> None:
    emg, rate, pulse = mep(3).parts
    emg[1, pulse + 150] = np.nan
    for oversample in (1, 10):
        measured = peak_to_peak(emg, rate, pulse, oversample=oversample)
        assert np.isnan(measured).tolist() == [False, True, False]


def test_noise_floor_is_what_a_sweep_without_response_shows() -> None:
    noise = 0.004 * np.random.default_rng(5).standard_normal((400, 2000))
    floor = noise_floor(noise, 5000.0, 1000)
    assert floor.mean() == pytest.approx(peak_to_peak(noise, 5000.0, 1000).mean(), rel=0.02)
    assert floor.mean() > 5 * 0.004


def test_denoised_amplitude_is_free_of_the_noise_and_keeps_the_response(mep) -> None:
    small = mep(300, amplitude_mv=0.05, log_sd=0.0, noise_mv=0.005)
    plain, quiet = peak_to_peak(*small.parts), denoised_peak_to_peak(*small.parts)
    assert plain.mean() > 1.15 * 0.05
    assert quiet.mean() == pytest.approx(0.05, rel=0.06)
    large = mep(50, noise_mv=0.0)
    np.testing.assert_allclose(denoised_peak_to_peak(*large.parts), large.amplitude_mv, rtol=0.02)
    floor = noise_floor(*small.parts, denoised=True)
    assert floor.mean() < 0.6 * noise_floor(*small.parts).mean()


def test_noise_floor_needs_room_before_the_pulse(mep) -> None:
    emg = mep(2).emg_mv[:, 1400:]
    assert np.isnan(noise_floor(emg, 5000.0, 100)).all()


def test_baseline_rms_is_about_its_own_mean() -> None:
    wave = np.tile([0.02, -0.02], 1000)[np.newaxis] + 3.0
    assert baseline_rms(wave, 5000.0, 1000)[0] == pytest.approx(0.02, rel=1e-3)
    assert np.isnan(baseline_rms(wave, 5000.0, 20)[0])


def test_area_of_a_sine_is_known() -> None:
    time_ms = (np.arange(4000) - 1500) / 5
    sweep = np.where((time_ms > 20) & (time_ms < 30), 2.0 * np.sin((time_ms - 20) * np.pi / 5), 0.0)[
        np.newaxis
    ]
    area = rectified_area(sweep + 0.7, 5000.0, 1500, onset_ms=np.array([20.0]), offset_ms=np.array([30.0]))
    assert area[0] == pytest.approx(2.0 * 10.0 * 2 / np.pi, rel=2e-3)
    nothing = np.array([np.nan])
    assert np.isnan(rectified_area(sweep, 5000.0, 1500, onset_ms=nothing, offset_ms=nothing)[0])


def test_highpass_takes_drift_and_leaves_the_response(mep) -> None:
    sweeps = mep(noise_mv=0.0)
    drift = np.linspace(-2, 2, sweeps.emg_mv.shape[1])
    kept = peak_to_peak(highpass(sweeps.emg_mv + drift, 5000.0), 5000.0, 1500)
    np.testing.assert_allclose(kept, sweeps.amplitude_mv, rtol=0.02)


@pytest.mark.parametrize("cutoff", [0.0, -1.0, 10.0, float("nan")])
def test_highpass_that_would_shrink_the_response_is_refused(cutoff: float) -> None:
    with pytest.raises(InputError, match="at most 5 Hz"):
        highpass(np.zeros((1, 1000)), 1000.0, cutoff_hz=cutoff)


def _table(path: Path) -> dict[str, np.ndarray]:
    with path.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    return {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}


@pytest.mark.parametrize("name", ["sici", "csp"])
def test_amplitudes_equal_those_of_veta(shared: Path, name: str) -> None:
    recorded = np.load(shared / "tms" / "veta" / f"{name}_raw.npz")["ch1"].astype(float)
    answers = _table(shared / "tms" / "veta" / f"{name}_veta_auto.csv")
    for trial in np.flatnonzero(answers["artloc"] > 0):
        pulse = round(answers["artloc"][trial] * 5000) - 1
        ours = peak_to_peak(recorded[[trial]], 5000.0, pulse, window_ms=(18.0, 100.0))
        assert ours[0] == pytest.approx(answers["ch1_MEP_amplitude"][trial], rel=1e-6)


@pytest.mark.parametrize("name", ["ID01", "ID02", "ID04", "ID10_1"])
def test_amplitudes_equal_those_of_mepfeatx(shared: Path, name: str) -> None:
    from scipy.io import loadmat

    sweeps = loadmat(shared / "tms" / "mepfeatx" / f"{name}.mat")["meps"].T
    theirs = _table(shared / "tms" / "mepfeatx" / f"{name}_features.csv")["Amplitude"]
    ours = peak_to_peak(sweeps, 3000.0, 150, window_ms=(15.0, 90.0), oversample=10)
    np.testing.assert_allclose(ours[theirs > 0], theirs[theirs > 0], rtol=1e-6)
