from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from sudeck.core.errors import InputError
from sudeck.tms.recordings.labelled_trials import read_trials


@pytest.fixture
def two_channels(forge, tmp_path: Path) -> Path:
    truth = forge.make_emg()
    truth = forge.Truth(truth.emg_mv, truth.times_s, ("RFDI", "EMG 2"))
    return forge.write_brainvision(tmp_path / "a.vhdr", truth)


def test_a_channel_is_chosen_and_hemisphere_and_muscle_are_stated(two_channels: Path) -> None:
    (named,) = read_trials(two_channels, channel="RFDI", hemisphere="left")
    assert {(p.muscle, p.muscle_side, p.hemisphere) for p in named.pulses} == {("FDI", "right", "left")}
    assert not any(flag.code == "not-stated" and flag.subject == "hemisphere" for flag in named.flags)
    (stated,) = read_trials(two_channels, channel="EMG 2", muscle="left APB")
    assert {(p.muscle, p.muscle_side) for p in stated.pulses} == {("APB", "left")}
    # A channel that names another muscle is left out; one that names none is what was stated.
    (other,) = read_trials(two_channels, muscle="APB")
    assert other.channel == "EMG 2"
    assert [item.channel for item in read_trials(two_channels, muscle="FDI")] == ["RFDI"]


def test_a_statement_against_the_events_is_refused(two_channels: Path, tmp_path: Path) -> None:
    events = tmp_path / "events.tsv"
    events.write_text("hemisphere\n" + "right\n" * 5)
    with pytest.raises(InputError, match="5 of 5 stimuli are said to be of the right hemisphere"):
        read_trials(two_channels, events=events, hemisphere="left")
    with pytest.raises(InputError, match="APB"):
        read_trials(two_channels, channel="APB")


def test_one_value_of_a_sidecar_holds_for_every_trial(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, emg=np.random.default_rng(1).normal(0, 0.01, (4, 1000)))
    given = {"rate_hz": 5000, "unit": "mV", "pulse_ms": 50, "channel": "FDI", "isi_ms": [None, 2, None, 2]}
    given |= {"hemisphere": "left", "state": "rest", "test_rmt": 120, "conditioning_rmt": 80}
    path.with_suffix(".json").write_text(json.dumps(given))
    (item,) = read_trials(path)
    assert {(p.hemisphere, p.state, p.test_rmt) for p in item.pulses} == {("left", "rest", 120.0)}
    assert [(p.kind, p.conditioning_rmt) for p in item.pulses] == [("single", None), ("paired", 80.0)] * 2
    given["hemisphere"] = "middle"
    path.with_suffix(".json").write_text(json.dumps(given))
    with pytest.raises(InputError, match="middle"):
        read_trials(path)
