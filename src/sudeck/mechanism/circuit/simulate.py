"""Run trials on circuits: the one door to both steppers."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from sudeck.core.errors import InputError
from sudeck.mechanism.circuit.parameters import Circuit, Floats, select
from sudeck.mechanism.circuit.pulses import Pulse, Trials, make_trials
from sudeck.mechanism.circuit.reference_stepper import Course, run_reference
from sudeck.mechanism.circuit.rest import Rest, find_rest

Engine = Literal["jax", "numpy"]
# Halving this step moves every measure by less than 2 % (benchmarks/bench_circuit.py).
DT_MS = 0.1
# Stable: a steady state found to this accuracy, and pyramidal cells below this rate in it and after a probe.
RESIDUAL_LIMIT_MV = 0.01
RATE_LIMIT_PER_MS = 0.02
PROBE_INTENSITY = 1.6
PROBE_MS = 150.0


class Simulation(NamedTuple):
    """The time course of one circuit or more, hemisphere on the first axis after time.

    Attributes
    ----------
    time_ms : array, shape (steps + 1,)
    motoneuron : array, shape (steps + 1, 2, n)
    rate_hz : array, shape (steps, 4, 2, n)
        Mean firing rate of E, P, A and B within each step.
    """

    time_ms: Floats
    motoneuron: Floats
    rate_hz: Floats


def simulate(
    circuits: Circuit,
    pulses: list[Pulse],
    *,
    duration_ms: float = 100.0,
    dt_ms: float = DT_MS,
    contraction_mv: float = 0.0,
) -> Simulation:
    """Simulate every circuit under the same pulses, with intensities in circuit units.

    Parameters
    ----------
    circuits : Circuit
        n circuits.
    pulses : list of Pulse
        Times from the start.
    duration_ms, dt_ms : float
    contraction_mv : float
        Steady voluntary drive onto the corticospinal cells of hemisphere 0.

    Raises
    ------
    InputError
        If a circuit has no steady state, or runs away.

    Examples
    --------
    >>> from sudeck.mechanism.circuit.parameters import STARTING_POINT, make_circuits
    >>> course = simulate(make_circuits(STARTING_POINT), [Pulse(1.0, 1.2)], duration_ms=20.0)
    >>> course.motoneuron.shape
    (201, 2, 1)
    """
    trials = make_trials(pulses, count=circuits.n_circuits, contraction_mv=contraction_mv)
    check_stable(circuits)
    rest = find_rest(circuits, trials.contraction_mv)
    course: Course = run_reference(circuits, trials, rest, duration_ms=duration_ms, dt_ms=dt_ms)
    time_ms = np.arange(course.motoneuron.shape[0]) * dt_ms
    return Simulation(time_ms, course.motoneuron, course.spikes / dt_ms * 1000)


def check_stable(circuits: Circuit, *, engine: Engine = "numpy") -> None:
    """Refuse circuits without a quiet steady state, or that keep firing after strong pulses.

    Raises
    ------
    InputError
        Saying which circuit (counted from 1) does what.
    """
    for number, problem in enumerate(find_instability(circuits, engine=engine), start=1):
        if problem:
            raise InputError(
                f"Circuit {number} of {circuits.n_circuits}",
                problem,
                "weaken its recurrent or callosal excitation, or strengthen its inhibition",
            )


def find_instability(circuits: Circuit, *, engine: Engine = "numpy") -> list[str]:
    """Return for every circuit what is wrong with its stability, or an empty text.

    The probe is a strong pulse to both hemispheres at once.
    """
    count = circuits.n_circuits
    if not all(np.isfinite(field).all() for field in circuits):
        return ["a parameter is not a finite number"] * count
    rest = find_rest(circuits, np.zeros(count))
    trials = make_trials([Pulse(0.0, PROBE_INTENSITY), Pulse(0.0, PROBE_INTENSITY, 1)], count=count)
    _, last = run_trials(circuits, trials, np.arange(count), duration_ms=PROBE_MS, dt_ms=0.2, engine=engine)
    problems = []
    for unsettled, before, after in zip(
        rest.residual_mv > RESIDUAL_LIMIT_MV,
        rest.rate_per_ms[:2].max(axis=(0, 1)),
        last[:2].max(axis=(0, 1)),
        strict=True,
    ):
        if unsettled:
            problems.append("it has no steady state")
        elif not before < RATE_LIMIT_PER_MS:
            problems.append(f"its pyramidal cells fire at {1000 * before:.0f} Hz at rest")
        elif not after < RATE_LIMIT_PER_MS:
            problems.append(
                f"its pyramidal cells still fire at {1000 * after:.0f} Hz, {PROBE_MS:g} ms after a pulse"
            )
        else:
            problems.append("")
    return problems


def default_engine() -> Engine:
    """Return ``"jax"`` where JAX is installed, else ``"numpy"``."""
    from importlib.util import find_spec

    return "jax" if find_spec("jax") is not None else "numpy"


def run_trials(
    circuits: Circuit,
    trials: Trials,
    which: npt.NDArray[np.integer[Any]],
    *,
    duration_ms: float,
    dt_ms: float = DT_MS,
    engine: Engine,
) -> tuple[Floats, Floats]:
    """Run many trials; return motoneuron drive of hemisphere 0 and the firing of the last step.

    Parameters
    ----------
    circuits : Circuit
        m circuits.
    trials : Trials
        n trials.
    which : int array, shape (n,)
        The circuit of each trial.

    Returns
    -------
    motoneuron : array, shape (steps + 1, n)
    last_rate_per_ms : array, shape (4, 2, n)
    """
    # Circuits rest in the same state before every trial of the same contraction: find it once.
    keys = np.stack([which.astype(float), trials.contraction_mv])
    unique, back = np.unique(keys, axis=1, return_inverse=True)
    found = find_rest(select(circuits, unique[0].astype(int)), unique[1])
    rest = Rest(*(array[..., back.ravel()] for array in found))
    many = select(circuits, which)
    if engine == "jax":
        from sudeck.mechanism.circuit.fast_stepper import run_fast

        return run_fast(many, trials, rest, duration_ms=duration_ms, dt_ms=dt_ms)
    course = run_reference(many, trials, rest, duration_ms=duration_ms, dt_ms=dt_ms)
    return course.motoneuron[:, 0], course.spikes[-1] / dt_ms
