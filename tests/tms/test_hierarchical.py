"""Hierarchical recruitment: people inform each other. Needs the optional NumPyro."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from sudeck.core.errors import InputError, MissingDependencyError
from sudeck.tms.hierarchical import hierarchical_recruitment

S50 = {"a": 55.0, "b": 60.0, "c": 63.0, "d": 58.0}


def trials(tops: dict[str, float]) -> tuple[list[float], list[float], list[str]]:
    rng = np.random.default_rng(1)
    rows = []
    for name, s50 in S50.items():
        for x in np.repeat(np.linspace(45.0, tops[name], 8), 6):
            median = 0.02 + 3.0 / (1 + np.exp((s50 - x) / 3.0))
            rows.append((float(x), float(median * np.exp(0.4 * rng.standard_normal())), name))
    x, y, who = zip(*rows, strict=True)
    return list(x), list(y), list(who)


def test_a_person_without_plateau_borrows_from_the_others():
    pytest.importorskip("numpyro")
    x, y, who = trials({"a": 75.0, "b": 78.0, "c": 62.0, "d": 75.0})
    result = hierarchical_recruitment(x, y, who, warmup=60, draws=60, chains=1)
    assert list(result.people) == list(S50)
    for name, s50 in S50.items():
        assert result.people[name]["S50"].value == pytest.approx(s50, abs=3.0)
        assert result.people[name]["S50"].n == 48
    # Person c was stimulated to half of the plateau only; the others say how high it may be.
    assert result.people["c"]["MEPmax"].value == pytest.approx(3.0, rel=0.5)
    assert result.people["c"]["MEPmax"].high < 15.0
    assert result.population["MEPmax"].low < 3.0 < result.population["MEPmax"].high
    assert result.r_hat < 1.5
    assert result.to_dict()["people"]["a"]["slope"]["unit"] == "mV/%MSO"


def test_refuses_too_few_people_or_intensities():
    with pytest.raises(InputError, match="no population"):
        hierarchical_recruitment([1.0, 2.0], [0.1, 0.2], ["a", "b"])
    x, y, who = trials({"a": 75.0, "b": 78.0, "c": 62.0, "d": 75.0})
    with pytest.raises(InputError, match=r"^d: fewer than 4 intensities"):
        hierarchical_recruitment([50.0 if w == "d" else v for v, w in zip(x, who, strict=True)], y, who)


def test_names_the_extra_that_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "numpyro", None)
    with pytest.raises(MissingDependencyError, match=r"sudeck\[circuit\]"):
        hierarchical_recruitment(*trials({"a": 75.0, "b": 78.0, "c": 62.0, "d": 75.0}))
