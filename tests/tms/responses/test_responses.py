from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sudeck.core.errors import InputError
from sudeck.core.flags import Flag
from sudeck.core.provenance import SourceFile
from sudeck.tms.responses.response_settings import ResponseSettings
from sudeck.tms.responses.responses import measure_responses
from sudeck.tms.signals.trials import Pulse, TrialSet

SINGLE = Pulse(float("nan"), "single", muscle="FDI", muscle_side="right", hemisphere="left", state="rest")
SOURCE = SourceFile("simulated", "0" * 64, 0)


def trial_set(
    emg: np.ndarray, pulses: Sequence[Pulse] | Pulse = SINGLE, pulse_sample: int = 1500
) -> TrialSet:
    several = (pulses,) * len(emg) if isinstance(pulses, Pulse) else tuple(pulses)
    return TrialSet(emg, 5000.0, pulse_sample, several, "FDI", SOURCE)


def test_every_number_agrees_with_the_truth(mep) -> None:
    sweeps = mep(40)
    result = measure_responses(trial_set(sweeps.emg_mv))
    assert result.n_trials == 40
    assert result.present.all()
    np.testing.assert_allclose(result.amplitude_mv, sweeps.amplitude_mv, atol=0.02)
    assert np.abs(result.latency_ms - sweeps.latency_ms).max() < 1.0
    assert np.median(result.duration_ms) == pytest.approx(12.0, abs=1.0)
    assert np.median(result.baseline_rms_mv) == pytest.approx(0.003, rel=0.05)
    assert np.median(result.noise_floor_mv) == pytest.approx(0.003 * 5.6, rel=0.1)
    assert (result.area_mv_ms > 0).all()
    assert np.isnan(result.csp_ms).all()
    assert result.flags == ()
    assert str(result).startswith("40 responses in 40 trials, median amplitude")


def test_clean_sweeps_are_measured_as_recorded(mep) -> None:
    emg = mep(20, artefact_mv=2.0).emg_mv
    result = measure_responses(trial_set(emg))
    expected = np.ptp(emg[:, 1575:1801], axis=1)
    np.testing.assert_array_equal(result.amplitude_mv, expected)


def test_search_window_is_that_of_the_muscle_or_the_given_one(mep) -> None:
    emg = mep(3).emg_mv
    leg = measure_responses(trial_set(emg, replace(SINGLE, muscle="TA")))
    given_window = measure_responses(trial_set(emg), settings=ResponseSettings(search_ms=(18.0, 50.0)))
    assert (leg.search_ms, given_window.search_ms) == ((20.0, 90.0), (18.0, 50.0))


def test_small_and_absent_responses_are_told_apart(mep) -> None:
    none = mep(50, amplitude_mv=1e-9, seed=5).emg_mv
    small = mep(50, amplitude_mv=0.08, log_sd=0.0).emg_mv
    result = measure_responses(trial_set(np.vstack([none, small])))
    assert result.present[:50].mean() < 0.05
    assert result.present[50:].mean() > 0.95
    assert np.isfinite(result.amplitude_mv).all()
    assert np.isnan(result.latency_ms[~result.present]).all()


def test_dead_and_missing_sweeps_have_no_amplitude(mep) -> None:
    emg = mep(6).emg_mv
    emg[1], emg[2, 800] = 0.0, np.nan
    result = measure_responses(trial_set(emg))
    assert np.isnan(result.amplitude_mv).tolist() == [False, True, True, False, False, False]
    assert np.isnan(result.baseline_rms_mv[1:3]).all()
    assert not result.present[1:3].any()


def test_baseline_of_a_pair_lies_before_its_first_pulse(mep) -> None:
    quiet = mep(10, amplitude_mv=1.0).emg_mv
    with_first_response = quiet + np.roll(quiet, -500, axis=1)
    pair = replace(SINGLE, kind="paired", isi_ms=100.0)
    result = measure_responses(trial_set(with_first_response, pair))
    assert np.median(result.baseline_rms_mv) == pytest.approx(0.003 * np.sqrt(2), rel=0.1)
    assert (result.noise_floor_mv < 0.05).all()
    told_single = measure_responses(trial_set(with_first_response))
    assert np.median(told_single.baseline_rms_mv) > 0.1


def test_silent_period_of_a_contracting_muscle(mep, active_emg) -> None:
    response = mep(20, amplitude_mv=3.0, noise_mv=0.0).emg_mv
    emg = active_emg(20) + response
    result = measure_responses(trial_set(emg, replace(SINGLE, state="active")))
    assert np.median(result.csp_return_ms) == pytest.approx(150.0, abs=3.0)
    assert np.median(result.csp_ms) == pytest.approx(150.0 - 22.0, abs=4.0)
    assert not result.flagged("background-emg").any()
    by_pulse = measure_responses(
        trial_set(emg, replace(SINGLE, state="active")), settings=ResponseSettings(silent_period_from="pulse")
    )
    np.testing.assert_array_equal(by_pulse.csp_ms, result.csp_return_ms)
    resting = measure_responses(trial_set(emg))
    assert np.isnan(resting.csp_ms).all()
    assert resting.flagged("background-emg").all()
    unstated = measure_responses(trial_set(emg, replace(SINGLE, state=None)))
    np.testing.assert_array_equal(unstated.csp_ms, result.csp_ms)
    never = ResponseSettings(silent_period="never")
    assert np.isnan(
        measure_responses(trial_set(emg, replace(SINGLE, state="active")), settings=never).csp_ms
    ).all()


def test_silent_period_on_the_side_of_the_stimulus_has_no_mep(active_emg) -> None:
    emg = active_emg(20, quiet_ms=(35.0, 65.0))
    same_side = replace(SINGLE, state="active", muscle_side="left")
    result = measure_responses(trial_set(emg, same_side))
    assert np.median(result.csp_ms) == pytest.approx(30.0, abs=4.0)
    assert np.median(result.csp_return_ms) == pytest.approx(65.0, abs=3.0)


def test_silence_to_the_end_is_censored(active_emg) -> None:
    result = measure_responses(
        trial_set(active_emg(5, quiet_ms=(35.0, 500.0)), replace(SINGLE, state="active"))
    )
    assert result.csp_censored.all()


def test_hum_and_decay_are_taken_out_and_told(mep) -> None:
    sweeps = mep(20, hum_mv=0.08, hum_hz=60.0)
    decay = np.where(sweeps.time_ms > 0, 0.5 * np.exp(-np.maximum(sweeps.time_ms, 0) / 15), 0.0)
    emg = sweeps.emg_mv.copy()
    emg[:5] += decay
    result = measure_responses(trial_set(emg))
    np.testing.assert_allclose(result.amplitude_mv, sweeps.amplitude_mv, atol=0.06)
    assert result.flagged("artefact-decay").tolist() == [True] * 5 + [False] * 15
    assert [flag.code for flag in result.flags].count("hum") == 1
    off = ResponseSettings(take_out_hum=False, take_out_decay=False)
    untouched = measure_responses(trial_set(emg), settings=off)
    np.testing.assert_array_equal(untouched.amplitude_mv, np.ptp(emg[:, 1575:1801], axis=1))


def test_flags_of_the_sweeps_are_kept_once(mep) -> None:
    own = Flag("dead-sweep", "In trial 2 the signal never changes.", "serious", "trial 2")
    trials = replace(trial_set(mep(3).emg_mv), flags=(own, own))
    result = measure_responses(trials)
    assert result.flags == (own,)
    assert result.flag_codes == ((), ("dead-sweep",), ())
    assert result.flagged().tolist() == [False, True, False]
    assert result.flagged("hum").tolist() == [False] * 3


def test_result_is_json_and_the_same_every_time(mep) -> None:
    trials = trial_set(mep(5, amplitude_mv=0.02).emg_mv)
    first, second = (json.dumps(measure_responses(trials).to_dict(), allow_nan=False) for _ in range(2))
    assert first == second
    plain = json.loads(first)
    assert len(plain["amplitude_mv"]) == 5
    assert plain["settings"]["limits"]["drift"] == 2.0


def test_a_trial_does_not_depend_on_the_order(mep) -> None:
    emg = mep(20).emg_mv
    order = np.random.default_rng(0).permutation(20)
    plain, shuffled = measure_responses(trial_set(emg)), measure_responses(trial_set(emg[order]))
    np.testing.assert_array_equal(plain.amplitude_mv[order], shuffled.amplitude_mv)
    np.testing.assert_array_equal(plain.latency_ms[order], shuffled.latency_ms)


def test_sweeps_shorter_than_the_search_are_refused(mep) -> None:
    with pytest.raises(InputError, match="search window: 15 to 60 ms is not inside the sweep"):
        measure_responses(trial_set(mep(2).emg_mv[:, :1700]))


@given(
    n_trials=st.integers(1, 4),
    before=st.integers(0, 300),
    after=st.integers(70, 400),
    kind=st.sampled_from(["noise", "flat", "nan", "steps", "huge"]),
    state=st.sampled_from(["rest", "active", None]),
    isi_ms=st.sampled_from([None, 2.5, 100.0]),
    seed=st.integers(0, 99),
)
def test_no_sweeps_break_it(
    n_trials: int, before: int, after: int, kind: str, state, isi_ms: float | None, seed: int
) -> None:
    emg = np.random.default_rng(seed).standard_normal((n_trials, before + after))
    if kind == "flat":
        emg[0] = 3.0
    elif kind == "nan":
        emg[0, seed % emg.shape[1]] = np.nan
    elif kind == "steps":
        emg = np.round(emg)
    elif kind == "huge":
        emg *= 1e9
    pulse = replace(SINGLE, state=state, isi_ms=isi_ms, kind="single" if isi_ms is None else "paired")
    trials = TrialSet(emg, 1000.0, before, (pulse,) * n_trials, "FDI", SOURCE)
    result = measure_responses(trials)
    assert result.amplitude_mv.shape == (n_trials,)
    json.dumps(result.to_dict(), allow_nan=False)
