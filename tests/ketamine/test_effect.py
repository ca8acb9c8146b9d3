"""Scenarios as published constants make them, and the courses that contradict them."""

from __future__ import annotations

import pytest

from sudeck.ketamine.effect import CONTRADICTIONS, receptor_block, relief_scenario, scenario_rows
from sudeck.ketamine.published_regimens import published_regimen


def test_the_slow_scenario_of_published_courses() -> None:
    middle = {key: value for key, value, *_ in scenario_rows()}
    assert middle["delphi"] == pytest.approx(0.18, abs=0.02)
    assert middle["schwartzman"] == pytest.approx(0.50, abs=0.03)
    assert middle["sigtermans"] == pytest.approx(0.84, abs=0.02)
    assert middle["kiefer"] == pytest.approx(0.87, abs=0.01)
    assert all(low < value < high for _, value, low, high, _ in scenario_rows())
    blocks = {key: block for key, _, _, _, block in scenario_rows()}
    assert blocks["guideline"] == pytest.approx((0.11, 0.79), abs=0.01)


def test_it_fades() -> None:
    course = published_regimen("sigtermans").for_weight(70)
    later = relief_scenario(course, 70, [50.0, 84.0])
    assert later.middle.tolist() == [pytest.approx(0.23, abs=0.02), pytest.approx(0.03, abs=0.01)]


def test_two_observations_contradict_it_and_say_so() -> None:
    predicted = {one.regimen: one.predicted() for one in CONTRADICTIONS}
    assert predicted["kiefer"][1] > 0.6, "even its lowest end predicts relief, and none was seen"
    assert predicted["goldberg"][0] == pytest.approx(0.52, abs=0.02)


def test_block_at_22_mg_an_hour_is_anything() -> None:
    low, high = receptor_block(22_000 / 84)
    assert (round(low, 2), round(high, 2)) == (0.11, 0.79)
    assert receptor_block(0.0) == (0.0, 0.0)
    assert receptor_block(100.0, "esketamine")[1] > receptor_block(50.0, "esketamine")[1]
