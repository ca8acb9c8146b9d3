"""Net benefit, against dcurves and by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sudeck.core.errors import InputError
from sudeck.prediction.cohort import Cohort
from sudeck.prediction.decision import corrected_decision_curve, decision_curve, net_benefit
from sudeck.prediction.response_model import ResponseModel
from sudeck.prediction.validation import validate_model


def test_equals_dcurves(shared: Path) -> None:
    table = pd.read_csv(shared / "stats" / "df_binary.csv")
    benefit = net_benefit(
        table["cancerpredmarker"].to_numpy(), table["cancer"].to_numpy(dtype=float), np.array([0.1, 0.2, 0.3])
    )
    assert [round(x, 6) for x in benefit] == [0.087407, 0.067333, 0.054667]


def test_by_hand_and_with_weights() -> None:
    p, y = np.array([0.1, 0.3, 0.5, 0.9]), np.array([0.0, 1.0, 0.0, 1.0])
    # At 0.3: two true, one false positive of four; a false one costs 3/7.
    assert net_benefit(p, y, np.array([0.3]))[0] == pytest.approx((2 - 3 / 7) / 4)
    assert net_benefit(p, y, np.array([0.3]), weights=np.array([0.0, 2.0, 0.0, 2.0]))[0] == 1.0


def test_a_perfect_model_reaches_the_prevalence_and_a_useless_one_equals_treating_all_or_none() -> None:
    y = np.repeat([0.0, 1.0], [60, 40])
    rng = np.random.default_rng(0)
    perfect = decision_curve(y * 0.98 + 0.01, y, rng=rng, n_boot=50)
    np.testing.assert_allclose(perfect.model.y, 0.4, atol=1e-12)
    assert "better than treating all or none" in str(perfect)
    useless = decision_curve(np.full(100, 0.4), y, rng=rng, n_boot=50)
    np.testing.assert_allclose(useless.difference.y, 0, atol=1e-12)
    assert "no threshold" in str(useless)
    np.testing.assert_allclose(useless.treat_all[useless.model.x == 0.05], 0.4 - 0.6 * 0.05 / 0.95)


def test_correction_lowers_the_curve(complete_cohort: Cohort, model: ResponseModel) -> None:
    validation = validate_model(complete_cohort, model, rng=np.random.default_rng(1), n_boot=60)
    corrected = corrected_decision_curve(validation.resamples, thresholds=[0.5, 0.6, 0.7])
    apparent = decision_curve(
        validation.instability.probability,
        validation.resamples.outcome,
        rng=np.random.default_rng(1),
        thresholds=[0.5, 0.6, 0.7],
        n_boot=20,
    )
    assert corrected.corrected
    assert corrected.model.y.sum() < apparent.model.y.sum()
    assert (corrected.model.low <= corrected.model.high).all()
    assert set(corrected.to_dict()) == {"model", "treat_all", "difference", "corrected"}


def test_refuses_impossible_thresholds() -> None:
    with pytest.raises(InputError, match="not between 0 and 1"):
        decision_curve([0.2, 0.8], [0, 1], rng=np.random.default_rng(0), thresholds=[0.0, 0.5])
