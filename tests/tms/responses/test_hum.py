from __future__ import annotations

import numpy as np
import pytest

from sudeck.tms.responses.amplitude import peak_to_peak
from sudeck.tms.responses.hum import remove_hum
from sudeck.tms.responses.latency import find_onsets


@pytest.mark.parametrize("mains", [49.9, 50.0, 60.1])
def test_hum_goes_and_the_response_stays(mep, mains: float) -> None:
    sweeps = mep(hum_mv=0.1, hum_hz=mains)
    removal = remove_hum(*sweeps.parts)
    assert removal.mains_hz == pytest.approx(mains, abs=0.05)
    assert np.median(removal.amplitude_mv) == pytest.approx(0.1, rel=0.05)
    before = removal.emg_mv[:, :1400]
    assert before.std() < 0.005
    amplitude = peak_to_peak(removal.emg_mv, 5000.0, 1500)
    np.testing.assert_allclose(amplitude, sweeps.amplitude_mv, atol=0.03)
    onsets = find_onsets(removal.emg_mv, 5000.0, 1500)
    assert np.median(onsets.latency_ms - sweeps.latency_ms) == pytest.approx(0.0, abs=0.5)


def test_harmonics_go_with_it(mep) -> None:
    sweeps = mep()
    time_s = sweeps.time_ms / 1e3
    hum = 0.05 * np.sin(2 * np.pi * 50 * time_s) + 0.02 * np.sin(2 * np.pi * 150 * time_s + 1)
    removal = remove_hum(sweeps.emg_mv + hum, 5000.0, 1500)
    assert removal.harmonics == (1, 3)
    assert removal.emg_mv[:, :1400].std() < 0.004


@pytest.mark.parametrize("n_trials", [1, 30])
def test_without_hum_nothing_changes_to_the_last_bit(mep, n_trials: int) -> None:
    sweeps = mep(n_trials)
    removal = remove_hum(*sweeps.parts)
    assert removal.mains_hz is None
    np.testing.assert_array_equal(removal.emg_mv, sweeps.emg_mv)


def test_active_emg_is_no_hum(active_emg) -> None:
    assert remove_hum(active_emg(), 5000.0, 1500).mains_hz is None


def test_noise_is_rarely_taken_for_hum() -> None:
    rng = np.random.default_rng(11)
    found = sum(
        remove_hum(0.1 * rng.standard_normal((5, 2000)), 2000.0, 600).mains_hz is not None for _ in range(40)
    )
    assert found <= 1


def test_a_line_after_the_pulse_alone_is_no_hum(mep) -> None:
    sweeps = mep()
    tail = np.where(sweeps.time_ms > 0, 0.05 * np.sin(2 * np.pi * 0.05 * sweeps.time_ms), 0.0)
    assert remove_hum(sweeps.emg_mv + tail, 5000.0, 1500).mains_hz is None


def test_sweeps_too_short_for_a_line_are_left_alone(mep) -> None:
    sweeps = mep(hum_mv=0.1).emg_mv[:, 1400:2000]
    assert remove_hum(sweeps, 5000.0, 100).mains_hz is None


def test_dead_and_missing_sweeps_do_not_hide_hum(mep) -> None:
    emg = mep(hum_mv=0.1).emg_mv
    emg[0] = 0.0
    emg[1, 700] = np.nan
    removal = remove_hum(emg, 5000.0, 1500)
    assert removal.mains_hz == pytest.approx(50.0, abs=0.05)
    assert not removal.emg_mv[0].any()
    assert str(removal).startswith("hum of ")
    assert removal.to_dict()["harmonics"] == [1]
