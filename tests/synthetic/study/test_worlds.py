"""Worlds draw what they say is true."""

import math

import numpy as np
import pytest

from sudeck.core.errors import InputError
from sudeck.mechanism.published_pattern import PUBLISHED_PATTERN
from sudeck.synthetic.study.residuals import of_measure, of_scans
from sudeck.synthetic.study.stimulated_group import draw_measures
from sudeck.synthetic.study.worlds import (
    WORLDS,
    draw_world_cohort,
    draw_world_study,
    find_world,
    true_values,
)


@pytest.mark.parametrize("name", WORLDS)
def test_the_mean_change_is_the_true_one(name):
    world = WORLDS[name]
    logs = {}
    for seed in range(40):
        table = draw_world_study(world, rng=np.random.default_rng(seed)).measures
        values = np.log(table.set_index(["measure", "hemisphere", "participant_id", "visit"]).value).unstack()
        for place, own in (values["post"] - values["pre"]).groupby(level=[0, 1]):
            logs.setdefault(place, []).extend(own)
    truth = true_values(world)
    for (measure, side), values in logs.items():
        error = np.std(values) / math.sqrt(len(values))
        assert np.mean(values) == pytest.approx(
            math.log(truth[f"change of {measure}, {side}"]), abs=4.5 * error
        )


def test_every_statement_of_the_pattern_is_true_as_published_and_none_but_no_change_where_nothing_is():
    names = [one.name for one in PUBLISHED_PATTERN]
    published, nothing = (true_values(WORLDS[name]) for name in ("as-published", "nothing-true"))
    assert [published[name] for name in names] == [1.0] * 6
    assert [nothing[name] for name in names] == [0.0, 0.0, 1.0, 1.0, 0.0, 0.0]


def test_with_equal_limbs_ratios_are_error_alone():
    cohort = draw_world_study(WORLDS["equal-limbs"], rng=np.random.default_rng(0)).cohort
    in_errors = np.log(cohort.table["BPr"]) / cohort.table["BPr_log_se"]
    assert in_errors.std() == pytest.approx(of_scans()[:, 2].std(), abs=0.2)
    assert (cohort.truth.patients[["VPr", "TPr", "BPr"]] == 1.0).all(axis=None)


def test_errors_are_those_that_pixels_and_volts_gave():
    names = ["VPr", "TPr", "BPr"]
    cohort = draw_world_cohort(WORLDS["nothing-true"], rng=np.random.default_rng(2), n=3000, complete=True)
    log_error = np.log(cohort.table[names].to_numpy() / cohort.truth.patients[names].to_numpy())
    drawn = log_error / cohort.table[[f"{name}_log_se" for name in names]].to_numpy()
    # Whole scans: every error is one that was measured, beside those of the other phases of that scan.
    nearest = np.abs(drawn[:, None, :] - of_scans()[None]).max(axis=2).min(axis=1)
    assert nearest.max() < 1e-9
    few = WORLDS["nothing-true"].stimulation
    table = draw_measures(few, [f"{i}" for i in range(4000)], np.zeros(4000), np.random.default_rng(3))
    for measure, change_sd in (("RMT", 0.01), ("SICI", 0.25)):
        own = table[(table.measure == measure) & (table.hemisphere == "pain")]
        logs = np.log(own.set_index(["participant_id", "visit"]).value).unstack()
        error = (own.log_se**2).mean() * 2 * of_measure(measure).var()
        assert (logs["post"] - logs["pre"]).var() == pytest.approx(change_sd**2 + error, rel=0.1)


def test_with_ratios_at_the_cut_offs_everybody_lies_at_them():
    patients = draw_world_study(WORLDS["at-cut-offs"], rng=np.random.default_rng(0)).cohort.truth.patients
    assert np.allclose(patients["TPr"] / patients["VPr"], 0.935)
    assert np.allclose(patients["BPr"] / patients["TPr"], 1.125)


def test_who_has_no_relief_stays_away():
    cohort = draw_world_cohort(WORLDS["away"], rng=np.random.default_rng(0), n=4000)
    away = cohort.table["responder"].isna().to_numpy()
    relief = cohort.truth.patients["relief_percent"].to_numpy()
    assert 0.10 < away.mean() < 0.20
    assert relief[away].mean() < relief[~away].mean() - 10
    complete = draw_world_cohort(WORLDS["away"], rng=np.random.default_rng(0), n=400, complete=True)
    assert not complete.table["responder"].isna().any()


def test_centres_differ_in_camera_and_relief_and_patients_within_them_are_as_anywhere():
    cohort = draw_world_cohort(WORLDS["centres"], rng=np.random.default_rng(1), n=4000)
    table = cohort.table.assign(truth=cohort.truth.patients["BPr"].to_numpy()).dropna()
    logs = np.log(table["BPr"] / table["truth"]).groupby(table["centre"])
    assert table["centre"].nunique() == 4
    assert logs.mean().std() == pytest.approx(0.05, abs=0.04)
    within = table.groupby("centre")[["BPr", "relief_percent"]].corr().iloc[0::2, 1]
    assert np.abs(within).max() < 0.15


def test_relief_may_be_skewed_and_scores_noisy_and_goes_with_the_ratios_still():
    cohort = draw_world_cohort(WORLDS["bent-relief"], rng=np.random.default_rng(0), n=4000, complete=True)
    relief = cohort.truth.patients["relief_percent"]
    assert relief.skew() > 2
    assert relief.mean() == pytest.approx(38, abs=2)
    read = cohort.table["relief_percent"]
    error = (read - np.minimum(relief, 100)).std()
    assert 8 < error < 20  # two scores wrong by 0.7 points of 6.8
    log_ratio = np.log(cohort.table["BPr"] / cohort.table["TPr"])
    assert np.corrcoef(log_ratio, read)[0, 1] > 0.2


def test_what_lies_below_the_floor_is_read_as_the_floor():
    table = draw_world_study(WORLDS["floor"], rng=np.random.default_rng(0)).measures
    sici = table.loc[table.measure == "SICI", "value"]
    assert sici.min() == 0.35
    assert 0.05 < (sici == 0.35).mean() < 0.4


def test_an_unknown_world_is_refused():
    with pytest.raises(InputError, match="nothing-true"):
        find_world("flat")
