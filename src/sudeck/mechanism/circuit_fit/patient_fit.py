"""One patient from measures to an explanation, with the reference and the emulator that come with Sudeck."""

from __future__ import annotations

from typing import Final

import numpy as np

from sudeck.circuit.engines import require_engine
from sudeck.circuit.reference import load_distribution
from sudeck.mechanism.circuit_fit.emulator import load_emulator
from sudeck.mechanism.circuit_fit.explanation import Explanation
from sudeck.mechanism.circuit_fit.inference import Posterior, infer
from sudeck.mechanism.circuit_fit.patient_data import PatientData
from sudeck.mechanism.circuit_fit.posterior_summary import explain

DRAWS: Final = 2000


def fit_patient(data: PatientData, *, draws: int = DRAWS, rng: np.random.Generator | int = 0) -> Posterior:
    """Infer a patient's factors.

    Parameters
    ----------
    data : PatientData
        From `patient_data.gather_patient`.
    draws : int
    rng : numpy Generator or seed
        Same seed, same numbers. From one seed every patient gets draws of its own: an error of simulation
        that all of a group shared would not average out of its mean.

    Raises
    ------
    MissingDependencyError
        If the extra ``sudeck[circuit]`` is not installed.
    InputError
        If no circuit could show such measures.
    """
    require_engine()
    if not isinstance(rng, np.random.Generator):
        rng = np.random.default_rng([rng, *str(data.patient).encode()])
    return infer(data, load_distribution(), load_emulator(), draws=draws, rng=rng)


def explain_patient(
    data: PatientData, *, level: float = 0.95, rng: np.random.Generator | int = 0
) -> Explanation:
    """Infer a patient's factors and say what they mean; as `fit_patient` and `posterior_summary.explain`."""
    return explain(fit_patient(data, rng=rng), level=level)
