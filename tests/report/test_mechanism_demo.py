"""The demo's mechanism: statistics always, circuits where the extra is, and one line on what was left out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sudeck.core.errors import MissingDependencyError
from sudeck.demo.mechanism import mechanism
from sudeck.study.answers import why
from sudeck.study.answers.why import MECHANISM_FILE
from sudeck.study.folder.create import create_study
from support.stimulated import fit_by_hand, make_stimulated_study


def test_every_circuit_is_fitted_and_stands_in_the_results(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = make_stimulated_study(tmp_path / "study")
    monkeypatch.setattr(why, "fit_task", fit_by_hand)
    monkeypatch.setattr(why, "require_circuit", lambda: None)
    part = mechanism(study.root, patients=34, say=lambda line: None)
    assert part is not None
    written = json.loads((study.derivatives / MECHANISM_FILE).read_text(encoding="utf-8"))
    fitted = {row["participant_id"] for row in written["circuit"]}
    failed = {row["participant_id"] for row in written["circuit_failures"]}
    assert failed == {"sub-002"}
    assert fitted == {f"sub-{number:03d}" for number in (1, 3, 4, 5, 6)}
    page = (tmp_path / part.link).read_text(encoding="utf-8")
    assert "The circuit was fitted to 5 of 6 patients." in page
    assert [row.name for row in part.rows] == [
        f"{measure}, {side} side, post over pre" for measure in ("SICI", "ICF") for side in ("pain", "other")
    ]
    assert all(row.truth for row in part.rows)


def test_without_the_extra_the_demo_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise MissingDependencyError("The circuit of each patient", "circuit")

    study = make_stimulated_study(tmp_path / "study")
    monkeypatch.setattr(why, "require_circuit", refuse)
    given: list[str] = []
    part = mechanism(study.root, patients=34, say=given.append)
    assert part is not None
    assert sum("sudeck[circuit]" in line for line in given) == 1
    assert "sudeck[circuit]" in (tmp_path / part.link).read_text(encoding="utf-8")


def test_a_study_without_stimulation_is_left_out_with_the_reason(tmp_path: Path) -> None:
    create_study(tmp_path / "study", name="s")
    given: list[str] = []
    assert mechanism(tmp_path / "study", patients=0, say=given.append) is None
    assert any("left out" in line for line in given)
