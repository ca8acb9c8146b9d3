"""How exact concentrations are, how near the models, how honest the intervals, what record checks find.

Usage: python benchmarks/bench_ketamine.py [--quick]

Each part prints one line; the aims stand in docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace

import numpy as np
from scipy.integrate import solve_ivp

from sudeck.ketamine.exposure import measure_exposure
from sudeck.ketamine.given import GivenDose, Moment
from sudeck.ketamine.observations import fold_error
from sudeck.ketamine.pk_models import MODELS, draw_people, ensemble, pk_model
from sudeck.ketamine.record_checks import check_record
from sudeck.ketamine.regimen import Dose, Regimen
from sudeck.ketamine.solve import solve_course
from sudeck.ketamine.units import BASE_SHARE


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


def speed(patients: int) -> None:
    """Time the exposure of a cohort: four models and that of norketamine, 200 draws each."""
    start = time.perf_counter()
    for number in range(patients):
        kilos = 50.0 + number % 60
        doses = tuple(Dose(24.0 * day + 9.0, 4.0, 1.6 * kilos) for day in range(5))
        measure_exposure(Regimen("", "ketamine", doses), kilos, draws=200, rng=number)
    print(f"{patients} patients, 5 models, 200 draws: {time.perf_counter() - start:.1f} s on one core")


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


def main() -> None:
    """Run every part."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer people and patients")
    quick = parser.parse_args().quick
    exactness()
    nearness()
    coverage(1000 if quick else 20_000)
    record_checks(40)
    speed(10 if quick else 105)


if __name__ == "__main__":
    main()
