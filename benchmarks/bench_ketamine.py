"""How exact concentrations are, how near the models, how honest the intervals, what record checks find.

Usage: python benchmarks/bench_ketamine.py [--quick]

Each part prints one line; the aims stand in docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from scipy.integrate import solve_ivp
from scipy.stats import linregress

from sudeck.demo.study_on_disk import write_study_tables
from sudeck.ketamine.exposure import Exposure, measure_exposure
from sudeck.ketamine.given import GivenDose, Moment
from sudeck.ketamine.observations import fold_error
from sudeck.ketamine.pk_models import MODELS, draw_people, ensemble, pk_model
from sudeck.ketamine.record_checks import check_record
from sudeck.ketamine.regimen import Dose, Regimen
from sudeck.ketamine.solve import solve_course
from sudeck.ketamine.units import BASE_SHARE
from sudeck.study.answers.patient_factors import DOSES, declare, tabulate_factors
from sudeck.study.answers.treatment.treatment_flags import confounded_doses
from sudeck.study.answers.treatment.treatment_given import patient_treatments
from sudeck.study.checks.check import check_study
from sudeck.study.folder.create import create_study
from sudeck.study.folder.layout import StudyFolder
from sudeck.study.folder.settings import Settings
from sudeck.study.folder.tables import read_tables
from sudeck.study.measuring.engine import spread
from sudeck.synthetic.study.study_plan import plan_study

TROUBLE = Path(__file__).resolve().parents[1].parent / "shared" / "data" / "trouble" / "ketamine"


def exactness() -> None:
    """Hold concentrations and areas against LSODA, steady state and whole area against algebra."""
    regimen = Regimen("", "ketamine", (Dose(0.0, 4.0, 112.0),))
    worst = 0.0
    for model in MODELS:
        system = model.system()
        n = system.rates.shape[0]

        def slope(hour: float, y: np.ndarray, system=system, n=n) -> np.ndarray:  # type: ignore[no-untyped-def]
            moved = system.rates @ y[:n]
            moved[0] += 28.0
            return np.append(moved, system.outputs[0] @ y[:n])

        exact = solve_course(system, regimen, [4.0])
        by_steps = solve_ivp(slope, (0.0, 4.0), np.zeros(n + 1), method="LSODA", rtol=1e-12, atol=1e-13).y[
            :, -1
        ]
        for ours, theirs in (
            (exact.ng_per_ml[0, 0], 1e3 * system.outputs[0] @ by_steps[:n]),
            (exact.area[0, 0], by_steps[n]),
        ):
            worst = max(worst, abs(ours / theirs - 1))
    kamp = pk_model("kamp").system()
    long = solve_course(kamp, Regimen("", "ketamine", (Dose(0.0, 3000.0, 60_000.0),)), [3000.0])
    whole = solve_course(kamp, regimen, [1000.0]).area[0, 0]
    print(f"against LSODA, {len(MODELS)} models: {worst:.1e} relative at worst")
    print(
        f"steady state against rate over clearance: {abs(long.ng_per_ml[0, 0] / (2e4 / 84) - 1):.1e}; "
        f"area against dose over clearance: {abs(whole / (112 / 84) - 1):.1e}"
    )


def nearness() -> None:
    """Print how far each model is from the eight observations."""
    for model in MODELS:
        print(
            f"{model.key:12} {fold_error(model):.2f}-fold on eight, "
            f"{fold_error(model, independent=True):.2f} on the three of other groups"
            f"{', in the ensemble' if model.ensemble else ''}"
        )


def coverage(people: int) -> None:
    """Draw true people from each model in turn; count how often the 90 % interval of the area holds them."""
    regimen = Regimen("", "ketamine", tuple(Dose(24.0 * day + 9.0, 4.0, 112.0) for day in range(5)))
    area = measure_exposure(regimen, 70.0, draws=4000, rng=1).area
    shares = []
    for model in ensemble():
        system = model.system(70.0, draw_people(model, people, np.random.default_rng(7)))
        truth = solve_course(system, regimen, [700.0]).area[:, 0, 0]
        shares.append(float(((truth >= area.low) & (truth <= area.high)).mean()))
        print(f"90 % interval of the area, truth {model.key}: covers {100 * shares[-1]:.1f} %")
    print(f"on average {100 * float(np.mean(shares)):.1f} %")


def exposure_of(number: int) -> Exposure:
    """Return the exposure of one patient of the speed test."""
    kilos = 50.0 + number % 60
    doses = tuple(Dose(24.0 * day + 9.0, 4.0, 1.6 * kilos) for day in range(5))
    return measure_exposure(Regimen("", "ketamine", doses), kilos, draws=200, rng=number)


def speed(patients: int) -> None:
    """Time the exposure of a cohort: four models and that of norketamine, 200 draws each."""
    start = time.perf_counter()
    for _ in spread(exposure_of, list(range(patients)), jobs=2):
        pass
    print(f"{patients} patients, 5 models, 200 draws: {time.perf_counter() - start:.1f} s in two processes")


def clean_record(rng: np.random.Generator, *, titrated: bool) -> tuple[list[GivenDose], dict[str, float]]:
    """Return the record of a centre of ten patients, dosed by weight or titrated."""
    weights = {f"sub-{n:02d}": float(round(min(max(rng.normal(72, 12), 45), 120))) for n in range(10)}
    doses = []
    for patient, kilos in weights.items():
        rate = 0.4 * (float(rng.uniform(0.5, 1.6)) if titrated else 1.0)
        for day in range(1, 6):
            step = 1.0 + 0.1 * (day - 1) * titrated
            mg = float(round(4 * rate * step * kilos))
            stopped = bool(rng.random() < 0.04)
            given = round(mg * float(rng.uniform(0.3, 0.8))) if stopped else mg
            doses.append(
                GivenDose(
                    patient,
                    day,
                    "ketamine",
                    float(given),
                    "base",
                    4.0,
                    "intravenous",
                    9.0,
                    1,
                    mg,
                    stopped_early=stopped or None,
                )
            )
        if rng.random() < 0.4:
            doses.append(GivenDose(patient, 1, "midazolam", 2.0, route="intravenous", start_h=8.8))
    return doses, weights


def planted(number: int) -> tuple[str, bool]:
    """Return the name of a planted error and whether it was found."""
    rng = np.random.default_rng([number, 3])
    doses, weights = clean_record(rng, titrated=False)
    patient = "sub-03"
    own = [n for n, one in enumerate(doses) if one.patient == patient and one.is_ketamine]
    place = own[int(rng.integers(1, 5))]
    one = replace(doses[place], stopped_early=None)
    mg = one.planned_mg or 0.0
    moments = [Moment(name, "ses-post", 6, 9.0) for name in weights]
    kinds = (
        ("tenfold", replace(one, dose_mg=10 * mg, planned_mg=None), {"other-days", "above-awake"}),
        ("fivefold", replace(one, dose_mg=5 * mg, planned_mg=None), {"other-days", "above-awake"}),
        ("planned against given", replace(one, dose_mg=round(0.7 * mg)), {"planned"}),
        ("ampoule of 100 for 50", replace(one, dose_mg=2 * mg), {"ampoule"}),
        ("base for salt", replace(one, dose_mg=round(BASE_SHARE * mg, 1)), {"base-for-salt"}),
        ("zero hours", replace(one, duration_h=0.0), {"zero-hours"}),
        ("pounds", None, {"pounds"}),
        ("placebo and ketamine", None, {"placebo"}),
        ("recorded under drug", None, {"under-drug"}),
        ("unit of midazolam", None, {"unit"}),
    )
    name, changed, codes = kinds[number % 10]
    if changed is not None:
        doses[place] = changed
    elif name == "pounds":
        weights[patient] *= 2.20462
    elif name == "placebo and ketamine":
        doses.append(GivenDose(patient, one.day, "placebo", 0.0, None, 4.0, "intravenous"))
    elif name == "recorded under drug":
        moments[3] = Moment(patient, "ses-post", 5, float(rng.uniform(9.5, 20)))
    else:
        doses.append(GivenDose(patient, 1, "midazolam", 2000.0, route="intravenous"))
    found = {f.code for f in check_record(doses, weights, moments) if f.patient == patient}
    return name, bool(found & codes)


def record_checks(records: int) -> None:
    """Plant errors of ten kinds, one a record, and count them; count what clean records are blamed for."""
    results = [planted(number) for number in range(records)]
    missed = sorted({name for name, hit in results if not hit})
    print(f"{sum(hit for _, hit in results)} of {records} planted errors found; missed: {missed or 'none'}")
    blamed = 0
    for number in range(records):
        doses, weights = clean_record(np.random.default_rng([number, 4]), titrated=number % 2 == 1)
        moments = [Moment(name, "ses-post", 6, 9.0) for name in weights]
        blamed += bool(check_record(doses, weights, moments))
    print(f"{blamed} of {records} clean records blamed")


def under_drug(recordings: int) -> None:
    """Record patients at random around their infusions; count those under drug that were flagged."""
    rng = np.random.default_rng(11)
    hit = total = wrong = others = 0
    for number in range(recordings):
        patient = f"sub-{number}"
        doses = [
            GivenDose(patient, day, "ketamine", 110.0, "base", 4.0, "intravenous", 9.0) for day in range(1, 6)
        ]
        day, clock = int(rng.integers(0, 8)), float(rng.uniform(7.0, 23.0))
        since = [24.0 * (day - one.day) + clock - 13.0 for one in doses]
        true = any(-4.0 <= hours <= 12.0 for hours in since)
        found = check_record(doses, {patient: 70.0}, [Moment(patient, "ses-post", day, clock)])
        flagged = any(one.code == "under-drug" for one in found)
        hit, total = hit + (true and flagged), total + true
        wrong, others = wrong + (not true and flagged), others + (not true)
    print(f"{hit} of {total} recordings under drug flagged, {wrong} of {others} others")


def titrated(cohorts: int) -> None:
    """Titrate a dose that helps to effect; count dose effects without the flag, and signs that are wrong."""
    unflagged = negative = seen = 0
    for number in range(cohorts):
        rng = np.random.default_rng([number, 5])
        n = 105
        weight, pain = rng.normal(72, 12, n).clip(45, 120), rng.normal(7, 1, n).clip(4, 10)
        sensitivity = rng.normal(1.0, 0.35, n).clip(0.1)  # relief a unit of dose
        a_kg = (8.0 / sensitivity).clip(2.0, 25.0) * np.exp(0.1 * rng.standard_normal(n))
        early = 0.35 * sensitivity * 4.0 + 0.5 * rng.standard_normal(
            n
        )  # at the common dose of the first days
        relief = 0.35 * sensitivity * a_kg - 0.08 * a_kg + rng.normal(0, 0.7, n)
        frame = cohort_frame(a_kg, weight, pain)
        fit = linregress(frame["ketamine_auc"], relief)
        negative += fit.slope < 0 and fit.pvalue < 0.05
        first = dict(zip(frame["participant_id"], early, strict=True))
        accepted = [name for name in DOSES if name in declare(frame, DOSES).reference]
        flags = confounded_doses(frame, accepted, first)
        unflagged += bool(accepted) and not flags
        seen += any(flag.severity == "serious" for flag in flags)
    print(
        f"{cohorts} titrated cohorts: {unflagged} dose effects without the flag, {seen} told as titrated; a "
        f"helpful dose has a significantly negative slope in {negative}"
    )


def fixed(cohorts: int) -> None:
    """Dose cohorts at a fixed mg/kg, rounded to a milligram; count those whose dose is refused."""
    refused = 0
    for number in range(cohorts):
        rng = np.random.default_rng([number, 6])
        weight, pain = rng.normal(72, 13, 105).clip(45, 120), rng.normal(7, 1, 105)
        frame = cohort_frame(np.round(8.0 * weight) / weight, weight, pain)
        refused += not declare(frame, DOSES).reference
    print(f"{refused} of {cohorts} cohorts of a fixed mg/kg refused, each of {len(DOSES)} covariates")


def cohort_frame(a_kg: np.ndarray, weight: np.ndarray, pain: np.ndarray) -> pd.DataFrame:
    """Return the factors of a cohort."""
    area = a_kg * weight / (84.0 * (weight / 70.0) ** 0.75)
    return pd.DataFrame(
        {
            "participant_id": [f"sub-{n}" for n in range(a_kg.size)],
            "ketamine_mg": a_kg * weight,
            "ketamine_mg_per_kg": a_kg,
            "ketamine_auc": area,
            "baseline_nrs": pain,
        }
    )


def trouble() -> None:
    """Hold the six inputs of the shared folder, where there is one, against what their README says."""
    if not TROUBLE.is_dir():
        print("shared/data/trouble/ketamine is not here: left out")
        return
    right = {name: test(name) for name, test in TROUBLES.items()}
    for name, good in right.items():
        print(f"{name}: {'as it should be' if good else 'WRONG'}")


def studied(name: str, folder: str) -> StudyFolder:
    """Return the demo's tables with one of the inputs in place."""
    study = create_study(Path(folder) / "study", name="Trouble").study
    write_study_tables(study, plan_study(patients=105, seed=2018))
    table = "sessions" if name.endswith("_sessions") else "treatment"
    study.table_file(table).write_bytes((TROUBLE / f"{name}.tsv").read_bytes())
    return study


def messages(name: str) -> list[str]:
    """Return what sudeck check says of the treatment and the sessions of an input."""
    with TemporaryDirectory() as folder:
        problems = check_study(studied(name, folder)).problems
        return [str(one) for one in problems if one.where in ("treatment.tsv", "sessions.tsv")]


def is_tenfold(name: str) -> bool:
    """Ask that ten times this patient's other days, and above every awake regimen: one row, told."""
    text = " ".join(messages(name))
    return "line 2, sub-001" in text and "ten times" in text and "above every published awake" in text


def is_accepted(name: str) -> bool:
    """Ask that a second infusion a day is taken, and added up."""
    with TemporaryDirectory() as folder:
        (one,) = patient_treatments(read_tables(studied(name, folder)), ["sub-001"], session=None)
    return one.mg == 5 * 78 + 40 and "taken as one more" in " ".join(messages(name))


def is_told_apart(name: str) -> bool:
    """Ask that salt, route, form and hours each give another exposure, or none."""
    with TemporaryDirectory() as folder:
        given = patient_treatments(
            read_tables(studied(name, folder)), [f"sub-00{n}" for n in (1, 2, 3, 5, 6)], session=None
        )
    salt, oral, s_form, short, long = given
    peaks = [
        measure_exposure(one.regimen, one.weight_kg, draws=20).peak.value
        for one in (short, long)
        if one.regimen and one.weight_kg
    ]
    return (
        abs((salt.mg or 0) - 5 * 78 * BASE_SHARE) < 1e-6
        and oral.mg is None
        and s_form.regimen is not None
        and s_form.regimen.drug == "esketamine"
        and len(peaks) == 2
        and peaks[0] > 2 * peaks[1]
    )


def is_contradicted(name: str) -> bool:
    """Ask that 0 h, a missing duration, and placebo and ketamine on one day are told."""
    text = " ".join(messages(name))
    return all(words in text for words in ("0 h makes", "no duration", "placebo and ketamine on day 3"))


def is_gone(name: str) -> bool:
    """Ask that of midazolam four days ago less than 1e-12 mg are left."""
    with TemporaryDirectory() as folder:
        (one,) = patient_treatments(read_tables(studied(name, folder)), ["sub-001"], session="ses-post")
    left = one.left_mg("midazolam")
    return left is not None and left < 1e-12 and any(b.drug == "midazolam" for b in one.board)


def is_flagged(name: str) -> bool:
    """Ask that recordings on the day of an infusion are told in check and in explain."""
    with TemporaryDirectory() as folder:
        tables = read_tables(studied(name, folder))
        patients = sorted({str(row["participant_id"]) for row in tables["sessions"].rows})
        flags = tabulate_factors(tables, Settings(), patients, after="ses-post").flags
    return any(flag.code == "recorded-under-ketamine" for flag in flags) and any(
        "Höffken" in message for message in messages(name)
    )


TROUBLES = {
    "tenfold_treatment": is_tenfold,
    "two_infusions_a_day_treatment": is_accepted,
    "salt_route_enantiomer_treatment": is_told_apart,
    "zero_hours_and_placebo_treatment": is_contradicted,
    "midazolam_four_days_before_treatment": is_gone,
    "recorded_on_infusion_day_sessions": is_flagged,
}


def main() -> None:
    """Run every part."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer people and patients")
    quick = parser.parse_args().quick
    exactness()
    nearness()
    coverage(1000 if quick else 20_000)
    record_checks(40)
    under_drug(400)
    titrated(20 if quick else 200)
    fixed(20 if quick else 200)
    trouble()
    speed(10 if quick else 105)


if __name__ == "__main__":
    main()
