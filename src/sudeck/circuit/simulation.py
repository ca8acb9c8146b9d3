"""Run trials on circuits: the one door to the steppers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

import numpy as np

from sudeck.circuit.engines import Engine
from sudeck.circuit.parameters import Circuit, Floats, select
from sudeck.circuit.steppers.numpy_stepper import StateCourse, run_reference
from sudeck.circuit.steppers.rest import Rest, find_rest, find_states
from sudeck.circuit.steppers.stimulus import CircuitPulse, Ints, Trials, make_trials
from sudeck.core.errors import InputError

# Halving this step moves every measure by less than 2 % (benchmarks/bench_circuit.py).
DT_MS = 0.1
# Stable: a steady state found to this accuracy, and pyramidal cells below this rate in it and after a probe.
RESIDUAL_LIMIT_MV = 0.01
RATE_LIMIT_PER_MS = 0.02
PROBE_INTENSITY = 1.6
PROBE_MS = 150.0
Probe = Literal[0, 1, "both"]
PROBES: Final[tuple[Probe, ...]] = (0, 1, "both")


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
    pulses: list[CircuitPulse],
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
    >>> from sudeck.circuit.parameters import STARTING_POINT, make_circuits
    >>> course = simulate(make_circuits(STARTING_POINT), [CircuitPulse(1.0, 1.2)], duration_ms=20.0)
    >>> course.motoneuron.shape
    (201, 2, 1)
    """
    trials = make_trials(pulses, count=circuits.n_circuits, contraction_mv=contraction_mv)
    check_stable(circuits)
    rest = find_rest(circuits, trials.contraction_mv)
    course: StateCourse = run_reference(circuits, trials, rest, duration_ms=duration_ms, dt_ms=dt_ms)
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

    The probes are a strong pulse to each hemisphere alone, which provokes more, and to both at once.
    """
    count = circuits.n_circuits
    if not all(np.isfinite(field).all() for field in circuits):
        return ["a parameter is not a finite number"] * count
    rest = find_rest(circuits, np.zeros(count))
    last = probe_rates(circuits, [(PROBE_INTENSITY, side) for side in PROBES], engine=engine)
    problems = []
    for unsettled, before, after in zip(
        rest.residual_mv > RESIDUAL_LIMIT_MV,
        rest.rate_per_ms[:2].max(axis=(0, 1)),
        last.max(axis=0),
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


def probe_rates(
    circuits: Circuit,
    probes: Sequence[tuple[float, Probe]],
    *,
    after_ms: float = PROBE_MS,
    engine: Engine = "numpy",
) -> Floats:
    """Return how pyramidal cells fire some time after strong pulses, per ms, shape (probes, n).

    Parameters
    ----------
    circuits : Circuit
        n circuits.
    probes : sequence of (intensity in circuit units, hemisphere or "both")
    after_ms : float
    engine : {"numba", "numpy"}
    """
    count = circuits.n_circuits
    parts = [
        make_trials(
            [CircuitPulse(0.0, intensity if side in (h, "both") else 0.0, h) for h in (0, 1)], count=count
        )
        for intensity, side in probes
    ]
    trials = Trials(*(np.concatenate(arrays, axis=-1) for arrays in zip(*parts, strict=True)))
    which = np.tile(np.arange(count), len(probes))
    _, last = run_trials(circuits, trials, which, duration_ms=after_ms, dt_ms=0.2, engine=engine)
    return np.asarray(last[:2].max(axis=(0, 1)).reshape(len(probes), count))


def run_trials(
    circuits: Circuit,
    trials: Trials,
    which: Ints,
    *,
    duration_ms: float | Floats,
    record_ms: float | None = None,
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
    duration_ms : float or array, shape (n,)
    record_ms : float, optional
        Return the end of each trial, this long; the whole of trials that are equally long unless given.

    Returns
    -------
    motoneuron : array, shape (steps + 1, n)
    last_rate_per_ms : array, shape (4, 2, n)
    """
    if engine == "numba":
        from sudeck.circuit.steppers.numba_stepper import run_numba

        return run_numba(
            circuits, trials, duration_ms=duration_ms, record_ms=record_ms, dt_ms=dt_ms, which=which
        )
    state_of, contraction_mv, resting = find_states(which, trials.contraction_mv)
    rest = find_rest(select(circuits, state_of), contraction_mv)
    durations = np.broadcast_to(np.asarray(duration_ms, float), which.shape)
    recorded = round(float(durations.max() if record_ms is None else record_ms) / dt_ms)
    course = np.empty((recorded + 1, which.size))
    last_rate = np.empty((4, 2, which.size))
    for length_ms, members in _group_lengths(durations):
        # Trials of a group end together: the shorter ones wait in their steady state.
        wait_ms = (round(length_ms / dt_ms) - np.round(durations[members] / dt_ms)) * dt_ms
        part = Trials(
            trials.time_ms[:, members] + wait_ms,
            trials.intensity[:, members],
            trials.hemisphere[:, members],
            trials.contraction_mv[members],
        )
        many = select(circuits, which[members])
        start = Rest(*(array[..., resting[members]] for array in rest))
        whole = run_reference(many, part, start, duration_ms=length_ms, dt_ms=dt_ms)
        course[:, members] = whole.motoneuron[-recorded - 1 :, 0]
        last_rate[..., members] = whole.spikes[-1] / dt_ms
    return course, last_rate


# Trials of like length run together in one of few lengths.
_LENGTHS_MS: Final = np.array([18.0, 24.0, 34.0, 48.0, 68.0, 88.0, 120.0, 168.0, 218.0, 320.0, 600.0, 1200.0])


def _group_lengths(durations_ms: Floats) -> list[tuple[float, Ints]]:
    """Return how long each group of trials is simulated, and its members."""
    if np.ptp(durations_ms) == 0:
        return [(float(durations_ms[0]), np.arange(durations_ms.size))]
    group = np.searchsorted(_LENGTHS_MS, durations_ms)
    return [(float(_LENGTHS_MS[g]), np.flatnonzero(group == g)) for g in np.unique(group)]
