"""What a synthetic study records of safety: liver values, blood pressure and dissociation, adverse effects.

Shares and sizes are of our own making, not those of any publication: they give tables and pages something
true to count.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from sudeck.synthetic.study.treatment_plan import FIRST_INFUSION_H, clock_text

_ALT_LIMIT, _GGT_LIMIT = 40.0, 55.0  # U/l
_LIVER: Final = (("ALT", _ALT_LIMIT, 0.55), ("GGT", _GGT_LIMIT, 0.5))  # test, limit, median as a share of it
_RAISED, _RISE = 0.06, (1.5, 4.5)  # share of patients whose values rise, and how many times
_PEAK_H: Final = 3.0  # after the start, in the last step of the infusion
_SYSTOLIC_RISE, _PULSE_RISE = 14.0, 9.0  # at the peak: mmHg, 1/min
# Effect: share of patients who have it, share of those who are treated for it.
_EFFECTS: Final = {
    "dissociation": (0.35, 0.3),
    "nausea": (0.25, 0.6),
    "headache": (0.15, 0.5),
    "tiredness": (0.3, 0.0),
}
_LAST_DAY: Final = 5


def safety_rows(patients: Sequence[str], *, seed: int) -> Mapping[str, list[dict[str, Any]]]:
    """Return the rows of labs.tsv, vitals.tsv and adverse_effects.tsv, by table.

    Parameters
    ----------
    patients : sequence of str
    seed : int
        Of the study.
    """
    rows: dict[str, list[dict[str, Any]]] = {"labs": [], "vitals": [], "adverse_effects": []}
    for number, patient in enumerate(patients):
        rng = np.random.default_rng([seed, 8, number])
        rows["labs"] += [{"participant_id": patient, **one} for one in _liver_values(rng)]
        rows["vitals"] += [{"participant_id": patient, **one} for one in _vital_signs(rng)]
        rows["adverse_effects"] += [{"participant_id": patient, **one} for one in _effects(rng)]
    return rows


def _liver_values(rng: np.random.Generator) -> list[dict[str, Any]]:
    """Return values before the course and on its last day."""
    rise = rng.uniform(*_RISE) if rng.random() < _RAISED else 1.0
    rows = []
    for test, limit, share in _LIVER:
        own = share * limit * np.exp(rng.normal(0.0, 0.3))
        for day, factor in ((0, 1.0), (_LAST_DAY, rise)):
            value = float(np.round(own * factor * np.exp(rng.normal(0.0, 0.1))))
            rows.append({"day": day, "test": test, "value": value, "unit": "U/l", "upper_limit": limit})
    return rows


def _vital_signs(rng: np.random.Generator) -> list[dict[str, Any]]:
    """Return signs before the first infusion of the course, and in its last step."""
    systolic, pulse = rng.normal(125.0, 13.0), rng.normal(72.0, 9.0)
    rows = []
    for hours, at_peak in ((-0.5, 0.0), (_PEAK_H, 1.0)):
        high = systolic + at_peak * rng.normal(_SYSTOLIC_RISE, 8.0)
        rows.append(
            {
                "day": 1,
                "time": clock_text(FIRST_INFUSION_H + hours),
                "systolic_mmhg": float(round(high)),
                "diastolic_mmhg": float(round(0.62 * high)),
                "heart_rate": float(round(pulse + at_peak * rng.normal(_PULSE_RISE, 5.0))),
                "spo2_percent": float(rng.integers(95, 100)),
                "dissociation": float(round(at_peak * min(rng.gamma(2.0, 12.0), 100.0))),
            }
        )
    return rows


def _effects(rng: np.random.Generator) -> list[dict[str, Any]]:
    rows = []
    for effect, (share, treated) in _EFFECTS.items():
        if rng.random() < share:
            severity = str(rng.choice(["mild", "moderate", "severe"], p=[0.65, 0.3, 0.05]))
            action = "treated" if rng.random() < treated else "none"
            day = int(rng.integers(1, _LAST_DAY + 1))
            rows.append(
                {"day": day, "effect": effect, "severity": severity, "serious": "no", "action": action}
            )
    return rows
