from __future__ import annotations

import numpy as np
import pytest

from sudeck.tms.responses.amplitude import peak_to_peak
from sudeck.tms.responses.artefact import remove_decay, repeats_artefact


@pytest.mark.parametrize("tau", [5.0, 20.0, 60.0])
def test_decay_is_taken_from_under_the_response(mep, tau: float) -> None:
    sweeps = mep(10, log_sd=0.0)
    time_ms = sweeps.time_ms
    decay = np.where(time_ms > 0, 0.8 * np.exp(-np.maximum(time_ms, 0) / tau), 0.0)
    fit = remove_decay(sweeps.emg_mv + decay, 5000.0, 1500, noise_sd_mv=0.003)
    np.testing.assert_allclose(fit.time_constant_ms, tau, rtol=0.15)
    np.testing.assert_allclose(fit.reach_mv, 0.8 * np.exp(-15.0 / tau), rtol=0.1)
    np.testing.assert_allclose(peak_to_peak(fit.emg_mv, 5000.0, 1500), 1.0, atol=0.05)
    assert "10 of 10" in str(fit)


def test_without_decay_nothing_changes_to_the_last_bit(mep) -> None:
    sweeps = mep(artefact_mv=3.0)
    fit = remove_decay(*sweeps.parts, noise_sd_mv=0.003)
    np.testing.assert_array_equal(fit.emg_mv, sweeps.emg_mv)
    assert np.isnan(fit.time_constant_ms).all()
    assert fit.to_dict() == {"n_fitted": 0, "largest_reach_mv": 0.0}


def test_background_emg_is_no_decay(active_emg) -> None:
    emg = active_emg(50, quiet_ms=(300.0, 301.0))
    fit = remove_decay(emg, 5000.0, 1500, noise_sd_mv=emg.std())
    assert np.isfinite(fit.time_constant_ms).sum() == 0


def test_a_second_pulse_in_the_window_is_told_from_a_response(mep) -> None:
    sweeps = mep(20, amplitude_mv=0.4, artefact_mv=0.5)
    assert not repeats_artefact(*sweeps.parts, window_ms=(15.0, 60.0)).any()
    doubled = mep(20, amplitude_mv=1e-6, artefact_mv=0.5).emg_mv
    doubled[:, 1700:1705] += 0.5 * np.array([1.0, -1.0, 0.5, -0.2, 0.05])
    assert repeats_artefact(doubled, 5000.0, 1500, window_ms=(15.0, 60.0)).all()


def test_decay_too_small_to_matter_is_left_alone(mep) -> None:
    sweeps = mep(10, noise_mv=0.0, amplitude_mv=0.1)
    decay = np.where(sweeps.time_ms > 0, 0.012 * np.exp(-np.maximum(sweeps.time_ms, 0) / 20.0), 0.0)
    emg = sweeps.emg_mv + decay
    np.testing.assert_array_equal(remove_decay(emg, 5000.0, 1500).emg_mv, emg)
