"""What persons decided changes the measurement, and nothing else does."""

from __future__ import annotations

from typing import Any

import pytest

from sudeck.core.errors import InputError
from sudeck.study.folder.decisions import Decision, DecisionKind
from sudeck.study.measuring.choices import excluded_recordings, scan_choices


def decided(kind: DecisionKind, value: Any, *, about: str = "", session: str = "ses-pre") -> Decision:
    return Decision("sub-001", kind, value, who="NM", why="seen on the film", session=session, about=about)


def test_no_decision_changes_nothing() -> None:
    choices = scan_choices([], "ses-pre")
    assert (choices.affected, choices.region, choices.excluded) == (None, None, "")
    assert choices.reading == {}


def test_every_kind_lands_where_it_is_used() -> None:
    region = {"type": "polygon", "unit": "px", "points": [[1, 1], [2, 1], [2, 2]]}
    choices = scan_choices(
        [
            decided("side", "left"),
            decided("image-left", "right", session=""),
            decided("view", "plantar"),
            decided("phase", "bone", about="03.dcm"),
            decided("phase", "tissue", about="02.dcm"),
            decided("region", region),
            decided("note", "anything"),
        ],
        "ses-pre",
    )
    assert choices.affected == "left"
    assert choices.region == region
    assert choices.reading == {
        "image_left": "right",
        "view": "plantar",
        "phase_of": {"03.dcm": "bone", "02.dcm": "tissue"},
    }


def test_another_session_is_not_concerned() -> None:
    assert scan_choices([decided("view", "dorsal", session="ses-post")], "ses-pre").reading == {}


@pytest.mark.parametrize(
    ("about", "scan", "recordings"),
    [("", True, True), ("scan", True, False), ("tms", False, True)],
)
def test_exclusions(about: str, scan: bool, recordings: bool) -> None:
    decisions = [decided("exclude", True, about=about)]
    assert bool(scan_choices(decisions, "ses-pre").excluded) is scan
    assert bool(excluded_recordings(decisions, "ses-pre")) is recordings


@pytest.mark.parametrize(
    "wrong",
    [decided("side", "both"), decided("view", 3), decided("phase", "bone"), decided("region", "whole")],
)
def test_values_that_can_not_be(wrong: Decision) -> None:
    with pytest.raises(InputError, match="decision on"):
        scan_choices([wrong], "ses-pre")
