"""Errors of dose, time and unit that a record of treatment shows by itself, one sentence each.

A check says that a record contradicts itself, its patient's other days or the other patients; it never says
what should have been given. Ampoules of 10, 50 and 100 mg/ml are all sold, and errors from confusing them are
reported regularly (ANSM, 30 August 2023): factors of 2, 5 and 10 are what to look for.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Final

from sudeck.ketamine.given import GivenDose, Moment
from sudeck.ketamine.units import BASE_SHARE

# Infusions of awake patients: 2 mg/kg/h at most, boluses 0.35 mg/kg (consensus guidelines, Cohen et al. 2018,
# Reg Anesth Pain Med 43:521-546); the largest day published is 40 mg/h for 24 h (Goldberg et al. 2010), 13.7
# mg/kg at 70 kg.
HIGHEST_AWAKE_MG_PER_KG_H: Final = 2.0
HIGHEST_BOLUS_MG_PER_KG: Final = 0.35
HIGHEST_DAY_MG_PER_KG: Final = 13.7
# The least day of a published course is 0.5 mg/kg (Voute et al. 2022); a fifth of that is no course.
LEAST_DAY_MG_PER_KG: Final = 0.1
# Assumed, as product labels have them and not looked up in a source that was read here, in mg: midazolam
# 0.6 mg/kg to induce anaesthesia (taken at 70 kg), lorazepam 10 mg and clonidine 2.4 mg a day. They catch
# micrograms only.
LARGEST_LABELLED_MG: Final = {"midazolam": 42.0, "lorazepam": 10.0, "clonidine": 2.4}
UNDER_DRUG_H: Final = (
    12.0  # four times ketamine's slow half-life of about 3 h (Clements & Nimmo 1981: 183 min)
)
_FACTORS: Final = (
    (10.0, 0.15, "ten times", "a tenfold error, or the 100 mg/ml ampoule for the 10"),
    (5.0, 0.12, "five times", "a fivefold error, or the 50 mg/ml ampoule for the 10"),
)
_AMPOULES: Final = (*_FACTORS, (2.0, 0.02, "twice", "the 100 mg/ml ampoule for the 50"))
_POUNDS_A_KG: Final = 2.20462
_TIGHT: Final = 0.03  # median deviation of log mg/kg in a cohort dosed by weight
_FEWEST: Final = 6  # other patients that make a cohort
_NEARLY_ALL: Final = 0.8
_SAME: Final = 0.005
_FEWEST_HOURS: Final = 2.0  # below it, mg and mg an hour differ too little to be told apart
_AS_PLANNED: Final = 0.10


@dataclass(frozen=True, slots=True)
class RecordFinding:
    """One error, or what looks like one.

    Attributes
    ----------
    code : str
        Its kind.
    message : str
        One phrase with its numbers.
    patient : str
    line : int or None
        Of the table it stands in.
    column : str
    table : str
        ``treatment`` or ``sessions``.
    serious : bool
        Whether the record contradicts itself; otherwise a person should look.
    """

    code: str
    message: str
    patient: str
    line: int | None = None
    column: str = "dose_mg"
    table: str = "treatment"
    serious: bool = False


def check_record(
    doses: Sequence[GivenDose], weights_kg: Mapping[str, float], moments: Sequence[Moment] = ()
) -> tuple[RecordFinding, ...]:
    """Return what looks wrong in the record of a study.

    Parameters
    ----------
    doses : sequence of GivenDose
    weights_kg : Mapping of patient to body weight
        Of patients whose weight is known.
    moments : sequence of Moment
        Recordings.
    """
    by_patient: dict[str, list[GivenDose]] = defaultdict(list)
    for dose in doses:
        by_patient[dose.patient].append(dose)
    found: list[RecordFinding] = []
    for patient, own in by_patient.items():
        weight = weights_kg.get(patient)
        for dose in own:
            found += _one_row(dose, weight)
        found += _days(own, weight)
        found += _other_days(own)
        found += _overlaps(own)
        found += _contradictions(own)
        found += _under_drug(own, [moment for moment in moments if moment.patient == patient])
    found += _other_patients(by_patient, weights_kg)
    return tuple(found)


def _one_row(dose: GivenDose, weight: float | None) -> Iterator[RecordFinding]:
    """Yield what a row says of itself."""
    largest = LARGEST_LABELLED_MG.get(dose.drug)
    if largest is not None and dose.dose_mg is not None and dose.dose_mg > largest and not dose.duration_h:
        said = (
            f"{dose.dose_mg:g} mg of {dose.drug} is above any labelled dose ({largest:g} mg); "
            "perhaps micrograms or ml in place of mg"
        )
        yield _finding(dose, "unit", said)
    yield from _planned(dose)
    amount = dose.base_mg
    if not dose.is_ketamine or amount is None:
        return
    if dose.dose_mg is not None and dose.form == "other":
        yield _finding(dose, "salt", "the salt is not known, so the dose can not be compared", "dose_form")
    if dose.route == "intravenous" and dose.duration_h is None:
        said = "no duration, so its concentration can not be worked out; 0 for a bolus"
        yield _finding(dose, "no-duration", said, "duration_h")
    if weight is None or amount <= 0:
        return
    a_kg = amount / weight
    bolus = dose.duration_h == 0 and dose.route in ("intravenous", None)
    if bolus and a_kg > HIGHEST_BOLUS_MG_PER_KG:
        said = (
            f"0 h makes {dose.dose_mg:g} mg a bolus of {a_kg:.2g} mg/kg, above the "
            f"{HIGHEST_BOLUS_MG_PER_KG:g} of guidelines; the hours may be left out"
        )
        yield _finding(dose, "zero-hours", said, "duration_h")
    rate = a_kg / dose.duration_h if dose.duration_h else None
    if (rate is not None and rate > HIGHEST_AWAKE_MG_PER_KG_H) or a_kg > HIGHEST_DAY_MG_PER_KG:
        how = f"{a_kg:.3g} mg/kg" if rate is None else f"{a_kg:.3g} mg/kg at {rate:.2g} mg/kg/h"
        yield _finding(dose, "above-awake", f"{how}, above every published awake regimen; check the unit")


def _days(own: Sequence[GivenDose], weight: float | None) -> Iterator[RecordFinding]:
    """Yield what the rows of a day say together: too much or too little of it, and times of some only."""
    by_day: dict[int, list[GivenDose]] = defaultdict(list)
    for dose in own:
        if dose.is_ketamine and dose.route == "intravenous" and dose.base_mg:
            by_day[dose.day].append(dose)
    for day, rows in by_day.items():
        timed = [row for row in rows if row.start_h is not None]
        if timed and len(timed) < len(rows):
            first = next(row for row in rows if row.start_h is None)
            said = f"no clock time, and other rows of day {day} have one: it is taken to follow them"
            yield _finding(first, "half-timed", said, "start_time")
        if weight is None:
            continue
        a_kg = sum(row.base_mg or 0.0 for row in rows) / weight
        if len(rows) > 1 and a_kg > HIGHEST_DAY_MG_PER_KG >= max(row.base_mg or 0 for row in rows) / weight:
            said = f"{a_kg:.3g} mg/kg on day {day} in {len(rows)} rows, above every published awake regimen"
            yield _finding(rows[-1], "above-awake", said)
        if a_kg < LEAST_DAY_MG_PER_KG and not any(row.stopped_early or row.planned_mg for row in rows):
            said = (
                f"{a_kg * weight:.3g} mg on day {day} in {weight:g} kg; perhaps mg/kg, g or ml in place of mg"
            )
            yield _finding(rows[0], "unit", said)
    salts = {dose.form or "base" for rows in by_day.values() for dose in rows}
    if {"base", "hydrochloride"} <= salts:
        rows = [dose for day in by_day.values() for dose in day]
        rarer = min(
            ("base", "hydrochloride"), key=lambda form: sum((one.form or "base") == form for one in rows)
        )
        odd = next(one for one in rows if (one.form or "base") == rarer)
        said = f"{odd.form or 'not stated, so base'} here, and other rows of this patient say otherwise"
        yield _finding(odd, "two-salts", said, "dose_form")


def _planned(dose: GivenDose) -> Iterator[RecordFinding]:
    given, planned = dose.dose_mg, dose.planned_mg
    if given is None or planned is None or planned <= 0:
        return
    ratio = given / planned
    said = f"given {given:g} mg, planned {planned:g} mg"
    for share, what in ((BASE_SHARE, "base"), (1 / BASE_SHARE, "salt")):
        if dose.is_ketamine and abs(given - share * planned) <= max(0.006 * given, 0.06):
            other = "salt" if what == "base" else "base"
            yield _finding(dose, "base-for-salt", f"{said}: as if one were {what}, the other {other}")
            return
    factor = _factor(ratio, _AMPOULES)
    if factor and not (ratio < 1 and dose.stopped_early):
        yield _finding(dose, "ampoule", f"{said}: {factor}")
    elif dose.stopped_early and ratio >= 1:
        yield _finding(dose, "planned", f"stopped early, but {said}", "stopped_early")
    elif abs(ratio - 1) > _AS_PLANNED and not dose.stopped_early:
        yield _finding(dose, "planned", f"{said}, and nothing says that it was stopped early", "planned_mg")


def _factor(ratio: float, factors: Sequence[tuple[float, float, str, str]]) -> str:
    """Return the words for a ratio near a factor of error, or near its inverse; empty if it is near none."""
    for factor, tolerance, words, meaning in factors:
        for value, inverse in ((ratio, False), (1 / ratio if ratio > 0 else math.inf, True)):
            if abs(value / factor - 1) <= tolerance:
                return f"{words} {'too little' if inverse else 'as much'}, as by {meaning}"
    return ""


def _other_days(own: Sequence[GivenDose]) -> Iterator[RecordFinding]:
    """Yield doses that differ from the patient's neighbouring ones by a factor of error.

    A dose is held against its two nearest in time of the same drug, route and kind, so that a titration in
    steps is none, and against the same step of the two nearest days; a bolus never against an infusion.
    """
    groups: dict[tuple[object, ...], list[GivenDose]] = defaultdict(list)
    for dose in own:
        if dose.is_ketamine and dose.base_mg:
            groups[dose.drug, dose.route, bool(dose.duration_h)].append(dose)
    for group in groups.values():
        group.sort(key=lambda dose: (dose.day, dose.start_h or 0.0, dose.infusion or 0))
        by_day: dict[int, list[GivenDose]] = defaultdict(list)
        for dose in group:
            by_day[dose.day].append(dose)
        steps = {id(dose): rank for same in by_day.values() for rank, dose in enumerate(same)}
        for place, dose in enumerate(group):
            if dose.stopped_early:
                continue
            if dose.planned_mg and dose.dose_mg and abs(dose.dose_mg / dose.planned_mg - 1) <= _AS_PLANNED:
                continue
            order = sorted(range(len(group)), key=lambda n: (abs(group[n].day - dose.day), abs(n - place)))
            others = [group[n] for n in order if n != place]
            same_step = [one for one in others if steps[id(one)] == steps[id(dose)] and one.day != dose.day]
            for near in (others[:2], same_step[:2]):
                texts = {_against(dose, other) for other in near}
                # With the error itself among the neighbours they disagree: the text is empty for one of them.
                if len(texts) == 1 and (said := texts.pop()):
                    message = (
                        f"{dose.dose_mg:g} mg where this patient's other days have {near[0].dose_mg:g} mg"
                    )
                    yield _finding(dose, "other-days", f"{message}: {said}")
                    break


def _against(dose: GivenDose, other: GivenDose) -> str:
    ratio = (dose.base_mg or 0.0) / (other.base_mg or math.inf)
    text = _factor(ratio, _FACTORS)
    if (
        dose.duration_h
        and other.duration_h
        and text != _factor(ratio * other.duration_h / dose.duration_h, _FACTORS)
    ):
        return ""  # the same rate for longer
    return text


def _overlaps(own: Sequence[GivenDose]) -> Iterator[RecordFinding]:
    timed = [dose for dose in own if dose.is_ketamine and dose.begins_h is not None and dose.duration_h]
    timed.sort(key=lambda dose: dose.begins_h or 0.0)
    for first, second in pairwise(timed):
        if (first.ends_h or 0.0) > (second.begins_h or 0.0) + 1e-6 and first.route == second.route:
            said = f"begins before the infusion of line {first.line} has ended"
            yield _finding(second, "overlap", said, "start_time")


def _contradictions(own: Sequence[GivenDose]) -> Iterator[RecordFinding]:
    ketamine = {dose.day: dose for dose in own if dose.is_ketamine}
    for dose in own:
        if dose.drug == "placebo" and dose.day in ketamine:
            said = f"placebo and {ketamine[dose.day].drug} on day {dose.day}"
            yield _finding(dose, "placebo", said, "drug", serious=True)


def _under_drug(own: Sequence[GivenDose], moments: Sequence[Moment]) -> Iterator[RecordFinding]:
    """Yield recordings on a day of ketamine that do not lie before it, or less than half a day after."""
    for moment in moments:
        said = ""
        for dose in own:
            if dose.is_ketamine and (dose.dose_mg is None or dose.dose_mg > 0):
                said = said or on_drug(dose, moment)
        if said:
            text = f"{said}: the acute effect on SICI has the opposite sign (Höffken et al. 2013)"
            yield RecordFinding(
                "under-drug", text, moment.patient, moment.line, column="day", table="sessions"
            )


def on_drug(dose: GivenDose, moment: Moment) -> str:
    """Return how a moment lies within half a day of a dose of ketamine, or may; empty where it does not."""
    if dose.begins_h is None or dose.ends_h is None or moment.at_h is None:
        # An infusion of a day may end at any time of the next.
        if dose.day <= moment.day <= dose.day + (dose.duration_h or 0.0) / 24.0:
            return f"{moment.name} on the day of an infusion, times not known"
        return ""
    since = moment.at_h - dose.ends_h
    if moment.at_h < dose.begins_h or since > UNDER_DRUG_H:
        return ""
    return (
        f"{moment.name} during an infusion" if since < 0 else f"{moment.name} {since:.3g} h after an infusion"
    )


def _other_patients(
    by_patient: Mapping[str, Sequence[GivenDose]], weights: Mapping[str, float]
) -> Iterator[RecordFinding]:
    """Yield patients whose dose by weight differs from that of a cohort dosed by weight by a known factor."""
    groups: dict[tuple[object, ...], dict[str, tuple[float, GivenDose]]] = defaultdict(dict)
    for patient, own in by_patient.items():
        weight = weights.get(patient)
        rows: dict[tuple[object, ...], list[GivenDose]] = defaultdict(list)
        for dose in own:
            if dose.is_ketamine and dose.base_mg and dose.duration_h and not dose.stopped_early:
                rows[dose.drug, dose.route, dose.duration_h].append(dose)
        for key, same in rows.items():
            if weight:
                groups[key][patient] = median(row.base_mg or 0.0 for row in same) / weight, same[0]
    for group in groups.values():
        if len(group) <= _FEWEST:
            continue
        amounts = {patient: a_kg * weights[patient] for patient, (a_kg, _) in group.items()}
        most = max(amounts.values())
        capped = sum(mg > (1 - _SAME) * most for mg in amounts.values()) > 1
        for patient, (a_kg, row) in group.items():
            if said := _other_form(patient, group):
                yield _finding(row, "base-for-salt", said, "dose_form")
                continue
            centre, spread = _middle([value for other, (value, _) in group.items() if other != patient])
            if spread > _TIGHT:
                continue
            if found := _cohort_factor(a_kg, centre, weights[patient], spread, row.duration_h or 1.0):
                code, words = found
                if code == "base-for-salt" and capped and amounts[patient] > (1 - _SAME) * most:
                    continue  # a highest dose that heavy patients share
                message = f"{a_kg:.3g} mg/kg where the other patients have {centre:.3g}: {words}"
                yield _finding(row, code, message)


def _middle(values: Sequence[float]) -> tuple[float, float]:
    """Return the geometric middle of values and their median deviation from it, of the logarithm."""
    logs = [math.log(value) for value in values]
    centre = median(logs)
    return math.exp(centre), median(abs(value - centre) for value in logs)


def _other_form(patient: str, group: Mapping[str, tuple[float, GivenDose]]) -> str:
    """Say that the others have as many mg/kg as written, stated in another form; empty otherwise."""

    def form(dose: GivenDose) -> str:
        return dose.form or "base"

    def written(a_kg: float, dose: GivenDose) -> float:
        return a_kg / BASE_SHARE if dose.form == "hydrochloride" else a_kg

    a_kg, row = group[patient]
    others = [pair for other, pair in group.items() if other != patient]
    common = max({form(dose) for _, dose in others}, key=[form(dose) for _, dose in others].count)
    if {form(row), common} != {"base", "hydrochloride"}:
        return ""
    if sum(form(dose) == common for _, dose in others) < _NEARLY_ALL * len(others):
        return ""
    centre, spread = _middle([written(*pair) for pair in others])
    if spread > _TIGHT or abs(written(a_kg, row) / centre - 1) > _TIGHT:
        return ""
    return f"{form(row)} here, and the other patients have as many mg/kg, stated as {common}"


def _cohort_factor(
    a_kg: float, centre: float, weight: float, spread: float, hours: float
) -> tuple[str, str] | None:
    ratio = a_kg / centre
    for value, wrong, right in ((ratio * hours, "mg an hour", "mg"), (ratio / hours, "mg", "mg an hour")):
        if hours >= _FEWEST_HOURS and abs(value - 1) <= _TIGHT:
            return "per-hour", f"perhaps {wrong} in place of {right}, as {hours:g} h suggest"
    if text := _factor(ratio, _FACTORS):
        return "other-patients", text
    if abs(ratio * _POUNDS_A_KG - 1) <= 0.03:
        return "pounds", f"the weight of {weight:g} may be in pounds"
    if abs(ratio / _POUNDS_A_KG - 1) <= 0.03:
        return "pounds", "the dose may be worked out from pounds"
    near = max(0.003, 0.6 / (centre * weight))  # doses are rounded to a milligram
    if spread <= 0.01 and abs(ratio - BASE_SHARE) <= near:
        return "base-for-salt", "0.867 times as much, as if base stood for salt"
    if spread <= 0.01 and abs(ratio - 1 / BASE_SHARE) <= near:
        return "base-for-salt", "1.153 times as much, as if salt stood for base"
    return None


def _finding(
    dose: GivenDose, code: str, message: str, column: str = "dose_mg", *, serious: bool = False
) -> RecordFinding:
    return RecordFinding(code, message, dose.patient, dose.line, column, serious=serious)
