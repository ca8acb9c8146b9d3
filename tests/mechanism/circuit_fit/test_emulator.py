"""The emulator: what it says of circuits it never saw, and that training it anew works."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sudeck.circuit.circuit_prior import circuits_at
from sudeck.circuit.reference import load_distribution
from sudeck.core.errors import InputError
from sudeck.mechanism.circuit_fit.emulator import EMULATED, load_emulator, read_emulator
from sudeck.mechanism.circuit_fit.factors import N_VISIT, apply_visit
from sudeck.mechanism.circuit_fit.hypotheses import draw_factors
from sudeck.mechanism.circuit_fit.patient_data import measure_logs


@pytest.mark.usefixtures("numba_installed")
def test_it_says_what_the_circuit_shows_within_its_stated_error() -> None:
    rng = np.random.default_rng(11)
    circuit, (factors, _) = load_distribution().draw(200, rng), draw_factors(1, 200, rng)
    wanted = tuple(
        (side, name) for side in (0, 1) for name in ("RMT", "MEP_1.2", "SICI_2", "ICF_10", "IHI_10")
    )
    shown = measure_logs(apply_visit(circuits_at(circuit), factors), wanted, dt_ms=0.1)
    away = load_emulator().predict(circuit, factors, wanted) - shown
    stated = load_emulator().error_sd[[EMULATED.index(name) for _, name in wanted]]
    assert (1.4826 * np.nanmedian(np.abs(away), axis=1) < 1.5 * stated).all()
    # It explains nearly all of what circuits and factors differ by.
    assert (np.nanstd(away, axis=1) < 0.3 * np.nanstd(shown, axis=1)).all()


def test_hemispheres_are_told_apart() -> None:
    circuit = load_distribution().draw(1, np.random.default_rng(0))
    factors = np.zeros((N_VISIT, 1))
    factors[0] = np.log(0.7)  # GABA-A of the pain side
    pain, other = load_emulator().predict(circuit, factors, ((0, "SICI_2"), (1, "SICI_2")))[:, 0]
    assert pain - other > np.log(1.3)


def test_a_saved_network_says_the_same(tmp_path: Path) -> None:
    network, rng = load_emulator(), np.random.default_rng(1)
    network.save(tmp_path / "network.npz")
    again = read_emulator(tmp_path / "network.npz")
    arguments = load_distribution().draw(5, rng), draw_factors(1, 5, rng)[0], ((0, "LICI_100"),)
    assert np.array_equal(again.predict(*arguments), network.predict(*arguments))


def test_a_file_that_is_no_network_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.npz").write_text("no network")
    np.savez(tmp_path / "other.npz", linear=np.zeros((2, 2)))
    for name in ("text.npz", "other.npz", "absent.npz"):
        with pytest.raises(InputError, match=name):
            read_emulator(tmp_path / name)


@pytest.mark.usefixtures("numba_installed")
def test_training_beats_a_straight_line() -> None:
    tool = _tool()
    examples = tool.simulate_training_set(load_distribution(), count=2500, seed=2)
    assert examples.inputs.shape[0] == 5000
    network = tool.train_emulator(examples, epochs=16, seed=0)
    # Training can only help where the answer bends: on a straight one it must not hurt.
    straight = tool.TrainingSet(
        examples.inputs, examples.inputs @ np.ones((examples.inputs.shape[1], len(EMULATED)))
    )
    assert tool.train_emulator(straight, epochs=2).error_sd.max() < 0.3
    known = examples.logs - examples.logs.mean(axis=0)
    assert (network.error_sd < 0.75 * known.std(axis=0)).all()


def _tool() -> Any:
    """The training, which is no part of the package."""
    path = Path(__file__).parents[3] / "tools" / "train_emulator.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = tool
    spec.loader.exec_module(tool)
    return tool
