"""The treatment of a synthetic study: steps of rate, gaps, early stops, co-medication, clock times.

A regimen of our own making: the publications' abstracts state neither rate nor hours.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

DAYS: Final = range(1, 6)
# Steps of one infusion: hours and mg/kg/h; 1.6 mg/kg of base a day.
_STEPS: Final = ((1.0, 0.2), (1.0, 0.4), (2.0, 0.5))
FIRST_INFUSION_H: Final = 9.0
_MISSED, _STOPPED = 0.02, 0.03  # shares of days
_MIDAZOLAM, _CLONIDINE = 0.4, 0.2  # shares of patients
_MIDAZOLAM_MG, _CLONIDINE_MG = 2.0, 0.1


def treatment_rows(patients: Sequence[tuple[str, float]], *, seed: int) -> list[dict[str, Any]]:
    """Return the rows of treatment.tsv.

    Parameters
    ----------
    patients : sequence of (identifier, weight in kg)
    seed : int
        Of the study.
    """
    rows: list[dict[str, Any]] = []
    for number, (patient, kilos) in enumerate(patients):
        rng = np.random.default_rng([seed, 5, number])
        midazolam, clonidine = rng.random() < _MIDAZOLAM, rng.random() < _CLONIDINE
        minutes = float(rng.integers(0, 4)) / 4  # one patient begins on the quarter of an hour of their own
        for day in DAYS:
            missed, stopped = rng.random() < _MISSED, rng.random() < _STOPPED
            if missed and day > 1:
                continue
            start = FIRST_INFUSION_H + minutes
            own = {"participant_id": patient, "day": day}
            if clonidine:
                rows.append({**own, **_tablet("clonidine", _CLONIDINE_MG, "oral", start - 0.5)})
            if midazolam:
                rows.append({**own, **_tablet("midazolam", _MIDAZOLAM_MG, "intravenous", start)})
            for step, (hours, rate) in enumerate(_STEPS):
                last = step == len(_STEPS) - 1
                planned = float(round(hours * rate * kilos))
                share = 0.5 if stopped and last else 1.0
                rows.append(
                    {
                        **own,
                        "drug": "ketamine",
                        "dose_form": "base",
                        "dose_mg": float(round(share * planned)),
                        "duration_h": share * hours,
                        "route": "intravenous",
                        "start_time": clock_text(start),
                        "infusion": 1,
                        "planned_mg": planned,
                        "stopped_early": "yes" if share < 1 else "no",
                    }
                )
                start += hours
    return rows


def recording_time(number: int, *, seed: int) -> str:
    """Return the clock time of a session of one patient: between ten and half past two."""
    quarter = int(np.random.default_rng([seed, 6, number]).integers(0, 19))
    return clock_text(10.0 + quarter / 4)


def _tablet(drug: str, mg: float, route: str, start_h: float) -> dict[str, Any]:
    return {"drug": drug, "dose_mg": mg, "route": route, "start_time": clock_text(start_h)}


def clock_text(hours: float) -> str:
    """Return a clock time as hh:mm, from hours after midnight."""
    minutes = round(60 * hours)
    return f"{minutes // 60:02d}:{minutes % 60:02d}"
