"""Does the prediction room say what is true? Many synthetic studies whose truth is known, on tables.

    python benchmarks/bench_prediction.py [--quick] [--studies 200] [--seed 1]

Each line: what, target, measured, its Monte Carlo error, and the published way of analysing as a baseline.
"""

from __future__ import annotations

import argparse
import math
import time
from dataclasses import replace

import numpy as np

from sudeck.prediction.cohort import read_cohort
from sudeck.prediction.model_data import plan_model
from sudeck.prediction.published.relief_correlation import published_analysis
from sudeck.prediction.ratios import read_ratios
from sudeck.prediction.response_model import ResponseModel, fit_relief_model, fit_response_model
from sudeck.prediction.validation import validate_externally, validate_model
from sudeck.statistics.cutoff import best_of_several
from sudeck.statistics.regression.logistic import maximise_logistic
from sudeck.synthetic.study.synthetic_cohort import (
    CohortSettings,
    SyntheticCohort,
    draw_cohort,
    without_effect,
)

PATIENTS = 105
COVARIATES = ("log duration_months",)
NAMES = ("log BPr/TPr", "log TPr/VPr", "log duration_months")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--quick", action="store_true", help="40 studies")
    parser.add_argument("--studies", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    studies = 40 if options.quick else options.studies
    began = time.perf_counter()
    print(f"{studies} synthetic studies of {PATIENTS} patients, seed {options.seed}")
    print(f"{'what':<58}{'target':>16}{'measured':>11}{'MC error':>10}  baseline")
    effect(studies, options.seed)
    no_effect(5 * studies, options.seed)
    measurement_error(studies, options.seed)
    cutoffs_and_validation(max(studies // 5, 10), options.seed)
    print(f"{time.perf_counter() - began:.0f} s")


def effect(studies: int, seed: int) -> None:
    """Correlations and coverage in studies as published, with missing visits."""
    settings = CohortSettings()
    logistic_truth = true_log_odds(settings)
    r: dict[str, list[float]] = {}
    covered: dict[str, list[bool]] = {}
    naive_covered: list[bool] = []
    for rng in np.random.default_rng([seed, 1]).spawn(studies):
        cohort = draw_cohort(settings, rng=rng)
        for name, measure in published_analysis(read_cohort(cohort.table)).measures.items():
            r.setdefault(name, []).append(measure.pearson.r.value)
        relief, response, naive = fitted(cohort, rng)
        for name in NAMES:
            covered.setdefault(f"relief, {name}", []).append(holds(relief, name, cohort.truth.slopes[name]))
            covered.setdefault(f"response, {name}", []).append(holds(response, name, logistic_truth[name]))
        naive_covered.append(holds(naive, NAMES[0], cohort.truth.slopes[NAMES[0]]))
        truth = cohort.truth.correlations
    for name, values in r.items():
        error = np.std(values) / math.sqrt(studies)
        line(f"mean r of relief with {name}", f"{truth[name]:.3f}", np.mean(values), error)
    for name, hits in covered.items():
        line(
            f"95 % interval holds the truth: {name}",
            "0.93 to 0.97",
            np.mean(hits),
            share_error(0.95, studies),
        )
    line(
        "  the same, pooled over the six coefficients",
        "0.93 to 0.97",
        np.mean(list(covered.values())),
        share_error(0.95, 6 * studies),
        f"without correction, log BPr/TPr: {np.mean(naive_covered):.3f}",
    )


def no_effect(studies: int, seed: int) -> None:
    """How many studies claim an effect when there is none."""
    settings = without_effect()
    claims, relief_claims, published = [], [], []
    for rng in np.random.default_rng([seed, 2]).spawn(studies):
        cohort = draw_cohort(replace(settings, missing={}), rng=rng)
        relief, response, _ = fitted(cohort, rng)
        relief_claims.append(relief.ratios_p < 0.05)
        claims.append(response.ratios_p < 0.05)
        measures = published_analysis(read_cohort(cohort.table)).measures.values()
        published.append(min(measure.pearson.p for measure in measures) < 0.05)
    baseline = f"any of six correlations below 0.05: {np.mean(published):.3f}"
    error = share_error(0.05, studies)
    line(
        f"no effect: relief model claims one ({studies} studies)",
        "0.035 to 0.065",
        np.mean(relief_claims),
        error,
        baseline,
    )
    line(
        f"no effect: response model claims one ({studies} studies)",
        "0.035 to 0.065",
        np.mean(claims),
        error,
        baseline,
    )


def measurement_error(studies: int, seed: int) -> None:
    """Slopes with twice the error variance of a typical scan: naive as theory says, corrected unbiased.

    The corrected slopes are compared with those of the same studies measured without error, which takes
    the luck of the draw out of the comparison.
    """
    settings = CohortSettings(
        measurement_sd={"VPr": 0.08, "TPr": 0.055, "BPr": 0.055},
        correlations={"BPr/TPr": 0.45, "TPr/VPr": 0.35, "BPr/VPr": 0.50},
        missing={},
    )
    naive, rows = [], []
    for rng in np.random.default_rng([seed, 3]).spawn(studies):
        cohort = draw_cohort(settings, rng=rng)
        truth, table = cohort.truth, cohort.table
        exact = table.assign(**{name: truth.patients[name] for name in ("VPr", "TPr", "BPr")})
        patients = read_cohort(table)
        plan = plan_model(patients, COVARIATES)
        blind = replace(plan, correct_error=False)
        naive.append(slopes(fit_relief_model(patients, blind, rng=rng)))
        rows.append(
            [
                [
                    slopes(fit(data, how, rng=rng))
                    for data, how in ((table, plan), (table, blind), (exact, blind))
                ]
                for fit in (fit_relief_model, fit_response_model)
            ]
        )
    for j, name in enumerate(NAMES[:2]):
        share = [row[j] / truth.slopes[name] for row in naive]
        line(
            f"naive / true slope, relief, {name}",
            f"{truth.naive_slopes[name] / truth.slopes[name]:.3f}",
            np.mean(share),
            np.std(share) / math.sqrt(studies),
            f"reliability {truth.reliability[name]:.2f}",
        )
    values = np.array(rows)  # study, outcome, way of fitting, ratio
    for i, label in enumerate(("relief", "response")):
        for j, name in enumerate(NAMES[:2]):
            corrected, ignored, oracle = values[:, i, :, j].T
            share = corrected.mean() / oracle.mean()
            error = np.std(corrected - share * oracle) / abs(oracle.mean()) / math.sqrt(studies)
            line(
                f"corrected / error-free slope, {label}, {name}",
                "0.95 to 1.05",
                share,
                error,
                f"without correction {ignored.mean() / oracle.mean():.3f}",
            )


def cutoffs_and_validation(studies: int, seed: int) -> None:
    """Optimism of cut-offs and of the C statistic, as corrected and as found in new patients."""
    settings = CohortSettings(missing={})
    new = draw_cohort(replace(settings, n=20_000), rng=np.random.default_rng([seed, 9])).table
    new_ratios, new_y = read_ratios(new), new["responder"].to_numpy()
    one, three, c_corrected, c_apparent, c_new, took = [], [], [], [], [], []
    for rng in np.random.default_rng([seed, 4]).spawn(studies):
        table = draw_cohort(settings, rng=rng).table
        ratios, y = read_ratios(table), table["responder"].to_numpy()
        names = ("BPr/TPr", "BPr/VPr", "TPr/VPr")
        found = best_of_several({name: ratios.values(name) for name in names}, y, rng=rng, n_boot=200)
        true = {
            name: youden(new_ratios.values(name) > found.cutoffs[name].cutoff.value, new_y) for name in names
        }
        one.append(
            [
                found.cutoffs[names[0]].youden_apparent - true[names[0]],
                found.cutoffs[names[0]].youden_optimism,
            ]
        )
        three.append([found.youden_apparent - true[found.best], found.youden_optimism])
        patients = read_cohort(table)
        plan = plan_model(patients, COVARIATES)
        model = fit_response_model(patients, plan, rng=rng)
        began = time.perf_counter()
        c = validate_model(patients, model, rng=rng, n_boot=200).measures["c_statistic"]
        took.append(time.perf_counter() - began)
        c_apparent.append(c.apparent)
        c_corrected.append(c.corrected)
        c_new.append(validate_externally(model, read_cohort(new)).c_statistic.value)
    for label, pairs, target in (("one ratio", one, 0.09), ("best of three", three, 0.14)):
        real, estimated = np.mean(pairs, axis=0)
        error = np.std(np.array(pairs)[:, 0]) / math.sqrt(studies)
        line(
            f"Youden optimism, {label} (20 000 new patients)",
            f"about {target}",
            real,
            error,
            f"bootstrap says {estimated:.3f}",
        )
    line(
        "corrected C less C in 20 000 new patients",
        "0",
        np.mean(c_corrected) - np.mean(c_new),
        np.std(np.array(c_corrected) - np.array(c_new)) / math.sqrt(studies),
        f"apparent C less new: {np.mean(c_apparent) - np.mean(c_new):.3f}",
    )
    line("seconds to validate with 200 bootstrap models", "-", np.median(took), np.std(took))


def fitted(
    cohort: SyntheticCohort, rng: np.random.Generator
) -> tuple[ResponseModel, ResponseModel, ResponseModel]:
    """Return the relief model, the response model, and the relief model that ignores measurement error."""
    patients = read_cohort(cohort.table)
    plan = plan_model(patients, COVARIATES)
    return (
        fit_relief_model(patients, plan, rng=rng),
        fit_response_model(patients, plan, rng=rng),
        fit_relief_model(patients, replace(plan, correct_error=False), rng=rng),
    )


def true_log_odds(settings: CohortSettings) -> dict[str, float]:
    """Return what a logistic regression on the true ratios tends to, from a very large cohort."""
    cohort = draw_cohort(replace(settings, n=300_000, missing={}), rng=np.random.default_rng(99))
    true = cohort.truth.patients
    design = np.column_stack(
        [
            np.ones(len(true)),
            np.log(true["BPr"] / true["TPr"]),
            np.log(true["TPr"] / true["VPr"]),
            np.log(true["duration_months"]),
        ]
    )
    fit = maximise_logistic(design, cohort.table["responder"].to_numpy(dtype=float))
    return dict(zip(NAMES, fit.coefficients[1:].tolist(), strict=True))


def holds(model: ResponseModel, name: str, truth: float) -> bool:
    """Tell whether the interval of a coefficient holds the truth."""
    coefficient = model.coefficients[1 + model.names.index(name)]
    return coefficient.low <= truth <= coefficient.high


def slopes(model: ResponseModel) -> list[float]:
    """Return the coefficients of the two ratios."""
    return [float(value) for value in model.values[1:3]]


def youden(positive: np.ndarray, y: np.ndarray) -> float:
    """Return sensitivity + specificity - 1."""
    return float(positive[y == 1].mean() - positive[y == 0].mean())


def share_error(share: float, n: int) -> float:
    """Return the standard error of a share over n studies."""
    return math.sqrt(share * (1 - share) / n)


def line(what: str, target: str, measured: float, error: float, baseline: str = "") -> None:
    """Print one line of the table."""
    print(f"{what:<58}{target:>16}{measured:>11.3f}{error:>10.3f}  {baseline}", flush=True)


if __name__ == "__main__":
    main()
