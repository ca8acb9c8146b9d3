from __future__ import annotations

import json
import math

import pytest

from sudeck.core.errors import InputError
from sudeck.core.estimate import Estimate
from sudeck.tms.change import MeasurementError
from sudeck.tms.comparison import compare_results
from sudeck.tms.measures.measured import Measured

ERROR = {"SICI": MeasurementError(0.2, 0.15, 0.3, "log", 20)}


def sici(value: float, hemisphere: str | None, **rest) -> Measured:
    return Measured(
        "SICI", hemisphere, "FDI", Estimate.from_log("SICI", math.log(value), 0.1), isi_ms=2.5, **rest
    )


def rmt(value: float, hemisphere: str = "left", name: str = "RMT") -> Measured:
    return Measured(name, hemisphere, "FDI", Estimate.from_normal(name, value, 0.8, unit="%MSO"))


def test_each_hemisphere_changes_by_its_own_ratio() -> None:
    pre, post = [sici(0.9, "left"), sici(0.5, "right")], [sici(0.45, "left"), sici(0.5, "right")]
    result = compare_results(pre, post, errors=ERROR)
    left, right = result.find("SICI")
    assert (left.hemisphere, right.hemisphere) == ("left", "right")
    assert left.change.estimate.value == pytest.approx(0.5)
    assert right.change.estimate.value == pytest.approx(1.0)
    assert (left.change.verdict, right.change.verdict) == ("real", "within measurement error")
    before, after = result.find("SICI", "hemispheres")
    assert (before.visit, after.visit) == ("pre", "post")
    assert before.change.estimate.value == pytest.approx(1.8)
    assert after.change.estimate.value == pytest.approx(0.9)
    (both,) = result.find("SICI", "hemisphere × time")
    assert both.change.estimate.value == pytest.approx(0.5)


def test_without_session_error_no_change_is_called_real() -> None:
    (change,) = compare_results([sici(0.9, "left")], [sici(0.1, "left")]).find("SICI")
    assert not change.change.real


def test_a_retest_of_a_measure_that_is_not_there_is_told() -> None:
    mistyped = {"SCI": ERROR["SICI"]}
    (flag,) = compare_results([sici(0.9, "left")], [sici(0.1, "left")], errors=mistyped).flags
    assert flag.message == "Retests are given of SCI, which neither visit has (there are: SICI)."
    assert not compare_results([sici(0.9, "left")], [sici(0.1, "left")], errors=ERROR).flags


def test_linear_measures_give_differences() -> None:
    (change,) = compare_results([rmt(45.0)], [rmt(48.0)]).find("RMT")
    assert change.change.estimate.value == pytest.approx(3.0)
    assert change.change.estimate.unit == "%MSO"


def test_what_has_no_partner_is_told_and_the_step_rule_left_out() -> None:
    result = compare_results(
        [rmt(45.0), rmt(46.0, name="RMT 5/10 rule"), sici(0.5, "left")],
        [rmt(44.0), rmt(47.0, name="RMT 5/10 rule"), sici(0.5, "left", conditioning="80 %RMT")],
    )
    assert [one.measure for one in result.changes] == ["RMT"]
    assert [flag.code for flag in result.flags] == ["measured-once", "measured-once"]
    assert "pre only" in result.flags[0].message


def test_units_that_differ_are_refused_in_words() -> None:
    other = Measured("RMT", "left", "FDI", Estimate.from_normal("RMT", 45.0, 0.8, unit="A/µs"))
    result = compare_results([rmt(45.0)], [other])
    assert not result.changes
    assert [flag.code for flag in result.flags] == ["not-compared"]


def test_two_visits_in_one_are_refused() -> None:
    with pytest.raises(InputError, match="SICI of the left hemisphere twice"):
        compare_results([sici(0.5, "left", visit="a"), sici(0.6, "left", visit="b")], [])


def test_comparison_reads_well_and_is_json() -> None:
    result = compare_results([sici(0.9, None)], [sici(0.45, None)])
    assert "SICI post/pre 0.5000" in str(result)
    plain = json.loads(json.dumps(result.to_dict()))
    assert plain["changes"][0]["estimate"]["value"] == pytest.approx(0.5)
    assert str(compare_results([], [])) == "nothing could be compared"
