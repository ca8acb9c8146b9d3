"""Changes against truth, against the paired t test, and what incomplete studies still answer."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from sudeck.core.errors import InputError
from sudeck.mechanism.changes import estimate_changes
from sudeck.mechanism.measure_table import pair_visits, tabulate_measures
from sudeck.statistics.sign_flip import flip_signs


def test_complete_data_without_errors_give_the_paired_t_test(draw_study) -> None:
    table, _ = draw_study(1, measures=("SICI",))
    table = table.drop(columns="log_se")
    # Patients differ in level, between hemispheres and between visits, so that no variance is zero.
    shifts = np.random.default_rng(1).normal(0, 1, (3, 19))
    number = table.participant_id.str[1:].astype(int)
    table["value"] *= np.exp(
        shifts[0][number]
        + shifts[1][number] * (table.hemisphere == "pain")
        + shifts[2][number] * (table.visit == "pre")
    )
    changes = estimate_changes(table)
    paired = pair_visits(tabulate_measures(table), "pre", "post")
    for side in ("pain", "other", "interaction"):
        found = changes.find("SICI", side, "post")
        x, _ = paired.column("SICI", side)
        classical = stats.ttest_1samp(x, 0)
        interval = classical.confidence_interval()
        assert (found.n, found.n_any) == (19, 19)
        assert found.df == pytest.approx(18, rel=1e-6)
        assert found.p == pytest.approx(classical.pvalue, rel=1e-6)
        assert (found.ratio.value, found.ratio.low, found.ratio.high) == pytest.approx(
            np.exp([x.mean(), interval.low, interval.high]), rel=1e-7
        )


def test_hemispheres_are_a_family_and_their_interactions_another(draw_study) -> None:
    table, _ = draw_study(2, patients=10)
    changes = estimate_changes(table)
    paired = pair_visits(tabulate_measures(table), "pre", "post")
    of_interaction = np.array([side == "interaction" for _, side in paired.names])
    for chosen, given in ((~of_interaction, changes.family), (of_interaction, changes.interaction_family)):
        expected = flip_signs(paired.log_change[:, chosen])
        own = [c.p_family for c, one in zip(changes.changes, chosen, strict=True) if one]
        assert own == list(expected.p_family) == list(given.p_family)
    assert [(c.measure, c.hemisphere) for c in changes.changes] == list(paired.names)
    assert changes.family.patterns == 1024


def test_intervals_cover_the_truth_with_missing_visits(draw_study) -> None:
    truth = {"pain": -0.4, "other": 0.0, "interaction": -0.4}
    covered = []
    for seed in range(60):
        table, _ = draw_study(seed, missing=0.1, measures=("SICI",), patients=12)
        for change in estimate_changes(table).changes:
            true = np.exp(truth[change.hemisphere])
            covered.append(change.ratio.low <= true <= change.ratio.high)
    # 180 intervals; the full-size study is in the benchmarks.
    assert 0.90 <= np.mean(covered) <= 0.995


def test_a_precise_patient_weighs_more() -> None:
    rows = [
        (i, visit, "pain", "SICI", np.exp(change if visit == "post" else 0.0), error)
        for i, (change, error) in enumerate(
            [(-0.5, 0.01), (-0.5, 0.01), (-0.52, 0.01), (1.0, 2.0), (0.9, 2.0)]
        )
        for visit in ("pre", "post")
    ]
    table = pd.DataFrame(
        rows, columns=["participant_id", "visit", "hemisphere", "measure", "value", "log_se"]
    )
    with_errors = estimate_changes(table).changes[0].ratio.value
    without = estimate_changes(table.drop(columns="log_se")).changes[0].ratio.value
    assert with_errors == pytest.approx(np.exp(-0.507), abs=0.01)
    assert without == pytest.approx(np.exp(np.mean([-0.5, -0.5, -0.52, 1.0, 0.9])), rel=1e-6)


def test_a_declared_covariate_takes_its_share(draw_study) -> None:
    table, people = draw_study(5, measures=("SICI",), effect=0.0)
    rng = np.random.default_rng(0)
    midazolam = rng.uniform(0, 10, len(people))
    dose = dict(zip(people.participant_id, midazolam, strict=True))
    post = table.visit == "post"
    table.loc[post, "value"] *= np.exp(-0.1 * table.participant_id[post].map(dose))
    people["midazolam_mg"] = midazolam
    plain = estimate_changes(table).find("SICI", "pain", "post").ratio
    adjusted = estimate_changes(table, patients=people, covariates={"midazolam_mg": 0.0})
    assert plain.high < 0.8
    ratio = adjusted.find("SICI", "pain", "post").ratio
    assert ratio.low < 1 < ratio.high
    assert adjusted.covariates == ("midazolam_mg (stated at 0)",)
    at_mean = estimate_changes(table, patients=people, covariates={"midazolam_mg": "mean"})
    assert at_mean.find("SICI", "pain", "post").ratio.value == pytest.approx(plain.value, rel=0.05)


def test_asymmetry_compares_the_hemispheres_at_each_visit(draw_study) -> None:
    table, _ = draw_study(6, measures=("SICI",))
    table.loc[table.hemisphere == "pain", "value"] *= 1.5
    ratios = {a.visit: a.ratio for a in estimate_changes(table).asymmetries}
    truth = 1.5 * np.exp(0.4)  # the other side has before what the pain side gains
    assert ratios["pre"].low < truth < ratios["pre"].high
    assert ratios["post"].value < ratios["pre"].value


def test_one_hemisphere_answers_for_itself(draw_study) -> None:
    table, _ = draw_study(7, measures=("SICI",))
    changes = estimate_changes(table[table.hemisphere == "pain"])
    assert [c.hemisphere for c in changes.changes] == ["pain"]
    assert [flag.code for flag in changes.unanswered] == ["no-answer", "no-answer"]
    assert "0 patient(s)" in changes.unanswered[0].message
    assert changes.asymmetries == ()


@pytest.mark.parametrize("visit", ["pre", "post"])
def test_one_visit_leaves_the_asymmetry(draw_study, visit: str) -> None:
    table, _ = draw_study(8)
    changes = estimate_changes(table[table.visit == visit])
    assert changes.changes == ()
    assert changes.family is None
    assert len(changes.asymmetries) == 4
    assert "no change can be estimated" in changes.unanswered[0].message


def test_three_patients_get_numbers_and_two_a_sentence(draw_study) -> None:
    table, _ = draw_study(9, patients=3, measures=("SICI",))
    three = estimate_changes(table)
    assert len(three.changes) == 3
    assert three.power is None
    assert "Too few patients" in str(three)
    two = estimate_changes(table[table.participant_id != "p00"])
    assert two.changes == ()
    assert all("2 patient(s)" in flag.message for flag in two.unanswered)


def test_values_without_spread_are_named() -> None:
    rows = [(i, v, s, "RMT", 50.0) for i in range(5) for v in ("pre", "post") for s in ("pain", "other")]
    table = pd.DataFrame(rows, columns=["participant_id", "visit", "hemisphere", "measure", "value"])
    changes = estimate_changes(table)
    assert changes.changes == ()
    assert "changed by the same factor 1" in changes.unanswered[0].message


def test_rows_that_can_not_be_used_are_counted(draw_study) -> None:
    table, _ = draw_study(10, measures=("SICI", "RMT"))
    table["value"] = table["value"].astype(object)
    table.loc[0, "value"], table.loc[1, "value"], table.loc[2, "value"] = 0.0, None, "n/a"
    table.loc[3, "hemisphere"] = "unknown"
    table.loc[4, "log_se"] = np.nan
    changes = estimate_changes(table)
    counts = {flag.code: flag.value for flag in changes.flags}
    assert counts == {"value-not-positive": 1, "value-missing": 2, "side-unknown": 1, "error-assumed": 1}
    assert len(changes.changes) == 6


def test_intervals_serve_where_errors_are_not_given(draw_study) -> None:
    table, _ = draw_study(11, measures=("SICI",))
    wide = table.drop(columns="log_se").assign(
        low=table.value * np.exp(-1.959964 * table.log_se), high=table.value * np.exp(1.959964 * table.log_se)
    )
    first, second = estimate_changes(table).changes[0], estimate_changes(wide).changes[0]
    assert second.ratio.se == pytest.approx(first.ratio.se, rel=1e-5)


def test_what_can_not_be_read_is_refused(draw_study) -> None:
    table, _ = draw_study(12)
    with pytest.raises(
        InputError, match="no visit is called 'before'; name the baseline; the visits are pre, post"
    ):
        estimate_changes(table, baseline="before")
    with pytest.raises(InputError, match="no column hemisphere"):
        estimate_changes(table.drop(columns="hemisphere"))
    with pytest.raises(InputError, match="occurs twice"):
        estimate_changes(pd.concat([table, table.iloc[:1]]))
    with pytest.raises(InputError, match="no row can be used"):
        estimate_changes(table.assign(hemisphere="left"))
    with pytest.raises(InputError, match="covariate dose"):
        estimate_changes(table, patients=pd.DataFrame({"participant_id": ["p00"]}), covariates={"dose": 0.0})


def test_the_result_is_json_and_prints_what_it_can_see(draw_study) -> None:
    table, _ = draw_study(13)
    changes = estimate_changes(table)
    rows = json.loads(json.dumps(changes.to_dict(), allow_nan=False))["changes"]
    assert {"measure", "hemisphere", "ratio", "low", "high", "p", "df", "n"} <= set(rows[0])
    assert "With 19 patients" in str(changes)
    assert "|r| = 0.456" in str(changes)


def test_stated_errors_above_the_spread_of_the_changes_are_told(draw_study) -> None:
    table, _ = draw_study(6, patients=12, measures=("SICI",))
    codes = {flag.code for flag in estimate_changes(table).flags}
    assert "error-above-spread" not in codes
    found = estimate_changes(table.assign(log_se=2.0)).flags
    given = [flag for flag in found if flag.code == "error-above-spread"]
    assert len(given) == 2  # both hemispheres
    assert all("too large" in flag.message for flag in given)


def test_an_error_that_few_patients_do_not_tell_is_no_interval() -> None:
    """Three patients, one far more precise: the quantile of a third of a degree of freedom is endless."""
    errors = [(0.239, 0.239), (0.249, 0.280), (0.103, 0.107)]  # before, after
    logs = [(np.log(0.749), np.log(0.814)), (np.log(0.861), np.log(0.868)), (np.log(1.113), np.log(1.103))]
    rows = [
        (f"p{number}", visit, "other", "ICF", float(np.exp(value)), error)
        for number, (values, own) in enumerate(zip(logs, errors, strict=True))
        for visit, value, error in zip(("pre", "post"), values, own, strict=True)
    ]
    names = ["participant_id", "visit", "hemisphere", "measure", "value", "log_se"]
    changes = estimate_changes(pd.DataFrame(rows, columns=names))
    assert not [one for one in changes.changes if one.hemisphere == "other"]
    assert any("do not tell how large its error is" in flag.message for flag in changes.unanswered)
