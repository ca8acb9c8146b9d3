"""The centre's own list of patients: record numbers become pseudonyms, true dates shifted ones."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from sudeck.cli.app import app
from sudeck.core.errors import InputError
from sudeck.study.folder.layout import StudyFolder
from sudeck.study.folder.tables import read_tables
from sudeck.study.imports.import_people import import_people, read_ids

LIST = """record_number;participant_id;Alter;Seite;limb;onset_date
4711/22;;54,5;links;Hand;15.03.2025
4712/22;sub-040;61;rechts;Fuß;02.01.2024
"""


def test_dates_are_typed_as_they_are_and_lie_shifted_in_the_study(study: StudyFolder, tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text(LIST, encoding="utf-8")
    done = import_people(study, path)
    rows = {str(row["participant_id"]): row for row in read_tables(study)["participants"].rows}
    assert set(rows) == {"sub-001", "sub-040"}
    assert rows["sub-001"]["onset_date"] == date(2025, 3, 15) + done.key.shift("sub-001")
    assert rows["sub-040"]["onset_date"] == date(2024, 1, 2) + done.key.shift("sub-040")
    assert (rows["sub-001"]["age"], rows["sub-001"]["affected_side"], rows["sub-001"]["limb"]) == (
        54.5,
        "left",
        "hand",
    )
    assert "4711" not in "".join(p.read_text() for p in study.root.rglob("*.tsv"))
    assert set(import_people(study, path).outcomes.values()) == {"unchanged"}


def test_a_dry_run_writes_the_list_and_the_import_reads_it_back(
    planted: Any, study: StudyFolder, tmp_path: Path
) -> None:
    path = tmp_path / "people.csv"
    call = ["import", str(study.root), "--dicom", str(planted.folder), "--ids", str(path)]
    assert CliRunner().invoke(app, [*call, "--dry-run"]).exit_code == 0
    header, line = path.read_text().splitlines()
    cells = dict(zip(header.split(","), line.split(","), strict=True))
    assert cells["record_number"] == planted.record
    cells |= {
        "participant_id": "sub-077",
        "limb": "hand",
        "affected_side": "left",
        "onset_date": "2020-02-01",
    }
    path.write_text(f"{header}\n{','.join(cells.values())}\n")
    done = CliRunner().invoke(app, [*call, "--yes"])
    assert done.exit_code == 0, done.output
    (row,) = read_tables(study)["participants"].rows
    assert (row["participant_id"], row["limb"]) == ("sub-077", "hand")
    assert row["onset_date"] < date(2019, 2, 2)
    assert not planted.leaks(study.root)


def test_a_list_that_is_none_is_refused_without_repeating_it(study: StudyFolder, tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    for text, what in (
        ("name,age\nDupontel,3\n", "no column record_number"),
        ("record_number,participant_id\n7,\n7,\n", "stand twice"),
        ("record_number,participant_id\n,sub-001\n", "no record number"),
    ):
        path.write_text(text)
        with pytest.raises(InputError, match=what) as caught:
            import_people(study, path)
        assert "Dupontel" not in str(caught.value)
    with pytest.raises(InputError, match="no such file"):
        read_ids(tmp_path / "nothing.csv")
    inside = study.root / "people.csv"
    shutil.copy(path, inside)
    done = CliRunner().invoke(app, ["import", str(study.root), "--ids", str(inside)])
    assert "inside the study" in str(done.exception)
