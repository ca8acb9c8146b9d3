"""A table read once: typed arrays, refusals that name the cell, and patients kept together."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from sudeck.core.errors import InputError
from sudeck.prediction.cohort import read_cohort

TABLE = pd.DataFrame(
    {
        "participant_id": ["a", "b", "c"],
        "VPr": [1.0, 1.2, np.nan],
        "TPr": [1.1, 0.9, np.nan],
        "BPr": [1.3, np.nan, np.nan],
        "responder": ["yes", 0, None],
        "relief_percent": [60.0, "12", ""],
        "sex": ["F", "M", None],
        "months": ["7", 12, "n/a"],
    }
)


def test_cells_become_arrays_of_their_kind() -> None:
    cohort = read_cohort(TABLE)
    assert cohort.ids == ("a", "b", "c")
    np.testing.assert_array_equal(cohort.outcome("responder"), [1.0, 0.0, np.nan])
    np.testing.assert_array_equal(cohort.outcome("relief_percent"), [60.0, 12.0, np.nan])
    np.testing.assert_array_equal(cohort.numbers("months"), [7.0, 12.0, np.nan])
    assert cohort.columns["sex"].words == ("F", "M", None)
    assert cohort.columns["sex"].numbers is None
    assert cohort.scanned.tolist() == [True, True, False]


def test_some_of_the_patients_keep_what_is_theirs() -> None:
    some = read_cohort(TABLE).among(np.array([False, True, True]))
    assert some.ids == ("b", "c")
    np.testing.assert_allclose(some.ratios.values("TPr/VPr"), [0.75, np.nan])
    np.testing.assert_array_equal(some.outcome("responder"), [0.0, np.nan])
    np.testing.assert_array_equal(some.outcome("relief_percent"), [12.0, np.nan])
    np.testing.assert_array_equal(some.numbers("months"), [12.0, np.nan])
    assert some.columns["sex"].words == ("M", None)


def test_what_is_not_there_is_named() -> None:
    cohort = read_cohort(TABLE.drop(columns=["responder"]))
    for ask in (lambda: cohort.outcome("responder"), lambda: cohort.column("weight")):
        with pytest.raises(InputError, match="the table does not have it"):
            ask()
    with pytest.raises(InputError, match="a, sex: 'F' is not a number"):
        cohort.numbers("sex")


@pytest.mark.parametrize(
    ("column", "cells", "match"),
    [
        ("responder", ["yes", "perhaps", None], "column responder, row 2"),
        ("relief_percent", [1.0, 2.0, "much"], "column relief_percent, row 3"),
        ("VPr", [1.0, -1.0, 1.0], "b, VPr"),
    ],
)
def test_a_cell_that_is_not_of_its_kind_is_refused(column: str, cells: list[object], match: str) -> None:
    with pytest.raises(InputError, match=match):
        read_cohort(TABLE.assign(**{column: cells}))
