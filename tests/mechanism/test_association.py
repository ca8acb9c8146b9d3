"""Associations against scipy, against truth, and under permutation."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from sudeck.core.errors import InputError
from sudeck.mechanism.association import associate_changes
from sudeck.mechanism.measure_table import pair_visits, tabulate_measures
from sudeck.statistics.resampling import bootstrap_r_interval, draw_permutations, permutation_slope_interval


def joined(table: pd.DataFrame, people: pd.DataFrame, side: str = "pain") -> tuple[np.ndarray, np.ndarray]:
    paired = pair_visits(tabulate_measures(table), "pre", "post")
    relief = people.set_index("participant_id").relief
    return paired.column("SICI", side)[0], relief[list(paired.patients)].to_numpy()


def test_coefficients_are_those_of_scipy(draw_study) -> None:
    table, people = draw_study(1)
    found = associate_changes(table, people).find("SICI", "pain")
    x, y = joined(table, people)
    pearson = stats.pearsonr(x, y)
    assert (found.pearson.value, found.p) == pytest.approx(tuple(pearson), rel=1e-9)
    interval = pearson.confidence_interval()
    assert (found.fisher_low, found.fisher_high) == pytest.approx((interval.low, interval.high), rel=1e-9)
    assert found.spearman.value == pytest.approx(stats.spearmanr(x, y).statistic, rel=1e-9)
    assert found.slope.value == pytest.approx(stats.linregress(x, y).slope, rel=1e-9)
    assert found.p_permutation == pytest.approx(found.p, abs=0.01)
    assert found.n == 19


def test_few_patients_visit_every_permutation() -> None:
    rng = np.random.default_rng(3)
    x, y = rng.normal(0, 0.3, 6), rng.normal(0, 1, 6)
    rows = [
        (i, v, "pain", "SICI", np.exp(x[i] if v == "post" else 0)) for i in range(6) for v in ("pre", "post")
    ]
    table = pd.DataFrame(rows, columns=["participant_id", "visit", "hemisphere", "measure", "value"])
    people = pd.DataFrame({"participant_id": range(6), "relief": y})
    result = associate_changes(table, people)
    every = np.array([np.corrcoef(x, y[list(order)])[0, 1] for order in itertools.permutations(range(6))])
    assert result.exact
    assert result.associations[0].p_permutation == np.mean(np.abs(every) >= np.abs(every[0]) - 1e-12)


def test_the_permutation_interval_holds_the_slopes_that_are_not_rejected() -> None:
    rng = np.random.default_rng(4)
    x = rng.normal(0, 1, 7)
    y = 0.8 * x + rng.normal(0, 1, 7)
    orders, exact = draw_permutations(7, 0, rng)
    assert exact
    low, high = permutation_slope_interval(x, y, orders, level=0.95)

    def p_of(slope: float) -> float:
        rest = y - slope * x
        products = (x - x.mean())[orders] @ (rest - rest.mean())
        return float(np.mean(np.abs(products) >= np.abs(products[0]) - 1e-9))

    assert p_of(low + 1e-6) > 0.05 >= p_of(low - 1e-6)
    assert p_of(high - 1e-6) > 0.05 >= p_of(high + 1e-6)


def test_the_bootstrap_interval_is_a_t_interval_of_fishers_z() -> None:
    rng = np.random.default_rng(5)
    x = rng.normal(0, 1, 12)
    y = x + rng.normal(0, 1, 12)

    def half_width(lost_df: int) -> float:
        low, high = bootstrap_r_interval(
            x, y, level=0.95, draws=4000, lost_df=lost_df, rng=np.random.default_rng(0)
        )
        return float(np.arctanh(high) - np.arctanh(low)) / 2

    pick = np.random.default_rng(0).integers(0, 12, (4000, 12))
    z = [np.arctanh(np.corrcoef(x[p], y[p])[0, 1]) for p in pick]
    assert half_width(0) == pytest.approx(stats.t.ppf(0.975, 10) * np.std(z, ddof=1), rel=1e-9)
    assert half_width(3) == pytest.approx(half_width(0) * stats.t.ppf(0.975, 7) / stats.t.ppf(0.975, 10))


def test_the_truth_is_covered_and_claims_are_rare_without_effect(draw_study) -> None:
    covered, claims = [], 0
    # Relief is two falls and noise of half their size; error leaves a third of the change's variance.
    true_r = -1 / np.sqrt(2.25)
    for seed in range(40):
        table, people = draw_study(seed, measures=("SICI", "ICF"))
        found = associate_changes(table, people, permutations=199, bootstraps=500).find("SICI", "pain")
        noisy = true_r * np.sqrt(0.15**2 / (0.15**2 + 2 * 0.15**2))
        covered.append(found.pearson.low <= noisy <= found.pearson.high)
        table, people = draw_study(1000 + seed, effect=0.0, measures=("SICI", "ICF"))
        nothing = associate_changes(table, people, permutations=199, bootstraps=10)
        claims += any(a.p_family < 0.05 for a in nothing.associations)
    assert np.mean(covered) >= 0.88
    assert claims <= 6


def test_measurement_error_is_taken_out_and_refused_where_it_is_all_there_is(draw_study) -> None:
    table, people = draw_study(6, patients=400, measures=("SICI",))
    found = associate_changes(table, people, permutations=99, bootstraps=200).find("SICI", "pain")
    assert found.reliability == pytest.approx(1 / 3, abs=0.1)
    # Only SICI is drawn: relief is the fall of SICI in standard deviations plus 0.5 of noise.
    assert found.corrected.value == pytest.approx(-1 / np.sqrt(1.25), abs=0.15)
    assert found.pearson.value == pytest.approx(-np.sqrt(1 / 3 / 1.25), abs=0.1)
    assert (
        associate_changes(table.assign(log_se=0.4), people, permutations=99).find("SICI", "pain").corrected
        is None
    )
    plain = associate_changes(table.drop(columns="log_se"), people, permutations=99).find("SICI", "pain")
    assert plain.reliability is None


def test_a_covariate_that_moves_both_is_taken_out(draw_study) -> None:
    table, people = draw_study(7, effect=0.0, patients=40, measures=("SICI",))
    dose = np.random.default_rng(1).uniform(0, 10, 40)
    people = people.assign(dose=dose, relief=people.relief + 0.3 * dose)
    post = table.visit == "post"
    table.loc[post, "value"] *= np.exp(
        -0.1 * table.participant_id[post].map(dict(zip(people.participant_id, dose, strict=True)))
    )
    plain = associate_changes(table, people, permutations=999).find("SICI", "pain")
    partial = associate_changes(table, people, covariates=("dose",), permutations=999).find("SICI", "pain")
    assert plain.p < 0.001
    assert partial.p_permutation > 0.05
    x, y = joined(table, people)
    design = np.column_stack([np.ones(40), dose])
    rx, ry = (v - design @ np.linalg.lstsq(design, v, rcond=None)[0] for v in (x, y))
    assert partial.pearson.value == pytest.approx(np.corrcoef(rx, ry)[0, 1], rel=1e-9)
    assert partial.df == 37
    assert "adjusted for dose" in str(partial)


def test_the_patient_who_carries_a_correlation_is_named() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(0, 0.1, 12), rng.normal(0, 1, 12)
    x[4], y[4] = 2.0, 20.0
    rows = [
        (f"p{i}", v, "pain", "ICF", np.exp(x[i] if v == "post" else 0))
        for i in range(12)
        for v in ("pre", "post")
    ]
    table = pd.DataFrame(rows, columns=["participant_id", "visit", "hemisphere", "measure", "value"])
    found = associate_changes(
        table, pd.DataFrame({"participant_id": [f"p{i}" for i in range(12)], "relief": y})
    )
    influence = found.associations[0].influence
    assert influence.patient == "p4"
    assert influence.changes_claim
    assert influence.without == pytest.approx(np.corrcoef(np.delete(x, 4), np.delete(y, 4))[0, 1], rel=1e-9)


def test_false_discovery_adjustment_is_benjamini_hochberg(draw_study) -> None:
    table, people = draw_study(2)
    found = associate_changes(table, people, permutations=999).associations
    p = np.array([a.p_permutation for a in found])
    order = np.argsort(p)
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum.accumulate((p[order] * len(p) / np.arange(1, len(p) + 1))[::-1])[::-1]
    assert [a.p_fdr for a in found] == pytest.approx(adjusted.tolist())
    assert all(a.p_permutation <= a.p_family for a in found)


def test_too_little_or_too_even_is_said_in_a_sentence(draw_study) -> None:
    table, people = draw_study(3, patients=4, measures=("SICI",))
    few = associate_changes(table, people)
    assert few.associations == ()
    assert "4 patient(s)" in few.unanswered[0].message
    table, people = draw_study(3, measures=("SICI",))
    even = associate_changes(table, people.assign(relief=30.0))
    assert "outcome is the same in every patient" in even.unanswered[0].message
    with pytest.raises(InputError, match="no visit is called 'day 5'"):
        associate_changes(table, people, visit="day 5")
    with pytest.raises(InputError, match="covariate pain"):
        associate_changes(table, people, outcome="pain")


def test_the_result_is_json_and_repeatable(draw_study) -> None:
    table, people = draw_study(4, measures=("SICI", "ICF"))
    first, second = (associate_changes(table, people, permutations=499).to_dict() for _ in range(2))
    assert json.dumps(first, allow_nan=False) == json.dumps(second, allow_nan=False)
    assert {"measure", "hemisphere", "r", "low", "high", "p", "n"} <= set(first["associations"][0])
