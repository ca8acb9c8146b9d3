"""The words that console and report share."""

from __future__ import annotations

from sudeck.core.estimate import Estimate
from sudeck.report.tms import words
from sudeck.report.tms.panels import condition_of
from sudeck.tms.measures.measured import GroupMeasures, Measured
from sudeck.tms.signals.trials import Pulse


def test_conditions_that_have_only_names_stay_in_their_order_and_are_no_steps() -> None:
    names = ("55 %MSO", "TMS", "State 2", "go", "nogo", "45 %MSO")
    estimates = tuple(
        Measured("MEP", "left", "FDI", Estimate("MEP", 1.0, 0.8, 1.2, unit="mV"), intensity=name)
        for name in names
    )
    group = GroupMeasures("", "left", "FDI", estimates, {}, None, (), ())
    given = [one.intensity for one in words.in_order(words.without_steps(group))]
    assert given == ["TMS", "State 2", "go", "nogo", "45 %MSO", "55 %MSO"]


def test_sweeps_of_unstated_intensity_are_drawn_apart_by_their_names() -> None:
    paired = [Pulse(1.0, "paired", isi_ms=1.6, condition=f"State {n}") for n in (1, 3)]
    single = [Pulse(1.0, "single", condition=name) for name in ("go", "nogo")]
    unknown = frozenset({None})
    named = {condition_of(pulse, unknown, frozenset()) for pulse in (*paired, *single)}
    assert named == {
        ("pair 1.6 ms", "State 1"), ("pair 1.6 ms", "State 3"), ("test alone", "go"), ("test alone", "nogo"),
    }  # fmt: skip
