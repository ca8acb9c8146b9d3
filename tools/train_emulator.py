"""Train the emulator on circuits of the reference with factors beyond any patient's.

Run with ``python tools/train_emulator.py network.npz [--count N] [--epochs N] [--seed N] [--begin FILE]``;
needs the extra ``circuit``. The network that comes with Sudeck is
``src/sudeck/mechanism/circuit_fit/emulator.npz``.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np

from sudeck.circuit.circuit_prior import circuits_at
from sudeck.circuit.parameters import Floats
from sudeck.circuit.reference import Reference, load_distribution
from sudeck.mechanism.circuit_fit.emulator import EMULATED, Emulator, hemisphere_inputs, read_emulator
from sudeck.mechanism.circuit_fit.factors import N_VISIT, apply_visit
from sudeck.mechanism.circuit_fit.hypotheses import draw_factors
from sudeck.mechanism.circuit_fit.patient_data import measure_logs

_BATCH: Final = 512  # circuits simulated together
# How far beyond the reference and the priors of patients, so that their edges are known.
_WIDER: Final = 1.2
_DT_MS: Final = 0.1
_HELD_OUT: Final = 0.1
# A third of the arithmetic of 192, which took 60 % of a fit.
_HIDDEN: Final = 104
_MINIBATCH: Final = 384
_RATE: Final = 2e-3


@dataclass(frozen=True, eq=False)
class TrainingSet:
    """Simulated hemispheres.

    Attributes
    ----------
    inputs : array, shape (n, inputs)
        All first hemispheres, then all second ones in the same order.
    logs : array, shape (n, measures)
        Log measures in the order of `EMULATED`; NaN where the circuit gives none.
    """

    inputs: Floats
    logs: Floats


def simulate_training_set(
    reference: Reference,
    *,
    count: int = 98304,
    seed: int = 0,
    progress: Callable[[str], None] = lambda text: None,
) -> TrainingSet:
    """Simulate `count` circuits with random factors; each gives two hemispheres.

    Parameters
    ----------
    reference : Reference
    count, seed : int
    progress : callable
        Is told how far it is.
    """
    rng = np.random.default_rng(seed)
    wanted = tuple((side, name) for side in (0, 1) for name in EMULATED)
    wider = Reference(reference.centre, _WIDER * reference.factor)
    inputs: tuple[list[Floats], list[Floats]] = ([], [])
    logs: tuple[list[Floats], list[Floats]] = ([], [])
    begun = time.perf_counter()
    for first in range(0, count, _BATCH):
        size = min(_BATCH, count - first)
        circuit, visit = wider.draw(size, rng), _draw_visits(size, rng)
        shown = measure_logs(apply_visit(circuits_at(circuit), visit), wanted, dt_ms=_DT_MS)
        for side, part in enumerate(np.split(shown, 2)):
            inputs[side].append(hemisphere_inputs(circuit, visit, side))
            logs[side].append(part.T)
        done = first + size
        left = (time.perf_counter() - begun) / done * (count - done)
        progress(f"{done} of {count} circuits simulated, {left:.0f} s left")
    return TrainingSet(np.concatenate(inputs[0] + inputs[1]), np.concatenate(logs[0] + logs[1]))


def _draw_visits(count: int, rng: np.random.Generator) -> Floats:
    """Draw factors of visits, half of them baselines, shape (12, count)."""
    factors, _ = draw_factors(2, count, rng)
    later = rng.random(count) < 0.5
    return np.asarray(_WIDER * (factors[:N_VISIT] + later * factors[N_VISIT:]))


def train_emulator(
    training: TrainingSet,
    *,
    epochs: int = 60,
    seed: int = 0,
    begin: Emulator | None = None,
    progress: Callable[[str], None] = lambda text: None,
) -> Emulator:
    """Fit the network by Adam, with a rate that falls to nothing; a tenth of the circuits is held out.

    Parameters
    ----------
    training : TrainingSet
    epochs, seed : int
    begin : Emulator, optional
        A network for other circuits to begin with: after a new calibration it needs a third of the circuits.
    progress : callable
        Is told the error after every tenth epoch.
    """
    usable = np.isfinite(training.logs)
    rng = np.random.default_rng(seed)
    inputs, logs = training.inputs.astype(np.float32), np.nan_to_num(training.logs).astype(np.float32)
    # Both hemispheres of a circuit are held out together.
    half = len(inputs) // 2
    held = np.tile(rng.random(half) < _HELD_OUT, 2)
    learn = np.flatnonzero(~held & usable.any(axis=1))
    middle, reach = inputs[learn].mean(axis=0), inputs[learn].std(axis=0)
    inputs = (inputs - middle) / reach
    linear = _fit_linear(inputs[learn], logs[learn], usable[learn])
    scale = np.array([_spread(logs[learn, j], usable[learn, j]) for j in range(logs.shape[1])], np.float32)
    sizes = (inputs.shape[1], _HIDDEN, _HIDDEN, _HIDDEN, logs.shape[1])
    layers = [
        rng.standard_normal((a + 1, b)).astype(np.float32) / np.sqrt(a) * (0.1 if b == sizes[-1] else 1.0)
        for a, b in pairwise(sizes)
    ]
    if begin is not None:
        linear, layers = _scaled(begin.linear, middle, reach), [*begin[1:5]]
        layers[0] = _scaled(layers[0], middle, reach)
    network = Emulator(linear, *layers, scale)
    steps = epochs * (len(learn) // _MINIBATCH)
    adam = _Adam(network[:-1])
    for epoch in range(epochs):
        order = rng.permutation(learn)[: len(learn) // _MINIBATCH * _MINIBATCH].reshape(-1, _MINIBATCH)
        total = 0.0
        for batch in order:
            value, slopes = _loss(network, inputs[batch], logs[batch], usable[batch])
            rate = _RATE * 0.5 * (1 + np.cos(np.pi * adam.taken / steps))
            network = Emulator(*adam.move(network[:-1], slopes, rate), scale)
            total += value
        if epoch % 10 == 9:
            progress(f"epoch {epoch + 1} of {epochs}: loss {total / len(order):.4f}")
    away = np.where(usable, _forward(network, inputs)[0] - logs, np.nan)[held]
    # Robust, because a few circuits at the edge of the input say nothing about the rest.
    error = 1.4826 * np.nanmedian(np.abs(away), axis=0)
    return network._replace(
        error_sd=error,
        linear=_unscaled(network.linear, middle, reach),
        weight_1=_unscaled(network.weight_1, middle, reach),
    )


def _unscaled(weight: Floats, middle: Floats, reach: Floats) -> Floats:
    """Return the weights for inputs as they come, from those for inputs of mean 0 and spread 1."""
    own = weight[:-1] / reach[:, None]
    return np.concatenate([own, (weight[-1] - middle @ own)[None]])


def _scaled(weight: Floats, middle: Floats, reach: Floats) -> Floats:
    """Return the weights for inputs of mean 0 and spread 1; undone by `_unscaled`."""
    constant = (weight[-1] + middle @ weight[:-1])[None]
    return np.concatenate([weight[:-1] * reach[:, None], constant]).astype(np.float32)


class _Adam:
    """Adam (Kingma and Ba 2015) with its usual constants."""

    def __init__(self, weights: Sequence[Floats]) -> None:
        self.taken = 0
        self.mean = [np.zeros_like(weight) for weight in weights]
        self.square = [np.zeros_like(weight) for weight in weights]

    def move(self, weights: Sequence[Floats], slopes: Sequence[Floats], rate: float) -> list[Floats]:
        """Return the weights one step further down."""
        self.taken += 1
        moved = []
        for weight, slope, mean, square in zip(weights, slopes, self.mean, self.square, strict=True):
            mean += np.float32(0.1) * (slope - mean)
            square += np.float32(0.001) * (slope**2 - square)
            size = np.sqrt(square / (1 - 0.999**self.taken)) + 1e-8
            moved.append((weight - rate * mean / (1 - 0.9**self.taken) / size).astype(np.float32))
        return moved


def _loss(network: Emulator, x: Floats, y: Floats, known: Floats) -> tuple[float, list[Floats]]:
    """Return the loss of a batch and its slope along every weight.

    It is quadratic near the truth, linear far off: circuits at the edge must not rule the fit.
    """
    shown, kept = _forward(network, x)
    away = np.where(known, (shown - y) / network.error_sd, 0.0).astype(np.float32)
    size = np.abs(away)
    count = known.sum()
    value = np.where(size < 1, 0.5 * size**2, size - 0.5).sum() / count
    back = np.clip(away, -1, 1) / network.error_sd / count
    slopes = [_slope_of(x, back), _slope_of(kept[-1][1], back)]
    layers = (network.weight_1, network.weight_2, network.weight_3, network.weight_4)
    for layer in (2, 1, 0):
        before, _ = kept[layer]
        fires = 1 / (1 + np.exp(-before))
        back = back @ layers[layer + 1][:-1].T * (fires * (1 + before * (1 - fires)))
        slopes.insert(1, _slope_of(x if layer == 0 else kept[layer - 1][1], back))
    return float(value), slopes


def _slope_of(inputs: Floats, back: Floats) -> Floats:
    return np.concatenate([inputs.T @ back, back.sum(axis=0)[None]])


def _forward(network: Emulator, inputs: Floats) -> tuple[Floats, list[tuple[Floats, Floats]]]:
    """Return the outputs, and of every hidden layer its values before and after the bend (SiLU)."""
    hidden, kept = inputs, []
    for weight in (network.weight_1, network.weight_2, network.weight_3):
        before = np.clip(hidden @ weight[:-1] + weight[-1], -80, None)
        hidden = before / (1 + np.exp(-before))
        kept.append((before, hidden))
    linear = inputs @ network.linear[:-1] + network.linear[-1]
    return linear + hidden @ network.weight_4[:-1] + network.weight_4[-1], kept


def _fit_linear(inputs: Floats, logs: Floats, usable: Floats) -> Floats:
    """Return the least-squares line of every measure, shape (inputs + 1, measures)."""
    wide = np.concatenate([inputs, np.ones((len(inputs), 1), np.float32)], axis=1)
    columns = [
        np.linalg.lstsq(wide[known], value[known], rcond=None)[0]
        for value, known in zip(logs.T, usable.T, strict=True)
    ]
    return np.stack(columns, axis=1).astype(np.float32)


def _spread(values: Floats, known: Floats) -> float:
    return max(float(np.std(values[known])), 0.01)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path, help="file of the trained network (.npz)")
    parser.add_argument("--count", type=int, default=98304, help="circuits to simulate")
    parser.add_argument("--epochs", type=int, default=60, help="passes over them")
    parser.add_argument("--seed", type=int, default=0, help="same seed, same circuits")
    parser.add_argument("--begin", type=Path, help="network (.npz) for other circuits to begin with")
    given = parser.parse_args()
    begin = read_emulator(given.begin) if given.begin else None
    examples = simulate_training_set(load_distribution(), count=given.count, seed=given.seed, progress=print)
    network = train_emulator(examples, epochs=given.epochs, seed=given.seed, begin=begin, progress=print)
    network.save(given.out.with_suffix(".npz"))
    read_emulator(given.out.with_suffix(".npz"))  # refuses what would not load


if __name__ == "__main__":
    main()
