"""What each patient was given, as exposure and as what is on board at a session: never a sum over drugs."""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sudeck.ketamine.exposure import typical_area
from sudeck.ketamine.given import GivenDose, Moment
from sudeck.ketamine.on_board import OnBoard, on_board
from sudeck.ketamine.pk_models import DEFAULT
from sudeck.ketamine.regimen import Regimen, regimen_given
from sudeck.study.folder.given_doses import body_weights, given_doses, recorded_moments
from sudeck.study.folder.tables import StudyTables


@dataclass(frozen=True, slots=True)
class PatientTreatment:
    """What one patient was given up to a session.

    Attributes
    ----------
    patient : str
    weight_kg : float or None
    doses : tuple of GivenDose
        Rows of treatment.tsv up to the session, all drugs.
    regimen : Regimen or None
        Ketamine into a vein, where it is one form by that route alone and every dose and duration is known.
    reason : str
        Why there is no regimen; empty where there is one.
    session : Moment or None
    board : tuple of OnBoard
        What is left at the session; empty without one.
    model : str
        Whose typical person stands for the course.
    """

    patient: str
    weight_kg: float | None
    doses: tuple[GivenDose, ...]
    regimen: Regimen | None
    reason: str
    session: Moment | None
    board: tuple[OnBoard, ...]
    model: str = DEFAULT

    @property
    def kind(self) -> str:
        """The kind of course, to count patients by: drug, route, days, hours a day; empty without."""
        days: dict[int, float] = defaultdict(float)
        ketamine = [dose for dose in self.doses if dose.is_ketamine and dose.dose_mg != 0]
        for dose in ketamine:
            days[dose.day] += dose.duration_h or 0.0
        if not days:
            return ""
        what = sorted({f"{dose.drug} {dose.route or 'route not stated'}" for dose in ketamine})
        hours = round(statistics.median(days.values()))
        return f"{' and '.join(what)}, {len(days)} {'day' if len(days) == 1 else 'days'}, {hours} h a day"

    @property
    def dosed(self) -> str:
        """The kind of course with its dose a day, within a factor of two: what harms are counted by."""
        days = len({dose.day for dose in self.doses if dose.is_ketamine and dose.dose_mg != 0})
        if not self.mg_per_kg:
            return f"{self.kind}, dose not known" if self.kind else ""
        # Bounds between powers of two, as doses are written in round numbers.
        middle = round(math.log2(self.mg_per_kg / days))
        low, high = 2.0 ** (middle - 0.5), 2.0 ** (middle + 0.5)
        return f"{self.kind}, {low:.2g} to {high:.2g} mg/kg a day"

    @property
    def mg(self) -> float | None:
        """Cumulative ketamine, mg of base."""
        return None if self.regimen is None else self.regimen.total_mg

    @property
    def mg_per_kg(self) -> float | None:
        """The same per kg of body weight."""
        return None if self.mg is None or self.weight_kg is None else self.mg / self.weight_kg

    @property
    def area(self) -> float | None:
        """Area under the curve of a typical person of this weight, mg h/L."""
        if self.regimen is None or self.weight_kg is None:
            return None
        return typical_area(self.regimen, self.weight_kg, model=self.model)

    @property
    def days_since(self) -> int | None:
        """Days from the last ketamine to the session."""
        days = [dose.day for dose in self.doses if dose.is_ketamine and dose.dose_mg != 0]
        return None if self.session is None or not days else self.session.day - max(days)

    def left_mg(self, drug: str) -> float | None:
        """Return what is left of a co-medication at the session, in mg; None where nothing is recorded."""
        if self.session is None or not self.doses:
            return None
        if any(dose.drug == drug and dose.dose_mg is None for dose in self.doses):
            return None
        return next((one.amount for one in self.board if one.drug == drug), 0.0)


def patient_treatments(
    tables: StudyTables, patients: Sequence[str], *, session: str | None, model: str = DEFAULT
) -> tuple[PatientTreatment, ...]:
    """Return what some patients were given up to a session, in their order.

    Parameters
    ----------
    tables : StudyTables
    patients : sequence of str
    session : str or None
        Without one, or where a patient has none, everything counts.
    model : str
        Whose typical person stands for a course, as ``[ketamine] model`` of the settings says.
    """
    weights = body_weights(tables)
    moments = {one.patient: one for one in recorded_moments(tables) if one.name == session}
    by_patient: dict[str, list[GivenDose]] = defaultdict(list)
    for dose in given_doses(tables):
        by_patient[dose.patient].append(dose)
    return tuple(
        _treatment(patient, by_patient[patient], weights.get(patient), moments.get(patient), model)
        for patient in patients
    )


def forms_given(treatments: Sequence[PatientTreatment]) -> dict[str, int]:
    """Return how many patients had each form of ketamine, of those whose course is worked out.

    A milligram of S-ketamine is not one of racemate: with two forms no dose is compared between patients.
    """
    counts: dict[str, int] = defaultdict(int)
    for one in treatments:
        if one.regimen is not None:
            counts[one.regimen.drug] += 1
    return dict(counts)


def _treatment(
    patient: str, doses: Sequence[GivenDose], weight: float | None, moment: Moment | None, model: str
) -> PatientTreatment:
    own = tuple(dose for dose in doses if moment is None or not _after(dose, moment))
    regimen, reason = _regimen(own)
    board = () if moment is None else on_board(own, moment, weight, model=model)
    return PatientTreatment(patient, weight, own, regimen, reason, moment, board, model)


def _after(dose: GivenDose, moment: Moment) -> bool:
    if dose.day == moment.day and dose.begins_h is not None and moment.at_h is not None:
        return dose.begins_h > moment.at_h
    return dose.day > moment.day


def _regimen(doses: Sequence[GivenDose]) -> tuple[Regimen | None, str]:
    """Return the one regimen of ketamine, or why its doses are not added up."""
    ketamine = [dose for dose in doses if dose.is_ketamine and dose.dose_mg != 0]
    forms = sorted({dose.drug for dose in ketamine})
    routes = sorted({dose.route or "not stated" for dose in ketamine})
    if not ketamine:
        return None, "no ketamine is recorded"
    if len(forms) > 1:
        return None, f"{' and '.join(forms)} are not added up"
    if routes != ["intravenous"]:
        return None, f"route {' and '.join(routes)}: only a vein is worked out, and routes are not added up"
    regimen = regimen_given(ketamine, forms[0])
    return regimen, "" if regimen else "a dose, its salt or its duration is not known"
