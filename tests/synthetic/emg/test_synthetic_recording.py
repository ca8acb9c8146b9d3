"""Synthetic recordings: the truth is in the trace."""

from __future__ import annotations

import numpy as np
import pytest

from sudeck.core.errors import InputError
from sudeck.core.storage import to_json
from sudeck.synthetic.emg.synthetic_recording import (
    Amplifier,
    Stimulus,
    VirtualHemisphere,
    paired_pulse_block,
    recruitment_block,
    silent_period_block,
    simulate_emg,
    simulate_trials,
)

CLEAN = Amplifier(interval_s=1.0, noise_rms_mv=0.0, artefact_mv=0.0)


def test_threshold_follows_from_the_recruitment_curve():
    truth = VirtualHemisphere()
    assert truth.median_amplitude_mv(truth.rmt_mso) == pytest.approx(0.05)
    assert truth.threshold_mso(0.2, "active") < truth.threshold_mso(0.2)
    assert truth.median_amplitude_mv(1.2 * truth.rmt_mso) == pytest.approx(1.0, rel=0.2)
    with pytest.raises(InputError):
        VirtualHemisphere(mep_max_mv=0.04).threshold_mso()


def test_trials_scatter_log_normally_about_the_truth():
    truth = VirtualHemisphere(ratios={"SICI": 0.4})
    rng = np.random.default_rng(4)
    stimuli = [Stimulus("single", 54.0)] * 3000 + [Stimulus("SICI", 54.0, 2.5, 36.0)] * 3000
    log_amplitude = np.log([t.amplitude_mv for t in simulate_trials(truth, stimuli, rng=rng)])
    single, paired = log_amplitude[:3000], log_amplitude[3000:]
    assert np.exp(single.mean()) == pytest.approx(float(truth.median_amplitude_mv(54.0)), rel=0.05)
    assert np.exp(paired.mean() - single.mean()) == pytest.approx(0.4, rel=0.07)
    assert single.std() == pytest.approx(float(truth.log_sd(54.0)), rel=0.05)
    assert paired.std() == pytest.approx(float(truth.log_sd(54.0)), rel=0.05)
    latency = np.array([t.latency_ms for t in simulate_trials(truth, stimuli, rng=rng)])
    assert (latency.mean(), latency.std()) == pytest.approx((22.0, 0.4), rel=0.04)


def test_responses_scatter_most_at_threshold_as_those_of_people() -> None:
    """SD of ln amplitude in sweeps of eight people: 1.1, 0.8 and 0.35, see `VirtualHemisphere`."""
    truth = VirtualHemisphere()
    rng = np.random.default_rng(11)
    found = []
    for mso in (truth.rmt_mso, 1.2 * truth.rmt_mso, 1.8 * truth.rmt_mso):
        trials = simulate_trials(truth, [Stimulus("single", mso)] * 4000, rng=rng)
        found.append(np.log([trial.amplitude_mv for trial in trials]))
    assert [one.std() for one in found] == pytest.approx([1.1, 0.8, 0.35], rel=0.08)
    assert np.exp(np.median(found[0])) == pytest.approx(0.05, rel=0.06)


def test_the_trace_holds_what_the_truth_says():
    truth = VirtualHemisphere()
    rng = np.random.default_rng(5)
    recording = simulate_emg(truth, recruitment_block([50, 60], trials=5, rng=rng), amplifier=CLEAN, rng=rng)
    sweeps = recording.epochs(0.0, 0.06)
    assert np.ptp(sweeps, axis=1) == pytest.approx([t.amplitude_mv for t in recording.trials], rel=0.02)
    for sweep, trial in zip(sweeps, recording.trials, strict=True):
        onset_ms = np.flatnonzero(np.abs(sweep) > 0.02 * trial.amplitude_mv)[0] / 5.0
        assert onset_ms == pytest.approx(trial.latency_ms, abs=0.6)
    assert np.all(np.diff([t.time_s for t in recording.trials]) > 0.7)


def test_silent_period_is_silent_until_its_end():
    truth = VirtualHemisphere()
    recording = simulate_emg(
        truth, silent_period_block(truth, trials=4), amplifier=CLEAN, rng=np.random.default_rng(6)
    )
    sweeps = recording.epochs(0.1, 0.3)
    time_ms = np.arange(sweeps.shape[1]) / 5.0 - 100
    for sweep, trial in zip(sweeps, recording.trials, strict=True):
        assert trial.silent_end_ms is not None
        silent = (time_ms > trial.latency_ms + 20) & (time_ms < trial.silent_end_ms - 0.5)
        assert not sweep[silent].any()
        assert sweep[time_ms > trial.silent_end_ms + 1].std() > 0.08
        assert sweep[time_ms < -5].std() > 0.08


def test_paired_blocks_plan_what_they_say():
    truth = VirtualHemisphere(hemisphere="right", ratios={"SICI": 0.4, "LICI": 0.3, "IHI": 0.6})
    stimuli = paired_pulse_block(
        truth,
        isi_ms={"SICI": 3.0, "LICI": 100.0, "IHI": 10.0},
        conditioning_rmt={"LICI": 120.0, "IHI": 120.0},
        trials=4,
        rng=np.random.default_rng(7),
    )
    assert len(stimuli) == 16
    by_name = {stimulus.condition: stimulus for stimulus in stimuli}
    assert by_name["SICI"].conditioning_mso == round(0.8 * truth.rmt_mso)
    assert by_name["IHI"].conditioning_hemisphere == "left"
    assert by_name["single"].isi_ms is None
    recording = simulate_emg(truth, stimuli, amplifier=CLEAN, rng=np.random.default_rng(8))
    assert recording.channel == "FDI left"
    before = recording.epochs(0.1, 0.0)
    own_mep = {t.stimulus.condition: np.ptp(s) for t, s in zip(recording.trials, before, strict=True)}
    assert own_mep["LICI"] > 0.1  # the strong conditioning pulse of LICI has a response of its own
    assert own_mep["SICI"] == own_mep["IHI"] == own_mep["single"] == 0.0


def test_same_seed_same_recording_and_the_truth_is_plain_json():
    truth = VirtualHemisphere()
    one, two = (
        simulate_emg(
            truth,
            silent_period_block(truth, trials=2),
            amplifier=Amplifier(hum_mv=0.05),
            rng=np.random.default_rng(9),
        )
        for _ in range(2)
    )
    assert np.array_equal(one.samples_mv, two.samples_mv)
    assert '"rmt_mso"' in to_json(one.to_dict())


def test_a_pair_without_truth_is_refused():
    with pytest.raises(InputError, match="no true ratio"):
        simulate_trials(
            VirtualHemisphere(), [Stimulus("SICF", 54.0, 1.5, 54.0)], rng=np.random.default_rng(0)
        )
