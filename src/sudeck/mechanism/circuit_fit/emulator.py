"""A small network that predicts what the circuit would show, in microseconds instead of milliseconds.

It only proposes: whatever it says about a patient is weighed again with the circuit itself (`inference`).
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, NamedTuple
from zipfile import BadZipFile

import numpy as np

from sudeck.circuit.parameters import FITTED, Floats
from sudeck.circuit.protocols import MEASURES
from sudeck.core.errors import InputError
from sudeck.mechanism.circuit_fit.factors import FACTORS

_FILE: Final = "emulator.npz"
# Every measure the circuit knows but the response at threshold, which is 50 µV by definition.
EMULATED: Final = ("RMT", *(name for name in MEASURES if name != "MEP_1"))
_ROWS: Final = 500  # taken through the layers together: what these hold stays in the cache
N_INPUTS: Final = len(FITTED) + 2 * len(FACTORS)


class Emulator(NamedTuple):
    """A perceptron with three hidden layers beside a linear part, for one hemisphere.

    Attributes
    ----------
    linear : array, shape (inputs + 1, measures)
        The last row is the constant.
    weight_1, weight_2, weight_3, weight_4 : array
        Layers, each with the constant as its last row.
    error_sd : array, shape (measures,)
        Standard deviation of its errors on circuits it was not trained on, natural-log scale.
    """

    linear: Floats
    weight_1: Floats
    weight_2: Floats
    weight_3: Floats
    weight_4: Floats
    error_sd: Floats

    def predict(self, circuit: Floats, visit: Floats, wanted: tuple[tuple[int, str], ...]) -> Floats:
        """Return log measures, shape (wanted, n).

        Parameters
        ----------
        circuit : array, shape (33, n)
            Positions as in `circuit_prior`.
        visit : array, shape (12, n)
            Factors of both hemispheres as in `factors`.
        wanted : tuple of (hemisphere, measure)
            Measures of `EMULATED`.
        """
        rows: list[Floats] = [np.empty(0)] * len(wanted)
        for side in sorted({side for side, _ in wanted}):
            at = [row for row, (of, _) in enumerate(wanted) if of == side]
            columns = [EMULATED.index(wanted[row][1]) for row in at]
            inputs = hemisphere_inputs(circuit, visit, side)
            parts = np.array_split(inputs, -(-len(inputs) // _ROWS))
            shown = np.concatenate([self._forward(part, columns) for part in parts])
            for row, values in zip(at, shown.T, strict=True):
                rows[row] = values
        return np.stack(rows).astype(float)

    def _forward(self, inputs: Floats, columns: list[int]) -> Floats:
        """Return the measures of some columns, shape (n, columns)."""
        hidden = inputs
        for weight in (self.weight_1, self.weight_2, self.weight_3):
            hidden = _bend(_affine(hidden, weight))
        linear, last = _affine(inputs, self.linear[:, columns]), _affine(hidden, self.weight_4[:, columns])
        return np.asarray(linear + last)

    def save(self, path: Path) -> None:
        """Write the network to an .npz file, in half the usual precision: far below its error."""
        np.savez_compressed(
            path, **{name: array.astype(np.float32) for name, array in self._asdict().items()}
        )


def hemisphere_inputs(circuit: Floats, visit: Floats, side: int) -> Floats:
    """Return the inputs for one hemisphere, shape (n, inputs): circuit, own factors, those of the other."""
    by_factor = visit.reshape(len(FACTORS), 2, -1)
    stacked = np.concatenate([circuit, by_factor[:, side], by_factor[:, 1 - side]])
    return np.ascontiguousarray(stacked.T, dtype=np.float32)


def _bend(values: Floats) -> Floats:
    """Return ``x · sigmoid(x)`` of every value (SiLU): half the error of a hyperbolic tangent here."""
    with np.errstate(over="ignore"):  # far below zero the exponential is infinite and the result zero
        below = np.exp(np.negative(values))
    below += 1
    return np.asarray(np.divide(values, below, out=below))


def _affine(inputs: Floats, weight: Floats) -> Floats:
    sums = inputs @ weight[:-1]
    sums += weight[-1]
    return np.asarray(sums)


@cache
def load_emulator() -> Emulator:
    """Return the network that comes with Sudeck, made by ``tools/train_emulator.py``."""
    with files("sudeck.mechanism.circuit_fit").joinpath(_FILE).open("rb") as file:
        return _read(np.load(file), _FILE)


def read_emulator(path: Path) -> Emulator:
    """Return a network from a file.

    Raises
    ------
    InputError
        If the file is none, or was made for other measures or factors.
    """
    try:
        content = np.load(path)
        return _read(content, path.name)
    except (OSError, ValueError, KeyError, IndexError, EOFError, BadZipFile):
        raise InputError(
            path.name,
            "it holds no network for these circuits",
            "make one with tools/train_emulator.py",
        ) from None


def _read(content: Any, name: str) -> Emulator:
    network = Emulator(*(np.asarray(content[field], np.float32) for field in Emulator._fields))
    if network.linear.shape != (N_INPUTS + 1, len(EMULATED)):
        raise ValueError(name)
    return network
