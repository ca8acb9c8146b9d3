"""The words that console and report share."""

from __future__ import annotations

from sudeck.core.estimate import Estimate
from sudeck.report.tms import words
from sudeck.tms.measures.measured import GroupMeasures, Measured


def test_conditions_that_have_only_names_stay_in_their_order_and_are_no_steps() -> None:
    names = ("55 %MSO", "TMS", "State 2", "go", "nogo", "45 %MSO")
    estimates = tuple(
        Measured("MEP", "left", "FDI", Estimate("MEP", 1.0, 0.8, 1.2, unit="mV"), intensity=name)
        for name in names
    )
    group = GroupMeasures("", "left", "FDI", estimates, {}, None, (), ())
    told = [one.intensity for one in words.in_order(words.without_steps(group))]
    assert told == ["TMS", "State 2", "go", "nogo", "45 %MSO", "55 %MSO"]
