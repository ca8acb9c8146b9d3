"""Studies of magnetic stimulation without a recording: records as a run would leave them, truth known."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sudeck.core.estimate import Estimate
from sudeck.study.answers.circuit_fits import FitFailure, FitTask
from sudeck.study.folder.create import create_study
from sudeck.study.folder.layout import StudyFolder
from sudeck.study.measuring.patient_measures import Failure, PatientRecord
from sudeck.study.measuring.records import keep_record

if TYPE_CHECKING:
    from sudeck.mechanism.circuit_fit.explanation import Explanation

SESSIONS = ("ses-pre", "ses-post")
RMT_MSO, TEST_MSO = 50.0, 60.0
# True logarithm of each measure in a healthy hemisphere, and how people and hemispheres differ in it.
_HEALTHY = {"RMT": math.log(RMT_MSO), "MEP": 0.0, "SICI": math.log(0.45), "ICF": math.log(1.5)}
_PERSON_SD = {"RMT": 0.08, "MEP": 0.4, "SICI": 0.2, "ICF": 0.15}
_VISIT_SD = {"RMT": 0.01, "MEP": 0.03, "SICI": 0.03, "ICF": 0.03}


def estimate(measure: str, hemisphere: str | None, value: float, **given: Any) -> dict[str, Any]:
    """One estimate as it stands in a record."""
    log_se = given.pop("se", 0.1)
    return {
        "measure": measure,
        "hemisphere": hemisphere,
        "muscle": "FDI",
        "isi_ms": None,
        "value": value,
        "low": value * math.exp(-1.96 * log_se),
        "high": value * math.exp(1.96 * log_se),
        "level": 0.95,
        "unit": {"RMT": "%MSO", "MEP": "mV", "CSP": "ms", "iSP": "ms"}.get(measure, ""),
        "n": 20,
        "method": "by hand",
        "n_unit": "trials",
        "scale": "log",
        "se": log_se,
        "intensity": None,
        "conditioning": None,
        "visit": None,
        "participant": None,
        "muscle_side": None,
        **given,
    }


def battery(hemisphere: str, logs: Mapping[str, float], *, se: float = 0.1) -> list[dict[str, Any]]:
    """RMT, MEP at 120 %, SICI at 2 and 3 ms, ICF at 10 ms."""
    rmt = math.exp(logs["RMT"])
    test = f"{1.2 * rmt:.4g} %MSO"
    made = [
        estimate("RMT", hemisphere, rmt, se=0.01 * rmt, scale="linear", low=0.98 * rmt, high=1.02 * rmt),
        estimate("MEP", hemisphere, math.exp(logs["MEP"]), intensity=test, se=se / 2),
    ]
    for name, isi in (("SICI", 2.0), ("SICI", 3.0), ("ICF", 10.0)):
        how = {"isi_ms": isi, "intensity": test, "conditioning": f"{0.8 * rmt:.4g} %MSO"}
        made.append(estimate(name, hemisphere, math.exp(logs[name]), se=se, **how))
    return made


def make_stimulated_study(
    root: Path,
    *,
    patients: int = 6,
    affected: str = "right",
    sessions: Iterable[str] = SESSIONS,
    hemispheres: Iterable[str] = ("left", "right"),
    spread: float = 1.0,
    seed: int = 1,
    change: Callable[[list[dict[str, Any]], str, str], list[dict[str, Any]]] | None = None,
) -> StudyFolder:
    """Write a study: SICI of the pain side is weak, and restored with relief, which halves ICF everywhere.

    `spread` scales how people differ; `change` edits the estimates of a patient and session.
    """
    study = create_study(root, name="By hand").study
    rng = np.random.default_rng(seed)
    people, pain = ["participant_id\tlimb\taffected_side\tweight_kg"], ["participant_id\tvisit\tday\tnrs"]
    pain_side = "left" if affected == "right" else "right"
    for number in range(patients):
        pid = f"sub-{number + 1:03d}"
        relief = (number + 0.5) / patients
        people.append(f"{pid}\thand\t{affected}\t{60 + 4 * number}")
        pain += [f"{pid}\tbaseline\t0\t8.0", f"{pid}\tday 5\t5\t{8.0 * (1 - relief):.2f}"]
        truth = {
            side: {
                name: mean + spread * _PERSON_SD[name] * rng.standard_normal()
                for name, mean in _HEALTHY.items()
            }
            for side in ("left", "right")
        }
        recordings = {}
        for session in sessions:
            rows: list[dict[str, Any]] = []
            for side in hemispheres:
                logs = dict(truth[side])
                after = session != "ses-pre"
                if side == pain_side:
                    logs["SICI"] += 0.6 - (1.2 * relief if after else 0.0)
                logs["ICF"] -= 0.4 * relief if after else 0.0
                moved = {name: sd * spread * rng.standard_normal() for name, sd in _VISIT_SD.items()}
                rows += battery(side, {name: value + moved[name] for name, value in logs.items()})
            recordings[session] = {
                "estimates": rows if change is None else change(rows, pid, session),
                "flags": [],
                "provenance": {},
            }
        keep_record(study, PatientRecord(pid, f"by hand {seed}", recordings=recordings))
    study.table_file("participants").write_text("\n".join(people) + "\n")
    study.table_file("pain").write_text("\n".join(pain) + "\n")
    return study


def keep_failure(study: StudyFolder, pid: str, session: str, reason: str) -> None:
    """Let the record of a patient say that a session could not be measured."""
    failure = Failure(pid, session, "tms", "refused", reason)
    keep_record(study, PatientRecord(pid, "by hand", failures=(failure,)))


def explained_by_hand(patient: str, visits: tuple[str, ...], *, loss: float) -> Explanation:
    """An explanation with every kind of part, an open bound among them."""
    from sudeck.mechanism.circuit_fit.explanation import CurvePoint, Explanation, FactorEstimate, Hypothesis

    factors = tuple(
        FactorEstimate(
            visit,
            side,
            "gaba_a",
            Estimate("gaba_a", loss, 0.8 * loss, 1.2 * loss, scale="log"),
            narrowing=0.4,
        )
        for visit in (*visits, "change")
        for side in ("pain", "other")
    )
    wide = FactorEstimate(
        visits[0],
        "pain",
        "callosal_tone",
        Estimate("callosal_tone", 0.2, -math.inf, math.inf, unit="mV"),
        0.97,
    )
    hypotheses = (
        Hypothesis("local_gaba_a_loss", "GABA-A is lost on the pain side.", 0.9, -10.0, 0.1),
        Hypothesis("none", "Nothing differs from health.", 0.1, -12.2, 0.1),
    )
    point = CurvePoint(
        visits[0], "pain", "SICI_2", Estimate("o", 0.9, 0.8, 1.0), Estimate("p", 0.85, 0.7, 1.0)
    )
    return Explanation(
        patient,
        (*factors, wide),
        effective=0.4,
        exact=True,
        flags=(),
        visits=visits,
        hypotheses=hypotheses,
        preferred="local_gaba_a_loss",
        verdict="GABA-A was lost on the pain side.",
        curves=(point,),
    )


def fit_by_hand(task: FitTask) -> Explanation | FitFailure:
    """Stand in for a fit: GABA-A is half as high as SICI is deep; sub-002 can not be fitted."""
    if task.patient == "sub-002":
        return FitFailure(task.patient, "There is one too many; leave it out.")
    own = [o.log_value for o in task.measures.observations if o.measure == "SICI_2"]
    return explained_by_hand(task.patient, task.measures.visits, loss=0.5 * math.exp(-own[0]))
