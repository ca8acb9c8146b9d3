"""Do the numbers of an external validation hold? Pairs of centres of known truth, on tables.

    python benchmarks/bench_prediction_elsewhere.py [--pairs 200] [--seed 2026]

In each pair a model is fitted to one centre and tried on the patients of another, as `sudeck validate` does
it; the other centre has another share of responders and weaker slopes. Truth is what the same model does in
20,000 further patients of that centre. Then the slopes of four centres that differ are pooled as
`sudeck pool` does it, and held against the mean that these centres were drawn about.
"""

from __future__ import annotations

import argparse
import time
from typing import Final

import numpy as np
import pandas as pd

from sudeck.core.errors import InputError
from sudeck.prediction.cohort import read_cohort
from sudeck.prediction.model_data import plan_model
from sudeck.prediction.response_model import fit_response_model
from sudeck.prediction.validation import validate_externally
from sudeck.statistics.clinical.random_effects import pool_estimates
from sudeck.statistics.regression.logistic import expit

PATIENTS: Final = 105
NEW_PATIENTS: Final = 20_000
SLOPES: Final = np.array([4.0, 5.0])  # log odds a unit of log BPr/TPr, log TPr/VPr
BETWEEN: Final = 1.0  # SD of the slopes between centres
CENTRES: Final = 4
NUMBERS: Final = ("c_statistic", "slope", "intercept_in_the_large", "observed_over_expected")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--pairs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=2026)
    options = parser.parse_args()
    began = time.process_time()
    covered: dict[str, list[bool]] = {}
    for rng in np.random.default_rng(options.seed).spawn(options.pairs):
        for name, hit in (*one_pair(rng), *pooled(rng)):
            covered.setdefault(name, []).append(hit)
    for name, hits in covered.items():
        share = float(np.mean(hits))
        error = np.sqrt(share * (1 - share) / len(hits))
        print(
            f"{name:<34} {100 * share:5.1f} % ({100 * error:.1f}) of {len(hits)} intervals hold; aim 93 to 97"
        )
    print(f"{time.process_time() - began:.0f} s of processor time")


def one_pair(rng: np.random.Generator) -> list[tuple[str, bool]]:
    """Tell of each number of a validation whether its interval holds the truth of that centre."""
    here = read_cohort(draw(PATIENTS, 0.3, SLOPES, rng))
    intercept, slopes = 0.3 + 0.5 * rng.standard_normal(), SLOPES * rng.uniform(0.5, 1.0)
    there, all_there = (read_cohort(draw(n, intercept, slopes, rng)) for n in (PATIENTS, NEW_PATIENTS))
    model = fit_response_model(here, plan_model(here), rng=rng)
    try:
        found, true = validate_externally(model, there), validate_externally(model, all_there)
    except InputError:
        return []
    return [
        (
            name.replace("_", " "),
            getattr(found, name).low <= getattr(true, name).value <= getattr(found, name).high,
        )
        for name in NUMBERS
    ]


def pooled(rng: np.random.Generator) -> list[tuple[str, bool]]:
    """Tell of each pooled slope whether its interval holds the mean of all centres."""
    values: list[list[float]] = []
    errors: list[list[float]] = []
    for _ in range(CENTRES):
        slopes = SLOPES + BETWEEN * rng.standard_normal(2)
        cohort = read_cohort(draw(PATIENTS, 0.3 + 0.3 * rng.standard_normal(), slopes, rng))
        model = fit_response_model(cohort, plan_model(cohort), rng=rng)
        values.append([one.value for one in model.coefficients[1:]])
        errors.append([float(one.se or np.nan) for one in model.coefficients[1:]])
    names = ("pooled log BPr/TPr", "pooled log TPr/VPr")
    each = zip(names, np.array(values).T, np.array(errors).T, SLOPES, strict=True)
    return [
        (name, (mean := pool_estimates(name, value, error).mean).low <= truth <= mean.high)
        for name, value, error, truth in each
    ]


def draw(n: int, intercept: float, slopes: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    """Draw patients: three ratios and a response that two of their ratios steer."""
    vascular, tissue, bone = np.cumsum(rng.normal(size=(n, 3)) * [0.2, 0.15, 0.25], axis=1).T
    chance = expit(intercept + np.column_stack([bone - tissue, tissue - vascular]) @ slopes)
    return pd.DataFrame(
        {
            "participant_id": [f"sub-{i}" for i in range(n)],
            **{"VPr": np.exp(vascular), "TPr": np.exp(tissue), "BPr": np.exp(bone)},
            "responder": (rng.random(n) < chance).astype(float),
        }
    )


if __name__ == "__main__":
    main()
