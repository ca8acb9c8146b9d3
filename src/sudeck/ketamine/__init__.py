"""The treatment: a record of doses in; regimens, concentrations, what is on board and contradictions out.

Read in the order of the data: `units` and `given` (what a row says), `record_checks` (where a record
contradicts itself), `regimen` and `published_regimens` (doses in time), `pk_models` and `solve`
(concentrations), `exposure`, `yardsticks` and `on_board`, `effect` (scenarios), `course_simulation` (all of
it for one course), `safety`, `boundary` (what is not answered).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sudeck.core.lazy import lazy_face

if TYPE_CHECKING:
    from sudeck.ketamine.course_simulation import CourseSimulation, simulate_regimen
    from sudeck.ketamine.effect import ReliefScenario, receptor_block, relief_scenario
    from sudeck.ketamine.exposure import Exposure, measure_exposure, typical_area
    from sudeck.ketamine.given import GivenDose, Moment
    from sudeck.ketamine.on_board import OnBoard, on_board
    from sudeck.ketamine.pk_models import PkModel, pk_model
    from sudeck.ketamine.published_regimens import PublishedRegimen, published_regimen
    from sudeck.ketamine.record_checks import RecordFinding, check_record
    from sudeck.ketamine.regimen import Dose, Regimen, regimen_given
    from sudeck.ketamine.safety import liver_grade
    from sudeck.ketamine.solve import PlasmaCurve, solve_course

__all__ = [
    "CourseSimulation",
    "Dose",
    "Exposure",
    "GivenDose",
    "Moment",
    "OnBoard",
    "PkModel",
    "PlasmaCurve",
    "PublishedRegimen",
    "RecordFinding",
    "Regimen",
    "ReliefScenario",
    "check_record",
    "liver_grade",
    "measure_exposure",
    "on_board",
    "pk_model",
    "published_regimen",
    "receptor_block",
    "regimen_given",
    "relief_scenario",
    "simulate_regimen",
    "solve_course",
    "typical_area",
]

__getattr__, __dir__ = lazy_face(
    __name__,
    course_simulation="CourseSimulation simulate_regimen",
    effect="ReliefScenario receptor_block relief_scenario",
    exposure="Exposure measure_exposure typical_area",
    given="GivenDose Moment",
    on_board="OnBoard on_board",
    pk_models="PkModel pk_model",
    published_regimens="PublishedRegimen published_regimen",
    record_checks="RecordFinding check_record",
    regimen="Dose Regimen regimen_given",
    safety="liver_grade",
    solve="PlasmaCurve solve_course",
)
