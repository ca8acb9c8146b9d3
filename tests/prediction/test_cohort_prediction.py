"""The whole answer on a table: a cohort with nothing in it, small and odd cohorts, and the gate."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from sudeck.core.errors import InputError
from sudeck.prediction.bootstrap import Resamples, corrected_measures, mostly_finite, out_of_sample_c
from sudeck.prediction.cohort import read_cohort
from sudeck.prediction.cohort_prediction import CohortPrediction, fit_cohort_model, predict_cohort
from sudeck.statistics import arrays
from sudeck.statistics.sample_size.least_patients import least_patients
from sudeck.synthetic.study.synthetic_cohort import CohortSettings, draw_cohort

COVARIATES = ["log duration_months", "limb"]


def random_table(rng: np.random.Generator, n: int) -> pd.DataFrame:
    """A study of odd kinds: constants, duplicates, gaps, no or few responders, groups far apart."""
    kind = rng.integers(0, 8)
    responder = (rng.random(n) < rng.choice([0.0, 0.05, 0.5, 1.0])).astype(float)
    if kind == 1 and n:
        responder[:] = 0.0
        responder[0] = 1.0
    ratios = np.exp(rng.normal(size=(n, 3)) * 0.2)
    if kind == 2:
        ratios[:, 2] *= np.exp(responder)
    if kind == 3:
        ratios[:] = 1.0
    if kind == 4 and n > 1:
        ratios[:] = ratios[0]
        ratios[: n // 2] = ratios[-1] * 1.1
    relief = np.full(n, 20.0) if kind == 5 else rng.normal(30, 20, n)
    table = pd.DataFrame(
        {
            "participant_id": [f"sub-{i:02d}" for i in range(n)],
            "VPr": ratios[:, 0],
            "TPr": ratios[:, 1],
            "BPr": ratios[:, 2],
            "VPr_log_se": 0.01,
            "TPr_log_se": 0.01,
            "BPr_log_se": 0.0 if kind == 6 else 0.02,
            "relief_percent": relief,
            "responder": responder,
            "duration_months": np.exp(rng.normal(2, 1, n)),
            "limb": rng.choice(["hand", "foot"], n) if kind != 7 else "hand",
        }
    )
    for column in ("VPr", "BPr", "responder", "relief_percent", "duration_months"):
        if rng.random() < 0.3:
            table.loc[rng.random(n) < rng.choice([0.1, 0.5, 1.0]), column] = np.nan
    return table


def contradicts(said: CohortPrediction) -> bool:
    """Tell whether an interval of C says yes where a test says no."""
    if said.model is None or said.validation is None:
        return False
    return said.model.ratios_p >= 0.05 and said.validation.measures["c_statistic"].low > 0.5


@pytest.mark.parametrize("seed", range(24))
def test_odd_small_studies_get_an_answer_and_no_nonsense(seed: int) -> None:
    rng = np.random.default_rng([seed, 1])
    said = predict_cohort(random_table(rng, int(rng.integers(0, 41))), covariates=COVARIATES, n_boot=20)
    assert said.model is not None or "model" in said.refused
    assert not contradicts(said)
    if said.validation is not None:
        slope = said.validation.measures["calibration_slope"]
        assert math.isnan(slope.low)
        if not mostly_finite(said.validation.resamples):
            assert math.isnan(slope.corrected)
            assert said.validation.calibration is None
            assert said.decision is None


def test_too_few_carry_no_model_neither_for_a_cohort_nor_for_one() -> None:
    rng = np.random.default_rng(5)
    table = random_table(rng, 0)
    with pytest.raises(InputError, match="no patient has it"):
        fit_cohort_model(read_cohort(table), [])
    table = pd.DataFrame(
        {
            "participant_id": [f"s{i}" for i in range(40)],
            **{name: np.exp(rng.normal(size=40) * 0.2) for name in ("VPr", "TPr", "BPr")},
            "responder": [1.0, *[0.0] * 39],
            "relief_percent": rng.normal(20, 10, 40),
        }
    )
    with pytest.raises(InputError, match="1 of them responders, cannot carry 2 coefficients"):
        fit_cohort_model(read_cohort(table), [])
    assert "model" in predict_cohort(table, n_boot=10).refused


def test_least_patients_grow_with_coefficients_and_with_rarity() -> None:
    # n = P / ((S - 1) ln(1 - R²/S)) with S = 1/2 and R² 15 % of what the prevalence allows.
    r2 = 0.15 * (1 - math.exp(2 * math.log(0.5)))
    assert least_patients(4, 0.5) == math.ceil(4 / (-0.5 * math.log(1 - r2 / 0.5)))
    assert least_patients(8, 0.5) > least_patients(4, 0.5)
    assert least_patients(4, 0.1) > least_patients(4, 0.5)


def chance(seed: int, n: int = 80, b: int = 100) -> Resamples:
    """Bootstrap least-squares scores of noise for a coin."""
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(n, 4)), rng.integers(0, 2, n).astype(float)
    weights = rng.multinomial(n, np.full(n, 1 / n), size=b).astype(float)

    def score(w: np.ndarray) -> np.ndarray:
        centred = y - (w @ y) / w.sum()
        return np.asarray(x @ np.linalg.lstsq(x * np.sqrt(w)[:, None], centred * np.sqrt(w), rcond=None)[0])

    return Resamples(y, score(np.ones(n)), weights, np.array([score(w) for w in weights]), 0, 0)


def test_c_of_a_coin_is_one_half_and_its_interval_holds_it() -> None:
    said = [out_of_sample_c(chance(seed), informative=True) for seed in range(40)]
    assert abs(np.mean([one.corrected for one in said]) - 0.5) < 0.03
    assert np.mean([one.apparent for one in said]) > 0.58
    assert sum(one.low > 0.5 for one in said) <= 4


def test_where_the_test_says_no_the_interval_holds_one_half() -> None:
    for seed in range(5):
        one = out_of_sample_c(chance(seed), informative=False)
        assert one.low <= 0.5 <= one.high


def test_slopes_that_mostly_separate_are_withheld() -> None:
    r = chance(1)
    apart = Resamples(r.outcome, r.apparent, r.weights, r.predictions, 6, 0)
    slope = corrected_measures(apart, informative=True)["calibration_slope"]
    assert math.isnan(slope.corrected)
    assert "separate" in slope.withheld
    assert math.isfinite(corrected_measures(r, informative=True)["calibration_slope"].corrected)


def test_ratios_that_spread_no_more_than_their_error_get_no_slope() -> None:
    rng = np.random.default_rng(3)
    table = draw_cohort(CohortSettings(missing={}), rng=rng).table
    table[[f"{name}_log_se" for name in ("VPr", "TPr", "BPr")]] = 0.5
    table = table.drop(columns=[name for name in table if "/" in name])
    said = predict_cohort(table, n_boot=20)
    assert said.model is None
    assert said.relief_model is None
    assert "measurement error" in said.refused["model"]


def test_a_phase_that_follows_from_the_others_gets_no_slope() -> None:
    table = draw_cohort(CohortSettings(missing={}), rng=np.random.default_rng(3)).table
    table = table.drop(columns=[name for name in table if name.endswith("_log_se") or "/" in name])
    table["BPr"] = (table["TPr"] ** 2 / table["VPr"]).round(5)  # then BPr/TPr is TPr/VPr
    with pytest.raises(InputError, match="repeat each other"):
        fit_cohort_model(read_cohort(table), [])


def test_a_lost_decimal_point_is_named_with_what_it_does() -> None:
    table = draw_cohort(CohortSettings(n=60, missing={}), rng=np.random.default_rng(5)).table
    fair = predict_cohort(table, n_boot=40)
    assert fair.validation is not None
    assert "far-ratio" not in {flag.code for flag in fair.validation.flags}
    table.loc[7, "BPr"] *= 10
    slipped = predict_cohort(table, n_boot=40)
    assert slipped.validation is not None
    (flag,) = (flag for flag in slipped.validation.flags if flag.code == "far-ratio")
    assert flag.severity == "serious"
    assert str(table.loc[7, "participant_id"]) in flag.message
    assert flag.value == pytest.approx(10, rel=0.5)


def test_where_many_bootstraps_separate_the_page_hears_why() -> None:
    rng = np.random.default_rng(8)
    table = draw_cohort(CohortSettings(n=60, missing={}), rng=rng).table
    # Apart but for a few: many bootstrap samples draw none of these.
    table["BPr"] = table["TPr"] * np.exp(0.8 * table["responder"] + 0.02 * rng.normal(size=60))
    swapped = table.index[:2]
    table.loc[swapped, "responder"] = 1 - table.loc[swapped, "responder"]
    said = predict_cohort(table, n_boot=60)
    assert said.validation is not None
    assert not mostly_finite(said.validation.resamples)
    assert said.decision is None
    assert "predictors that tell too well" in said.refused["decision curve"]


def test_blocks_change_no_number(monkeypatch: pytest.MonkeyPatch) -> None:
    table = draw_cohort(CohortSettings(n=60, missing={}), rng=np.random.default_rng(5)).table

    def numbers() -> tuple[object, ...]:
        said = predict_cohort(table, covariates=COVARIATES, n_boot=30)
        assert said.validation is not None
        return said.validation.to_dict(), dict(said.without)

    whole = numbers()
    monkeypatch.setattr(arrays, "_BLOCK", 1)  # a resample at a time
    assert numbers() == whole
