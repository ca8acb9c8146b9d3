"""Inference: on a model whose posterior is known, and on a patient simulated by the circuit."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from sudeck.core.errors import InputError
from sudeck.mechanism.circuit import inference, linearisation
from sudeck.mechanism.circuit.explanation import explain
from sudeck.mechanism.circuit.factors import FACTORS, N_VISIT, apply_visit, prior_sd_of_visit
from sudeck.mechanism.circuit.parameters import Circuit, select
from sudeck.mechanism.circuit.patient_data import error_covariance, gather_patient, predict_logs
from sudeck.mechanism.measure_table import tabulate_measures


def _table(values: dict[tuple[str, str, str], float]) -> pd.DataFrame:
    rows = [("sub-1", *key, value, 0.1) for key, value in values.items()]
    columns = ["participant_id", "visit", "hemisphere", "measure", "value", "log_se"]
    return pd.DataFrame(rows, columns=columns)


def test_covariance_shares_a_person_between_visits_and_not_between_hemispheres() -> None:
    keys = ((0, 0, "SICI"), (1, 0, "SICI"), (0, 1, "SICI"))
    covariance = error_covariance(keys, np.full(3, 0.1))
    change = np.array([-1.0, 1.0, 0.0])
    assert change @ covariance @ change == pytest.approx(2 * 0.1**2)
    assert covariance[0, 2] == 0


def test_what_the_circuit_does_not_know_is_named_or_refused() -> None:
    known = _table({("pre", "pain", "SICI"): 0.5, ("pre", "pain", "SAI"): 0.5})
    data = gather_patient(tabulate_measures(known), "sub-1")
    assert [flag.code for flag in data.flags] == ["measure-unknown"]
    with pytest.raises(InputError, match="SICI"):
        gather_patient(tabulate_measures(_table({("pre", "pain", "SAI"): 0.5})), "sub-1")
    with pytest.raises(InputError, match="no measures"):
        gather_patient(tabulate_measures(known), "sub-2")


@pytest.mark.usefixtures("jax_installed")
def test_annealing_finds_the_posterior_of_a_linear_model(
    circuits: Circuit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With log measures linear in the factors the posterior is normal and known."""
    table = {
        (visit, side, name): value
        for visit, value in (("pre", 0.9), ("post", 0.6))
        for side in ("pain", "other")
        for name in ("SICI", "ICF")
    }
    data = gather_patient(tabulate_measures(_table(table)), "sub-1")
    slope = np.random.default_rng(3).normal(size=(4, N_VISIT))

    def linear(data, reference, position, member):  # type: ignore[no-untyped-def]
        by_visit = [slope @ linearisation.visit_position(position, v) for v in range(2)]
        return np.stack([by_visit[v][2 * side + ("SICI", "ICF").index(name)] for v, side, name in data.keys])

    monkeypatch.setattr(inference, "predict", linear)
    monkeypatch.setattr(linearisation, "predict", linear)
    posterior = inference.infer(data, circuits, draws=4000, seed=1)
    sd = np.tile(prior_sd_of_visit(), 2)
    design = np.stack(
        [
            np.concatenate([row := slope[2 * side + ("SICI", "ICF").index(name)], row * (v > 0)])
            for v, side, name in data.keys
        ]
    )
    precision = design.T @ np.linalg.solve(data.covariance, design) + np.diag(1 / sd**2)
    covariance = np.linalg.inv(precision)
    mean = covariance @ design.T @ np.linalg.solve(data.covariance, data.log_value)
    assert posterior.exact
    assert np.abs((posterior.draws.mean(axis=1) - mean) / np.sqrt(np.diag(covariance))).max() < 0.15
    assert posterior.draws.std(axis=1) == pytest.approx(np.sqrt(np.diag(covariance)), rel=0.12)


@pytest.mark.usefixtures("jax_installed")
def test_a_lost_gain_is_found_and_what_was_not_measured_is_not(circuits: Circuit) -> None:
    position = np.zeros((N_VISIT, 1))
    position[2 * FACTORS.index("gaba_a")] = np.log(0.5)
    wanted = tuple((side, name) for side in (0, 1) for name in ("SICI",))
    one = select(circuits, np.array([0]))
    logs = predict_logs(apply_visit(one, position), wanted, dt_ms=0.2, engine="jax")[:, 0]
    values = {
        ("pre", ("pain", "other")[side], name): float(np.exp(v))
        for (side, name), v in zip(wanted, logs, strict=True)
    }
    data = gather_patient(tabulate_measures(_table(values)), "sub-1")
    explanation = explain(inference.infer(data, one, draws=64, steps=2))
    found = {(f.hemisphere, f.factor): f for f in explanation.factors}
    assert found["pain", "gaba_a"].estimate.value < 0.9
    assert found["pain", "gaba_a"].estimate.value < found["other", "gaba_a"].estimate.value
    assert not found["balance", "callosum"].identified
    assert not found["other", "nmda_interneurons"].identified
    assert "not identified" in str(explanation)


@pytest.mark.usefixtures("jax_installed")
def test_interhemispheric_inhibition_is_what_settles_the_callosum(circuits: Circuit) -> None:
    from sudeck.mechanism.circuit.next_measurement import rank_measurements

    values = {("pre", side, "SICI"): 0.8 for side in ("pain", "other")}
    data = gather_patient(tabulate_measures(_table(values)), "sub-1")
    ranked = rank_measurements(data, select(circuits, np.array([0])), candidates=("ICF", "IHI"))
    assert [c.measure for c in ranked if c.factor == "callosum"][:1] == ["IHI"]
    assert all(c.information_bits >= 0 and 0 < c.narrowing <= 1 for c in ranked)
