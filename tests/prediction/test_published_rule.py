"""The frozen rule: strict, with the probability of each verdict."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from sudeck.core.errors import InputError
from sudeck.prediction.cohort import read_cohort
from sudeck.prediction.published.published_rule import (
    ALL_THREE,
    CUTOFFS,
    apply_published_rule,
    evaluate_published_rule,
    probability_all_exceeded,
    strictly_above,
    trend_p_value,
)


def row(v: float, t: float, b: float, se: float | None = None, name: str = "sub-1") -> pd.DataFrame:
    columns: dict[str, list[object]] = {"participant_id": [name], "VPr": [v], "TPr": [t], "BPr": [b]}
    if se is not None:
        columns |= {f"{phase}_log_se": [se] for phase in ("VPr", "TPr", "BPr")}
    return pd.DataFrame(columns)


def test_the_cutoffs_are_frozen() -> None:
    assert CUTOFFS == {"BPr/TPr": 1.125, "BPr/VPr": 1.075, "TPr/VPr": 0.935}


@pytest.mark.parametrize(("b", "t"), [(1.125, 1.0), (1.35, 1.2), (1.6875, 1.5), (1.0125, 0.9)])
def test_exactly_on_the_cutoff_is_not_above(b: float, t: float) -> None:
    (verdict,) = apply_published_rule(read_cohort(row(1.0, t, b)))
    assert not verdict.exceeded["BPr/TPr"]
    (above,) = apply_published_rule(read_cohort(row(1.0, t, b * 1.0001)))
    assert above.exceeded["BPr/TPr"]
    assert not strictly_above(1.35 / 1.2, 1.125)


def test_two_criteria_do_not_imply_the_third() -> None:
    # 1.126 × 0.936 = 1.054, below 1.075.
    (verdict,) = apply_published_rule(read_cohort(row(1.0, 0.936, 0.936 * 1.126)))
    assert verdict.exceeded == {"BPr/TPr": True, "BPr/VPr": False, "TPr/VPr": True}
    assert verdict.criteria_met == 2
    assert verdict.probability is None


def test_probabilities_equal_simulation() -> None:
    rng = np.random.default_rng(0)
    for v, t, b, se in [(1.0, 1.0, 1.13, 0.05), (1.0, 0.94, 1.08, 0.03), (0.9, 0.95, 1.0, 0.08)]:
        (verdict,) = apply_published_rule(read_cohort(row(v, t, b, se)))
        assert verdict.probability is not None
        drawn = np.log([v, t, b]) + se * rng.standard_normal((400_000, 3))
        ratio = {
            "BPr/TPr": drawn[:, 2] - drawn[:, 1],
            "BPr/VPr": drawn[:, 2] - drawn[:, 0],
            "TPr/VPr": drawn[:, 1] - drawn[:, 0],
        }
        above = {name: values > math.log(CUTOFFS[name]) for name, values in ratio.items()}
        for name, values in above.items():
            assert verdict.probability[name] == pytest.approx(values.mean(), abs=0.004)
        together = np.logical_and.reduce(list(above.values())).mean()
        assert verdict.probability[ALL_THREE] == pytest.approx(together, abs=0.004)


def test_probability_of_all_three_at_its_limits() -> None:
    exact = np.zeros((2, 2))
    inside, outside = np.array([0.3, 0.1]), np.array([0.3, -0.1])
    assert probability_all_exceeded(inside, exact) == 1.0
    assert probability_all_exceeded(outside, exact) == 0.0
    tiny = 1e-12 * np.eye(2)
    assert probability_all_exceeded(inside, tiny) == pytest.approx(1.0, abs=1e-9)
    assert probability_all_exceeded(outside, tiny) == pytest.approx(0.0, abs=1e-9)
    one_exact = np.diag([0.0, 0.01])
    assert probability_all_exceeded(np.array([0.3, 0.0]), one_exact) == pytest.approx(
        0.5 * math.erfc((math.log(0.935) - 0.0) / 0.1 / math.sqrt(2)), abs=1e-12
    )
    # The wedge is never more probable than any of its sides.
    wide = np.array([[0.01, -0.004], [-0.004, 0.02]])
    sides = 0.5 * math.erfc((math.log(1.125) - 0.12) / 0.1 / math.sqrt(2))
    assert 0 < probability_all_exceeded(np.array([0.12, 0.0]), wide) < sides


def test_accuracy_on_a_cohort_by_hand() -> None:
    patients = [
        row(1.0, 1.0, 1.3, name="a"),  # all three
        row(1.0, 1.0, 1.3, name="b"),
        row(1.0, 0.8, 1.0, name="c"),  # only BPr/TPr
        row(1.0, 1.0, 1.0, name="d"),  # only TPr/VPr
        row(1.0, 1.0, 1.3, name="e"),
        row(1.0, 1.0, float("nan"), name="f"),
    ]
    table = pd.concat(patients).assign(
        responder=["yes", 1, 0, "no", None, 1], relief_percent=[50.0, 70.0, 10.0, 20.0, 0.0, 90.0]
    )
    result = evaluate_published_rule(read_cohort(table))
    all_three = result.accuracy[ALL_THREE]
    assert (all_three.true_positives, all_three.false_positives) == (2, 0)
    assert (all_three.false_negatives, all_three.true_negatives) == (0, 2)
    assert result.accuracy["BPr/TPr"].false_positives == 1
    assert result.responders_by_criteria_met == ((0, 0), (0, 2), (0, 0), (2, 2))
    assert result.left_out == 2
    assert result.relief_difference is not None
    assert result.relief_difference.value == pytest.approx(60 - 15)
    assert (
        evaluate_published_rule(read_cohort(table.drop(columns="relief_percent"))).relief_difference is None
    )
    entry = result.to_dict()["BPr/TPr"]
    assert entry["cutoff"] == 1.125
    assert set(entry["sensitivity"]) >= {"value", "low", "high"}


def test_trend_is_exact() -> None:
    # Two groups: the test is Fisher's exact test.
    from scipy.stats import fisher_exact

    assert trend_p_value(((3, 10), (9, 12))) == pytest.approx(fisher_exact([[3, 7], [9, 3]]).pvalue, rel=0.35)
    assert trend_p_value(((5, 10), (5, 10), (5, 10))) == 1.0
    rng = np.random.default_rng(0)
    groups, outcome = np.repeat([0, 1, 2, 3], 8), np.repeat([0.0, 1.0, 0.0, 1.0], [7, 9, 3, 13])
    observed = tuple((int(outcome[groups == k].sum()), 8) for k in range(4))
    permuted = np.array([rng.permutation(outcome) @ groups for _ in range(20_000)])
    centre = outcome.mean() * groups.sum()
    share = np.mean(np.abs(permuted - centre) >= abs(outcome @ groups - centre) - 1e-9)
    assert trend_p_value(observed) == pytest.approx(share, abs=0.01)


def test_refuses_a_cohort_without_outcomes_and_odd_answers() -> None:
    with pytest.raises(InputError, match="no patient has ratios and outcome"):
        evaluate_published_rule(read_cohort(row(1, 1, 1).assign(responder=[None])))
    with pytest.raises(InputError, match="neither yes nor no"):
        evaluate_published_rule(read_cohort(row(1, 1, 1).assign(responder=["maybe"])))


def test_the_trend_is_the_same_of_responders_and_of_others() -> None:
    from sudeck.prediction.published.published_rule import trend_p_value

    small = ((3, 9), (4, 7), (6, 8), (5, 5))
    assert trend_p_value(small) == pytest.approx(
        trend_p_value(tuple((n - k, n) for k, n in small)), rel=1e-12
    )
