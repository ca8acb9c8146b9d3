"""Grades at their bounds, published series, and where the room stops."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import sudeck.ketamine
from sudeck.core.errors import InputError
from sudeck.ketamine.boundary import REFUSED, refuse
from sudeck.ketamine.safety import PUBLISHED_HARMS, liver_grade


@pytest.mark.parametrize(
    ("test", "multiple", "grade"),
    [
        ("ALT", 1.0, 0),
        ("ALT", 1.01, 1),
        ("AST", 3.0, 1),
        ("ALT", 3.01, 2),
        ("ALT", 5.01, 3),
        ("ALT", 20.01, 4),
        ("GGT", 2.51, 2),
        ("ALP", 2.5, 1),
        ("bilirubin", 1.51, 2),
        ("bilirubin", 10.01, 4),
    ],
)
def test_grades_begin_above_their_bounds(test: str, multiple: float, grade: int) -> None:
    assert liver_grade(test, 40.0 * multiple, 40.0) == grade


def test_published_harms_have_exact_intervals() -> None:
    none = next(one for one in PUBLISHED_HARMS if not one.having).share
    assert none.high == pytest.approx(1 - 0.025 ** (1 / 52))
    half = next(one for one in PUBLISHED_HARMS if one.of == 6).share
    assert (half.low, half.high) == (pytest.approx(0.118, abs=1e-3), pytest.approx(0.882, abs=1e-3))


@pytest.mark.parametrize("question", REFUSED)
def test_questions_that_are_refused(question: str) -> None:
    assert isinstance(refuse(question), InputError)
    assert "ask what was given" in str(refuse(question))


def test_no_function_turns_a_concentration_into_a_rate() -> None:
    folder = Path(sudeck.ketamine.__file__).parent
    names = [
        name
        for path in folder.glob("*.py")
        for name in re.findall(r"^def (\w+)", path.read_text(encoding="utf-8"), re.M)
    ]
    assert names
    assert not [
        name for name in names if re.search(r"rate_for|next|recommend|advise|pump|ml_h|titrate", name)
    ]
