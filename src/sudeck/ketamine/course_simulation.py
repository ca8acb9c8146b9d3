"""A published regimen, or a course already given, through several models: curves, exposure, scenarios."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sudeck.core.record import Record
from sudeck.ketamine.effect import ReliefScenario, receptor_block, relief_scenario
from sudeck.ketamine.exposure import (
    CourseCurve,
    Exposure,
    course_curve,
    measure_exposure,
)
from sudeck.ketamine.observations import fold_error
from sudeck.ketamine.pk_models import DEFAULT, PkModel, ensemble, pk_model
from sudeck.ketamine.regimen import Regimen
from sudeck.ketamine.solve import solve_course, time_grid

_LATER_D: Final = (28.0, 84.0)
_BADLY: Final = 1.5  # rms fold error from which a model is labelled


@dataclass(frozen=True, slots=True)
class ModelCourse(Record):
    """A course in the typical person of one model.

    Attributes
    ----------
    key, title, people, site : str
    error : float
        Root mean square fold error on eight published concentrations, 1 at best.
    area, peak : float
        mg h/L and ng/ml.
    remarks : tuple of str
        What it was measured in, where that is not what was given, and in whose blood.
    """

    key: str
    title: str
    people: str
    site: str
    error: float
    area: float
    peak: float
    remarks: tuple[str, ...] = ()

    @property
    def remark(self) -> str:
        """What to mind: a large error, another form of the drug, blood of an artery."""
        far = ("far from what was observed",) if self.error > _BADLY else ()
        return ", ".join((*far, *self.remarks))


@dataclass(frozen=True, slots=True)
class CourseSimulation(Record):
    """What models make of a course.

    Attributes
    ----------
    title : str
    weight_kg : float
    exposure : Exposure
    curve : CourseCurve
    models : tuple of ModelCourse
    relief : ReliefScenario
        At the end of the course, four and twelve weeks after its first dose.
    block : (float, float)
        Range of blocked NMDA receptors at the highest concentration, by published constants.
    """

    title: str
    weight_kg: float
    exposure: Exposure
    curve: CourseCurve
    models: tuple[ModelCourse, ...]
    relief: ReliefScenario
    block: tuple[float, float]


def simulate_regimen(
    regimen: Regimen,
    weight_kg: float,
    *,
    title: str = "",
    models: Sequence[str] = (),
    draws: int = 200,
    rng: int = 2018,
) -> CourseSimulation:
    """Return what models make of a regimen that was published or given.

    Parameters
    ----------
    regimen : Regimen
    weight_kg : float
    title : str
    models : sequence of str
        Beside the ensemble; the first becomes the one whose typical person is the value.
    draws : int
        People a model.
    rng : int
        Seed.

    Raises
    ------
    InputError
        If a model is not known.
    """
    asked = [pk_model(key) for key in models]
    chosen = asked[0].key if asked else DEFAULT
    shown = {one.key: one for one in (*asked, *ensemble())}
    exposure = measure_exposure(regimen, weight_kg, model=chosen, draws=draws, rng=rng)
    end = (regimen.end_h - regimen.doses[0].start_h) / 24.0
    days = sorted({end, *(day for day in _LATER_D if day > end)})
    return CourseSimulation(
        title or regimen.name,
        weight_kg,
        exposure,
        course_curve(regimen, weight_kg, model=chosen, rng=rng),
        tuple(_typical(one, regimen, weight_kg) for one in shown.values()),
        relief_scenario(regimen, weight_kg, days),
        receptor_block(exposure.peak.value, regimen.drug),
    )


def _typical(model: PkModel, regimen: Regimen, weight_kg: float) -> ModelCourse:
    times = time_grid(regimen, step_h=0.5, after_h=24.0 * 21)
    course = solve_course(model.system(weight_kg), regimen, times)
    return ModelCourse(
        model.key,
        model.title,
        model.people,
        model.site,
        fold_error(model),
        float(course.area[0, -1]),
        float(course.ng_per_ml[0].max()),
        model.remarks(regimen.drug),
    )
