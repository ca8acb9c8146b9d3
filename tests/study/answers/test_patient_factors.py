"""Relief with its error, doses before the recording, and which covariates a study can carry."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from sudeck.ketamine.pk_models import pk_model
from sudeck.ketamine.units import BASE_SHARE
from sudeck.study.answers.patient_factors import PatientFactors, declare, tabulate_factors
from sudeck.study.answers.treatment.treatment_flags import confounded_doses
from sudeck.study.answers.treatment.treatment_given import patient_treatments
from sudeck.study.answers.treatment.treatment_words import treatment_words
from sudeck.study.folder.layout import StudyFolder
from sudeck.study.folder.settings import Settings
from sudeck.study.folder.stated_rules import ResponderRule
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
        "sub-001 5 ketamine hydrochloride 80 4 intravenous n/a",
        "sub-001 5 clonidine n/a 0.1 n/a oral n/a",
        "sub-001 1 midazolam n/a 4 n/a intravenous n/a",
        "sub-001 9 ketamine base 100 4 intravenous n/a",
        "sub-002 4 ketamine base 160 4 intravenous n/a",
    )
    found = factors(filled)
    row = found.frame.set_index("participant_id")
    assert row["ketamine_mg"].tolist() == [pytest.approx(100 + 80 * BASE_SHARE), 160]
    assert row["ketamine_mg_per_kg"].tolist() == [pytest.approx((100 + 80 * BASE_SHARE) / 60), 2]
    assert row["ketamine_auc"].iloc[1] == pytest.approx(160 / (84 * (80 / 70) ** 0.75), rel=1e-6)
    assert row["days_since_infusion"].tolist() == [1, 3]
    assert row["midazolam_left_mg"].iloc[0] < 1e-12
    assert row["clonidine_left_mg"].tolist() == [pytest.approx(0.1 * 0.5 ** (24 / 192**0.5)), 0]
    assert [flag.code for flag in found.flags] == ["co-medication-on-board", "hours-since-dose"]
    assert "1 of 2 patients had clonidine on board" in found.flags[0].message
    declared = declare(found.frame, ("clonidine_left_mg", "midazolam_left_mg", "midazolam_mg"))
    assert declared.reference == {"clonidine_left_mg": 0.0}
    assert "nothing of it is left" in declared.refused["covariate midazolam_left_mg"]
    assert "use midazolam_left_mg" in declared.refused["covariate midazolam_mg"]


def test_routes_and_forms_are_not_added_up(filled: StudyFolder) -> None:
    write(
        filled,
        "treatment",
        "sub-001 1 ketamine base 100 4 intravenous n/a",
        "sub-001 2 esketamine base 80 4 intravenous n/a",
        "sub-002 1 ketamine base 100 4 intravenous n/a",
        "sub-002 2 ketamine base 100 4 oral n/a",
    )
    assert factors(filled).frame[["ketamine_mg", "ketamine_auc"]].isna().all(axis=None)
    reasons = [one.reason for one in patient_treatments(read_tables(filled), PATIENTS, session=None)]
    assert "esketamine and ketamine are not added up" in reasons[0]
    assert "intravenous and oral" in reasons[1]


def test_exposure_follows_the_model_of_the_settings(filled: StudyFolder) -> None:
    write(filled, "treatment", "sub-001 1 ketamine base 100 4 intravenous n/a")
    read = {}
    for model, clearance in (("kamp", 84.0), ("herd", 90.0)):
        settings = Settings(ketamine_model=model)
        read[model] = factors(filled, settings).frame["ketamine_auc"].iloc[0]
        assert read[model] == pytest.approx(100 / (clearance * (60 / 70) ** 0.75), rel=1e-6)
        words = treatment_words(read_tables(filled), PATIENTS, model=model)
        assert f"({pk_model(model).title}) {read[model]:.3g} mg h/L" in words


def test_forms_of_the_drug_are_held_apart_between_patients(filled: StudyFolder) -> None:
    write(
        filled,
        "treatment",
        "sub-001 1 ketamine base 100 4 intravenous n/a",
        "sub-002 1 esketamine base 50 4 intravenous n/a",
    )
    found = factors(filled, Settings(mechanism_covariates=("ketamine_auc",)))
    assert found.frame[["ketamine_mg", "ketamine_mg_per_kg", "ketamine_auc"]].isna().all(axis=None)
    assert found.flags[-1].code == "forms-mixed"
    assert "esketamine in 1, ketamine in 1 patients" in found.flags[-1].message
    words = treatment_words(read_tables(filled), PATIENTS)
    assert "area under the curve of ketamine, both forms in" in words
    assert "area under the curve of S-ketamine in" in words


def test_recorded_on_the_day_of_an_infusion(filled: StudyFolder) -> None:
    write(filled, "sessions", "sub-001 ses-post 5 n/a", "sub-002 ses-post 6 n/a")
    write(
        filled,
        "treatment",
        "sub-001 5 ketamine base 100 4 intravenous n/a",
        "sub-002 5 ketamine base 100 4 intravenous n/a",
    )
    flag, asked = factors(filled).flags
    assert flag.code == "recorded-under-ketamine"
    assert flag.value == 1
    assert asked.code == "co-medication-not-recorded"


def test_co_medication_is_asked_for_where_nothing_is_said(filled: StudyFolder) -> None:
    write(filled, "sessions", "sub-001 ses-post 6 n/a", "sub-002 ses-post 6 n/a")
    infusions = [f"{patient} 1 ketamine base 100 4 intravenous n/a" for patient in PATIENTS[:2]]
    write(filled, "treatment", *infusions)
    (asked,) = factors(filled).flags
    assert asked.code == "co-medication-not-recorded"
    assert "in 2 patients" in asked.message
    assert "no co-medication is recorded" in treatment_words(read_tables(filled), PATIENTS)
    write(filled, "treatment", *infusions, "sub-001 1 clonidine n/a 0 n/a oral n/a")
    assert factors(filled).flags == ()
    assert "no co-medication was given" in treatment_words(read_tables(filled), PATIENTS)
    write(filled, "treatment", *infusions, "sub-001 1 clonidine n/a 0 n/a oral n/a",
          "sub-002 4 other n/a 5 n/a oral n/a")  # fmt: skip
    (other,) = factors(filled).flags
    assert other.code == "other-drug-before-recording"


def test_a_recording_under_drug_at_any_visit_keeps_a_circuit_apart(filled: StudyFolder) -> None:
    write(
        filled,
        "sessions",
        "sub-001 ses-pre 0 n/a",
        "sub-001 ses-post 8 n/a",
        "sub-002 ses-pre 0 n/a",
        "sub-002 ses-post 8 n/a",
    )
    write(
        filled,
        "treatment",
        "sub-001 0 ketamine base 100 4 intravenous n/a",
        "sub-002 1 ketamine base 100 4 intravenous n/a",
    )
    assert factors(filled).under_ketamine == ("sub-001",)


def test_recorded_under_other_routes_and_long_infusions(filled: StudyFolder) -> None:
    write(filled, "sessions", "sub-001 ses-post 6 n/a", "sub-002 ses-post 6 n/a")
    write(
        filled,
        "treatment",
        "sub-001 6 ketamine base 100 n/a oral n/a",
        "sub-002 5 ketamine base 300 24 intravenous n/a",
    )
    found = factors(filled)
    assert found.under_ketamine == PATIENTS, "a day-long infusion may end on the day of the recording"
    assert found.flags[0].code == "recorded-under-ketamine"


def cohort(dose_mg_per_kg: np.ndarray, weight: np.ndarray, pain: np.ndarray) -> pd.DataFrame:
    mg = dose_mg_per_kg * weight
    return pd.DataFrame(
        {
            "participant_id": [f"sub-{n}" for n in range(len(mg))],
            "ketamine_mg": mg,
            "ketamine_mg_per_kg": dose_mg_per_kg,
            "ketamine_auc": mg / (84 * (weight / 70) ** 0.75),
            "baseline_nrs": pain,
        }
    )


def test_a_dose_by_weight_is_nothing_to_regress_on() -> None:
    rng = np.random.default_rng(5)
    weight, pain = rng.normal(72, 20, 60).clip(45, 120), rng.normal(7, 1, 60)
    doses = ("ketamine_mg", "ketamine_mg_per_kg", "ketamine_auc")
    by_weight = declare(cohort(np.full(60, 8.0) + rng.normal(0, 0.03, 60), weight, pain), doses)
    assert by_weight.reference == {}
    assert "less than 5 %" in by_weight.refused["covariate ketamine_mg_per_kg"]
    assert "follows weight alone" in by_weight.refused["covariate ketamine_mg"]
    same = declare(cohort(500 / weight, weight, pain), doses)
    assert same.reference == {}


def test_a_titrated_dose_is_told_as_confounded() -> None:
    rng = np.random.default_rng(5)
    weight, pain = rng.normal(72, 12, 60), rng.normal(7, 1, 60)
    titrated = cohort(8 + 2 * (pain - 7) + rng.normal(0, 1, 60), weight, pain)
    (flag,) = confounded_doses(titrated, ("ketamine_auc",), {})
    assert (flag.code, flag.severity) == ("dose-confounded", "serious")
    assert "was titrated" in flag.message
    free = cohort(rng.normal(8, 2, 60), weight, pain)
    (flag,) = confounded_doses(free, ("ketamine_auc",), {})
    assert flag.severity == "caution"
    assert confounded_doses(titrated, (), {}) == ()


def test_nothing_is_known_without_a_table(filled: StudyFolder) -> None:
    frame = factors(filled).frame
    assert frame[["midazolam_left_mg", "ketamine_mg", "days_since_infusion"]].isna().all(axis=None)
    declared = declare(frame, ("midazolam_left_mg", "weight_kg", "shoe_size"))
    assert declared.reference == {"weight_kg": "mean"}
    assert "no patient has a value" in declared.refused["covariate midazolam_left_mg"]
    assert "it is not known" in declared.refused["covariate shoe_size"]
    assert "does not vary" in declare(frame.assign(age=50.0), ("age",)).refused["covariate age"]
    assert "varies by 0.7 %" in declare(frame.assign(age=[50.0, 50.5]), ("age",)).refused["covariate age"]
