"""Decisions: kept with who, when and why; a later one does not destroy an earlier one."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from sudeck.core.errors import InputError
from sudeck.study.folder.decision_kinds import Decision
from sudeck.study.folder.decisions import read_decisions, read_log, record_decision, standing_decisions
from sudeck.study.folder.layout import StudyFolder


def test_the_last_decision_holds_and_all_stay(study: StudyFolder) -> None:
    first = record_decision(study, Decision("sub-001", "side", "left", "M.S.", "as the letter says"))
    before = first.read_bytes()
    assert first.name == "sub-001.jsonl"
    record_decision(study, Decision("sub-001", "side", "right", "M.S.", "seen in the clinic"))
    record_decision(study, Decision("sub-001", "exclude", True, "J.L.", "withdrew", session="ses-pre"))
    assert first.read_bytes().startswith(before)
    assert [decision.value for decision in read_decisions(study)] == ["left", "right", True]
    assert [decision.value for decision in standing_decisions(study, "sub-001")] == ["right", True]
    assert all(decision.when for decision in read_decisions(study))


@pytest.mark.parametrize(
    "decision",
    [
        Decision("sub-001", "side", "left", "", "why"),
        Decision("sub-001", "side", "left", "who", " "),
        Decision("../sub-001", "side", "left", "who", "why"),
        Decision("sub-001", "guess", "left", "who", "why"),  # type: ignore[arg-type]
    ],
)
def test_a_decision_needs_who_when_why_and_what(decision: Decision, study: StudyFolder) -> None:
    with pytest.raises(InputError):
        record_decision(study, decision)
    assert not study.decisions.exists()


def keep(study: StudyFolder, *values: str) -> Path:
    for value in values:
        path = record_decision(
            study, Decision("sub-001", "side", value, "M.S.", "Vu à la clinique, côté − sûr")
        )
    return path


@pytest.mark.parametrize(
    ("kind", "about", "value"),
    [
        ("side", "", "upwards"),
        ("trial", "seventeen", "reject"),
        ("trial", "trial 17", "away"),
        ("onset", "trial 17", 10**400),
        ("onset", "trial 17", float("nan")),
        ("frame-time", "", True),
        ("injection-time", "", "noon"),
        ("phase", "", "bone"),
        ("limb", "", ["hand"]),
    ],
)
def test_a_value_that_can_not_be_is_not_kept(kind: Any, about: str, value: Any, study: StudyFolder) -> None:
    with pytest.raises(InputError):
        record_decision(study, Decision("sub-001", kind, value, "M.S.", "why", about=about))
    assert not study.decisions.exists()


@pytest.mark.parametrize("attack", ["edited", "removed", "put in", "first removed", "order"])
def test_a_changed_line_shows(attack: str, study: StudyFolder) -> None:
    path = keep(study, "left", "right", "left")
    assert not read_log(study, "sub-001").problems
    lines = path.read_bytes().splitlines(keepends=True)
    if attack == "edited":
        lines[1] = lines[1].replace(b"right", b"left")
    elif attack == "removed":
        del lines[1]
    elif attack == "put in":
        lines.insert(1, lines[0])
    elif attack == "first removed":
        del lines[0]
    else:
        lines[0], lines[1] = lines[1], lines[0]
    path.write_bytes(b"".join(lines))
    assert any("does not follow" in str(problem) for problem in read_log(study, "sub-001").problems)
    with pytest.raises(InputError, match=r"does not follow|sub-001.jsonl line 2: it was changed"):
        standing_decisions(study, "sub-001")


@pytest.mark.parametrize(
    ("attack", "values"),
    [
        ("value", ["left"]),
        ("value", ["left", "right", "left"]),
        ("reason", ["left"]),
        ("another hash", ["left"]),
        ("no hash", ["left", "left"]),
    ],
)
def test_a_changed_last_line_shows_before_any_run(attack: str, values: list[str], study: StudyFolder) -> None:
    path = keep(study, *values)
    *earlier, last = path.read_bytes().splitlines()
    start = last.index(b', "own"')
    changed = {
        "value": last.replace(b'"left"', b'"right"'),
        "reason": last.replace("sûr".encode(), b"sur"),
        "another hash": last[:start] + b', "own": "' + b"0" * 64 + b'"}',
        "no hash": last[:start] + b"}",
    }
    path.write_bytes(b"\n".join([*earlier, changed[attack], b""]))
    (problem,) = read_log(study, "sub-001").problems
    assert f"line {len(values)}: it was changed after it was written" in str(problem)


def test_lines_of_earlier_versions_without_a_hash_of_their_own_stay_good(study: StudyFolder) -> None:
    path = keep(study, "left")
    line = path.read_bytes()
    path.write_bytes(line[: line.index(b', "own"')] + b"}\n")
    keep(study, "right", "left")
    assert read_log(study, "sub-001").problems == ()
    assert [decision.value for decision in read_decisions(study)] == ["left", "right", "left"]


def test_half_a_line_of_a_killed_program_is_not_a_decision(study: StudyFolder) -> None:
    path = keep(study, "left", "right")
    whole = path.read_bytes()
    path.write_bytes(whole[:-9])
    assert [decision.value for decision in read_decisions(study)] == ["left"]
    keep(study, "left")
    assert [decision.value for decision in read_decisions(study)] == ["left", "left"]
    path.write_bytes(path.read_bytes()[:-1])  # an editor that ends no last line
    keep(study, "right")
    assert [decision.value for decision in read_decisions(study)] == ["left", "left", "right"]


def test_a_decision_is_taken_back_by_a_line(study: StudyFolder) -> None:
    keep(study, "left")
    record_decision(study, Decision("sub-001", "side", None, "M.S.", "mistaken"))
    assert standing_decisions(study) == ()
    assert len(read_decisions(study)) == 2


def test_files_of_earlier_versions_come_first_and_are_bound(study: StudyFolder) -> None:
    folder = study.decisions / "sub-001"
    folder.mkdir(parents=True)
    old = Decision("sub-001", "side", "right", "M.S.", "seen", when="2025-01-05T10:00+00:00")
    (folder / "0001_side.json").write_text(json.dumps(old.to_dict()))
    keep(study, "left")
    assert [decision.value for decision in read_decisions(study)] == ["right", "left"]
    (folder / "0001_side.json").write_text(json.dumps({**old.to_dict(), "value": "left"}))
    with pytest.raises(InputError, match="does not follow"):
        read_decisions(study)


@pytest.mark.parametrize("damage", ["half", "deep", "folder", "pipe"])
def test_a_damaged_file_is_named(damage: str, study: StudyFolder) -> None:
    path = study.decisions / "sub-001" / "0001_note.json"
    path.parent.mkdir(parents=True)
    if damage == "folder":
        path.mkdir()
    elif damage == "pipe":
        os.mkfifo(path)
    else:
        path.write_text("{" if damage == "half" else '{"patient": ' + "[" * 100_000)
    with pytest.raises(InputError, match=f"sub-001/{path.name}"):
        read_decisions(study)


def test_two_persons_at_one_moment_lose_nothing(study: StudyFolder) -> None:
    def decide(number: int) -> None:
        record_decision(study, Decision("sub-001", "note", f"n{number}", "M.S.", "why"))

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(decide, range(24)))
    assert {decision.value for decision in read_decisions(study)} == {f"n{n}" for n in range(24)}
