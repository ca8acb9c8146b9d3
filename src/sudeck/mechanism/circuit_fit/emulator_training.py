"""Training of the emulator on circuits of the reference with factors beyond any patient's."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np

from sudeck.circuit.circuit_prior import circuits_at
from sudeck.circuit.parameters import Floats
from sudeck.circuit.reference import Reference
from sudeck.mechanism.circuit_fit.emulator import EMULATED, Emulator, hemisphere_inputs
from sudeck.mechanism.circuit_fit.factors import N_VISIT, apply_visit
from sudeck.mechanism.circuit_fit.hypotheses import draw_factors
from sudeck.mechanism.circuit_fit.patient_data import measure_logs

_BATCH: Final = 512  # circuits simulated together
# How far beyond the reference and the priors of patients, so that their edges are known.
_WIDER: Final = 1.2
_DT_MS: Final = 0.1
_HELD_OUT: Final = 0.1
_HIDDEN: Final = 192
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
    progress: Callable[[str], None] = lambda text: None,
) -> Emulator:
    """Fit the network by Adam, with a rate that falls to nothing; a tenth of the circuits is held out.

    Parameters
    ----------
    training : TrainingSet
    epochs, seed : int
    progress : callable
        Is told the error after every tenth epoch.
    """
    import jax
    import jax.numpy as jnp
    from numpyro.optim import Adam

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
    start = (linear, *layers)

    def loss(weights: Any, x: Any, y: Any, known: Any) -> Any:
        network = Emulator._make((*weights, scale))
        away = jnp.where(known, (_forward(network, x) - y) / scale, 0.0)
        # Quadratic near the truth, linear far off: circuits at the edge must not rule the fit.
        size = jnp.abs(away)
        return jnp.where(size < 1, 0.5 * size**2, size - 0.5).sum() / known.sum()

    steps = epochs * (len(learn) // _MINIBATCH)
    adam = Adam(lambda step: _RATE * 0.5 * (1 + jnp.cos(jnp.pi * step / steps)))

    def one_epoch(state: Any, x: Any, y: Any, known: Any) -> Any:
        def move(state: Any, batch: Any) -> Any:
            value, slope = jax.value_and_grad(loss)(adam.get_params(state), *batch)
            return adam.update(slope, state), value

        return jax.lax.scan(move, state, (x, y, known))

    run_epoch: Any = jax.jit(one_epoch)
    state = adam.init(start)
    for epoch in range(epochs):
        order = rng.permutation(learn)[: len(learn) // _MINIBATCH * _MINIBATCH].reshape(-1, _MINIBATCH)
        state, values = run_epoch(state, inputs[order], logs[order], usable[order])
        if epoch % 10 == 9:
            progress(f"epoch {epoch + 1} of {epochs}: loss {float(values.mean()):.4f}")
    network = Emulator._make((*map(np.asarray, adam.get_params(state)), scale))
    away = np.where(usable, np.asarray(_forward(network, inputs)) - logs, np.nan)[held]
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


def _forward(network: Emulator, inputs: Any) -> Any:
    import jax

    def affine(values: Any, weight: Any) -> Any:
        return values @ weight[:-1] + weight[-1]

    hidden = inputs
    for weight in (network.weight_1, network.weight_2, network.weight_3):
        hidden = jax.nn.silu(affine(hidden, weight))
    return affine(inputs, network.linear) + affine(hidden, network.weight_4)


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
