"""Worlds draw what they say is true."""

import math

import numpy as np
import pytest

from sudeck.core.errors import InputError
from sudeck.mechanism.published_pattern import PUBLISHED_PATTERN
from sudeck.synthetic.study.worlds import WORLDS, draw_world_study, find_world, true_values


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
    assert in_errors.std() == pytest.approx(1.0, abs=0.2)
    assert (cohort.truth.patients[["VPr", "TPr", "BPr"]] == 1.0).all(axis=None)


def test_an_unknown_world_is_refused():
    with pytest.raises(InputError, match="nothing-true"):
        find_world("flat")
