"""Tables: the same rows from TSV, CSV and XLSX; every problem with its line; nothing overwritten."""

from __future__ import annotations

import zipfile
from contextlib import suppress
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sudeck.core.errors import InputError
from sudeck.study.checks.check import check_study
from sudeck.study.folder.cells import read_cells
from sudeck.study.folder.create import create_study
from sudeck.study.folder.layout import StudyFolder
from sudeck.study.folder.schema import PAIN, PARTICIPANTS, TABLES, TREATMENT
from sudeck.study.folder.table_edit import merge_rows
from sudeck.study.folder.tables import read_table, read_tables, type_rows

ROWS = [
    ["participant_id", "visit", "day", "nrs"],
    ["sub-001", "baseline", "0", "7.5"],
    ["sub-002", "day 5", "5", ""],
]


def test_three_formats_one_table(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    (tmp_path / "pain.tsv").write_text("\n".join("\t".join(row) for row in ROWS))
    (tmp_path / "pain.csv").write_text(
        "\ufeff" + "\r\n".join(";".join(row) for row in ROWS), encoding="utf-8"
    )
    book = openpyxl.Workbook()
    for row in (ROWS[0], ["sub-001", "baseline", 0, 7.5], ["sub-002", "day 5", 5.0, None]):
        book.active.append(row)
    book.save(tmp_path / "pain.xlsx")
    tables = [read_table(tmp_path / f"pain.{suffix}", PAIN) for suffix in ("tsv", "csv", "xlsx")]
    assert tables[0].rows == tables[1].rows == tables[2].rows
    given = {name: value for name, value in tables[0].rows[0].items() if value is not None}
    assert given == {"participant_id": "sub-001", "visit": "baseline", "day": 0, "nrs": 7.5}
    assert not any(table.problems for table in tables)
    frame = tables[0].frame()
    assert frame.nrs.isna().tolist() == [False, True]


def test_every_problem_has_its_line_and_no_content() -> None:
    cells = [
        (1, ["participant_id", "visit", "day", "nrs", "patient name"]),
        (2, ["sub-001", "baseline", "0", "11", "Dupontel"]),
        (3, ["sub-001", "baseline", "0", "7"]),
        (5, ["Dupontel", "day 5", "five", "7"]),
    ]
    table = type_rows(cells, PAIN, where="pain.tsv")
    said = [str(problem) for problem in table.problems]
    assert [problem.row for problem in table.problems] == [1, 2, 5, 5, 3]
    assert "repeats line 2" in said[-1]
    assert not any("Dupontel" in text or "name" in text.split(":")[0] for text in said)


@pytest.mark.parametrize(("score", "taken"), [("-0.1", False), ("0", True), ("10", True), ("10.1", False)])
def test_a_number_lies_within_both_limits_of_its_column(score: str, taken: bool) -> None:
    cells = [(1, ["participant_id", "visit", "day", "nrs"]), (2, ["sub-001", "baseline", "0", score])]
    read = type_rows(cells, PAIN, where="pain.tsv")
    assert (not read.problems) == taken
    if not taken:
        assert any("outside 0 to 10" in str(problem) for problem in read.problems)


def test_missing_columns_and_empty_files(tmp_path: Path) -> None:
    table = type_rows([(1, ["participant_id"])], PAIN, where="pain.tsv")
    assert {problem.column for problem in table.problems} == {"visit", "day"}
    (tmp_path / "empty.tsv").write_text("")
    assert read_table(tmp_path / "empty.tsv", PAIN).problems
    (tmp_path / "binary.tsv").write_bytes(b"\x00\x01")
    with pytest.raises(InputError, match="not a text file"):
        read_cells(tmp_path / "binary.tsv")
    (tmp_path / "not.xlsx").write_bytes(b"nothing")
    with pytest.raises(InputError, match="Excel"):
        read_cells(tmp_path / "not.xlsx")


@given(st.binary(max_size=300))
def test_any_bytes_are_a_table_or_one_sentence(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "pain.csv"
    path.write_bytes(data)
    with suppress(InputError):
        table = read_table(path, PAIN)
        assert len(table.rows) == len(table.lines)


def test_merging_fills_and_adds_and_never_overwrites(filled: StudyFolder) -> None:
    path = filled.table_file("participants")
    path.write_text(
        path.read_text().replace("\t9\t60", "\tn/a\t60").replace("duration_months", "duration_months")
    )
    before = path.read_text()
    rows = [
        {"participant_id": "sub-001", "age": 51.0, "duration_months": 12.0},
        {"participant_id": "sub-002", "age": 40.0},
        {"participant_id": "sub-003", "limb": "hand"},
    ]
    dry = merge_rows(filled, "participants", rows, dry_run=True)
    assert path.read_text() == before
    done = merge_rows(filled, "participants", rows)
    assert dry == done
    assert [outcome.action for outcome in done] == ["filled", "unchanged", "added"]
    assert done[0].differs == ("age",)
    lines = path.read_text().splitlines()
    assert lines[1].split("\t")[1] == "50"
    assert "12" in lines[1].split("\t")
    assert lines[3].startswith("sub-003")
    assert [outcome.action for outcome in merge_rows(filled, "participants", rows)] == [
        "kept",
        "unchanged",
        "unchanged",
    ]


def test_two_formats_of_one_table_are_refused(filled: StudyFolder) -> None:
    filled.table_file("pain").with_suffix(".csv").write_text("participant_id\n")
    with pytest.raises(InputError, match="several formats"):
        filled.found_table("pain")


def test_a_study_is_never_made_over_another(filled: StudyFolder) -> None:
    before = filled.table_file("pain").read_bytes()
    with pytest.raises(InputError, match="nothing was changed"):
        create_study(filled.root)
    assert filled.table_file("pain").read_bytes() == before


def test_a_sheet_that_states_too_small_a_size_loses_no_row(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for row in [
        ("participant_id", "visit", "day", "nrs"),
        *((f"sub-{n}", "baseline", 0, 5) for n in range(9)),
    ]:
        book.active.append(row)
    book.save(tmp_path / "true.xlsx")
    with zipfile.ZipFile(tmp_path / "true.xlsx") as old, zipfile.ZipFile(tmp_path / "pain.xlsx", "w") as new:
        for name in old.namelist():
            data = old.read(name)
            new.writestr(name, data.replace(b'<dimension ref="A1:D10"', b'<dimension ref="A1:D4"'))
    assert len(read_table(tmp_path / "pain.xlsx", PAIN).rows) == 9


def test_tables_in_the_encodings_people_have(tmp_path: Path) -> None:
    for encoding in ("utf-8", "cp1252", "utf-16"):
        path = tmp_path / f"{encoding}.csv"
        path.write_bytes("participant_id;visit;day;nrs\nsub-001;arrivée;0;6,5\n".encode(encoding))
        assert read_table(path, PAIN).rows[0]["visit"] == "arrivée"
        assert read_table(path, PAIN).rows[0]["nrs"] == 6.5


def test_words_and_dates_of_five_languages_are_one_table() -> None:
    header = ["ID", "Sexe", "Latéralité", "type", "Membre", "côté", "onset_date", "poids"]
    cells = [
        (1, header),
        (2, ["P01", "H", "gaucher", "SDRC II", "pied", "droit", "15/03/2025", "62,5"]),
        (3, ["002", "Frau", "rechts", "Typ I", "Hand", "links", "15.03.2025", "60"]),
        (4, ["sub-003", "mujer", "zurda", "2", "mano", "izquierda", "2025-03-15", ""]),
        (5, ["sub-004", "vrouw", "R", "CRPS-1", "voet", "rechts", "", ""]),
    ]
    table = type_rows(cells, PARTICIPANTS, where="participants.csv")
    assert not [problem for problem in table.problems if problem.serious]
    got = [[row[name] for name in ("participant_id", "sex", "crps_type", "limb")] for row in table.rows]
    assert got == [
        ["sub-P01", "M", "2", "foot"],
        ["sub-002", "F", "1", "hand"],
        ["sub-003", "F", "2", "hand"],
        ["sub-004", "F", "1", "foot"],
    ]
    assert [row["affected_side"] for row in table.rows] == ["right", "left", "left", "right"]
    assert [row["handedness"] for row in table.rows] == ["L", "R", "L", "R"]
    assert {row["onset_date"] for row in table.rows[:3]} == {date(2025, 3, 15)}
    assert table.rows[0]["weight_kg"] == 62.5


@pytest.mark.parametrize(
    ("table", "text", "held"),
    [
        (
            "treatment",
            "Patient;Jour;Médicament;Dose (mg);Durée (h);Voie;Remarque\nP01;1;Kétamine;60,5;4;IV;n/a",
            {"drug": "ketamine", "dose_mg": 60.5, "duration_h": 4, "route": "intravenous"},
        ),
        (
            "treatment",
            "Patient;Tag;Wirkstoff;Dosis (mg);Dauer (Std);Applikation;Uhrzeit\nP01;1;S-Ketamin;9;4;i.v.;9.30",
            {"drug": "esketamine", "duration_h": 4, "route": "intravenous", "start_time": "09:30"},
        ),
        (
            "treatment",
            "Paciente;Día;Fármaco;Dosis (mg);Vía\nP01;1;midazolam;2;oral",
            {"drug": "midazolam", "dose_mg": 2, "route": "oral"},
        ),
        (
            "adverse_effects",
            "Patient;Jour;Effet indésirable;Gravité;Grave;Conduite\nP01;1;nausées;modérée;non;traité",
            {"effect": "nausées", "severity": "moderate", "serious": "no", "action": "treated"},
        ),
        (
            "labs",
            "Patient;Tag;Laborwert;Wert;Einheit;Obergrenze\nP01;0;Gamma-GT;40;U/l;60",
            {"test": "GGT", "value": 40, "unit": "U/l", "upper_limit": 60},
        ),
        (
            "vitals",
            "Paciente;Día;Hora;TA sistólica (mmHg);TA diastólica;Frecuencia cardíaca;SpO2 (%)\n"
            "P01;1;09:30;120;80;72;98",
            {"systolic_mmhg": 120, "diastolic_mmhg": 80, "heart_rate": 72, "spo2_percent": 98},
        ),
        (
            "sessions",
            "Patient;Séance;Jour;Date;Heure\nP01;ses-pre;0;13/03/2019;9h30",
            {"session_id": "ses-pre", "date": date(2019, 3, 13), "time": "09:30"},
        ),
    ],
)
def test_all_tables_in_the_words_of_a_centre(
    table: str, text: str, held: dict[str, object], tmp_path: Path
) -> None:
    path = tmp_path / f"{table}.csv"
    path.write_text(text + "\n", encoding="utf-8")
    read = read_table(path, TABLES[table])
    assert not [str(problem) for problem in read.problems if problem.serious or "not known" in str(problem)]
    assert held.items() <= read.rows[0].items()
    assert read.rows[0]["participant_id"] == "sub-P01"


def test_a_dose_of_another_unit_is_another_column(tmp_path: Path) -> None:
    path = tmp_path / "treatment.csv"
    path.write_text("Patient;Tag;Wirkstoff;Dosis (mg/kg)\nP01;1;Ketamin;0,5\n", encoding="utf-8")
    read = read_table(path, TREATMENT)
    assert read.rows[0]["dose_mg"] is None
    assert any("Dosis (mg/kg)" in str(problem) for problem in read.problems)


def test_a_missing_column_does_not_make_all_rows_alike(tmp_path: Path) -> None:
    path = tmp_path / "labs.csv"
    path.write_text("Patient;Tag;Irgendwas;Wert\nP01;1;x;1\nP01;1;y;2\n", encoding="utf-8")
    problems = [str(one) for one in read_table(path, TABLES["labs"]).problems if one.serious]
    assert len(problems) == 1
    assert "test: the column is missing" in problems[0]


def test_what_two_languages_mean_differently_is_refused() -> None:
    header = ["participant_id", "sex", "limb", "affected_side", "onset_date"]
    rows = [
        (2, ["sub-1", "H", "hand", "left", "02/03/2025"]),
        (3, ["sub-2", "M", "hand", "left", "03/15/2025"]),
    ]
    table = type_rows([(1, header), *rows], PARTICIPANTS, where="p.csv")
    assert [row["sex"] for row in table.rows] == [row["onset_date"] for row in table.rows] == [None, None]
    assert len([problem for problem in table.problems if problem.serious]) == 2


def test_a_column_for_each_visit_is_a_row_for_each() -> None:
    cells = [
        (1, ["patient", "baseline", "J5", "week 4", "nom"]),
        (2, ["P01", "7", "4,5", "", "Dupontel"]),
    ]
    table = type_rows(cells, PAIN, where="pain.csv")
    assert [(row["visit"], row["day"], row["nrs"]) for row in table.rows] == [
        ("baseline", 0, 7),
        ("J5", 5, 4.5),
        ("week 4", 28, None),
    ]
    assert not any("Dupontel" in str(problem) for problem in table.problems)


def test_rows_are_added_to_an_excel_table_and_the_original_is_kept(filled: StudyFolder) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    plain = filled.table_file("participants")
    book = openpyxl.Workbook()
    for line in plain.read_text().splitlines():
        book.active.append(line.split("\t"))
    excel = plain.with_suffix(".xlsx")
    book.save(excel)
    before, content = read_table(plain, PARTICIPANTS).rows, excel.read_bytes()
    plain.unlink()
    merge_rows(filled, "participants", [{"participant_id": "sub-001"}])
    assert excel.exists()  # nothing was added, nothing was touched
    merge_rows(filled, "participants", [{"participant_id": "sub-009"}])
    assert filled.found_table("participants") == plain
    assert read_table(plain, PARTICIPANTS).rows[:2] == before
    assert [path.read_bytes() for path in (filled.imports / "originals").iterdir()] == [content]


def test_rows_added_under_the_headings_of_a_centre_are_not_lost(filled: StudyFolder) -> None:
    path = filled.table_file("pain")
    path.write_text("Patient\tVisite\tJour\tEVA\tNote\nP01\tbaseline\t0\t7\tearly\n")
    row = {"participant_id": "sub-P01", "visit": "day 5", "day": 5, "nrs": 3}
    merge_rows(filled, "pain", [row])
    rows = read_table(path, PAIN).rows
    assert [(r["participant_id"], r["visit"], r["nrs"]) for r in rows] == [
        ("sub-P01", "baseline", 7),
        ("sub-P01", "day 5", 3),
    ]
    assert "early" in path.read_text()


def test_two_infusions_a_day_are_two() -> None:
    header = ["participant_id", "day", "drug", "dose_mg", "route"]
    row = ["sub-001", "1", "ketamine", "78", "intravenous"]

    def problems(*rows: list[str], more: tuple[str, ...] = ()) -> list[tuple[str, bool]]:
        read = type_rows(list(enumerate([[*header, *more], *rows], 1)), TREATMENT, where="")
        assert len(read.rows) == len(rows)
        return [(problem.message, problem.serious) for problem in read.problems]

    ((said, serious),) = problems(row, [*row[:3], "40", row[4]])
    assert ("another of line 2" in said, serious) == (True, False)
    ((said, serious),) = problems(row, row)
    assert ("repeats line 2" in said, serious) == (True, True)
    assert problems([*row, "1"], [*row, "2"], more=("infusion",)) == []
    assert problems([*row, "9:30"], [*row, "14h"], more=("start_time",)) == []
    ((said, serious),) = problems([*row, "25:00"], more=("start_time",))
    assert ("HH:MM" in said, serious) == (True, True)


def test_every_table_says_how_many_rows_it_holds_and_how_many_take_part(study: StudyFolder) -> None:
    people = study.table_file("participants")
    header = people.read_text().splitlines()[0]
    rest = "\tn/a" * header.count("\t")
    people.write_text("\n".join([header, f"sub-001{rest}", f"sub-002{rest}", f"sub-001{rest}", f"n/a{rest}"]))
    pain = study.table_file("pain")
    pain.write_text("participant_id\tvisit\tday\tnrs\nsub-001\tbaseline\t0\t7\nsub-009\tbaseline\t0\t6\n")
    counts = {count.table: str(count) for count in read_tables(study).row_counts()}
    assert counts["participants.tsv"] == (
        "participants.tsv 4, 2 used (1 without a readable participant_id, 1 of a patient who stands above)"
    )
    assert counts["pain.tsv"] == "pain.tsv 2, 1 used (1 of nobody in participants.tsv)"
    assert "Rows: participants.tsv 4, 2 used" in str(check_study(study))


def test_a_further_sheet_is_not_passed_over_in_silence(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for sheet in (book.active, book.create_sheet("more")):
        sheet.append(["participant_id", "age"])
        sheet.append(["sub-001", 40])
    book.save(tmp_path / "participants.xlsx")
    read = read_table(tmp_path / "participants.xlsx", PARTICIPANTS)
    assert len(read) == 1
    assert any("1 more filled sheet" in str(problem) for problem in read.problems)
