"""Which measurement would tell most: the information each would add, from the linearised circuit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from sudeck.mechanism.circuit.factors import FACTORS, N_VISIT, prior_sd_of_visit
from sudeck.mechanism.circuit.linearisation import infer_slopes
from sudeck.mechanism.circuit.parameters import Circuit, Floats
from sudeck.mechanism.circuit.patient_data import PatientData, error_covariance
from sudeck.mechanism.circuit.pulses import Ints
from sudeck.mechanism.measure_table import HEMISPHERES

# What a laboratory could measure next, and how well (log standard error of about 20 trials); assumed.
CANDIDATES: Final = ("SICI", "ICF", "LICI", "IHI", "IHI_40", "CSP", "iSP")
LOG_SE: Final = 0.12


@dataclass(frozen=True, slots=True)
class Candidate:
    """A measurement not yet made, at the last visit.

    Attributes
    ----------
    measure, hemisphere : str
    information_bits : float
        What it would add about all factors of that visit.
    factor, factor_hemisphere : str
        The factor it would narrow most.
    narrowing : float
        The standard deviation of that factor after over before.
    """

    measure: str
    hemisphere: str
    information_bits: float
    factor: str
    factor_hemisphere: str
    narrowing: float

    def __str__(self) -> str:
        return (
            f"{self.measure} ({self.hemisphere}): {self.information_bits:.2f} bit; narrows {self.factor} "
            f"({self.factor_hemisphere}) to {100 * self.narrowing:.0f} %"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values."""
        return {
            "measure": self.measure,
            "hemisphere": self.hemisphere,
            "information_bits": self.information_bits,
            "factor": self.factor,
            "factor_hemisphere": self.factor_hemisphere,
            "narrowing": self.narrowing,
        }


def rank_measurements(
    data: PatientData, reference: Circuit, *, candidates: Sequence[str] = CANDIDATES, log_se: float = LOG_SE
) -> tuple[Candidate, ...]:
    """Rank measurements that the patient has not had at the last visit, the most informative first.

    The circuit is linearised at the patient's best fit of the best-fitting reference circuit; information is
    half the fall of the log determinant of the covariance of that visit's factors.

    Parameters
    ----------
    data : PatientData
    reference : Circuit
    candidates : sequence of str
        Measures as in `patient_data.REPORTED` or `protocols.MEASURES`.
    log_se : float
        Error such a measurement would have.
    """
    last = len(data.visits) - 1
    had = set(data.keys)
    new = tuple((last, side, name) for name in candidates for side in (0, 1) if (last, side, name) not in had)
    slope = infer_slopes(data, reference, new)
    count = len(data.keys)
    own = np.sqrt(
        np.maximum(np.diag(data.covariance) - np.diag(error_covariance(data.keys, np.zeros(count))), 0)
    )
    covariance = error_covariance((*data.keys, *new), np.concatenate([own, np.full(len(new), log_se)]))
    prior = np.diag(1 / np.tile(prior_sd_of_visit(), last + 1) ** 2)
    # The last visit's factors as a linear function of baseline and changes.
    read = np.zeros((N_VISIT, N_VISIT * (last + 1)))
    read[:, :N_VISIT] = np.eye(N_VISIT)
    if last:
        read[:, last * N_VISIT :] = np.eye(N_VISIT)

    def visit_covariance(rows: Ints) -> Floats:
        precise = slope[rows].T @ np.linalg.solve(covariance[np.ix_(rows, rows)], slope[rows])
        return np.asarray(read @ np.linalg.solve(precise + prior, read.T))

    before = visit_covariance(np.arange(count))
    ranked = []
    for index, (_, side, name) in enumerate(new):
        after = visit_covariance(np.append(np.arange(count), count + index))
        bits = 0.5 * (np.linalg.slogdet(before)[1] - np.linalg.slogdet(after)[1]) / np.log(2)
        ratio = np.sqrt(np.diag(after) / np.diag(before))
        best = int(ratio.argmin())
        ranked.append(
            Candidate(
                name,
                HEMISPHERES[side],
                float(bits),
                FACTORS[best // 2],
                HEMISPHERES[best % 2],
                float(ratio[best]),
            )
        )
    return tuple(sorted(ranked, key=lambda c: -c.information_bits))
