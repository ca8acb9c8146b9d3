"""`explain_study` on studies whose truth is known, and on those of which little or nothing can be said."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from sudeck.core.errors import InputError
from sudeck.core.storage import write_json
from sudeck.mechanism.group_statistics import explain_group
from sudeck.study.answers.stimulated.stimulation_table import GROUP
from sudeck.study.answers.study_explanation import StudyExplanation
from sudeck.study.answers.why import _circuit_group, _kept_apart, assemble_stimulation, explain_study
from sudeck.study.folder.create import create_study
from sudeck.study.folder.decision_kinds import Decision
from sudeck.study.folder.decisions import record_decision
from sudeck.study.folder.layout import StudyFolder
from sudeck.study.measuring.patient_measures import PatientRecord
from sudeck.study.measuring.records import keep_record
from support.stimulated import SESSIONS, estimate, fit_by_hand, keep_failure, make_stimulated_study

KEYS = {
    "software", "fingerprint", "study", "level", "visits", "outcome", "patients", "settings", "changes",
    "asymmetries", "healthy", "associations", "pattern", "power", "covariates", "unanswered", "flags",
    "reported", "circuit", "circuit_patients", "circuit_failures", "circuit_group", "refused",
}  # fmt: skip


def statistics(study: StudyFolder) -> StudyExplanation:
    return explain_study(study.root, circuit=False)


def settle(study: StudyFolder, old: str, new: str) -> None:
    text = study.settings_file.read_text()
    assert old in text
    study.settings_file.write_text(text.replace(old, new))


def messages(explained: StudyExplanation) -> str:
    return "\n".join(flag.message for flag in (*explained.unanswered, *explained.flags))


@pytest.fixture(scope="module")
def explained(tmp_path_factory: pytest.TempPathFactory) -> tuple[StudyFolder, StudyExplanation]:
    study = make_stimulated_study(tmp_path_factory.mktemp("explained") / "study", patients=10)
    return study, statistics(study)


def test_the_contract(explained: tuple[StudyFolder, StudyExplanation]) -> None:
    study, result = explained
    content = json.loads((study.derivatives / "mechanism.json").read_text())
    assert set(content) == KEYS
    sici = {entry["hemisphere"]: entry for entry in content["changes"] if entry["measure"] == "SICI"}
    assert set(sici) == {"pain", "other", "interaction"}
    for entry in sici.values():
        assert entry["low"] <= entry["ratio"] <= entry["high"]
        assert entry["n"] == 10
        assert {"p", "df", "visit", "baseline"} <= set(entry)
    assert {entry["measure"] for entry in content["changes"]} == {"RMT", "MEP", "SICI", "ICF"}
    verdicts = {entry["hypothesis"]: entry["verdict"] for entry in content["pattern"]}
    assert verdicts["SICI is restored in the pain-side hemisphere"] == "supported"
    assert verdicts["ICF falls in both hemispheres"] == "supported"
    assert verdicts["RMT does not change"] == "supported"
    assert content["circuit"] == content["circuit_failures"] == []
    assert content["reported"]["common_n"] is None
    assert content["patients"][0] == {"participant_id": "sub-001", "visits": ["pre", "post"]}
    assert result.patients_at_all == 10


def test_changes_are_the_truth(explained: tuple[StudyFolder, StudyExplanation]) -> None:
    _, result = explained
    assert result.group is not None
    # The mean relief is a half: SICI of the pain side falls by 1.2 of it, ICF by 0.4, on the log scale.
    truth = {("SICI", "pain"): -0.6, ("SICI", "other"): 0.0, ("ICF", "pain"): -0.2, ("ICF", "other"): -0.2}
    for (measure, side), log_ratio in truth.items():
        change = result.group.changes.find(measure, side, "post")
        assert change is not None
        assert change.ratio.low < math.exp(log_ratio) < change.ratio.high
    assert result.group.associations is not None
    found = result.group.associations.find("SICI", "pain")
    assert found is not None
    assert found.pearson.value < -0.9
    # Left and right were exchanged nowhere: the pain side is the left hemisphere of a right hand.
    assert set(result.measures.loc[result.measures["hemisphere"] == "pain", "side"]) == {"left"}


def test_numbers_are_those_of_the_statistics_room(explained: tuple[StudyFolder, StudyExplanation]) -> None:
    study, result = explained
    stimulated = assemble_stimulation(study)
    again = explain_group(stimulated.table.used_for(GROUP), stimulated.factors.frame, rng=2018)
    assert result.group is not None
    assert again.to_dict() == result.group.to_dict()


def test_the_same_twice_and_new_inputs_a_new_fingerprint(
    explained: tuple[StudyFolder, StudyExplanation], copy_of: Callable[..., Path]
) -> None:
    study, result = explained
    root = copy_of(study.root)
    assert explain_study(root, circuit=False).to_dict() == result.to_dict()
    (root / "phenotype/pain.tsv").write_text(
        (study.root / "phenotype/pain.tsv").read_text().replace("8.0", "7.9")
    )
    assert explain_study(root, circuit=False).fingerprint != result.fingerprint


def test_circuits_stand_in_the_contract(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = make_stimulated_study(tmp_path / "study", patients=4)
    monkeypatch.setattr("sudeck.study.answers.why.fit_task", fit_by_hand)
    monkeypatch.setattr("sudeck.study.answers.why.require_circuit", lambda: None)
    result = explain_study(study.root)
    content = json.loads((study.derivatives / "mechanism.json").read_text())
    columns = {"participant_id", "visit", "hemisphere", "factor", "value", "low", "high", "identified"}
    assert all(columns <= set(row) for row in content["circuit"])
    assert [entry["participant_id"] for entry in content["circuit_failures"]] == ["sub-002"]
    assert len(content["circuit_patients"]) == 3
    patient = content["circuit_patients"][0]
    assert sum(one["probability"] for one in patient["hypotheses"]) == pytest.approx(1)
    assert patient["verdict"] == "GABA-A was lost on the pain side."
    assert "Not fitted, sub-002" in str(result)


def test_without_the_extra_all_but_the_circuit_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "numba", None)
    result = explain_study(make_stimulated_study(tmp_path / "study").root)
    assert "pip install 'sudeck[circuit]'" in result.refused["circuit"]
    assert result.group is not None
    assert result.group.changes.changes


def test_one_visit_only(tmp_path: Path) -> None:
    result = statistics(make_stimulated_study(tmp_path / "study", sessions=SESSIONS[:1]))
    assert result.visits == ("pre",)
    assert result.group is not None
    assert result.group.changes.asymmetries
    assert "no change can be estimated" in messages(result)


def test_one_hemisphere_only(tmp_path: Path) -> None:
    result = statistics(make_stimulated_study(tmp_path / "study", hemispheres=("left",)))
    assert result.group is not None
    assert {change.hemisphere for change in result.group.changes.changes} == {"pain"}
    assert "other hemisphere: 0 patient(s)" in messages(result)


def test_three_patients(tmp_path: Path) -> None:
    result = statistics(make_stimulated_study(tmp_path / "study", patients=3))
    assert result.group is not None
    assert result.group.changes.changes
    assert result.group.changes.power is None
    assert not (result.group.associations and result.group.associations.associations)


def test_copied_values_have_no_spread(tmp_path: Path) -> None:
    study = make_stimulated_study(tmp_path / "study", spread=0.0)
    result = statistics(study)
    assert "no spread to judge it by" in messages(result)
    json.loads((study.derivatives / "mechanism.json").read_text())


def test_no_outcome(tmp_path: Path) -> None:
    study = make_stimulated_study(tmp_path / "study")
    table = study.table_file("pain")
    lines = [line for line in table.read_text().splitlines() if "day 5" not in line]
    table.write_text("\n".join(lines) + "\n")
    result = statistics(study)
    assert "No patient with recordings has pain scores at baseline and at day 5" in messages(result)
    assert result.group is not None
    assert result.group.changes.changes


def test_missing_measures_and_visits(tmp_path: Path) -> None:
    def some(rows: list[dict[str, Any]], pid: str, session: str) -> list[dict[str, Any]]:
        if session == "ses-post" and pid in ("sub-001", "sub-002"):
            return []
        return [row for row in rows if not (pid == "sub-003" and row["measure"] == "ICF")]

    result = statistics(make_stimulated_study(tmp_path / "study", change=some))
    assert result.group is not None
    n = {change.measure: change.n for change in result.group.changes.changes if change.hemisphere == "pain"}
    assert n == {"RMT": 4, "MEP": 4, "SICI": 4, "ICF": 3}
    assert result.patients_at("post") == 4


def test_the_affected_side_as_a_person_decided(tmp_path: Path) -> None:
    study = make_stimulated_study(tmp_path / "study", patients=3)
    people = study.table_file("participants")
    people.write_text(people.read_text().replace("right", "n/a"))
    record_decision(study, Decision("sub-001", "side", "right", who="NM", why="photograph"))
    result = statistics(study)
    assert result.patients == ("sub-001",)
    assert messages(result).count("the affected side is not known") == 2


def test_what_the_run_refused_is_said(tmp_path: Path) -> None:
    study = make_stimulated_study(tmp_path / "study", patients=4)
    keep_failure(study, "sub-004", "ses-post", "a.edf: the file is empty; export it again.")
    assert "sub-004, ses-post: a.edf: the file is empty; export it again." in messages(statistics(study))


def test_covariates_and_healthy_values_of_the_settings(tmp_path: Path) -> None:
    study = make_stimulated_study(tmp_path / "study")
    settle(study, "covariates = []", 'covariates = ["weight_kg", "midazolam_left_mg"]')
    with study.settings_file.open("a") as file:
        file.write('\n[[mechanism.healthy]]\nmeasure = "SICI"\ngeometric_mean = 0.45\nlog_sd = 0.3\nn = 20\n')
    result = statistics(study)
    assert result.group is not None
    assert result.group.changes.covariates == ("weight_kg (stated at 70)",)
    assert "no patient has a value" in result.refused["covariate midazolam_left_mg"]
    assert {(one.hemisphere, one.visit) for one in result.group.healthy} >= {
        ("pain", "pre"),
        ("other", "post"),
    }
    weak = next(one for one in result.group.healthy if (one.hemisphere, one.visit) == ("pain", "pre"))
    assert weak.ratio.low > 1


def test_other_names_of_sessions(tmp_path: Path) -> None:
    study = make_stimulated_study(tmp_path / "study", sessions=("ses-pre", "ses-d5"))
    settle(study, 'sessions = ["ses-pre", "ses-post"]', 'sessions = ["ses-pre", "ses-d5"]')
    result = statistics(study)
    assert result.visits == ("pre", "d5")
    assert result.group is not None
    assert next(iter(result.group.pattern)).numbers


@pytest.mark.parametrize("circuit", [False, True])
def test_studies_of_which_nothing_can_be_said(tmp_path: Path, circuit: bool) -> None:
    def refusal(root: Path) -> str:
        with pytest.raises(InputError) as caught:
            explain_study(root, circuit=circuit)
        return str(caught.value)

    assert "sudeck init" in refusal(tmp_path / "nowhere")
    study = create_study(tmp_path / "empty").study
    assert "nothing of it is measured yet; first: sudeck run empty." in refusal(study.root)
    people = "participant_id\tlimb\taffected_side\nsub-001\thand\tright\n"
    study.table_file("participants").write_text(people)
    keep_record(study, PatientRecord("sub-001", "by hand"))
    assert "no patient has a recording of magnetic stimulation in ses-pre or ses-post" in refusal(study.root)
    rows = {"ses-01": {"estimates": [estimate("RMT", "left", 50.0)], "flags": [], "provenance": {}}}
    keep_record(study, PatientRecord("sub-001", "by hand", recordings=rows))
    assert "recordings are in ses-01; name the sessions under [tms]" in refusal(study.root)
    unknown = make_stimulated_study(tmp_path / "unknown", patients=2)
    table = unknown.table_file("participants")
    table.write_text(table.read_text().replace("right", "n/a"))
    assert "the affected side is not known" in refusal(unknown.root)


def test_a_damaged_record_is_as_none(tmp_path: Path) -> None:
    study = make_stimulated_study(tmp_path / "study", patients=4)
    (study.patient_derivatives("sub-001") / "sub-001.json").write_text("{")
    write_json(study.patient_derivatives("sub-002") / "sub-002.json", [])
    assert statistics(study).patients == ("sub-003", "sub-004")


def test_rows_can_be_opened(explained: tuple[StudyFolder, StudyExplanation]) -> None:
    study, result = explained
    table = pd.read_csv(study.derivatives / "measures.tsv", sep="\t", na_values="n/a")
    assert len(table) == len(result.measures)
    for path in set(table["record"]):
        assert (study.derivatives / path).is_file()
    own = table[
        (table["participant_id"] == "sub-001") & (table["hemisphere"] == "pain") & (table["visit"] == "pre")
    ]
    value = own.set_index("measure")["value"]
    assert value["SICI"] == pytest.approx(math.sqrt(value["SICI_2"] * value["SICI_3"]))
    record = json.loads((study.derivatives / "sub-001/sub-001.json").read_text())
    kept = record["recordings"]["ses-pre"]["estimates"]
    icf = [one["value"] for one in kept if one["measure"] == "ICF" and one["hemisphere"] == "left"]
    assert [value["ICF_10"]] == pytest.approx(icf)


def test_circuits_under_the_drug_stay_out_of_all_together(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[dict[str, object]] = []
    target = "sudeck.mechanism.circuit_fit.hierarchy.infer_group_from"
    monkeypatch.setattr(target, lambda shares, **_: seen.append(shares))
    fitted = [SimpleNamespace(patient=f"sub-{n}", share=n) for n in range(4)]
    fitted.append(SimpleNamespace(patient="sub-4", share=None))  # one visit only
    _circuit_group(fitted, ("sub-1", "sub-3"), 0.95)  # type: ignore[arg-type]
    assert seen == [{"sub-0": 0, "sub-2": 2}]
    (flag,) = _kept_apart(fitted, ("sub-1", "sub-3"))  # type: ignore[arg-type]
    assert (flag.code, flag.value) == ("circuit-under-ketamine", 2)
    assert _kept_apart(fitted, ()) == ()
    assert _circuit_group(fitted, [one.patient for one in fitted], 0.95) is None  # type: ignore[arg-type]
