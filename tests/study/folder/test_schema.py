"""The schema: every table generated from it, each cell typed by it."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sudeck.core.errors import InputError
from sudeck.study.folder.dictionary import REDCAP_COLUMNS, redcap_dictionary, redcap_map, reference_page
from sudeck.study.folder.layout import StudyFolder
from sudeck.study.folder.schema import PAIN, PARTICIPANTS, TABLES
from sudeck.study.imports.redcap_map import map_from


def test_the_reference_page_is_the_schema() -> None:
    page = Path(__file__).parents[3] / "docs" / "reference" / "study-tables.md"
    assert page.read_text(encoding="utf-8") == reference_page()


def test_headers_and_sidecars_of_a_new_study(study: StudyFolder) -> None:
    for name, table in TABLES.items():
        path = study.table_file(name)
        assert path.read_text().rstrip("\n").split("\t") == list(table.columns)
        assert set(json.loads(path.with_suffix(".json").read_text())) == set(table.columns)
        assert set(table.key) <= set(table.columns)


def test_the_redcap_dictionary_has_unique_variables_and_its_map_names_them() -> None:
    import tomllib

    rows = list(csv.reader(io.StringIO(redcap_dictionary())))
    assert tuple(rows[0]) == REDCAP_COLUMNS
    variables = [row[0] for row in rows[1:]]
    assert len(set(variables)) == len(variables)
    assert variables[0] == "participant_id"
    plan = map_from(tomllib.loads(redcap_map()))
    assert set(plan.columns) == set(variables)


def test_redcap_takes_the_names_the_codes_and_the_logic_of_its_dictionary() -> None:
    rows = list(csv.DictReader(io.StringIO(redcap_dictionary())))
    codes = {
        row["Variable / Field Name"]: {
            part.split(",")[0].strip()
            for part in row["Choices, Calculations, OR Slider Labels"].split("|")
            if part
        }
        for row in rows
    }
    for name, known in codes.items():
        assert re.fullmatch(r"[a-z][a-z0-9_]{0,25}", name)
        assert all(re.fullmatch(r"\w+", code, re.ASCII) for code in known)
    asked = [row["Branching Logic (Show field only if...)"] for row in rows]
    assert any(asked)
    for name, code in re.findall(r"\[(\w+)\] (?:=|<>) '(\w*)'", " ".join(asked)):
        assert name in codes
        assert not code or code in codes[name]
    flagged = {row["Variable / Field Name"] for row in rows if row["Identifier?"] == "y"}
    assert flagged == {"onset_date", "session_date"}


@pytest.mark.parametrize(
    ("column", "text", "value"),
    [("sex", "f", "F"), ("age", "47,5", 47.5), ("onset_date", "2020-02-29", None), ("age", "n/a", None)],
)
def test_cells_are_typed(column: str, text: str, value: object) -> None:
    parsed = PARTICIPANTS.field(column).parse(text)
    assert parsed == value or (column == "onset_date" and str(parsed) == text)


@pytest.mark.parametrize(
    ("column", "text"),
    [
        ("age", "121"),
        ("sex", "X"),
        ("onset_date", "02/13/1961"),
        ("participant_id", "Dupontel"),
        ("age", "inf"),
    ],
)
def test_what_is_not_allowed_is_refused_without_being_repeated(column: str, text: str) -> None:
    with pytest.raises(ValueError) as refusal:
        PARTICIPANTS.field(column).parse(text)
    assert text not in str(refusal.value).split()


@given(st.text(max_size=20))
def test_pain_is_a_number_from_0_to_10_or_nothing(text: str) -> None:
    try:
        value = PAIN.field("nrs").parse(text)
    except ValueError:
        return
    assert value is None or (isinstance(value, float) and 0 <= value <= 10)


def test_an_unknown_column_is_named() -> None:
    with pytest.raises(InputError, match="has none"):
        PAIN.field("vas")
