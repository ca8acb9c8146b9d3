"""A group of patients whose posteriors are normal and whose mean change is known."""

from __future__ import annotations

import numpy as np
import pytest

from sudeck.circuit.parameters import Floats
from sudeck.core.errors import InputError
from sudeck.mechanism.circuit_fit.factors import FACTORS, N_VISIT
from sudeck.mechanism.circuit_fit.hierarchy import infer_group
from sudeck.mechanism.circuit_fit.hypotheses import change_sd
from sudeck.mechanism.circuit_fit.inference import Posterior
from sudeck.mechanism.circuit_fit.patient_data import PatientData

AT = 2 * FACTORS.index("nmda_pyramids")


def _patient(number: int, change: float | None, rng: np.random.Generator, visits: int = 2) -> Posterior:
    """Return draws of a patient of whom one factor's change is known to 0.1, and nothing else."""
    count, prior = 3000, change_sd()
    factors = np.concatenate(
        [rng.standard_normal((N_VISIT, count)) * 0.1, prior[:, None] * rng.standard_normal((N_VISIT, count))]
    )[: N_VISIT * visits]
    if change is not None:
        seen = change + 0.1 * rng.standard_normal()
        precision = 1 / prior[AT] ** 2 + 1 / 0.1**2
        factors[N_VISIT + AT] = (seen / 0.1**2) / precision + rng.standard_normal(count) / np.sqrt(precision)
    names = ("pre", "post")[:visits]
    data = PatientData(f"sub-{number}", names, ((0, 0, "SICI"),), np.zeros(1), np.ones(1))
    none: Floats = np.zeros((1, count))
    weight = np.full(count, 1 / count)
    return Posterior(data, np.zeros((33, count)), factors, weight, none, 0.0, 0.0, 1.0, True, ())


def test_the_mean_of_a_group_is_found_and_narrower_than_any_patient() -> None:
    rng = np.random.default_rng(0)
    truths = -0.35 + 0.1 * rng.standard_normal(15)
    group = infer_group([_patient(i, truth, rng) for i, truth in enumerate(truths)], sweeps=800)
    rows = {(f.hemisphere, f.factor): f for f in group.factors}
    found = rows["pain", "nmda_pyramids"]
    assert found.identified
    assert found.mean.low < np.exp(-0.35) < found.mean.high
    assert np.log(found.mean.high / found.mean.low) < 4 * 0.1
    assert found.between_sd.low < 0.1 < found.between_sd.high + 0.1
    assert not rows["other", "gaba_b"].identified
    assert len(group.to_dict()["patients"]) == 15 * N_VISIT


def test_patients_are_drawn_towards_the_group() -> None:
    rng = np.random.default_rng(1)
    patients = [_patient(i, -0.4, rng) for i in range(10)] + [_patient(10, None, rng)]
    group = infer_group(patients, sweeps=800)
    alone = patients[-1]
    row = next(
        i for i, f in enumerate(group.factors) if (f.hemisphere, f.factor) == ("pain", "nmda_pyramids")
    )
    assert abs(alone.factors[N_VISIT + AT] @ alone.weight) < 0.05
    assert group.changes["sub-10"][row].value < np.exp(-0.2)


def test_patients_who_tell_nothing_leave_the_prior_as_it_was() -> None:
    rng = np.random.default_rng(3)
    group = infer_group([_patient(i, None, rng) for i in range(12)], sweeps=2000)
    assert [f.narrowing for f in group.factors] == pytest.approx([1.0] * N_VISIT, abs=0.15)
    assert not any(f.identified for f in group.factors)


def test_a_group_needs_patients_with_two_visits() -> None:
    rng = np.random.default_rng(2)
    with pytest.raises(InputError, match="2 patients have"):
        infer_group([_patient(0, 0.0, rng), _patient(1, 0.0, rng), _patient(2, None, rng, visits=1)])
