"""Decisions: kept with who, when and why; a later one does not destroy an earlier one."""

from __future__ import annotations

import pytest

from sudeck.core.errors import InputError
from sudeck.study.folder.decisions import Decision, read_decisions, record_decision, standing_decisions
from sudeck.study.folder.layout import StudyFolder


def test_the_last_decision_holds_and_all_stay(study: StudyFolder) -> None:
    first = record_decision(study, Decision("sub-001", "side", "left", "M.S.", "as the letter says"))
    before = first.read_bytes()
    record_decision(study, Decision("sub-001", "side", "right", "M.S.", "seen in the clinic"))
    record_decision(study, Decision("sub-001", "exclude", True, "J.L.", "withdrew", session="ses-pre"))
    assert first.read_bytes() == before
    assert [decision.value for decision in read_decisions(study)] == ["left", "right", True]
    assert [decision.value for decision in standing_decisions(study, "sub-001")] == ["right", True]
    assert all(decision.when for decision in read_decisions(study))


@pytest.mark.parametrize(
    "decision",
    [
        Decision("sub-001", "side", "left", "", "why"),
        Decision("sub-001", "side", "left", "who", " "),
        Decision("../sub-001", "side", "left", "who", "why"),
        Decision("sub-001", "guess", "left", "who", "why"),  # type: ignore[arg-type]
    ],
)
def test_a_decision_needs_who_when_why_and_what(decision: Decision, study: StudyFolder) -> None:
    with pytest.raises(InputError):
        record_decision(study, decision)
    assert not study.decisions.exists()


def test_a_damaged_file_is_named(study: StudyFolder) -> None:
    path = record_decision(study, Decision("sub-001", "note", "x", "who", "why"))
    path.write_text("{")
    with pytest.raises(InputError, match=f"sub-001/{path.name}"):
        read_decisions(study)
