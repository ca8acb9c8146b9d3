"""Best cut-offs, against pROC and cutpointr, and their optimism against simulation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sudeck.core.errors import InputError
from sudeck.statistics.cutoff import best_cutoff, best_of_several


def test_cutoff_equals_proc(shared: Path) -> None:
    table = pd.read_csv(shared / "stats" / "aSAH.csv")
    found = best_cutoff(table["s100b"], table["outcome"] == "Poor", rng=np.random.default_rng(1), n_boot=50)
    assert found.cutoff.value == pytest.approx(0.205, abs=1e-12)
    assert found.accuracy.sensitivity is not None
    assert found.accuracy.specificity is not None
    assert found.accuracy.sensitivity.value == pytest.approx(0.6341463415, abs=5e-11)
    assert found.accuracy.specificity.value == pytest.approx(0.8055555556, abs=5e-11)


def test_cutoff_equals_cutpointr(shared: Path) -> None:
    table = pd.read_csv(shared / "stats" / "suicide.csv")
    found = best_cutoff(table["dsi"], table["suicide"] == "yes", rng=np.random.default_rng(1), n_boot=50)
    assert found.smallest_positive == 2  # cutpointr's convention: positive from here on
    assert found.cutoff.value == 1.5  # pROC's: halfway to the value below
    assert found.youden_apparent == pytest.approx(0.751792114695, abs=5e-13)


def test_finds_the_cutoff_that_counting_finds() -> None:
    rng = np.random.default_rng(5)
    x, y = np.round(rng.normal(size=80), 1), rng.integers(0, 2, 80)
    found = best_cutoff(x, y, rng=rng, n_boot=20)
    values = np.unique(x)
    cuts = (values[1:] + values[:-1]) / 2
    youden = [np.mean(x[y == 1] > cut) + np.mean(x[y == 0] <= cut) - 1 for cut in cuts]
    assert found.youden_apparent == pytest.approx(max(youden), abs=1e-14)
    assert found.cutoff.value == cuts[int(np.argmax(np.round(youden, 12)))]


def test_optimism_of_one_and_of_the_best_of_three() -> None:
    # Without any information the true index is 0, so all that is seen is optimism. The bootstrap sees part of
    # it.
    rng = np.random.default_rng(6)
    apparent, optimism, of_three = [], [], []
    for _ in range(30):
        x, y = rng.normal(size=(105, 2)), rng.integers(0, 2, 105).astype(float)
        scores = {"a": x[:, 0], "b": x[:, 1], "c": x.sum(axis=1)}
        found = best_of_several(scores, y, rng=rng, n_boot=100)
        apparent.append([found.cutoffs["a"].youden_apparent, found.youden_apparent])
        optimism.append(found.cutoffs["a"].youden_optimism)
        of_three.append(found.youden_optimism)
    one, three = np.mean(apparent, axis=0)
    assert 0.09 < one < 0.16
    assert three > one + 0.02
    assert 0.05 < np.mean(optimism) < one
    assert np.mean(of_three) > np.mean(optimism) + 0.015


def test_all_exceeded_by_hand() -> None:
    rng = np.random.default_rng(9)
    y = rng.integers(0, 2, 70).astype(float)
    scores = {name: rng.normal(size=70) + 0.8 * y for name in "ab"}
    found = best_of_several(scores, y, rng=rng, n_boot=60)
    both = np.all([scores[name] > found.cutoffs[name].cutoff.value for name in "ab"], axis=0)
    accuracy = found.all_exceeded
    assert accuracy.true_positives == int((both & (y == 1)).sum())
    assert accuracy.false_positives == int((both & (y == 0)).sum())
    assert -0.05 < found.all_exceeded_optimism < 0.2


def test_same_seed_same_answer_and_interval_holds_the_cutoff() -> None:
    rng = np.random.default_rng(7)
    y = rng.integers(0, 2, 60).astype(float)
    x = rng.normal(size=60) + y
    first = best_cutoff(x, y, rng=np.random.default_rng(1), n_boot=100)
    again = best_cutoff(x, y, rng=np.random.default_rng(1), n_boot=100)
    assert first.to_dict() == again.to_dict()
    assert first.cutoff.low <= first.cutoff.value <= first.cutoff.high
    assert first.youden_corrected < first.youden_apparent


def test_refuses_what_has_no_cutoff() -> None:
    with pytest.raises(InputError, match="all values are equal"):
        best_cutoff([1, 1, 1, 1], [0, 1, 0, 1], rng=np.random.default_rng(0))
    with pytest.raises(InputError, match="one is missing"):
        best_cutoff([1, np.nan, 3], [0, 1, 0], rng=np.random.default_rng(0))
