from __future__ import annotations

import numpy as np
import pytest

from sudeck.tms.responses.sweep_quality import (
    QualityLimits,
    flag_background,
    flag_clipping,
    flag_decay,
    flag_drift,
    flag_hum,
    flag_marker_delay,
    flag_no_response,
)


def test_background_is_flagged_at_rest_only() -> None:
    rms = np.array([0.002, 0.015, 0.015, np.nan])
    flags = flag_background(rms, np.array([True, True, False, True]))
    assert [flag.subject for flag in flags] == ["trial 2"]
    assert flags[0].value == pytest.approx(15.0)
    assert flags[0].limit == pytest.approx(10.0)
    assert not flag_background(rms, np.ones(4, bool), limits=QualityLimits(background_mv=0.02))


def test_clipped_responses_are_flagged_and_round_ones_not(mep) -> None:
    sweeps = mep(30)
    assert flag_clipping(*sweeps.parts) == []
    rail = 0.4
    flags = flag_clipping(np.clip(sweeps.emg_mv, -rail, rail), 5000.0, 1500)
    clipped = {f"trial {k + 1}" for k in np.flatnonzero(sweeps.emg_mv.max(axis=1) > 1.2 * rail)}
    assert clipped
    assert clipped <= {flag.subject for flag in flags}
    assert {flag.severity for flag in flags} == {"serious"}


def test_clipped_artefact_alone_is_no_finding(mep) -> None:
    emg = mep(10).emg_mv
    emg[:, 1500:1512] = 5.0
    assert flag_clipping(emg, 5000.0, 1500) == []


def test_coarse_steps_are_not_clipping(mep) -> None:
    sweeps = mep(30)
    assert flag_clipping(np.round(sweeps.emg_mv / 0.02) * 0.02, 5000.0, 1500) == []


def test_drift_is_found_by_condition() -> None:
    rng = np.random.default_rng(2)
    noise = np.exp(0.3 * rng.standard_normal(60))
    condition = ["a", "b"] * 30
    steady = flag_drift(noise, condition)
    assert steady == []
    rising = noise * np.where(np.array(condition) == "b", np.exp(np.linspace(0, 1.5, 60)), 1.0)
    flags = flag_drift(rising, condition)
    assert [flag.subject for flag in flags] == ["b"]
    assert flags[0].value == pytest.approx(np.exp(1.5), rel=0.4)
    assert "rose" in flags[0].message


def test_drift_is_rarely_seen_in_steady_blocks() -> None:
    rng = np.random.default_rng(4)
    flagged = sum(bool(flag_drift(np.exp(0.7 * rng.standard_normal(20)), [""] * 20)) for _ in range(300))
    assert flagged <= 9


def test_marker_that_comes_late_is_noticed(mep) -> None:
    sweeps = mep(20, artefact_mv=3.0)
    assert flag_marker_delay(*sweeps.parts) == []
    (flag,) = flag_marker_delay(sweeps.emg_mv, 5000.0, 1551)
    assert flag.value == pytest.approx(-10.2, abs=0.9)
    assert "too late" in flag.message


def test_conditioning_pulse_is_not_taken_for_a_late_marker(mep) -> None:
    emg = mep(20, artefact_mv=1.0).emg_mv
    emg[:, 1485:1490] += 5.0
    assert flag_marker_delay(emg, 5000.0, 1500, isi_ms=3.0) == []


def test_hum_weighs_by_its_size() -> None:
    assert flag_hum(None, np.zeros(3)) == []
    assert flag_hum(50.0, np.full(3, 0.01))[0].severity == "info"
    assert flag_hum(50.0, np.full(3, 0.05))[0].severity == "caution"


def test_decay_and_no_response_name_their_trials() -> None:
    assert [flag.subject for flag in flag_decay(np.array([0.0, -0.2]))] == ["trial 2"]
    flags = flag_no_response(np.array([True, False]), np.array([False, True]))
    assert [(flag.code, flag.subject) for flag in flags] == [
        ("onset-before-window", "trial 1"),
        ("second-artefact", "trial 2"),
    ]
    assert QualityLimits().to_dict()["background_mv"] == 0.010
