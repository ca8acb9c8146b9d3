"""Import from REDCap: longitudinal rows to tables, identities out, dates shifted, nothing overwritten."""

from __future__ import annotations

from contextlib import suppress
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sudeck.core.errors import InputError
from sudeck.study.folder.dictionary import redcap_dictionary, redcap_map
from sudeck.study.folder.layout import StudyFolder
from sudeck.study.folder.tables import read_tables
from sudeck.study.imports.import_redcap import import_redcap
from sudeck.study.imports.redcap_map import map_from

EXPORT = """record_id,redcap_event_name,mrn,last_name,gender,hand,crps_limb,crps_side,weeks,onset,\
first_infusion,visit_date,pain,note
1,baseline_arm_1,MRN-7788990,Dupontel,2,1,1,2,40,2020-01-05,2020-10-05,2020-10-04,7,"Dupontel fell, twice"
1,day5_arm_1,,,,,,,,,,2020-10-09,4,
2,baseline_arm_1,MRN-2,Martinet,1,1,2,1,8,,2020-11-02,2020-11-01,13,
2,day5_arm_1,,,,,,,,,,,6,
3,baseline_arm_1,,,1,1,2,1,8,,,,5,
"""
MAP = """
[patients]
identifier = "mrn"

[events]
baseline_arm_1 = { visit = "baseline" }
day5_arm_1 = { visit = "day 5" }

[participants]
sex = "gender"
handedness = { column = "hand", values = { 1 = "R", 2 = "L" } }
limb = { column = "crps_limb", values = { 1 = "hand", 2 = "foot" } }
affected_side = { column = "crps_side", values = { 1 = "left", 2 = "right" } }
duration_months = { column = "weeks", factor = 0.23 }
onset_date = "onset"

[pain]
nrs = "pain"
day = { column = "visit_date", since = "first_infusion" }

[treatment]
only_events = ["baseline_arm_1"]
day = { constant = 1 }
drug = { constant = "ketamine" }
comment = "note"
"""
DICTIONARY = """"Variable / Field Name","Form Name","Choices, Calculations, OR Slider Labels","Identifier?"
record_id,demo,,
mrn,demo,,y
last_name,demo,,y
gender,demo,"1, Male | 2, Female",
hand,demo,"1, Right | 2, Left",
crps_limb,demo,"1, Hand | 2, Foot",
crps_side,demo,"1, Left | 2, Right",
weeks,demo,,
onset,demo,,
first_infusion,demo,,
visit_date,demo,,
pain,demo,,
note,demo,,
"""


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    paths = {}
    for name, text in (("export.csv", EXPORT), ("map.toml", MAP), ("dict.csv", DICTIONARY)):
        paths[name] = tmp_path / name
        paths[name].write_text(text)
    return paths


def run(study: StudyFolder, files: dict[str, Path], **options: object) -> object:
    return import_redcap(
        study, files["export.csv"], map_file=files["map.toml"], dictionary=files["dict.csv"], **options
    )


def test_rows_arrive_typed_and_reported(study: StudyFolder, files: dict[str, Path]) -> None:
    before = study.table_file("pain").read_text()
    dry = import_redcap(
        study, files["export.csv"], map_file=files["map.toml"], dictionary=files["dict.csv"], dry_run=True
    )
    assert study.table_file("pain").read_text() == before
    done = import_redcap(
        study, files["export.csv"], map_file=files["map.toml"], dictionary=files["dict.csv"], key=dry.key
    )
    assert done.rows == dry.rows
    tables = read_tables(study)
    assert not tables.problems
    first = done.key.pseudonym("MRN-7788990")
    people = {row["participant_id"]: row for row in tables["participants"].rows}
    assert len(people) == 2
    person = people[first]
    assert (person["sex"], person["limb"], person["affected_side"]) == ("F", "hand", "right")
    assert person["duration_months"] == pytest.approx(9.2)
    assert person["onset_date"] == date(2020, 1, 5) + done.key.shift(str(first))
    assert abs(done.key.shift(str(first))) >= timedelta(days=365)
    scores = {(row["participant_id"], row["visit"]): (row["day"], row["nrs"]) for row in tables["pain"].rows}
    assert scores[str(first), "baseline"] == (0, 7)
    assert scores[str(first), "day 5"] == (5, 4)
    reasons = {(row.line, row.table): row.reason for row in done.rows if row.reason}
    assert "outside 0 to 10" in reasons[4, "pain"]
    assert "without day" in reasons[5, "pain"]
    assert reasons[6, ""] == "it names no patient"


def test_the_identity_stays_out(study: StudyFolder, files: dict[str, Path]) -> None:
    done = import_redcap(study, files["export.csv"], map_file=files["map.toml"], dictionary=files["dict.csv"])
    texts = [
        str(done),
        *(p.read_text() for p in [*study.root.rglob("*"), study.default_key_file] if p.is_file()),
    ]
    for text in texts:
        assert not [
            word for word in ("dupontel", "martinet", "7788990", "2020-01-05") if word in text.lower()
        ]
    assert "fell, twice" not in study.table_file("treatment").read_text()


def test_a_setting_lets_comments_in_and_the_names_of_the_patient_out(
    study: StudyFolder, files: dict[str, Path]
) -> None:
    settings = study.settings_file
    settings.write_text(settings.read_text().replace("free_text = false", "free_text = true"))
    import_redcap(study, files["export.csv"], map_file=files["map.toml"], dictionary=files["dict.csv"])
    assert "[removed] fell, twice" in study.table_file("treatment").read_text()


def test_again_nothing_changes_and_what_a_person_wrote_stays(
    study: StudyFolder, files: dict[str, Path]
) -> None:
    run(study, files)
    path = study.table_file("pain")
    path.write_text(path.read_text().replace("\t0\t7\t", "\t0\t6.5\t"))
    before = path.read_text()
    again = import_redcap(
        study, files["export.csv"], map_file=files["map.toml"], dictionary=files["dict.csv"]
    )
    assert path.read_text() == before
    assert [row.action for row in again.rows if row.line == 2 and row.table == "pain"] == ["kept"]
    assert "added" not in {row.action for row in again.rows}


def test_a_project_made_with_our_dictionary_comes_back(study: StudyFolder, tmp_path: Path) -> None:
    (tmp_path / "dict.csv").write_text(redcap_dictionary())
    (tmp_path / "map.toml").write_text(redcap_map())
    header = [line.split(",")[0] for line in redcap_dictionary().splitlines()[1:]]
    filled = {
        "participant_id": "sub-007",
        "sex": "F",
        "limb": "hand",
        "affected_side": "left",
        "crps_type": "2",
        "pain_visit": "baseline",
        "pain_day": "0",
        "pain_nrs": "6",
        "bud_day": "0",
        "bud_sign_motor": "1",
    }
    row = ",".join(filled.get(name, "") for name in header)
    (tmp_path / "export.csv").write_text(",".join(header) + "\n" + row + "\n")
    done = import_redcap(
        study, tmp_path / "export.csv", map_file=tmp_path / "map.toml", dictionary=tmp_path / "dict.csv"
    )
    assert {row.action for row in done.rows} == {"added"}
    tables = read_tables(study)
    assert tables["participants"].rows[0]["crps_type"] == "2"
    assert tables["budapest"].rows[0]["sign_motor"] == "yes"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('nrs = "pain"', 'nrs = "vas"', "no column vas"),
        ('comment = "note"', 'comment = "last_name"', "identifies the patient"),
        ("[pain]", "[pains]", "no such table"),
        ('nrs = "pain"', 'score = "pain"', "no column score"),
        ('identifier = "mrn"', "", "no column of patients"),
        ("[events]", "[events", "not valid TOML"),
    ],
)
def test_a_wrong_map_is_refused(
    study: StudyFolder, files: dict[str, Path], old: str, new: str, words: str
) -> None:
    files["map.toml"].write_text(MAP.replace(old, new))
    with pytest.raises(InputError, match=words):
        run(study, files)
    assert not study.default_key_file.exists()


def test_all_columns_that_lack_are_named_at_once(study: StudyFolder, files: dict[str, Path]) -> None:
    changed = MAP.replace('nrs = "pain"', 'nrs = "vas"').replace('column = "weeks"', 'column = "months"')
    files["map.toml"].write_text(changed)
    with pytest.raises(InputError, match=r"no columns (vas, months|months, vas); let --ask find the columns"):
        run(study, files)


@given(
    st.dictionaries(
        st.sampled_from(["patients", "events", "pain", "participants", "other"]),
        st.recursive(
            st.none() | st.integers() | st.text(max_size=4),
            lambda inner: (
                st.lists(inner, max_size=2)
                | st.dictionaries(
                    st.sampled_from(["nrs", "column", "identifier", "constant", "only_events"]), inner
                )
            ),
            max_leaves=6,
        ),
    )
)
def test_any_toml_is_a_map_or_one_sentence(content: dict[str, object]) -> None:
    with suppress(InputError):
        map_from(content)
