"""Optimism of a model with gaps, held against an implementation of another kind and against new patients.

A missing predictor is imputed with the outcome when a model is fitted, or its slope comes out too small; when
the model is judged it is expected from the other predictors alone, since a new patient has no outcome yet.
Judging with values imputed from the outcome is told what it is to predict (Wahl et al. 2016, BMC Med Res
Methodol 16:144; Sisk et al. 2023, Stat Methods Med Res 32:1461-1477).

``python tests/prediction/test_optimism_with_gaps.py 100`` prints the means over a hundred studies.
"""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd

from sudeck.prediction.bootstrap import MEASURES, correct_optimism, resample_model
from sudeck.prediction.cohort import read_cohort
from sudeck.prediction.model_data import model_data, plan_model
from sudeck.prediction.response_model import fit_response_model

PATIENTS, NEW, MISSING = 120, 20_000, 0.4
TRUE = np.array([0.3, 3.0, 3.0, 1.4])  # log BPr/TPr, log TPr/VPr, a covariate that is often missing
NAMES = ("brier", "calibration_slope", "c_statistic")


def draw(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return predictors with gaps in the last, and outcomes."""
    x = rng.normal(size=(n, 3)) * (0.25, 0.25, 1.0)
    x[:, 2] += 2 * x[:, 0]
    y = (rng.random(n) < 1 / (1 + np.exp(-TRUE[0] - x @ TRUE[1:]))).astype(float)
    x[rng.random(n) < MISSING, 2] = np.nan
    return x, y


def regress(others: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    design = np.column_stack([np.ones(len(others)), others])
    inverse = np.linalg.inv(design.T @ design)
    beta = inverse @ design.T @ target
    return beta, inverse, float(((target - design @ beta) ** 2).sum())


def drawn(x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Complete the last predictor by a normal draw given the others and the outcome (Rubin 1987, p. 167)."""
    gap, others = np.isnan(x[:, 2]), np.column_stack([x[:, :2], y])
    beta, inverse, rss = regress(others[~gap], x[~gap, 2])
    sigma = np.sqrt(rss / rng.chisquare((~gap).sum() - 4))
    beta = beta + sigma * np.linalg.cholesky(inverse) @ rng.normal(size=4)
    filled = x.copy()
    filled[gap, 2] = beta[0] + others[gap] @ beta[1:] + sigma * rng.normal(size=gap.sum())
    return filled


def logistic(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    design, beta = np.column_stack([np.ones(len(x)), x]), np.zeros(x.shape[1] + 1)
    for _ in range(30):
        p = 1 / (1 + np.exp(-design @ beta))
        beta += np.linalg.solve((design.T * (p * (1 - p))) @ design, design.T @ (y - p))
    return beta


def fitted(x: np.ndarray, y: np.ndarray, rng: np.random.Generator, m: int) -> tuple[np.ndarray, np.ndarray]:
    """Return mean coefficients, and those of the last predictor on the others for patients who lack it."""
    full = [drawn(x, y, rng) for _ in range(m)]
    return (
        np.mean([logistic(one, y) for one in full], axis=0),
        np.mean([regress(one[:, :2], one[:, 2])[0] for one in full], axis=0),
    )


def expected(model: tuple[np.ndarray, np.ndarray], x: np.ndarray) -> np.ndarray:
    beta, gaps = model
    filled = np.where(np.isnan(x[:, 2]), gaps[0] + x[:, :2] @ gaps[1:], x[:, 2])
    return np.asarray(beta[0] + x[:, :2] @ beta[1:3] + filled * beta[3])


def judged(model: tuple[np.ndarray, np.ndarray], x: np.ndarray, y: np.ndarray, fill: object) -> np.ndarray:
    """Return measures with gaps expected from the predictors, or drawn with the outcome by `fill`."""
    if fill is None:
        return np.array([float(MEASURES[name](expected(model, x), y, None)) for name in NAMES])
    assert isinstance(fill, np.random.Generator)
    full = [drawn(x, y, fill) for _ in range(3)]
    each = [[float(MEASURES[name](expected(model, one), y, None)) for name in NAMES] for one in full]
    return np.mean(each, axis=0)


def independent(x: np.ndarray, y: np.ndarray, rng: np.random.Generator, n_boot: int) -> list[np.ndarray]:
    """Return optimism without and with the outcome at evaluation, the corrected values, and the truth."""
    model = fitted(x, y, rng, 20)
    gains: list[list[np.ndarray]] = [[], []]
    for _ in range(n_boot):
        rows = rng.integers(len(y), size=len(y))
        boot = fitted(x[rows], y[rows], rng, 2)
        for gain, fill in zip(gains, (None, rng), strict=True):
            gain.append(judged(boot, x[rows], y[rows], fill) - judged(boot, x, y, fill))
    optimism = [np.mean(gain, axis=0) for gain in gains]
    apparent = [judged(model, x, y, fill) for fill in (None, rng)]
    truth = judged(model, *draw(NEW, rng), None)
    return [*optimism, *(a - o for a, o in zip(apparent, optimism, strict=True)), truth]


def ours(x: np.ndarray, y: np.ndarray, rng: np.random.Generator, n_boot: int) -> list[np.ndarray]:
    """Return our optimism and corrected values, plainly fitted as the other implementation does."""
    ids = [f"sub-{i:03d}" for i in range(len(y))]
    columns = {"VPr": 1.0, "TPr": np.exp(x[:, 1]), "BPr": np.exp(x[:, 0] + x[:, 1])}
    table = pd.DataFrame(
        {"participant_id": ids, **columns, "duration_months": np.exp(x[:, 2]), "responder": y}
    )
    cohort = read_cohort(table)
    options = {
        "likelihood": "plain",
        "correct_error": False,
        "imputations": 20,
        "imputations_in_resamples": 2,
    }
    plan = plan_model(cohort, ["log duration_months"], **options)
    model = fit_response_model(cohort, plan, rng=rng)
    data = model_data(cohort, plan)
    apparent = model.as_stack().linear_predictor(data.predictors.values, data.predictors.error)
    resamples = resample_model(data, plan, apparent, rng=rng, n_boot=n_boot)
    found = [correct_optimism(name, MEASURES[name], resamples) for name in NAMES]
    return [np.array([one.optimism for one in found]), np.array([one.corrected for one in found])]


def simulate(studies: int, n_boot: int, seed: int = 13) -> dict[str, np.ndarray]:
    """Return what each way says, a row a study."""
    kept: dict[str, list[np.ndarray]] = {}
    for rng in np.random.default_rng(seed).spawn(studies):
        x, y = draw(PATIENTS, rng)
        names = ("optimism", "optimism with outcome", "corrected", "corrected with outcome", "truth")
        given = dict(zip(names, independent(x, y, rng, n_boot), strict=True))
        given |= dict(zip(("our optimism", "our corrected"), ours(x, y, rng, n_boot), strict=True))
        for name, value in given.items():
            kept.setdefault(name, []).append(value)
    return {name: np.array(values) for name, values in kept.items()}


def test_optimism_equals_that_of_another_implementation_and_holds_in_new_patients() -> None:
    said = {name: values.mean(axis=0) for name, values in simulate(8, 40).items()}
    brier, _, c = (abs(said["our optimism"] - said["optimism"]) / abs(said["optimism"])).tolist()
    assert max(brier, c) < 0.15
    assert abs(said["our optimism"] - said["optimism"])[1] < 0.03
    # Imputed with the outcome, optimism is larger, and what is left after it is still too good.
    assert abs(said["optimism with outcome"][0]) > 1.1 * abs(said["our optimism"][0])
    ours_off, with_outcome_off = (
        abs(said[name] - said["truth"]) for name in ("our corrected", "corrected with outcome")
    )
    assert (ours_off[[0, 2]] < 0.5 * with_outcome_off[[0, 2]]).all()


if __name__ == "__main__":
    found = simulate(int(sys.argv[1]), 100)
    for name, values in found.items():
        error = values.std(axis=0, ddof=1) / np.sqrt(len(values))
        said = zip(NAMES, values.mean(axis=0), error, strict=True)
        print(f"{name:24}", *(f"{measure} {mean:+.4f} ({se:.4f})" for measure, mean, se in said))
