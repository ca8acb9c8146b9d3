"""Concentrations against an integrator, against algebra, and against what was published."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from sudeck.ketamine.observations import fold_error
from sudeck.ketamine.pk_models import DEFAULT, MODELS, PkModel, draw_people, ensemble, pk_model
from sudeck.ketamine.published_regimens import PUBLISHED, published_regimen
from sudeck.ketamine.regimen import Dose, Regimen, constant_rates
from sudeck.ketamine.solve import solve_course

MIXED = Regimen(
    "mixed",
    "ketamine",
    (Dose(1.0, 0.0, 20.0), Dose(1.0, 4.0, 80.0), Dose(3.0, 1.0, 30.0), Dose(26.0, 2.0, 50.0)),
)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.key)
def test_steps_gaps_and_boluses_agree_with_lsoda(model: PkModel) -> None:
    system = model.system(61.0)
    times = np.array([1.0, 1.5, 3.5, 5.0, 20.0, 27.0, 30.0])
    course = solve_course(system, MIXED, times, effect_per_h=0.05)
    changes, rates, boluses = constant_rates(MIXED.doses)
    n = system.rates.shape[0]

    state = np.zeros(n + 2)
    found = {}
    moments = np.unique(np.concatenate([changes, times]))
    rate = 0.0
    for start, end in zip(moments, [*moments[1:], moments[-1]], strict=True):
        place = np.flatnonzero(changes == start)
        if place.size:
            state[0] += boluses[place[0]]
            rate = rates[place[0]]
        found[start] = state.copy()
        if end > start:

            def slope(_: float, y: np.ndarray, rate: float = rate) -> np.ndarray:
                plasma = system.outputs[0] @ y[:n]
                moved = system.rates @ y[:n]
                moved[0] += rate
                return np.array([*moved, plasma, 0.05 * (plasma - y[-1])])

            state = solve_ivp(slope, (start, end), state, method="LSODA", rtol=1e-12, atol=1e-13).y[:, -1]
    expected = np.array([found[moment] for moment in times])
    assert course.ng_per_ml[0] == pytest.approx(1e3 * expected[:, :n] @ system.outputs[0], rel=1e-7)
    assert course.area[0] == pytest.approx(expected[:, n], rel=1e-7)
    assert course.effect_ng_per_ml == pytest.approx(1e3 * expected[:, n + 1], rel=1e-7)


@pytest.mark.parametrize("key", ["kamp", "herd", "clements", "domino", "leiden"])
def test_steady_state_is_rate_over_clearance(key: str) -> None:
    model = pk_model(key)
    course = solve_course(model.system(), Regimen("", "ketamine", (Dose(0.0, 3000.0, 60_000.0),)), [3000.0])
    assert course.ng_per_ml[0, 0] == pytest.approx(1e3 * 20 / model.values["CL"], rel=1e-10)
    if model.has_norketamine:
        expected = 0.8 * 20 * (223.70 / 237.725) / model.values["CLn"]
        assert course.ng_per_ml[1, 0] == pytest.approx(1e3 * expected, rel=1e-10)


def test_the_whole_area_is_dose_over_clearance() -> None:
    course = solve_course(pk_model("kamp").system(50.0), MIXED, [1000.0])
    assert course.area[0, 0] == pytest.approx(180.0 / (84.0 * (50 / 70) ** 0.75), rel=1e-11)


def test_many_people_are_one_batch() -> None:
    model = pk_model("kamp")
    people = draw_people(model, 5, np.random.default_rng(0))
    both = solve_course(model.system(70.0, people), MIXED, [4.0, 30.0])
    one = solve_course(
        model.system(70.0, {name: values[3] for name, values in people.items()}), MIXED, [4.0, 30.0]
    )
    assert both.ng_per_ml.shape == (5, 1, 2)
    assert both.ng_per_ml[3] == pytest.approx(one.ng_per_ml, rel=1e-12)


def test_the_default_model_is_near_what_was_observed() -> None:
    assert fold_error(pk_model(DEFAULT)) == pytest.approx(1.18, abs=0.01)
    assert fold_error(pk_model(DEFAULT), independent=True) == pytest.approx(1.31, abs=0.01)
    assert all(fold_error(model) < 1.5 for model in ensemble())
    assert fold_error(pk_model("perez-ruixo")) > 1.5


def test_published_courses_add_up() -> None:
    totals = {one.key: one.for_weight(70.0).total_mg for one in PUBLISHED}
    assert totals["delphi"] == pytest.approx(196.0)
    assert totals["goldberg"] == pytest.approx(4740.0)
    assert totals["kiefer"] == pytest.approx(2750.0)
    assert published_regimen("ketcrps-intermittent").for_weight(70.0).courses == 6
    assert all(one.source and one.read for one in PUBLISHED)


def test_a_published_ceiling_holds_at_any_weight() -> None:
    course = published_regimen("schwartzman")
    assert course.for_weight(70.0).total_mg == pytest.approx(10 * 4 * 0.35 * 70)
    assert course.for_weight(100.0).total_mg == pytest.approx(10 * 4 * 25.0)  # and not 35 mg/h
