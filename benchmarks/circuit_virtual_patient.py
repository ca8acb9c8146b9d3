"""Patients to hold the inference to truth: drawn from its prior, or people who owe nothing to any circuit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from sudeck.circuit.parameters import Floats
from sudeck.circuit.reference import Reference
from sudeck.mechanism.circuit_fit.hypotheses import ACCOUNTS, draw_factors
from sudeck.mechanism.circuit_fit.likelihood import simulate_patient
from sudeck.mechanism.circuit_fit.measure_names import family_of
from sudeck.mechanism.circuit_fit.patient_data import PatientData

# What the study of 19 patients measured, with the intervals at which laboratories measure it.
STUDY_MEASURES: Final = ("RMT", "MEP_1.2", "SICI_2", "SICI_3", "ICF_10", "ICF_15")
WITH_CALLOSUM: Final = (*STUDY_MEASURES, "LICI_100", "IHI_10", "IHI_40")
_RMT_LOG_SE: Final = 0.02
_MOST_TRIES: Final = 50
# Usual figures, and the spread between people of the natural logarithm: round, and not those of the fit.
FIGURES: Final = {
    "RMT": (1.0, 0.22), "MEP_1.2": (0.9, 0.85), "SICI_2": (0.40, 0.35), "SICI_3": (0.42, 0.35),
    "ICF_10": (1.4, 0.2), "ICF_15": (1.4, 0.2), "LICI_100": (0.35, 0.35), "IHI_10": (0.55, 0.25),
    "IHI_40": (0.6, 0.25),
}  # fmt: skip
# Shares of the variance: common to both hemispheres, common to intervals of one measure, new at every visit.
_BETWEEN_SIDES: Final = 0.5
_BETWEEN_INTERVALS: Final = 0.7
_NEW_AT_A_VISIT: Final = 0.3


@dataclass(frozen=True, eq=False)
class VirtualPatient:
    """Measures of a patient and what is true of it.

    Attributes
    ----------
    data : PatientData
    circuit : array, shape (33,)
    factors : array, shape (12 · visits,)
        Baseline, then the change at each later visit.
    account : str
        The hypothesis it was drawn from.
    """

    data: PatientData
    circuit: Floats
    factors: Floats
    account: str


def draw_patient(
    reference: Reference,
    rng: np.random.Generator,
    *,
    name: str = "sub-001",
    account: str | None = None,
    measures: Sequence[str] = WITH_CALLOSUM,
    visits: Sequence[str] = ("pre", "post"),
    log_se: float = 0.12,
) -> VirtualPatient:
    """Draw a patient from the prior, and its measures with the errors that the inference assumes.

    Parameters
    ----------
    reference : Reference
    rng : numpy Generator
    name : str
    account : str, optional
        A name of `hypotheses.ACCOUNTS`; a random one unless given.
    measures, visits : sequence of str
    log_se : float
        Error of each measure on the natural-log scale; that of the threshold is 0.02.

    Raises
    ------
    RuntimeError
        If no draw responds, which says that the reference is broken.
    """
    keys = tuple((v, side, m) for v in range(len(visits)) for side in (0, 1) for m in measures)
    errors = _errors_of(keys, log_se)
    blank = PatientData(name, tuple(visits), keys, np.zeros(len(keys)), errors)
    for _ in range(_MOST_TRIES):
        circuit = reference.draw(1, rng)
        factors, which = draw_factors(len(visits), 1, rng, account=account)
        shown = simulate_patient(blank, np.concatenate([circuit, factors]))[:, 0]
        if np.isfinite(shown).all():
            break
    else:
        raise RuntimeError("no circuit of the reference responds")
    # A tiny ridge: two names may stand for one measure, and then the covariance is singular.
    person = np.linalg.cholesky(blank.person_covariance + 1e-12 * np.eye(len(keys)))
    value = shown + person @ rng.standard_normal(len(keys)) + errors * rng.standard_normal(len(keys))
    data = PatientData(name, blank.visits, keys, value, errors)
    return VirtualPatient(data, circuit[:, 0], factors[:, 0], ACCOUNTS[int(which[0])].name)


def draw_person(
    rng: np.random.Generator,
    *,
    name: str = "sub-001",
    weak_sici: float | None = None,
    measures: Sequence[str] = WITH_CALLOSUM,
    visits: Sequence[str] = ("pre", "post"),
    log_se: float = 0.12,
) -> PatientData:
    """Draw measures of an untreated person by no circuit: normal on the log scale about usual figures.

    Parameters
    ----------
    rng : numpy Generator
    name : str
    weak_sici : float, optional
        SICI of the pain side at usual intervals, where it is weak; nothing else is.
    measures : sequence of str
        Names of `FIGURES`.
    visits : sequence of str
    log_se : float
        Error of each measure on the natural-log scale; that of the threshold is 0.02.
    """

    def spread() -> dict[tuple[int, str], float]:
        drawn = {}
        for family in dict.fromkeys(family_of(m) for m in measures):
            common, sides = rng.standard_normal(), rng.standard_normal(2)
            for m in (m for m in measures if family_of(m) == family):
                shared = np.sqrt(_BETWEEN_SIDES) * common + np.sqrt(1 - _BETWEEN_SIDES) * sides
                alone = np.sqrt(1 - _BETWEEN_INTERVALS) * rng.standard_normal(2)
                for side, z in enumerate(np.sqrt(_BETWEEN_INTERVALS) * shared + alone):
                    drawn[side, m] = float(FIGURES[m][1] * z)
        return drawn

    keys = tuple((v, side, m) for v in range(len(visits)) for side in (0, 1) for m in measures)
    lasting, passing = spread(), [spread() for _ in visits]
    middle = {m: np.log(FIGURES[m][0]) for m in measures}
    value = np.array(
        [
            (np.log(weak_sici) if weak_sici and (side, family_of(m)) == (0, "SICI") else middle[m])
            + np.sqrt(1 - _NEW_AT_A_VISIT) * lasting[side, m]
            + np.sqrt(_NEW_AT_A_VISIT) * passing[v][side, m]
            for v, side, m in keys
        ]
    )
    errors = _errors_of(keys, log_se)
    return PatientData(name, tuple(visits), keys, value + errors * rng.standard_normal(len(keys)), errors)


def _errors_of(keys: tuple[tuple[int, int, str], ...], log_se: float) -> Floats:
    return np.array([_RMT_LOG_SE if family_of(m) == "RMT" else log_se for _, _, m in keys])
