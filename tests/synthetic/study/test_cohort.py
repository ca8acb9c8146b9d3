"""The synthetic cohort is what it says it is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from sudeck.core.errors import InputError
from sudeck.synthetic.study.synthetic_cohort import (
    CohortSettings,
    SyntheticCohort,
    draw_cohort,
    without_effect,
)


@pytest.fixture(scope="module")
def large() -> SyntheticCohort:
    return draw_cohort(CohortSettings(n=40_000, missing={}), rng=np.random.default_rng(0))


def measures(table: pd.DataFrame) -> dict[str, pd.Series]:
    values = {name: table[name] for name in ("VPr", "TPr", "BPr")}
    return values | {
        "TPr/VPr": table["TPr"] / table["VPr"],
        "BPr/TPr": table["BPr"] / table["TPr"],
        "BPr/VPr": table["BPr"] / table["VPr"],
    }


def test_correlations_are_the_published_ones_and_the_stated_ones(large: SyntheticCohort) -> None:
    for name, values in measures(large.table).items():
        r = np.corrcoef(values, large.table["relief_percent"])[0, 1]
        assert r == pytest.approx(large.truth.correlations[name], abs=0.015), name
    for name, published in (("BPr/TPr", 0.32), ("BPr/VPr", 0.34), ("TPr/VPr", 0.23)):
        assert large.truth.correlations[name] == pytest.approx(published, abs=1e-9)
    for name in ("VPr", "TPr", "BPr"):
        assert abs(large.truth.correlations[name]) < 0.192  # not significant at 105 patients, on average


def test_slopes_are_the_stated_ones(large: SyntheticCohort) -> None:
    true, table = large.truth.patients, large.table
    for source, slopes in ((true, large.truth.slopes), (table, large.truth.naive_slopes)):
        ratios = [np.log(source["BPr"] / source["TPr"]), np.log(source["TPr"] / source["VPr"])]
        design = np.column_stack([np.ones(len(true)), *ratios, np.log(true["duration_months"])])
        beta = np.linalg.lstsq(design, true["relief_percent"].to_numpy(), rcond=None)[0]
        np.testing.assert_allclose(beta[1:3], list(slopes.values())[:2], atol=2.5)
        assert beta[3] == pytest.approx(slopes["log duration_months"], abs=0.6)


def test_reliability_is_the_stated_one(large: SyntheticCohort) -> None:
    true, table = large.truth.patients, large.table
    for over, under in (("BPr", "TPr"), ("TPr", "VPr")):
        name = f"log {over}/{under}"
        share = np.var(np.log(true[over] / true[under])) / np.var(np.log(table[over] / table[under]))
        assert share == pytest.approx(large.truth.reliability[name], abs=0.015)
    errors = np.log(table["VPr"] / true["VPr"])
    assert errors.std() == pytest.approx(0.06, rel=0.03)
    assert np.sqrt((table["VPr_log_se"] ** 2).mean()) == pytest.approx(0.06, rel=0.03)
    assert (errors / table["VPr_log_se"]).std() == pytest.approx(1.0, abs=0.02)


def test_flow_and_pool_fall_before_bone(large: SyntheticCohort) -> None:
    true = large.truth.patients
    early, late = true[true["duration_months"] < 4], true[true["duration_months"] > 18]
    change = {name: np.log(late[name]).mean() - np.log(early[name]).mean() for name in ("VPr", "TPr", "BPr")}
    assert change["VPr"] < change["TPr"] < change["BPr"] < 0
    assert np.log(late["BPr"]).mean() > 0 > np.log(late["VPr"]).mean()


def test_dominant_hands_take_up_more_in_the_bone_phase(large: SyntheticCohort) -> None:
    people, true = large.participants, large.truth.patients
    dominant = (people["handedness"] == "R") == (people["affected_side"] == "right")
    for limb, expected in (("hand", 0.03), ("foot", 0.0)):
        here = people["limb"] == limb
        gap = np.log(true["BPr"][here & dominant]).mean() - np.log(true["BPr"][here & ~dominant]).mean()
        assert gap == pytest.approx(expected, abs=0.02)


def test_no_effect_means_none() -> None:
    null = draw_cohort(replace(without_effect(), n=20_000, missing={}), rng=np.random.default_rng(1))
    assert all(abs(r) < 1e-12 for r in null.truth.correlations.values())
    assert set(null.truth.slopes.values()) == {0.0}
    for values in measures(null.table).values():
        assert abs(np.corrcoef(values, null.table["relief_percent"])[0, 1]) < 0.025


def test_same_seed_same_tables_and_truth_is_in_none_of_them() -> None:
    one, again = (draw_cohort(rng=np.random.default_rng(7)) for _ in range(2))
    for name in ("participants", "scans", "pain", "table"):
        pd.testing.assert_frame_equal(getattr(one, name), getattr(again, name))
    assert not {"expected_relief_percent", "true"} & set(one.table.columns)
    measured = one.scans.dropna()
    true = one.truth.patients.set_index("participant_id").loc[measured["participant_id"]]
    assert not (measured["BPr"].to_numpy() == true["BPr"].to_numpy()).any()


def test_relief_follows_from_the_diary() -> None:
    cohort = draw_cohort(rng=np.random.default_rng(8))
    wide = cohort.pain.pivot(index="participant_id", columns="visit", values="nrs")
    expected = 100 * (wide["baseline"] - wide["day 5"]) / wide["baseline"]
    table = cohort.table.set_index("participant_id")
    pd.testing.assert_series_equal(table["relief_percent"], expected, check_names=False)
    known = expected.dropna()
    assert ((table.loc[known.index, "responder"] == 1) == (known >= 30)).all()
    assert table.loc[expected.isna(), "responder"].isna().all()
    assert cohort.pain["nrs"].dropna().between(0, 10).all()
    assert len(cohort.pain) == 105 * 8


def test_missing_visits_are_as_frequent_as_asked() -> None:
    settings = CohortSettings(n=5000, missing={"scan": 0.1, "end": 0.2, "week 12": 0.3, "age": 0.05})
    cohort = draw_cohort(settings, rng=np.random.default_rng(9))
    assert cohort.scans["BPr"].isna().mean() == pytest.approx(0.1, abs=0.02)
    assert cohort.table["relief_percent"].isna().mean() == pytest.approx(0.2, abs=0.02)
    at_week_12 = cohort.pain[cohort.pain["visit"] == "week 12"]
    assert at_week_12["nrs"].isna().mean() == pytest.approx(0.3, abs=0.025)
    assert cohort.participants["age"].isna().mean() == pytest.approx(0.05, abs=0.015)
    assert cohort.participants["duration_months"].notna().all()


def test_refuses_what_cannot_be() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(InputError, match="cannot hold together"):
        draw_cohort(CohortSettings(correlations={"BPr/TPr": 0.3, "TPr/VPr": 0.3, "BPr/VPr": 0.1}), rng=rng)
    with pytest.raises(InputError, match="exceeds the spread"):
        draw_cohort(CohortSettings(measurement_sd={"VPr": 0.2, "TPr": 0.2, "BPr": 0.2}), rng=rng)
    with pytest.raises(InputError, match="more than all relief"):
        draw_cohort(CohortSettings(correlations={"BPr/TPr": 0.9, "TPr/VPr": 0.9, "BPr/VPr": 0.99}), rng=rng)
