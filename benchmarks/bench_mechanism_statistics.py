"""Statistics of change: agreement with R, exactness and speed of max-T, coverage and claims of small studies.

    python benchmarks/bench_mechanism_statistics.py [--quick] [--studies N] [--data FOLDER]

Rows that need reference files are left out where FOLDER (../shared/data) is absent.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from study_scores import (
    Scores,
    print_scores,
    row,
    score_association,
    score_association_claims,
    score_change_claims,
    score_changes,
    score_percentile,
)
from sudeck.mechanism.association import associate_changes
from sudeck.mechanism.changes import estimate_changes
from sudeck.mechanism.measure_table import INTERACTION, pair_visits, tabulate_measures
from sudeck.statistics.mixed.degrees_of_freedom import compare_jointly, estimate_contrast
from sudeck.statistics.mixed.mixed_model import RandomTerm, fit_mixed_model
from sudeck.statistics.sign_flip import flip_signs

# True log changes after the course, and for each measure: level, spread of levels, spread of changes.
TRUE_CHANGE = {
    ("SICI", "pain"): -0.35,
    ("SICI", "other"): -0.05,
    ("ICF", "pain"): -0.2,
    ("ICF", "other"): -0.25,
}
MEASURES = {"SICI": (0.8, 0.25, 0.25), "ICF": (1.5, 0.2, 0.25)}
# Spread of ln MEP within a block (about 0.7), and trials of each condition.
TRIAL_SD, TRIALS = 0.7, 20
TRUE_R = -0.6


def deviation(measured: list[float], reference: list[float]) -> float:
    return float(np.max(np.abs(np.divide(measured, reference) - 1)))


def agree_with_r(folder: Path) -> None:
    """Degrees of freedom, SE and P of lmerTest and pbkrtest; lme4 by ML; every max-T P."""
    data = pd.read_csv(folder / "stats/refs/mixed_n19.csv")
    reference = json.loads((folder / "stats/refs/mixed_n19.json").read_text())
    X = np.column_stack([np.ones(len(data)), data.visit == 1, data.visit == 2]).astype(float)
    model = fit_mixed_model(data.y, X, [RandomTerm("id", data.id)])
    for method, key in (("satterthwaite", "satterthwaite"), ("kenward-roger", "kr")):
        rows = reference[key]
        found = [estimate_contrast(model, w, method=method) for w in np.eye(3)]
        worst = max(
            deviation([c.df for c in found], [r["df"] for r in rows]),
            deviation([float(c.estimate.se or 0) for c in found], [r["Std. Error"] for r in rows]),
            deviation([c.p for c in found][1:], [r["Pr(>|t|)"] for r in rows][1:]),
        )
        row(f"mixed_n19, {method}: df, SE, P, relative", "1e-6", f"{worst:.1e}")
    expected = reference["anova_kr"][0]
    joint = compare_jointly(model, np.eye(3)[1:])
    worst = deviation([joint.f, joint.denominator_df], [expected["F value"], expected["DenDF"]])
    row("mixed_n19, Kenward-Roger F: F, df, relative", "1e-6", f"{worst:.1e}")

    data = pd.read_csv(folder / "stats/sleepstudy.csv")
    X = np.column_stack([np.ones(len(data)), data.Days])
    model = fit_mixed_model(data.Reaction, X, [RandomTerm("Subject", data.Subject, X, ("intercept", "Days"))])
    slope = estimate_contrast(model, [0, 1])
    row(
        "sleepstudy: P of the slope",
        "3.264e-06",
        f"{slope.p:.4g}",
        f"z test {2 * stats.norm.sf(slope.t):.1e}",
    )
    row("sleepstudy: df", "17", f"{slope.df:.6f}", "z test: infinite")
    row("sleepstudy: REML criterion", "1743.62827", f"{-2 * model.log_likelihood:.5f}")

    data = pd.read_csv(folder / "tms/iocTBS/prepost_long.csv")
    times = ["Post0", "Post10", "Post20", "Post30"]
    X = np.column_stack([np.ones(len(data))] + [data.Time == t for t in times]).astype(float)
    start = time.perf_counter()
    terms = [RandomTerm("Subj", data.Subj_ID), RandomTerm("Trial", data.Trial)]
    model = fit_mixed_model(data.lnMEP, X, terms, method="ML")
    seconds = time.perf_counter() - start
    coefficients = np.abs(model.coefficients[1:] - [-0.23538, -0.12940, -0.18049, -0.08294]).max()
    errors = np.abs(model.standard_errors[1:] - [0.04428, 0.04438, 0.04453, 0.04454]).max()
    row("iocTBS, crossed, ML: coefficients and SE, absolute", "1e-4", f"{max(coefficients, errors):.1e}")
    row(
        "iocTBS: log-likelihood (3664 trials)", "-4678.0113", f"{model.log_likelihood:.4f} in {seconds:.2f} s"
    )

    reference = json.loads((folder / "stats/refs/maxT.json").read_text())
    test = flip_signs(pd.read_csv(folder / "stats/refs/maxT_X.csv"))
    same = (list(test.p), list(test.p_family), list(test.p_single_step)) == (
        reference["raw"],
        reference["stepdown"],
        reference["singlestep"],
    )
    row("max-T: raw, step-down and single-step P", "equal", "equal" if same else "different")


def time_max_t(quick: bool) -> None:
    """All 2^19 patterns of eight measures, beside scipy's exact test of one measure at a time."""
    x = np.random.default_rng(0).normal(0.2, 1, (19, 8))
    start = time.perf_counter()
    flip_signs(x)
    ours = time.perf_counter() - start
    n = 12 if quick else 14

    def t(sample: np.ndarray, axis: int) -> np.ndarray:
        return sample.mean(axis=axis) / (sample.std(axis=axis, ddof=1) / np.sqrt(sample.shape[axis]))

    start = time.perf_counter()
    stats.permutation_test((x[:n, 0],), t, permutation_type="samples", n_resamples=np.inf, vectorized=True)
    scipy_time = (time.perf_counter() - start) * 2 ** (19 - n) * 8
    row(
        "max-T: 2^19 patterns x 8 measures",
        "under 5 s",
        f"{ours:.2f} s",
        f"scipy, no max-T: {scipy_time:.0f} s",
    )


def draw(
    rng: np.random.Generator, *, effect: bool, missing: float = 0.0
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One study of 19: skewed trials, an interval of every ratio from its own trials, relief."""
    rows = []
    slopes = {}
    for measure, (level, spread, change_spread) in MEASURES.items():
        own = rng.normal(np.log(level), spread, 19)
        for side in ("pain", "other"):
            change = rng.normal(0, change_spread, 19)
            slopes[measure, side] = change / change_spread
            side_level = rng.normal(0, spread / 2, 19)
            for visit in ("pre", "post"):
                true = own + side_level
                if visit == "post":
                    true = true + change + (TRUE_CHANGE[measure, side] if effect else 0.0)
                conditioned, test = rng.normal(0, TRIAL_SD, (2, 19, TRIALS))
                error = conditioned.mean(1) - test.mean(1)
                log_se = np.sqrt((conditioned.var(1, ddof=1) + test.var(1, ddof=1)) / TRIALS)
                rows += [
                    (i, visit, side, measure, value, se)
                    for i, (value, se) in enumerate(zip(np.exp(true + error), log_se, strict=True))
                    if rng.random() >= missing
                ]
    noise = rng.normal(0, 1, 19)
    relief = TRUE_R * slopes["SICI", "pain"] + np.sqrt(1 - TRUE_R**2) * noise if effect else noise
    columns = ["participant_id", "visit", "hemisphere", "measure", "value", "log_se"]
    return pd.DataFrame(rows, columns=columns), pd.DataFrame({"participant_id": range(19), "relief": relief})


def cover_and_claim(studies: int) -> None:
    """Coverage of changes, interactions and associations; claims where nothing happens."""
    truth = {
        **TRUE_CHANGE,
        **{(m, INTERACTION): TRUE_CHANGE[m, "pain"] - TRUE_CHANGE[m, "other"] for m in MEASURES},
    }
    reliability = 0.25**2 / (0.25**2 + 4 * TRIAL_SD**2 / TRIALS)
    noisy = TRUE_R * np.sqrt(reliability)
    slope = TRUE_R / 0.25 * reliability
    scores = Scores()
    start = time.perf_counter()
    for k in range(studies):
        table, people = draw(np.random.default_rng([1, k]), effect=True, missing=0.05 if k % 2 else 0.0)
        measured = pair_visits(tabulate_measures(table), "pre", "post")
        score_changes(scores, estimate_changes(table), measured, truth)
        found = associate_changes(table, people, permutations=999, bootstraps=1000, rng=k).find(
            "SICI", "pain"
        )
        assert found is not None
        score_association(scores, found, noisy, TRUE_R)
        scores.add("slope", found.slope.low <= slope <= found.slope.high)
        score_percentile(scores, measured, ("SICI", "pain"), people.relief.to_numpy(), noisy, k)

        table, people = draw(np.random.default_rng([2, k]), effect=False)
        score_change_claims(scores, estimate_changes(table))
        scores.close_study()
        # Three twins: the share of claims is a small number, and associations are cheap.
        for twin in (k, k + studies, k + 2 * studies):
            table, people = draw(np.random.default_rng([2, twin]), effect=False)
            found_nothing = associate_changes(table, people, permutations=999, bootstraps=20, rng=twin)
            score_association_claims(scores, found_nothing)
            scores.close_study()
    row(f"{studies} studies of 19", "", "")
    print_scores(scores)
    row("permutation intervals of the slope cover", "93 to 97 %", scores.percent("slope"))
    row(
        "seconds a study, with its twin without effect",
        "",
        f"{(time.perf_counter() - start) / studies:.2f} s",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few studies")
    parser.add_argument("--studies", type=int, default=None)
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    parser.add_argument("--data", type=Path, default=beside, help="folder of reference files")
    options = parser.parse_args()
    row("what", "target", "measured", "baseline")
    if options.data.is_dir():
        agree_with_r(options.data)
    time_max_t(options.quick)
    cover_and_claim(options.studies or (25 if options.quick else 500))


if __name__ == "__main__":
    main()
