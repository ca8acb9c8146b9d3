"""A planted fault must make goals fail that hold without it."""

import numpy as np
import pytest

from sudeck.core.errors import InputError
from sudeck.mechanism.group_statistics import explain_group
from sudeck.synthetic.study.worlds import draw_world_study, find_world, true_values
from sudeck.truth import faults
from sudeck.truth.faults import FAULTS, find_fault, planted
from sudeck.truth.tally import tally_truth


def explained(world, seed, fault=""):
    study = draw_world_study(find_world(world), rng=np.random.default_rng(seed))
    with planted(fault):
        group = explain_group(faults.swapped_sides(study.measures, fault), study.relief)
    return faults.with_halved_errors(group, fault)


def beyond(group, truth):
    """Return how often the true change lies outside its interval."""
    changes = group.changes.changes
    return np.mean(
        [
            not one.ratio.low <= truth[f"change of {one.measure}, {one.hemisphere}"] <= one.ratio.high
            for one in changes
        ]
    )


@pytest.mark.parametrize("fault", ["errors-halved", "sides-swapped"])
def test_intervals_miss_more_often_under_the_fault(fault):
    truth = true_values(find_world("as-published"))
    missed = {
        one: np.mean([beyond(explained("as-published", seed, one), truth) for seed in range(8)])
        for one in ("", fault)
    }
    assert missed[""] < 0.1
    assert missed[fault] > missed[""] + 0.1


def test_more_is_claimed_where_tests_do_not_share_their_error():
    def verdicts(fault):
        groups = [explained("visit-noise", seed, fault) for seed in range(12)]
        return sum(one.verdict != "undecided" for group in groups for one in group.pattern)

    assert verdicts("holm-removed") > verdicts("")


def test_an_unknown_fault_is_told_before_anything_is_drawn():
    assert find_fault("") == ""
    assert all(find_fault(name) == name for name in FAULTS)
    with pytest.raises(InputError, match="no fault"):
        tally_truth(["nothing-true"], studies=1, fault="gremlins")
