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


def test_intervals_miss_more_often_under_a_fault():
    truth = true_values(find_world("as-published"))
    group = explained("as-published", 0)
    assert beyond(group, truth) <= 1 / 12
    assert beyond(faults.with_halved_errors(group, "errors-halved"), truth) >= 2 / 12
    assert beyond(explained("as-published", 0, "sides-swapped"), truth) > 0.2


def test_more_is_claimed_where_tests_do_not_share_their_error():
    verdicts = [
        sum(
            one.verdict != "undecided"
            for seed in (0, 4, 9)
            for one in explained("visit-noise", seed, fault).pattern
        )
        for fault in ("", "holm-removed")
    ]
    assert verdicts[1] >= verdicts[0] + 4


def test_an_unknown_fault_is_told_before_anything_is_drawn():
    assert find_fault("") == ""
    assert all(find_fault(name) == name for name in FAULTS)
    with pytest.raises(InputError, match="no fault"):
        tally_truth(["nothing-true"], studies=1, fault="gremlins")
