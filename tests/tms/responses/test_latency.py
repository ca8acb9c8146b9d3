from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sudeck.tms.responses.latency import RULES, find_onsets


@pytest.mark.parametrize("rate_divider", [1, 2])
def test_onset_is_found_without_bias(mep, rate_divider: int) -> None:
    sweeps = mep(200)
    onsets = find_onsets(sweeps.emg_mv[:, ::rate_divider], 5000.0 / rate_divider, 1500 // rate_divider)
    error = onsets.latency_ms - sweeps.latency_ms
    assert onsets.present.all()
    assert abs(np.median(error)) < 0.3
    assert error.std() < 0.25
    for rule in RULES:
        assert abs(np.median(onsets.by_rule_ms[rule] - sweeps.latency_ms)) < 0.6


def test_latency_is_the_median_rule_and_spread_their_range(mep) -> None:
    onsets = find_onsets(*mep(50).parts)
    together = np.vstack([onsets.by_rule_ms[rule] for rule in RULES])
    np.testing.assert_array_equal(onsets.latency_ms, np.median(together, axis=0))
    np.testing.assert_array_equal(onsets.spread_ms, np.ptp(together, axis=0))
    assert (onsets.spread_ms > 0).any()


def test_onset_does_not_follow_the_size_of_the_response(mep) -> None:
    small, large = (find_onsets(*mep(80, amplitude_mv=size, log_sd=0.0).parts) for size in (0.3, 3.0))
    assert abs(np.median(small.latency_ms) - np.median(large.latency_ms)) < 0.4


def test_onset_is_the_same_upside_down_and_in_other_units(mep) -> None:
    sweeps = mep(20)
    plain = find_onsets(*sweeps.parts)
    turned = find_onsets(-1000.0 * sweeps.emg_mv + 5.0, 5000.0, 1500)
    np.testing.assert_allclose(turned.latency_ms, plain.latency_ms, atol=0.21)


def test_end_and_duration(mep) -> None:
    sweeps = mep(50, log_sd=0.0)
    onsets = find_onsets(*sweeps.parts)
    assert np.median(onsets.offset_ms - sweeps.latency_ms) == pytest.approx(12.0, abs=1.0)
    np.testing.assert_array_equal(onsets.duration_ms, onsets.offset_ms - onsets.latency_ms)


def test_noise_holds_hardly_any_response() -> None:
    noise = 0.005 * np.random.default_rng(9).standard_normal((2000, 2000))
    onsets = find_onsets(noise, 5000.0, 1000)
    assert onsets.present.mean() < 0.01
    assert np.isnan(onsets.latency_ms[~onsets.present]).all()


def test_what_began_before_the_window_is_no_response(mep) -> None:
    sweeps = mep(10)
    onsets = find_onsets(*sweeps.parts, window_ms=(25.0, 60.0))
    assert onsets.begins_early.all()
    assert not onsets.present.any()
    assert str(onsets) == "no response in 10 trials"
    assert onsets.to_dict()["median_latency_ms"] is None


def test_missing_flat_and_short_sweeps_are_survived(mep) -> None:
    emg = mep(4).emg_mv
    emg[0] = 0.0
    emg[1, 1600] = np.nan
    onsets = find_onsets(emg, 5000.0, 1500)
    assert onsets.present.tolist() == [False, False, True, True]
    begun = find_onsets(emg[:, 1500:], 5000.0, 0)
    assert begun.present.tolist() == [False, False, True, True]
    assert np.abs(begun.latency_ms[2:] - onsets.latency_ms[2:]).max() < 1.0


def test_dropped_responses_leave_no_trace(mep) -> None:
    onsets = find_onsets(*mep(3).parts)
    left = onsets.without(np.array([True, False, False]))
    assert left.present.tolist() == [False, True, True]
    assert np.isnan([left.latency_ms[0], left.spread_ms[0], left.offset_ms[0]]).all()
    assert left.latency_ms[1] == onsets.latency_ms[1]


def test_within_subject_scatter_on_real_sweeps(shared: Path) -> None:
    h5py = pytest.importorskip("h5py")
    spread = []
    for subject in (1, 2, 7):
        with h5py.File(shared / "tms" / "oxford" / f"S{subject}.mat") as file:
            sweeps = file["mep"][()].transpose(2, 0, 1).reshape(-1, 10000)
        onsets = find_onsets(sweeps, 10000.0, 1000)
        large = np.ptp(sweeps[:, 1150:1501], axis=1) > 0.3
        assert onsets.present[large].all()
        spread.append(onsets.latency_ms[large].std())
    assert np.mean(spread) < 0.5
