"""Does the C statistic that a report prints hold in new patients? Studies of known truth, on tables.

    python benchmarks/bench_prediction_discrimination.py [--studies 150] [--seed 20260] [--jobs 2]

Each study is fitted and validated as `sudeck predict` does it; truth is the C statistic of that very model in
20,000 new patients. Beside it, in the same studies: Harrell's corrected C with the bootstrap interval of the
apparent C moved by the optimism (Noma et al. 2021).
"""

from __future__ import annotations

import argparse
import time
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from typing import Final

import numpy as np
import pandas as pd

from sudeck.prediction.bootstrap import MEASURES, correct_optimism
from sudeck.prediction.cohort import read_cohort
from sudeck.prediction.model_data import model_data, plan_model
from sudeck.prediction.response_model import fit_response_model
from sudeck.prediction.validation import validate_model
from sudeck.statistics.calibration import recalibration
from sudeck.statistics.regression.logistic import expit
from sudeck.statistics.roc import c_statistic

NEW_PATIENTS: Final = 20_000
BOOTSTRAPS: Final = 300
# Log odds a unit of log BPr/TPr, log TPr/VPr, log duration, foot; patients.
WORLDS: Final = {
    "nothing true": ((0.0, 0.0, 0.0, 0.0), 105),
    "weak": ((2.0, 2.0, -0.2, 0.3), 105),
    "middling": ((3.0, 4.0, -0.4, 0.3), 105),
    "strong": ((6.0, 8.0, -0.6, 0.5), 105),
    "weak, 60 patients": ((2.0, 2.0, -0.2, 0.3), 60),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--studies", type=int, default=150, help="of each world")
    parser.add_argument("--seed", type=int, default=20260)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    began = time.perf_counter()
    print("corrected C: error, cover of its 95 % interval, lower end above 1/2; the same of Harrell's; slope")
    with ProcessPoolExecutor(options.jobs) as pool:
        for world in WORLDS:
            found = pool.map(one_study, repeat(world), range(options.studies), repeat(options.seed))
            report(world, np.array([row for row in found if row is not None]))
    print(f"{time.perf_counter() - began:.0f} s")


def one_study(world: str, number: int, seed: int) -> tuple[float, ...] | None:
    """Return the true C, then estimate and interval of ours and of Harrell's; None with one outcome only."""
    slopes, n = WORLDS[world]
    rng = np.random.default_rng([seed, list(WORLDS).index(world), number])
    table, new = (draw(np.array(slopes), size, rng) for size in (n, NEW_PATIENTS))
    if not 2 <= table["responder"].sum() <= n - 2:
        return None
    patients = read_cohort(table)
    model = fit_response_model(patients, plan_model(patients, ("log duration_months", "limb")), rng=rng)
    checked = validate_model(patients, model, rng=rng, n_boot=BOOTSTRAPS)
    met = model_data(read_cohort(new), model.plan)
    eta = model.as_stack().linear_predictor(met.predictors.values, met.predictors.error)
    ours = checked.measures["c_statistic"]
    harrell = correct_optimism("c_statistic", MEASURES["c_statistic"], checked.resamples)
    slope = checked.measures["calibration_slope"].corrected - float(recalibration(eta, met.outcome, None)[1])
    return (
        float(c_statistic(eta, met.outcome)),
        *(ours.corrected, ours.low, ours.high),
        *(harrell.corrected, harrell.low, harrell.high),
        slope,
    )


def draw(slopes: np.ndarray, n: int, rng: np.random.Generator) -> pd.DataFrame:
    """Draw patients: two independent log ratios of ratios, duration and limb, and a response."""
    vascular, tissue, bone = np.cumsum(rng.normal(size=(n, 3)) * [0.2, 0.15, 0.25], axis=1).T
    duration, foot = rng.normal(1.5, 0.8, n), rng.integers(0, 2, n)
    predictors = np.column_stack([bone - tissue, tissue - vascular, duration - 1.5, foot - 0.5])
    chance = expit(0.3 + predictors @ slopes)
    return pd.DataFrame(
        {
            "participant_id": [f"sub-{i}" for i in range(n)],
            **{"VPr": np.exp(vascular), "TPr": np.exp(tissue), "BPr": np.exp(bone)},
            "duration_months": np.exp(duration),
            "limb": np.where(foot == 1, "foot", "hand"),
            "responder": (rng.random(n) < chance).astype(float),
        }
    )


def report(world: str, rows: np.ndarray) -> None:
    """Print one world, shares with their Monte Carlo errors."""
    true, slope = rows[:, 0], rows[:, 7]
    parts = []
    for first in (1, 4):
        value, low, high = rows[:, first : first + 3].T
        error = (value - true).std() / np.sqrt(len(rows))
        covers, above = share((low <= true) & (true <= high)), share(low > 0.5)
        parts.append(f"{(value - true).mean():+.3f} ({error:.3f})  {covers}  {above}")
    known = slope[np.isfinite(slope)]
    middle = f"slope off by {np.median(known):+.2f} (median of {len(known)})"
    print(f"{world:<18} C {true.mean():.3f}  {parts[0]}  |  {parts[1]}  |  {middle}", flush=True)


def share(hits: np.ndarray) -> str:
    """Return a share in per cent with its standard error."""
    p = float(hits.mean())
    return f"{100 * p:.1f} ({100 * np.sqrt(max(p * (1 - p), 0.25 / len(hits)) / len(hits)):.1f}) %"


if __name__ == "__main__":
    main()
