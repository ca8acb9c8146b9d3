"""The tables of the page of the treatment, as text ready to be printed."""

from __future__ import annotations

import statistics
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from sudeck.ketamine.effect import CONTRADICTIONS, scenario_rows
from sudeck.ketamine.published_regimens import published_regimen
from sudeck.ketamine.safety import PUBLISHED_HARMS
from sudeck.report.kit.text import interval_text, value_text

if TYPE_CHECKING:
    from sudeck.core.estimate import Estimate
    from sudeck.study.answers.study_treatment import StudyTreatment
    from sudeck.study.answers.treatment.safety_record import SafetyRecord

Rows = list[dict[str, Any]]
_GRADES: Final = 5


def patient_rows(described: StudyTreatment) -> Rows:
    """Return dose and exposure of each patient."""
    rows: Rows = []
    for one in described.courses:
        found, given = one.exposure, one.treatment
        rows.append(
            {
                "patient": one.patient,
                "regimen": one.regimen or "none recorded",
                "mg": "" if given.mg is None else f"{given.mg:,.0f}",
                "a_kg": "" if given.mg_per_kg is None else f"{given.mg_per_kg:.2f}",
                "auc": "" if found is None else f"{found.area.value:.2f}",
                "auc_range": "" if found is None else interval_text(found.area, 1),
                "cmax": "" if found is None else f"{found.peak.value:.0f}",
                "cmax_range": "" if found is None else interval_text(found.peak, 0),
                "hours": "" if found is None else f"{found.hours_above.value:.0f}",
                "nor": "" if found is None else f"{found.norketamine_area.value:.1f}",
                "nor_range": "" if found is None else interval_text(found.norketamine_area, 1),
                "hours_range": "" if found is None else interval_text(found.hours_above, 0),
                "nor_cmax": "" if found is None else f"{found.norketamine_peak.value:.0f}",
                "nor_cmax_range": "" if found is None else interval_text(found.norketamine_peak, 0),
                "nor_hours": "" if found is None else f"{found.norketamine_hours_above.value:.0f}",
                "nor_hours_range": "" if found is None else interval_text(found.norketamine_hours_above, 0),
                "reason": one.reason,
            }
        )
    return rows


def board_rows(described: StudyTreatment) -> Rows:
    """Return what was on board at each recording, counted over patients."""
    at: dict[str, list[Any]] = defaultdict(list)
    for one in described.courses:
        for moment in one.moments:
            if moment.kind == "recording":
                at[moment.name].append(moment)
    rows: Rows = []
    for name, moments in at.items():
        for drug in dict.fromkeys(board.drug for moment in moments for board in moment.board):
            own = [board for moment in moments for board in moment.board if board.drug == drug]
            left = [board for board in own if board.matters]
            amounts = [board.amount for board in left]
            rows.append(
                {
                    "session": name,
                    "drug": drug,
                    "had": f"{len(own)} of {len(moments)}",
                    "left": str(len(left)),
                    "amount": f"{statistics.median(amounts):.2g} {own[0].unit}" if left else "none",
                    "since": f"{statistics.median(board.since_h for board in own):.0f} h",
                    "clock": str(sum(board.clock_known for board in own)),
                    "source": own[0].source,
                }
            )
    return rows


def liver_rows(safety: SafetyRecord) -> Rows:
    """Return patients by their worst grade, before and from day 1 on."""
    return [
        {
            "test": one.test,
            "when": when,
            "grades": [str(counts[grade]) for grade in range(_GRADES)],
            "ungraded": str(one.ungraded),
            "first": not place,
        }
        for one in safety.liver
        for place, (when, counts) in enumerate((("up to day 0", one.before), ("from day 1", one.after)))
    ]


def harm_rows(safety: SafetyRecord) -> Rows:
    """Return adverse effects by regimen, exact intervals."""
    return [
        {"regimen": one.regimen, "patients": one.patients, "effect": effect.name, "share": _share(effect)}
        for one in safety.harms
        for effect in one.effects
    ]


def published_harm_rows() -> Rows:
    """Return harms of published series."""
    return [
        {
            "effect": one.effect,
            "regimen": one.regimen,
            "patients": f"{one.having} of {one.of}",
            "share": _share(one.share),
            "source": f"{one.source} ({one.read})",
        }
        for one in PUBLISHED_HARMS
    ]


def scenario_table() -> Rows:
    """Return the slow scenario at the end of published courses, and what was observed otherwise."""
    observed = {one.regimen: one for one in CONTRADICTIONS}
    rows: Rows = []
    for key, middle, low, high, block in scenario_rows():
        title = published_regimen(key).title
        rows.append({"title": title, "middle": _part(middle), "range": f"{_part(low)} to {_part(high)}"})
        rows[-1]["block"] = f"{_part(block[0])} to {_part(block[1])}"
        against = observed.get(key)
        rows[-1]["observed"] = ""
        if against is not None:
            at, least, most = against.predicted()
            rows[-1]["observed"] = (
                f"{against.observed}; predicted on day {against.day:g}: {_part(at)} ({_part(least)} to "
                f"{_part(most)})"
            )
    return rows


def vital_rows(safety: SafetyRecord) -> Rows:
    """Return the highest vital signs over patients."""
    return [
        {
            "name": one.name.replace("_mmhg", "").replace("_", " "),
            "patients": one.patients,
            "middle": f"{one.middle:.0f} {one.unit}",
            "highest": f"{one.highest:.0f} {one.unit}",
        }
        for one in safety.vitals
    ]


def exposure_text(one: Estimate) -> str:
    """Return value and interval in one line."""
    return f"{value_text(one)} ({interval_text(one)})"


def _part(share: float) -> str:
    return f"{100 * share:.0f} %"


def _share(one: Estimate) -> str:
    return f"{100 * one.value:.0f} % ({100 * one.low:.0f} to {100 * one.high:.0f})"
