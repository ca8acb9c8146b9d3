"""Numbers as text: enough digits, never false certainty."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sudeck.core.estimate import Estimate
from sudeck.report.kit.text import clock_text, interval_text, number, percent, printable, value_text
from support.house import ROOT


@pytest.mark.parametrize(
    ("share", "text"), [(0.0, "< 1 %"), (0.5, "50 %"), (0.99, "99 %"), (0.991, "> 99 %"), (1.0, "> 99 %")]
)
def test_probabilities_never_become_certainty(share: float, text: str) -> None:
    assert percent(share) == text


def test_digits_follow_the_interval() -> None:
    estimate = Estimate("threshold", 52.3456, 49.1, 55.6, unit="% MSO")
    assert value_text(estimate) == "52.3 % MSO"
    assert interval_text(estimate) == "49.1 to 55.6"
    assert interval_text(Estimate("x", 1.0, -math.inf, math.inf), 1) == "−∞ to ∞"
    assert [number(-0.25, 2), number(-0.01, 1)] == ["−0.25", "0.0"]


def test_times_are_told_in_their_unit() -> None:
    assert [clock_text(t) for t in (5.0, 120.0, 450.0, 10_800.0, -3.0)] == [
        "5 s",
        "2 min",
        "7.5 min",
        "3 h",
        "−3 s",
    ]


@given(st.text())
def test_printable_text_can_be_written_anywhere(text: str) -> None:
    clean = printable(text)
    clean.encode("utf-8")
    assert len(clean) == len(text)
    assert not any(letter < " " for letter in clean)
    assert printable(clean) == clean.replace("\n", " ")


def test_no_page_says_minus_nought() -> None:
    assert number(-0.001, 2) == "0.00"
    for template in (ROOT / "src/sudeck/report/templates").glob("*.j2"):
        text = template.read_text(encoding="utf-8")
        assert not re.search(r"%[-+.0-9]*[efg]\W", text), f"{template.name}: write {{:z.2f}}"
