"""Explanations made by hand: real group statistics of a synthetic table, circuits whose factors are given."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from sudeck.core.estimate import Estimate
from sudeck.core.flags import Flag
from sudeck.core.published import COHORT_SIZE, PUBLISHED_RATIOS
from sudeck.mechanism.circuit_fit.explanation import CurvePoint, Explanation, FactorEstimate, Hypothesis
from sudeck.mechanism.circuit_fit.factors import FACTORS, TONE
from sudeck.mechanism.group_statistics import explain_group
from sudeck.statistics.reported import check_reported_set
from sudeck.study.answers.circuit_fits import FitFailure
from sudeck.study.answers.stimulated.stimulation_table import COLUMNS
from sudeck.study.answers.study_explanation import StudyExplanation
from sudeck.study.folder.settings import Settings

LEVELS = {"RMT": 48.0, "MEP": 1.0, "SICI": 0.8, "ICF": 1.5}
CHANGES = {("SICI", "pain"): -0.4, ("ICF", "pain"): -0.3, ("ICF", "other"): -0.3}
UNITS = {"RMT": "%MSO", "MEP": "mV"}
NARROWING = {"gaba_a": 0.3, "gaba_b": 0.9, "nmda_pyramids": 0.45, "nmda_interneurons": 0.95, "callosum": 0.6}
ACCOUNTS = {
    "local_gaba_a_loss": 0.85,
    "excess_pyramidal_nmda": 0.1,
    "tonic_callosal_drive": 0.045,
    "none": 0.005,
}


def factor(visit: str, side: str, name: str, value: float, narrowing: float) -> FactorEstimate:
    """One factor with an interval as wide as its narrowing says."""
    half = 0.5 * narrowing
    estimate = (
        Estimate(name, value, value - half, value + half, unit="mV")
        if name == TONE
        else Estimate(name, value, value * math.exp(-half), value * math.exp(half), scale="log")
    )
    return FactorEstimate(visit, side, name, estimate, narrowing)


def circuit(
    patient: str = "sub-001",
    visits: Sequence[str] = ("pre", "post"),
    *,
    narrowing: Mapping[str, float] = NARROWING,
    gaba_a: float = 0.5,
    curves: bool = True,
) -> Explanation:
    """A patient who lacks GABA-A on the pain side before and has it back after."""
    rows = []
    for visit in (*visits, *(("change",) if len(visits) > 1 else ())):
        value = {"pre": gaba_a, "change": 1 / gaba_a}.get(visit, 1.0)
        for name in FACTORS:
            for side in ("pain", "other"):
                own = value if (name, side) == ("gaba_a", "pain") else 0.1 if name == TONE else 1.0
                rows.append(factor(visit, side, name, own, narrowing.get(name, 0.8)))
        rows.append(factor(visit, "balance", "gaba_over_glutamate", value, 0.4))
    return Explanation(
        patient=patient,
        factors=tuple(rows),
        effective=0.23,
        exact=True,
        flags=(Flag("error-assumed", "2 value(s) come without an interval.", "caution"),),
        visits=tuple(visits),
        hypotheses=tuple(
            Hypothesis(name, f"It says {name}.", p, math.log(p), 0.1) for name, p in ACCOUNTS.items()
        ),
        preferred="local_gaba_a_loss",
        verdict="The measurements prefer a loss of GABA-A.",
        curves=tuple(_points(visits)) if curves else (),
    )


def _points(visits: Sequence[str]) -> list[CurvePoint]:
    values = {"SICI_2": 0.4, "SICI_3": 0.45, "ICF_10": 1.5, "ICF_15": 1.4, "IHI_10": 0.6, "LICI": 0.4}
    points = []
    for visit in visits:
        for side in ("pain", "other"):
            for name, value in (values | {"RMT": 48.0, "CSP": 150.0}).items():
                unit = {"RMT": "%MSO", "CSP": "ms"}.get(name, "")
                observed = Estimate.from_log(name, math.log(value) + 0.05, 0.1, unit=unit)
                predicted = Estimate.from_log(name, math.log(value), 0.05, unit=unit)
                points.append(CurvePoint(visit, side, name, observed, predicted))
    return points


def measures(patients: int, visits: Sequence[str] = ("pre", "post"), seed: int = 3) -> pd.DataFrame:
    """A table of stimulation as that of a study, with the published pattern in it."""
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(patients):
        for name, level in LEVELS.items():
            for side in ("pain", "other"):
                own = rng.normal(math.log(level), 0.2)
                for visit in visits:
                    change = CHANGES.get((name, side), 0.0) if visit != visits[0] else 0.0
                    value = math.exp(own + change + rng.normal(0, 0.1))
                    rows.append(
                        dict.fromkeys(COLUMNS, "")
                        | {"participant_id": f"sub-{i + 1:03d}", "visit": visit, "hemisphere": side}
                        | {"measure": name, "value": value, "log_se": 0.1, "level": 0.95, "n": 20}
                        | {"low": value * math.exp(-0.196), "high": value * math.exp(0.196)}
                        | {"unit": UNITS.get(name, ""), "used_for": "group and circuit"}
                        | {"session": f"ses-{visit}"}
                    )
    return pd.DataFrame(rows, columns=list(COLUMNS))


def study(
    patients: int = 8,
    visits: Sequence[str] = ("pre", "post"),
    *,
    circuits: Sequence[Explanation] = (),
    failures: Sequence[FitFailure] = (),
    relief: bool = True,
    unknown_relief: int = 0,
    name: str = "Ketamine study",
) -> StudyExplanation:
    """A study as `sudeck.study.answers.why.explain_study` returns it."""
    table = measures(patients, visits)
    people = tuple(table["participant_id"].unique())
    rng = np.random.default_rng(1)
    factors = pd.DataFrame({"participant_id": people, "relief": rng.normal(40, 20, patients)})
    factors.loc[: unknown_relief - 1, "relief"] = math.nan
    group = explain_group(
        table,
        factors if relief else None,
        baseline=visits[0],
        visit=visits[1] if len(visits) > 1 else "post",
    )
    return StudyExplanation(
        name=name,
        settings=Settings(),
        visits=tuple(visits),
        patients=people,
        outcome="relief at day 5, in % of baseline pain",
        measures=table,
        factors=factors if relief else factors.assign(relief=math.nan),
        group=group,
        reported=check_reported_set([(one.r, one.p) for one in PUBLISHED_RATIOS.values()], COHORT_SIZE),
        circuit=tuple(circuits),
        circuit_failures=tuple(failures),
        circuit_asked=bool(circuits or failures),
        flags=(),
        refused={},
        fingerprint="0",
    )
