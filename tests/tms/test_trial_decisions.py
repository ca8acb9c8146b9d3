from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sudeck.core.errors import InputError
from sudeck.core.provenance import SourceFile
from sudeck.report.tms.page import tms_report
from sudeck.tms.measurement import measure_trials
from sudeck.tms.recordings.trial_decisions import TrialDecision, read_decisions
from sudeck.tms.signals.trials import AmplitudeTable, Pulse, TrialSet

TEST = Pulse(
    float("nan"), "single", hemisphere="left", muscle="FDI", muscle_side="right", state="rest",
    visit="pre", participant="sub-1", test_rmt=120.0,
)  # fmt: skip
PAIR = replace(TEST, kind="paired", isi_ms=2.5, conditioning_rmt=80.0)


def source(name: str) -> SourceFile:
    return SourceFile(name, (name + "0" * 64)[:64], 0)


@pytest.fixture
def block(mep: Callable[..., object]) -> TrialSet:
    """Fifteen test pulses of 1 mV, fifteen pairs of 0.4 mV."""
    emg = np.vstack([mep(15, seed=1).emg_mv, mep(15, amplitude_mv=0.4, seed=2).emg_mv])
    pulses = tuple(replace(p, time_s=5.0 * i) for i, p in enumerate([TEST] * 15 + [PAIR] * 15))
    return TrialSet(emg, 5000.0, 1500, pulses, "RFDI", source("a.vhdr"))


def reject(trial: int, **rest: object) -> TrialDecision:
    return TrialDecision(trial, rejected=True, who="NM", why="coil slipped", **rest)


def without(item: TrialSet, *trials: int) -> TrialSet:
    rows = [index for index in range(item.n_trials) if index + 1 not in trials]
    return replace(item, emg_mv=item.emg_mv[rows], pulses=tuple(item.pulses[row] for row in rows))


def test_rejected_trials_are_as_if_never_recorded_and_keep_their_number(block) -> None:
    spoilt = replace(block, emg_mv=block.emg_mv.copy())
    spoilt.emg_mv[[2, 20]] *= 30
    result = measure_trials([spoilt], decisions=[reject(3), reject(21)])
    alone = measure_trials([without(spoilt, 3, 21)])
    assert [one.to_dict() for one in result.estimates] == [one.to_dict() for one in alone.estimates]
    assert [one.to_dict() for one in result.estimates_undecided] == [
        one.to_dict() for one in measure_trials([spoilt]).estimates
    ]
    assert [trial.number for trial in result.trials if trial.rejected] == [3, 21]
    assert len(result.trials) == 30
    (flag,) = [flag for flag in result.flags if flag.code == "trials-rejected"]
    assert "2 of 30" in flag.message
    assert "2 by NM: coil slipped" in flag.message
    page = tms_report(result)
    assert "Before decisions" in page
    assert "coil slipped" in page


def test_a_moved_onset_is_used_and_the_duration_follows_it(block) -> None:
    before = measure_trials([block])
    moved = TrialDecision(4, onset_ms=19.0, who="NM", why="early deflection")
    after = measure_trials([block], decisions=[moved])
    old, new = before.trials[3], after.trials[3]
    assert new["latency_ms"] == 19.0
    assert new["duration_ms"] == pytest.approx(old["duration_ms"] + old["latency_ms"] - 19.0)
    others = [(a["latency_ms"], b["latency_ms"]) for a, b in zip(before.trials, after.trials, strict=True)]
    assert [pair for i, pair in enumerate(others) if i != 3 and pair[0] != pair[1]] == []
    assert any(flag.code == "onsets-moved" for flag in after.flags)


def test_a_group_whose_trials_are_all_rejected_has_no_measure(block) -> None:
    decisions = [reject(number) for number in range(1, 31)]
    result = measure_trials([block], decisions=decisions)
    assert result.estimates == ()
    assert result.n_rejected == 30


def test_what_a_decision_is_about_must_be_there_and_one(block) -> None:
    other = replace(block, source=source("b.vhdr"))
    second = replace(block, channel="LFDI", emg_mv=block.emg_mv * 0.5)
    for sets, decisions, words in (
        ([block], [reject(31)], "30 trials"),
        ([block], [reject(3, file="c.vhdr")], "a.vhdr"),
        ([block, other], [reject(3)], "of which of 2 recordings"),
        ([block], [reject(3), reject(3)], "two about this trial"),
        ([block, second], [TrialDecision(3, onset_ms=20.0, who="NM", why="seen")], "RFDI, LFDI"),
        ([block], [reject(3, channel="X")], "RFDI"),
    ):
        with pytest.raises(InputError, match=words):
            measure_trials(sets, decisions=decisions)
    both = measure_trials([block, second], decisions=[reject(3)])
    assert [(t.channel, t.number) for t in both.trials if t.rejected] == [("RFDI", 3), ("LFDI", 3)]
    one = measure_trials([block, other], decisions=[reject(3, file="b.vhdr")])
    assert [t.file for t in one.trials if t.rejected] == ["b.vhdr"]


def test_trials_of_a_table_can_be_rejected() -> None:
    amplitude = np.exp(np.random.default_rng(1).normal(0, 0.4, 24))
    table = AmplitudeTable(amplitude, (TEST,) * 12 + (PAIR,) * 12, None, source("t.tsv"))
    result = measure_trials([table], decisions=[reject(24)])
    (sici,) = result.find("SICI")
    assert sici.estimate.n == 23


def test_decisions_come_from_a_table_and_go_back_into_one(block, tmp_path: Path) -> None:
    path = tmp_path / "decisions.tsv"
    path.write_text(
        "trial\tdecision\tonset_ms\twho\twhy\n"
        "3\treject\tn/a\tNM\tcoil slipped\n4\t\t19,5\tNM\tearly\n"
        "5\tn/a\tn/a\tn/a\tn/a\n6\tkeep\t\tNM\tfine\n",
        encoding="utf-8",
    )
    decisions = read_decisions(path)
    assert [(one.trial, one.rejected, one.onset_ms) for one in decisions] == [
        (3, True, None),
        (4, False, 19.5),
        (6, False, None),
    ]
    result = measure_trials([block], decisions=decisions)
    result.write(tmp_path)
    again = measure_trials([block], decisions=read_decisions(tmp_path / "trials.tsv"))
    assert [one.to_dict() for one in again.estimates] == [one.to_dict() for one in result.estimates]
    written = json.loads((tmp_path / "tms.json").read_text())
    assert [entry["trial"] for entry in written["decisions"]] == [3, 4, 6]
    assert written["estimates_undecided"]
    for row, words in (
        ("3\tdrop\t\tNM\tx", "reject or keep"),
        ("3\treject\t\t\tx", "who decided"),
        ("0\treject\t\tNM\tx", "no number"),
        ("3\t\t900\tNM\tx", "no onset"),
        ("3\t\t\tNM\tcoil moved", "decides nothing"),
    ):
        path.write_text(f"trial\tdecision\tonset_ms\twho\twhy\n{row}\n", encoding="utf-8")
        with pytest.raises(InputError, match=words):
            read_decisions(path)
    path.write_text("trial\trejected\twho\twhy\n3\tyes\tNM\tcoil moved\n", encoding="utf-8")
    with pytest.raises(InputError, match="no table of decisions"):
        read_decisions(path)
