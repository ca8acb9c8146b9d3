from __future__ import annotations

from sudeck.ketamine.safety import liver_grade
from sudeck.study.folder.schema import TABLES
from sudeck.synthetic.study.safety_plan import safety_rows

PATIENTS = [f"sub-{number:03d}" for number in range(1, 201)]


def test_each_row_is_one_that_its_table_takes() -> None:
    for name, rows in safety_rows(PATIENTS, seed=3).items():
        table = TABLES[name]
        assert rows
        for row in rows:
            assert set(row) <= set(table.columns)
            for field in table.fields:
                value = row.get(field.name)
                assert value is None or not field.choices or value in field.choices
                if isinstance(value, float) and field.low is not None and field.high is not None:
                    assert field.low <= value <= field.high


def test_some_livers_react_and_some_patients_feel_it() -> None:
    rows = safety_rows(PATIENTS, seed=3)
    after = [row for row in rows["labs"] if row["day"] > 0 and row["test"] == "ALT"]
    graded = sum(liver_grade("ALT", row["value"], row["upper_limit"]) > 0 for row in after)
    assert len(after) == len(PATIENTS)
    assert 0 < graded < 0.3 * len(after)
    ill = {row["participant_id"] for row in rows["adverse_effects"]}
    assert 0.4 * len(PATIENTS) < len(ill) < 0.9 * len(PATIENTS)


def test_a_patient_does_not_depend_on_the_others() -> None:
    few, many = safety_rows(PATIENTS[:3], seed=3), safety_rows(PATIENTS, seed=3)
    assert all(many[name][: len(rows)] == rows for name, rows in few.items())
