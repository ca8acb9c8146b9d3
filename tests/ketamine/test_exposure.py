"""Exposure with its two spreads, and what is left at a recording."""

from __future__ import annotations

import numpy as np
import pytest

from sudeck.ketamine.exposure import hours_above, measure_exposure, typical_area
from sudeck.ketamine.given import GivenDose, Moment
from sudeck.ketamine.on_board import HALF_LIVES, on_board
from sudeck.ketamine.published_regimens import published_regimen
from sudeck.ketamine.regimen import regimen_given
from sudeck.ketamine.units import BASE_SHARE


def day_of(drug: str, mg: float, hours: float, **more: object) -> GivenDose:
    return GivenDose("sub-1", 1, drug, mg, "base", hours, "intravenous", **more)  # type: ignore[arg-type]


def test_exposure_tells_people_and_models_apart() -> None:
    found = measure_exposure(published_regimen("delphi").for_weight(70.0), 70.0, draws=400, rng=1)
    assert found.substance == "ketamine, both forms"
    assert found.total_mg == pytest.approx(196.0)
    assert found.hours == pytest.approx(16.0)
    assert found.area.value == pytest.approx(196.0 / 84.0, rel=1e-6)
    assert found.area.components["people"] == pytest.approx(0.368, rel=0.1)  # Herd's 38.1 %
    assert 0.08 < found.area.components["models"] < 0.25
    assert found.area.low < found.area.value < found.area.high
    assert found.norketamine_area.value > 0
    assert "models" in found.area.to_dict()["components"]
    # Of some people no hour lies above the level, so that hours have no logarithm.
    assert found.hours_above.scale == "linear"
    assert found.hours_above.components["people"] > 0
    assert found.hours_above.components["models"] > 0
    assert found.norketamine_hours_above.value < found.norketamine_hours_above.high
    assert found.norketamine_hours_above.components["models"] == 0.0, "one model has it"


def test_hours_above_a_level() -> None:
    regimen = regimen_given([day_of("ketamine", 200.0, 10.0)], "ketamine")
    assert regimen is not None
    high = measure_exposure(regimen, 70.0, draws=5, above_ng_per_ml=1e6)
    assert high.hours_above.value == 0.0
    assert high.norketamine_hours_above.value == 0.0
    low = measure_exposure(regimen, 70.0, draws=5, above_ng_per_ml=100.0)
    assert 8.0 < low.hours_above.value < 13.0
    assert low.norketamine_hours_above.value > low.hours_above.value, "norketamine leaves later"


def test_hours_above_a_level_by_hand() -> None:
    times = np.array([0.0, 1.0, 3.0, 4.0])
    curves = np.array([[0.0, 4.0, 0.0, 0.0], [2.0, 2.0, 2.0, 2.0], [0.0, 0.0, 0.0, 4.0]])
    # A quarter of the way up, three quarters of the way down; always; the last three quarters of an hour.
    assert hours_above(times, curves, 1.0) == pytest.approx([0.75 + 1.5, 4.0, 0.75])


def test_salt_form_route_and_hours_are_not_the_same_dose() -> None:
    base = regimen_given([day_of("ketamine", 100.0, 4.0)], "ketamine")
    salt = regimen_given(
        [GivenDose("sub-1", 1, "ketamine", 100.0, "hydrochloride", 4.0, "intravenous")], "ketamine"
    )
    assert base is not None
    assert salt is not None
    assert typical_area(salt, 70.0) / typical_area(base, 70.0) == pytest.approx(BASE_SHARE)
    assert regimen_given([GivenDose("sub-1", 1, "ketamine", 100.0, "base", 4.0, "oral")], "ketamine") is None
    assert regimen_given([day_of("esketamine", 100.0, 4.0)], "ketamine") is None
    short = regimen_given([day_of("ketamine", 100.0, 0.5)], "ketamine")
    assert short is not None
    peaks = [measure_exposure(one, 70.0, draws=5).peak.value for one in (short, base)]
    assert peaks[0] > 2 * peaks[1]


def test_nothing_is_left_of_midazolam_after_five_days() -> None:
    (left,) = on_board([day_of("midazolam", 4.0, 0.0)], Moment("sub-1", "ses-post", 6), 70.0)
    assert left.amount < 1e-12
    assert left.since_h == pytest.approx(120.0)
    assert not left.matters
    assert not left.clock_known
    (soon,) = on_board([day_of("midazolam", 4.0, 0.0, start_h=9.0)], Moment("sub-1", "ses", 1, 11.0), 70.0)
    assert soon.low < soon.amount < soon.high
    assert soon.low == pytest.approx(4 * 0.5 ** (2 / HALF_LIVES["midazolam"].low_h))
    assert soon.matters
    assert soon.clock_known


def test_ketamine_and_norketamine_at_a_recording() -> None:
    doses = [day_of("ketamine", 112.0, 4.0, start_h=9.0)]
    ketamine, norketamine = on_board(doses, Moment("sub-1", "ses", 1, 13.0), 70.0)
    assert (ketamine.drug, norketamine.drug) == ("ketamine", "norketamine")
    assert ketamine.share == 1.0
    assert 200 < ketamine.amount < 333
    later = on_board(doses, Moment("sub-1", "ses", 2, 9.0), 70.0)
    assert later[0].share < 0.02
    assert later[0].since_h == pytest.approx(20.0)
    assert on_board(doses, Moment("sub-1", "ses", 1, 8.0), 70.0) == ()
