from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from sudeck.core.errors import InputError
from sudeck.tms.responses.averaged_silent_period import average_silent_period, estimate_averaged_silent_period
from sudeck.tms.responses.silent_period import IPSILATERAL_MS, find_silent_periods


@pytest.mark.parametrize("quiet_ms", [(35.0, 100.0), (45.0, 230.0)])
def test_begin_and_end_are_those_of_the_pause(active_emg, quiet_ms: tuple[float, float]) -> None:
    found = find_silent_periods(active_emg(60, quiet_ms=quiet_ms), 5000.0, 1500)
    assert np.isfinite(found.offset_ms).all()
    assert not found.censored.any()
    assert np.median(found.onset_ms) == pytest.approx(quiet_ms[0], abs=2.0)
    assert np.median(found.offset_ms) == pytest.approx(quiet_ms[1], abs=1.0)
    assert np.abs(found.offset_ms - quiet_ms[1]).mean() < 2.0
    assert (found.depth < 0.15).all()
    np.testing.assert_array_equal(found.duration_ms, found.offset_ms - found.onset_ms)


def test_the_slow_tail_of_the_response_does_not_hide_the_begin(active_emg) -> None:
    emg = active_emg(30)
    time_ms = (np.arange(4000) - 1500) / 5
    tail = np.where(time_ms > 22, 1.5 * np.exp(-np.maximum(time_ms - 22, 0) / 30), 0.0)
    found = find_silent_periods(emg + tail, 5000.0, 1500)
    assert np.median(found.offset_ms) == pytest.approx(150.0, abs=3.0)


def test_emg_that_does_not_return_is_censored(active_emg) -> None:
    emg = active_emg(10, quiet_ms=(35.0, 500.0))
    found = find_silent_periods(emg, 5000.0, 1500)
    assert found.censored.all()
    np.testing.assert_allclose(found.offset_ms, 499.0, atol=0.3)
    short = find_silent_periods(emg[:, :2300], 5000.0, 1500)
    assert short.censored.all()
    np.testing.assert_allclose(short.offset_ms, 159.0, atol=0.3)
    assert "10 had not returned" in str(found)
    assert found.to_dict()["n_censored"] == 10


def test_emg_that_never_pauses_has_no_silent_period(active_emg) -> None:
    found = find_silent_periods(active_emg(60, share=1.0), 5000.0, 1500)
    assert np.isnan(found.offset_ms).all()
    flat = find_silent_periods(np.zeros((2, 4000)), 5000.0, 1500)
    assert str(flat) == "no silent period in 2 trials"
    assert flat.to_dict()["median_offset_ms"] is None


def test_sweeps_without_room_give_nothing(active_emg) -> None:
    emg = active_emg(3)
    assert np.isnan(find_silent_periods(emg[:, 1490:], 5000.0, 10).offset_ms).all()
    assert np.isnan(find_silent_periods(emg[:, :1600], 5000.0, 1500).offset_ms).all()


def test_ipsilateral_pause_shows_in_the_average_alone(active_emg) -> None:
    emg = active_emg(40, quiet_ms=(34.0, 58.0), share=0.5)
    pause = average_silent_period(emg, 5000.0, 1500)
    assert pause.onset_ms == pytest.approx(34.0, abs=2.0)
    assert pause.offset_ms == pytest.approx(58.0, abs=2.0)
    assert pause.depth == pytest.approx(0.5, abs=0.06)
    assert pause.duration_ms == pause.offset_ms - pause.onset_ms
    assert not pause.censored
    assert "average of 40 sweeps" in str(pause)


def test_no_pause_in_the_average_of_steady_emg(active_emg) -> None:
    pauses = [average_silent_period(active_emg(20, share=1.0, seed=seed), 5000.0, 1500) for seed in range(20)]
    assert sum(np.isfinite(pause.onset_ms) for pause in pauses) <= 1
    assert str(pauses[0]) == "no silent period in the average of 20 sweeps"
    assert pauses[0].to_dict()["offset_ms"] is None


def test_interval_of_the_averaged_pause_holds_the_truth(active_emg) -> None:
    held = [0, 0]
    for seed in range(20):
        emg = active_emg(40, quiet_ms=(34.0, 58.0), share=0.5, seed=seed)
        duration, depth = estimate_averaged_silent_period(emg, 5000.0, 1500, draws=100)
        # Steps of a millisecond, and a slope over one, leave the ends open by as much.
        held[0] += duration.low - 1.0 <= 24.0 <= duration.high + 1.0
        held[1] += depth.low <= 0.52 and depth.high >= 0.5
    assert held[0] >= 17
    assert held[1] >= 17


def test_no_averaged_pause_is_refused(active_emg) -> None:
    with pytest.raises(InputError, match="shows no pause"):
        estimate_averaged_silent_period(active_emg(20, share=1.0), 5000.0, 1500)
    with pytest.raises(InputError, match="average of 0 trials"):
        estimate_averaged_silent_period(np.zeros((3, 4000)), 5000.0, 1500)


def test_average_leaves_dead_and_missing_sweeps_out(active_emg) -> None:
    emg = active_emg(20)
    emg[0], emg[1, 5] = 0.0, np.nan
    pause = average_silent_period(emg, 5000.0, 1500, search_ms=(30.0, 300.0))
    assert pause.n_trials == 18
    assert pause.offset_ms == pytest.approx(150.0, abs=3.0)
    assert np.isnan(average_silent_period(np.zeros((2, 4000)), 5000.0, 1500).onset_ms)


def test_average_that_does_not_return_is_censored(active_emg) -> None:
    emg = active_emg(20, quiet_ms=(35.0, 500.0))
    pause = average_silent_period(emg, 5000.0, 1500, search_ms=IPSILATERAL_MS)
    assert pause.censored
    assert "to >" in str(pause)


def test_reviewed_silent_periods_of_veta(shared: Path) -> None:
    with (shared / "tms" / "veta" / "csp_veta_manual_reviewed.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    recorded = np.load(shared / "tms" / "veta" / "csp_raw.npz")["ch1"].astype(float)
    error = []
    for trial, row in enumerate(rows):
        if float(row["artloc"]) > 0:
            pulse = round(float(row["artloc"]) * 5000) - 1
            found = find_silent_periods(recorded[[trial], pulse - 1000 : pulse + 2000], 5000.0, 1000)
            reviewed_ms = 1e3 * (float(row["ch1_CSP_offset"]) - float(row["artloc"]))
            error.append(abs(found.offset_ms[0] - reviewed_ms))
    assert len(error) == 13
    assert np.mean(error) < 5.0
    assert np.median(error) < 2.0
