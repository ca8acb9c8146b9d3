"""The check: each contradiction planted alone is found, and a good study has none."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import Any

import pytest

from sudeck.study.checks.check import StudyCheck, check_study
from sudeck.study.checks.check_tables import budapest_verdicts
from sudeck.study.folder.decision_kinds import Decision
from sudeck.study.folder.decisions import record_decision
from sudeck.study.folder.layout import StudyFolder
from sudeck.study.folder.schema import TABLES
from sudeck.study.folder.tables import Problem
from sudeck.study.imports.import_dicom import import_dicom


def replace(name: str, old: str, new: str) -> Callable[[StudyFolder], None]:
    def apply(study: StudyFolder) -> None:
        path = study.table_file(name)
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new, 1))

    return apply


def append(name: str, **cells: object) -> Callable[[StudyFolder], None]:
    def apply(study: StudyFolder) -> None:
        row = "\t".join(str(cells.get(column, "n/a")) for column in TABLES[name].columns)
        path = study.table_file(name)
        path.write_text(path.read_text() + row + "\n")

    return apply


def decide(study: StudyFolder) -> None:
    record_decision(study, Decision("sub-001", "side", "left", "M.S.", "seen in the clinic"))


def decide_elsewhere(study: StudyFolder) -> None:
    record_decision(study, Decision("sub-001", "exclude", True, "M.S.", "moved", session="ses-foo"))


def copy_a_key(study: StudyFolder) -> None:
    (study.root / "redcap").mkdir(exist_ok=True)
    (study.root / "redcap" / "old.key.json").write_text("{}")


def test_a_good_study_has_no_problem(filled: StudyFolder) -> None:
    assert check_study(filled).problems == ()


CASES: list[tuple[Callable[[StudyFolder], None], str, bool]] = [
    (replace("pain", "\t7\n", "\t17\n"), "outside 0 to 10", True),
    (replace("pain", "day 5\t5", "day 5\t95"), "is not before", True),
    (replace("pain", "sub-002\tday 5\t5\t5\n", ""), "no score at day 5", False),
    (replace("pain", "sub-002\tday 5\t5\t5\n", "sub-002\tday 5\t5\tn/a\n"), "day 5 has no score", False),
    (replace("pain", "sub-002\tbaseline", "sub-009\tbaseline"), "not in participants.tsv", True),
    (replace("participants", "sub-002", "sub-001"), "repeats line 2", True),
    (replace("participants", "weight_kg", "weight"), "column 9 (weight) is not known", False),
    (replace("participants", "\tright\t9", "\tn/a\t9"), "is empty and is required", True),
    (replace("participants", "\t9\t60", "\tn/a\t60"), "neither onset_date nor duration_months", False),
    (
        append("outcomes", participant_id="sub-001", visit="baseline", day=0, instrument="DN4", total=12),
        "of DN4",
        True,
    ),
    (append("treatment", participant_id="sub-001", day=1, drug="ketamine", dose_mg=9000), "150 mg/kg", False),
    (replace("pain", "sub-002\tday 5", "sub-002\tJ5"), "J5 of 1 patient seems to be day 5", True),
    (replace("pain", "sub-002\tday 5", "sub-002\tDay-5"), "Day-5 of 1 patient seems to be day 5", True),
    (append("pain", participant_id="sub-002", visit="day 5", day=4, nrs=0), "scores from 0 to 5", False),
    (replace("pain", "\t7\n", "\t0.7\n"), "0.7 of 10 at baseline", False),
    (
        append("treatment", participant_id="sub-001", day=-2, drug="ketamine", dose_mg=90),
        "after ketamine began (day -2)",
        True,
    ),
    (
        append("treatment", participant_id="sub-001", day=0, drug="ketamine", dose_mg=90),
        "on the day that ketamine began",
        False,
    ),
    (append("sessions", participant_id="sub-001", session_id="pre"), "not sub- or ses-", True),
    (decide, "side decided", True),
    (decide_elsewhere, "used by nothing: ses-foo has no bone scan and no recording", True),
    (copy_a_key, "old.key.json: a key of pseudonyms lies inside the study", True),
]


@pytest.mark.parametrize(("spoil", "words", "serious"), CASES)
def test_each_contradiction_is_found(
    spoil: Callable[[StudyFolder], None], words: str, serious: bool, filled: StudyFolder
) -> None:
    spoil(filled)
    found = [problem for problem in check_study(filled).problems if words in str(problem)]
    assert found
    assert {problem.serious for problem in found} == {serious}


def test_onset_and_duration_contradict(filled: StudyFolder) -> None:
    path = filled.table_file("participants")
    lines = path.read_text().splitlines()
    path.write_text(
        "\n".join([lines[0] + "\tonset_date", lines[1] + "\t2019-01-01", lines[2] + "\tn/a"]) + "\n"
    )
    append("sessions", participant_id="sub-001", session_id="ses-pre", day=0, date="2020-01-01")(filled)
    assert any("12.0 months from onset_date" in str(problem) for problem in check_study(filled).serious)


def test_budapest_verdicts_follow_from_the_items(filled: StudyFolder) -> None:
    items = dict.fromkeys(TABLES["budapest"].columns, "yes") | {"symptom_motor": "no", "sign_motor": "no"}
    assert budapest_verdicts(items) == {"clinical_criteria": "yes", "research_criteria": "no"}
    unknown = {**items, "no_better_diagnosis": None}
    assert budapest_verdicts(unknown) == {"clinical_criteria": None, "research_criteria": "no"}
    append("budapest", **{**items, "participant_id": "sub-001", "day": 0})(filled)
    assert [problem.column for problem in check_study(filled).serious] == ["research_criteria"]


def test_the_limb_of_the_scan_and_of_the_table_agree(planted: Any, filled: StudyFolder) -> None:
    import_dicom(filled, [planted.folder], pseudonyms={planted.record: "sub-002"})
    said = [str(problem) for problem in check_study(filled).serious]
    assert any("it shows the hand, the table says foot" in text for text in said)


def test_broken_settings_are_one_problem_among_the_others(filled: StudyFolder) -> None:
    filled.settings_file.write_text("[scan]\nregion = 3\n")
    assert [problem.where for problem in check_study(filled).serious] == ["sudeck.toml"]


def test_a_note_among_the_images_carries_nobodys_identity(planted: Any, filled: StudyFolder) -> None:
    import_dicom(filled, [planted.folder], pseudonyms={planted.record: "sub-001"})
    folder = next(filled.sourcedata.glob("sub-*/ses-*/nm"))
    (folder / "note.txt").write_text("Scan repeated because of movement.\n", encoding="utf-8")
    assert not any("identity" in problem.message for problem in check_study(filled).serious)
    shutil.copy(next(planted.folder.rglob("*.dcm")), folder / "as_exported.dcm")
    said = [problem.message for problem in check_study(filled).serious if "identity" in problem.message]
    assert len(said) == 1
    assert said[0].startswith("file 4 carries an identity")


def test_typed_ratios_are_held_against_each_other(filled: StudyFolder) -> None:
    path = filled.table_file("scan_ratios")
    header = "participant_id\tVPr\tTPr\tBPr\treader"
    rows = [f"sub-00{n}\t1.{n}\t1.2\t1.3\tA" for n in range(1, 8)]
    people = filled.table_file("participants")
    first = people.read_text().splitlines()
    more = [first[1].replace("sub-001", f"sub-00{n}") for n in range(3, 8)]
    people.write_text("\n".join([*first, *more]) + "\n")

    def said(*lines: str) -> list[str]:
        path.write_text("\n".join([header, *lines]) + "\n")
        return [str(one) for one in check_study(filled).problems if one.where == "scan_ratios.tsv"]

    assert said(*rows) == []
    (slip,) = said(*rows[:-1], "sub-007\t1.7\t1.2\t13\tA")
    assert "13, where the middle of all is 1.3" in slip
    (twin,) = said(*rows[:-1], rows[0].replace("sub-001", "sub-007"))
    assert "the same three ratios as sub-001 in line 2" in twin
    assert said(*rows, rows[0].replace("\tA", "\tB")) == []  # a second reader who agrees


def test_many_findings_of_a_kind_are_one_line_and_leave_the_others_visible(filled: StudyFolder) -> None:
    people = filled.table_file("participants")
    header, first, *_ = people.read_text().splitlines()
    months = header.split("\t").index("duration_months")
    rows = []
    for n in range(1, 42):
        cells = first.replace("sub-001", f"sub-{n:03d}").split("\t")
        cells[months] = "n/a"
        rows.append("\t".join(cells))
    people.write_text("\n".join([header, *rows]) + "\n")
    append("pain", participant_id="sub-001", visit="day 5", day=5, nrs=17)(filled)
    found = check_study(filled)
    lines = [line for line in str(found).splitlines() if "neither onset_date nor" in line]
    assert len(lines) == 1
    assert "(41 patients: sub-001, sub-002" in lines[0]
    assert lines[0].endswith("and 33 more).")
    assert "outside 0 to 10" in str(found)
    assert found.listed(each=True).count("neither onset_date nor") == 41


def test_a_patient_who_has_a_finding_twice_does_not_undo_the_one_line(filled: StudyFolder) -> None:
    where = ("pain.tsv", "week 4 has no score")
    found = [Problem(*where, 10 + n, "nrs", f"sub-{n:03d}", serious=False) for n in range(5)]
    found += [Problem("pain.tsv", "week 12 has no score", 20, "nrs", "sub-004", serious=False)]
    empty = "the row has none of VPr, TPr, BPr"
    found += [Problem("scan_ratios.tsv", empty, n, serious=False) for n in range(2, 7)]
    said = StudyCheck(tuple(found), 5, 0).listed()
    assert "week 4 has no score, and more of this kind (6 times in 5 patients: sub-000, sub-001" in said
    assert "(5 times: line 2, 3, 4, 5, 6)" in said
    assert said.count("\n") == 3
