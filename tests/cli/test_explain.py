"""`sudeck explain`, and `sudeck circuit` on a study, as a user types them."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sudeck.cli.app import app
from sudeck.core.errors import InputError
from sudeck.demo.study_on_disk import write_study_tables
from sudeck.study.folder.create import create_study
from sudeck.study.folder.layout import StudyFolder
from sudeck.synthetic.study.study_plan import VISITS, plan_study, trials_of
from support.stimulated import fit_by_hand, make_stimulated_study


def run(*words: str) -> str:
    result = CliRunner().invoke(app, list(words), catch_exceptions=False, env={"COLUMNS": "80"})
    assert result.exit_code == 0
    return result.output


def test_statistics_alone(tmp_path: Path) -> None:
    study = make_stimulated_study(tmp_path / "my-study", patients=8)
    said = run("explain", str(study.root), "--no-circuit")
    for heading in (
        "By hand: 8 patients with stimulation (8 at pre, 8 at post; 8 at all)",
        "What changed: post over pre",
        "Pain side over other side, at each visit",
        "What goes with relief at day 5, in % of baseline pain",
        "The published pattern on these patients",
        "What 8 patients can and can not see",
    ):
        assert heading in said
    assert "supported" in said
    assert "…" not in said  # nothing is cut off at 80 columns
    assert max(map(len, said.splitlines()[:-3])) <= 80
    assert "sudeck[circuit]" not in said
    for name in ("mechanism.json", "mechanism.html", "measures.tsv"):
        assert (study.derivatives / name).is_file()


def test_without_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "numba", None)
    said = run("explain", str(make_stimulated_study(tmp_path / "study").root))
    assert "pip install 'sudeck[circuit]'" in " ".join(said.split())
    assert "What changed" in said


def test_circuits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sudeck.study.answers.why.require_circuit", lambda: None)
    monkeypatch.setattr("sudeck.study.answers.why.fit_task", fit_by_hand)
    study = make_stimulated_study(tmp_path / "study", patients=4)
    said = run("explain", str(study.root), "--jobs", "1")
    assert "The circuit of each patient" in said
    assert "sub-001 90 % 10 %" in " ".join(said.split())
    assert "For 3 of 3 patients one is preferred" in " ".join(said.split())
    assert "changed surely: GABA-A inhibition " in said
    assert "circuit not fitted: sub-002: There is one too many" in said
    assert json.loads((study.derivatives / "mechanism.json").read_text())["circuit"]


def test_refusals_are_one_sentence(tmp_path: Path) -> None:
    study = create_study(tmp_path / "empty").study
    for words in (["explain"], ["circuit", "fit"], ["circuit", "next"]):
        with pytest.raises(InputError, match="first: sudeck run"):
            CliRunner().invoke(app, [*words, str(study.root)], catch_exceptions=False)
    made = make_stimulated_study(tmp_path / "study", patients=2)
    with pytest.raises(InputError, match="sub-9"):
        CliRunner().invoke(
            app, ["circuit", "next", str(made.root), "--patient", "sub-9"], catch_exceptions=False
        )


def test_from_recordings_to_the_explanation(tmp_path: Path) -> None:
    study = stimulated(tmp_path / "study", patients=17)
    assert "17 patients: 17 measured" in run("run", str(study.root), "--jobs", "1")
    said = run("explain", str(study.root), "--no-circuit")
    assert "Synthetic: 3 patients with stimulation" in said
    content = json.loads((study.derivatives / "mechanism.json").read_text())
    assert {entry["measure"] for entry in content["changes"]} == {"RMT", "MEP", "SICI", "ICF"}
    # The truth: in every patient SICI is weak on the pain side at first, by a factor of 7 / 5.
    asymmetry = {(one["measure"], one["visit"]): one for one in content["asymmetries"]}["SICI", "pre"]
    assert asymmetry["low"] < 0.70 / 0.50 < asymmetry["high"]


def stimulated(root: Path, *, patients: int) -> StudyFolder:
    """A synthetic study with the recordings of the stimulated patients and no scan."""
    study = create_study(root, name="Synthetic").study
    plan = plan_study(patients=patients, seed=11)
    write_study_tables(study, plan)
    for patient in (patient for patient in plan.patients if patient.stimulated):
        for visit in VISITS:
            rows = trials_of(patient, visit, seed=11)
            path = study.tms_folder(patient.participant_id, f"ses-{visit}") / "trials.tsv"
            path.parent.mkdir(parents=True)
            lines = [rows[0].keys(), *(row.values() for row in rows)]
            path.write_text(
                "".join("\t".join("n/a" if v is None else str(v) for v in row) + "\n" for row in lines)
            )
    return study
