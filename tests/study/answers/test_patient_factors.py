"""Relief with its error, doses before the recording, and which covariates a study can carry."""

from __future__ import annotations

import numpy as np
import pytest

from sudeck.study.answers.patient_factors import PatientFactors, declare, tabulate_factors
from sudeck.study.folder.layout import StudyFolder
from sudeck.study.folder.settings import ResponderRule, Settings
from sudeck.study.folder.tables import read_tables

PATIENTS = ("sub-001", "sub-002")


def write(study: StudyFolder, name: str, *rows: str) -> None:
    path = study.table_file(name)
    header = path.read_text().splitlines()[0]
    path.write_text("\n".join([header, *("\t".join(row.split()) for row in rows)]) + "\n")


def factors(study: StudyFolder, settings: Settings | None = None) -> PatientFactors:
    return tabulate_factors(read_tables(study), settings or Settings(), PATIENTS, after="ses-post")


def test_relief_is_at_the_end_in_the_unit_of_the_rule(filled: StudyFolder) -> None:
    found = factors(filled)
    assert found.unit == "%"
    assert found.frame["relief"].tolist() == [pytest.approx(30.0), pytest.approx(100 / 6)]
    assert "relief_se" not in found.frame
    points = factors(filled, Settings(responder=ResponderRule(2.0, "points")))
    assert points.frame["relief"].tolist() == [pytest.approx(2.1), pytest.approx(1.0)]
    # The rule may look at another visit; relief stays that at the end of treatment.
    later = Settings(responder=ResponderRule(30.0, "percent", "week 12"))
    assert factors(filled, later).frame["relief"].tolist() == found.frame["relief"].tolist()


def test_the_error_of_relief_comes_from_that_of_the_scores(filled: StudyFolder) -> None:
    found = factors(filled, Settings(pain_reliability=0.9)).frame
    assert "relief_se" not in found  # two baselines tell no spread
    table = filled.table_file("pain")
    table.write_text(table.read_text() + "".join(f"sub-00{i}\tbaseline\t0\t{2 * i}\n" for i in (3, 4)))
    patients = [f"sub-00{i}" for i in (1, 2, 3, 4)]
    settings = Settings(pain_reliability=0.9)
    found = tabulate_factors(read_tables(filled), settings, patients, after=None).frame
    error = np.std([7, 6, 6, 8], ddof=1) * np.sqrt(0.1)
    scores = np.array([[7.0], [4.9]]) + error * np.random.default_rng(0).standard_normal((2, 200_000))
    assert found["relief_se"].iloc[0] == pytest.approx((100 * (1 - scores[1] / scores[0])).std(), rel=0.05)
    assert found["relief_se"].isna().tolist() == [False, False, True, True]


def test_what_was_given_before_the_recording(filled: StudyFolder) -> None:
    write(filled, "sessions", "sub-001 ses-post 6 n/a", "sub-002 ses-post 7 n/a")
    write(
        filled,
        "treatment",
        "sub-001 1 ketamine base 100 4 intravenous n/a",
        "sub-001 5 esketamine base 80 4 intravenous n/a",
        "sub-001 5 midazolam n/a 2 n/a intravenous n/a",
        "sub-001 9 ketamine base 100 4 intravenous n/a",
        "sub-002 4 ketamine base 160 4 intravenous n/a",
    )
    found = factors(filled)
    row = found.frame.set_index("participant_id")
    assert row["ketamine_mg"].tolist() == [180, 160]
    assert row["ketamine_mg_per_kg"].tolist() == [3, 2]
    assert row["days_since_infusion"].tolist() == [1, 3]
    assert row["midazolam_mg"].tolist() == [2, 0]
    assert "1 of 2 patients had midazolam" in found.flags[0].message
    assert factors(filled, Settings(mechanism_covariates=("midazolam_mg",))).flags == ()
    declared = declare(found.frame, ("midazolam_mg", "ketamine_mg"))
    assert declared.reference == {"midazolam_mg": 0.0, "ketamine_mg": "mean"}


def test_nothing_is_known_without_a_table(filled: StudyFolder) -> None:
    frame = factors(filled).frame
    assert frame[["midazolam_mg", "ketamine_mg", "days_since_infusion"]].isna().all(axis=None)
    declared = declare(frame, ("midazolam_mg", "weight_kg", "shoe_size"))
    assert declared.reference == {"weight_kg": "mean"}
    assert "no patient has a value" in declared.refused["covariate midazolam_mg"]
    assert "it is not known" in declared.refused["covariate shoe_size"]
    assert "does not vary" in declare(frame.assign(age=50.0), ("age",)).refused["covariate age"]
