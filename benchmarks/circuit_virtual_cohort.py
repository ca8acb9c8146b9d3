"""Groups of patients whose circuits are known before and after a treatment.

They hold the group statistics to truth. `circuit_virtual_patient` draws from the prior of the inference, in
which treatment moves every synapse either way with equal chance; here a course moves the same synapses of all
patients, by different amounts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from circuit_virtual_patient import STUDY_MEASURES
from sudeck.circuit.circuit_prior import circuits_at
from sudeck.circuit.engines import Engine
from sudeck.circuit.parameters import Floats
from sudeck.circuit.reference import Reference
from sudeck.mechanism.circuit_fit.factors import FACTORS, N_VISIT, apply_visit
from sudeck.mechanism.circuit_fit.hypotheses import BASE_SD, draw_factors
from sudeck.mechanism.circuit_fit.measure_names import USUAL
from sudeck.mechanism.circuit_fit.patient_data import Wanted, measure_logs, person_covariance
from sudeck.mechanism.measure_table import HEMISPHERES

_BATCH: Final = 1024  # patients simulated together: bounds the memory
_SPARE: Final = 1.1  # drawn beyond those wanted, as a few circuits do not respond at both visits
# From one visit to another every synapse strays by itself, by this share of what people differ by; assumed.
_STRAYING: Final = 0.5
_SIDES: Final = len(HEMISPHERES)


@dataclass(frozen=True, slots=True)
class Course:
    """What a treatment does to groups of synapses.

    Attributes
    ----------
    gains : Mapping of str to (float, float)
        For each name of `factors.FACTORS` that it moves, the factor on the pain side and on the other.
    common_sd, own_sd : float
        Spread of the log factors over patients: common to both hemispheres, and of each by itself. Only the
        factors in `gains` vary.
    """

    gains: Mapping[str, tuple[float, float]]
    common_sd: float = 0.0
    own_sd: float = 0.0

    def draw(self, count: int, rng: np.random.Generator) -> Floats:
        """Draw log factors of patients, shape (12, count)."""
        change = np.zeros((N_VISIT, count))
        for name, gains in self.gains.items():
            at = _SIDES * FACTORS.index(name)
            spread = self.common_sd * rng.standard_normal(count)
            spread = spread + self.own_sd * rng.standard_normal((_SIDES, count))
            change[at : at + _SIDES] = np.log(gains)[:, None] + spread
        return change


UNTREATED: Final = Course({})
# One account of the published pattern: NMDA currents fall everywhere, GABA-A rises on the pain side. Sizes
# and spreads are assumed; in one hemisphere of a hundred NMDA currents do not fall.
KETAMINE_COURSE: Final = Course(
    {"nmda_pyramids": (0.6, 0.6), "nmda_interneurons": (0.6, 0.6), "gaba_a": (1.1, 1.0)},
    common_sd=0.2,
    own_sd=0.1,
)


@dataclass(frozen=True, eq=False)
class VirtualCohort:
    """True measures of patients at the two visits of a course, free of measurement error.

    Attributes
    ----------
    measures : tuple of str
        As `circuit_virtual_patient.STUDY_MEASURES`.
    log_value : array, shape (2 visits, 2 hemispheres, measures, patients)
        The pain side first; thresholds over what is usual.
    """

    measures: tuple[str, ...]
    log_value: Floats

    @property
    def n_patients(self) -> int:
        """How many patients there are."""
        return int(self.log_value.shape[-1])

    def log_change(self, name: str) -> Floats:
        """Return the true change of a named measure (``"SICI"``), shape (2 hemispheres, patients)."""
        rows = [self.measures.index(one) for one in USUAL[name]]
        mean = self.log_value[:, :, rows].mean(axis=2)
        return np.asarray(mean[1] - mean[0])

    def split(self, size: int) -> Iterator[VirtualCohort]:
        """Return groups of `size` patients each; a rest is left out."""
        for start in range(0, self.n_patients - size + 1, size):
            yield VirtualCohort(self.measures, self.log_value[..., start : start + size])


def draw_cohort(
    reference: Reference,
    count: int,
    rng: np.random.Generator,
    *,
    course: Course = KETAMINE_COURSE,
    engine: Engine | None = None,
    dt_ms: float = 0.1,
) -> VirtualCohort:
    """Draw patients from the reference and the accounts of `hypotheses`, and simulate both visits.

    Parameters
    ----------
    reference : Reference
    count : int
    rng : numpy Generator
    course : Course
    engine : {"numba", "numpy"}, optional
    dt_ms : float

    Notes
    -----
    Both visits stray from the patient's own circuit by the same distribution. So under `UNTREATED` they are
    exchangeable, and every mean change is zero exactly, however crooked the circuit.
    """
    wanted: Wanted = tuple((side, name) for side in range(_SIDES) for name in STUDY_MEASURES)
    found: list[Floats] = []
    missing = count
    while missing > 0:
        batch = min(_BATCH, int(_SPARE * missing) + 1)
        healthy = circuits_at(reference.draw(batch, rng))
        own, _ = draw_factors(1, batch, rng)
        sd = np.repeat([_STRAYING * BASE_SD[name] for name in FACTORS], _SIDES)[:, None]
        strayed = sd * rng.standard_normal((2, N_VISIT, batch))
        change = course.draw(batch, rng)
        visits = (own + strayed[0], own + strayed[1] + change)
        logs = np.stack(
            [measure_logs(apply_visit(healthy, v), wanted, dt_ms=dt_ms, engine=engine) for v in visits]
        )
        logs = logs[..., np.isfinite(logs).all(axis=(0, 1))][..., :missing]
        found.append(logs + _draw_persons(wanted, logs.shape[-1], rng))
        missing -= logs.shape[-1]
    log_value = np.concatenate(found, axis=-1)
    return VirtualCohort(STUDY_MEASURES, log_value.reshape(2, _SIDES, len(STUDY_MEASURES), -1))


def _draw_persons(wanted: Wanted, count: int, rng: np.random.Generator) -> Floats:
    """Draw what people differ by beyond their circuits, the same at both visits, shape (wanted, count)."""
    covariance = person_covariance(tuple((0, side, name) for side, name in wanted))
    return np.asarray(np.linalg.cholesky(covariance) @ rng.standard_normal((len(wanted), count)))
