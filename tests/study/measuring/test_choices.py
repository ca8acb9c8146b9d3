"""What persons decided changes the measurement, and nothing else does."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sudeck.core.errors import InputError
from sudeck.study.folder.decision_kinds import Decision, DecisionKind
from sudeck.study.folder.settings import Settings
from sudeck.study.measuring.choices import excluded_recordings, scan_choices, trial_choices
from sudeck.study.measuring.inputs import PatientInputs
from sudeck.study.measuring.patient_measures import measure_patient


def decided(kind: DecisionKind, value: Any, *, about: str = "", session: str = "ses-pre") -> Decision:
    return Decision("sub-001", kind, value, who="NM", why="seen on the film", session=session, about=about)


def test_no_decision_changes_nothing() -> None:
    choices = scan_choices([], "ses-pre")
    assert (choices.affected, choices.region, choices.excluded) == (None, None, "")
    assert choices.reading == {}


def test_every_kind_lands_where_it_is_used() -> None:
    mirror = {"unit": "px", "centre": [1, 1], "counterpart": [5, 1]}
    region = {"type": "polygon", "unit": "px", "points": [[1, 1], [2, 1], [2, 2]]}
    choices = scan_choices(
        [
            decided("side", "left"),
            decided("image-left", "right", session=""),
            decided("view", "plantar"),
            decided("phase", "bone", about="03.dcm"),
            decided("phase", "tissue", about="02.dcm"),
            decided("region", region),
            decided("mirror", mirror),
            decided("note", "anything"),
        ],
        "ses-pre",
    )
    assert choices.affected == "left"
    assert choices.region == region
    assert choices.mirror == mirror
    assert choices.reading == {
        "image_left": "right",
        "view": "plantar",
        "phase_of": {"03.dcm": "bone", "02.dcm": "tissue"},
    }


def test_another_session_is_not_concerned() -> None:
    assert scan_choices([decided("view", "dorsal", session="ses-post")], "ses-pre").reading == {}


@pytest.mark.parametrize(
    ("about", "scan", "recordings"),
    [("", True, True), ("scan", True, False), ("tms", False, True)],
)
def test_exclusions(about: str, scan: bool, recordings: bool) -> None:
    decisions = [decided("exclude", True, about=about)]
    assert bool(scan_choices(decisions, "ses-pre").excluded) is scan
    assert bool(excluded_recordings(decisions, "ses-pre")) is recordings


@pytest.mark.parametrize(
    "wrong",
    [
        decided("side", "both"),
        decided("view", 3),
        decided("phase", "bone"),
        decided("region", "whole"),
        decided("mirror", [1, 2]),
    ],
)
def test_values_that_can_not_be(wrong: Decision) -> None:
    with pytest.raises(InputError, match="decision on"):
        scan_choices([wrong], "ses-pre")


def test_what_is_decided_of_the_reading_is_handed_on() -> None:
    reading = scan_choices(
        [
            decided("limb", "foot"),
            decided("frame-time", 2.0),
            decided("injection-time", "2016-01-05T10:00"),
            decided("view", "dorsal"),
            decided("view", "plantar", session=""),  # of this session knows more than of every
        ],
        "ses-pre",
    ).reading
    moment = datetime(2016, 1, 5, 10, 0)
    assert reading == {"limb": "foot", "frame_s": 2.0, "injected_at": moment, "view": "dorsal"}


def test_an_exclusion_that_was_lifted_excludes_nothing() -> None:
    assert scan_choices([decided("exclude", False)], "ses-pre").excluded == ""
    assert excluded_recordings([decided("exclude", False)], "ses-pre") == ""


def test_trials_are_handed_on_by_number() -> None:
    found = trial_choices(
        [
            decided("trial", "reject", about="trial 17"),
            decided("onset", 23.5, about="3"),
            decided("trial", "reject", about="4", session="ses-post"),
        ],
        "ses-pre",
    )
    assert [(one.trial, one.rejected, one.onset_ms) for one in found] == [(3, False, 23.5), (17, True, None)]
    with pytest.raises(InputError, match="session"):
        trial_choices([decided("trial", "reject", about="4", session="")], "ses-pre")


def test_a_decided_trial_reaches_the_measurement(tmp_path: Path) -> None:
    path = tmp_path / "Dupontel_hand.npz"
    sweeps = np.random.default_rng(2).normal(0, 0.003, (12, 1500))
    sweeps[:, 610:660] += np.sin(np.linspace(0, 2 * np.pi, 50))
    np.savez(path, emg=sweeps)
    path.with_suffix(".json").write_text(
        json.dumps({"rate_hz": 5000, "unit": "mV", "pulse_ms": 100, "channel": "FDI"})
    )
    given = decided("trial", "reject", about="trial 3 of file-1.npz")
    patient = PatientInputs("sub-001", "hand", "left", True, {}, {"ses-pre": (path,)}, decisions=(given,))
    record = measure_patient(patient, Settings(), fingerprint="")
    assert [row.get("decision") for row in record.trials["ses-pre"]] == [None] * 2 + ["reject"] + [None] * 9
    assert record.trials["ses-pre"][0]["file"] == "file-1.npz"
    (entry,) = record.recordings["ses-pre"]["decisions"]
    assert entry["rejected"]
    assert "Dupontel" not in json.dumps(record.to_dict(), default=str)
