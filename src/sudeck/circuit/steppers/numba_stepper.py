"""Run trials on the Numba kernel: pack what it reads, share the tiles among threads.

The engine for a processor. Trials may refer to the same circuit and the same steady state by number, so that
a patient's whole battery copies nothing.
"""

from __future__ import annotations

import multiprocessing
import os
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from sudeck.circuit.engines import require_engine
from sudeck.circuit.parameters import Circuit, Floats
from sudeck.circuit.steppers import kinetics
from sudeck.circuit.steppers.rest import DAMPING, ITERATIONS, Rest, find_states
from sudeck.circuit.steppers.stimulus import Ints, Trials

# Below this many steps of tiles a second thread costs more than it saves.
_STEPS_PER_THREAD: Final = 2000


def default_threads() -> int:
    """Return the processors this process may use; one in a worker process, whose siblings use the others."""
    if multiprocessing.parent_process() is not None:
        return 1
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        return os.cpu_count() or 1


def settle(circuits: Circuit, contraction_mv: Floats, *, which: Ints | None = None) -> Rest:
    """Return the steady states that `rest.find_rest` finds, in single precision.

    Parameters
    ----------
    circuits : Circuit
        m circuits.
    contraction_mv : array, shape (n,)
    which : int array, shape (n,), optional
        The circuit of each steady state; in order unless given.

    Raises
    ------
    MissingDependencyError
        If Numba is not installed.
    """
    require_engine()
    index = np.arange(contraction_mv.size) if which is None else which
    found = _settle(_pack(circuits), contraction_mv, index)
    potential_mv, rate_per_ms, ready = (found.T[row : row + 4] for row in (0, 4, 8))
    return Rest(potential_mv, rate_per_ms, ready, found[..., 12].max(axis=1))


def run_numba(
    circuits: Circuit,
    trials: Trials,
    rest: Rest | None = None,
    *,
    duration_ms: float | Floats,
    record_ms: float | None = None,
    dt_ms: float = 0.1,
    which: Ints | None = None,
    threads: int | None = None,
) -> tuple[Floats, Floats]:
    """Simulate n trials, as `reference_stepper.run_reference` does.

    Parameters
    ----------
    circuits : Circuit
        m circuits.
    trials : Trials
        n trials.
    rest : Rest, optional
        The steady state each trial starts from; found here, once for trials that share it, unless given.
    duration_ms : float or array, shape (n,)
    record_ms : float, optional
        Only the end of each trial, this long, is returned; the whole unless given.
    dt_ms : float
        The step, at most the shortest delay, 0.8 ms.
    which : int array, shape (n,), optional
        The circuit of each trial; in order unless given.
    threads : int, optional
        `default_threads` unless given.

    Returns
    -------
    motoneuron : array, shape (recorded steps + 1, n)
        Motoneuron drive of hemisphere 0 at the ends of the steps.
    last_rate_per_ms : array, shape (4, 2, n)
        Spikes per cell and ms in the last step.

    Raises
    ------
    MissingDependencyError
        If Numba is not installed.
    """
    require_engine()
    from sudeck.circuit.steppers.numba_kernel import run_tiles
    from sudeck.circuit.steppers.numba_rows import LANES

    count = trials.n_trials
    parameters = _pack(circuits)
    circuit = np.arange(count) if which is None else np.asarray(which, np.int64)
    if rest is None:
        state_of, contraction_mv, state = find_states(circuit, trials.contraction_mv)
        states = _settle(parameters, contraction_mv, state_of)
    else:
        state = np.arange(count)
        states = np.ascontiguousarray(np.concatenate(rest[:3]).T, np.float32)
    steps = np.full(count, 0) + np.round(np.asarray(duration_ms) / dt_ms).astype(np.int64)
    recorded = int(steps.max(initial=0)) if record_ms is None else round(record_ms / dt_ms)
    course = np.empty((count, recorded + 1), np.float32)
    last_rate = np.empty((4, 2, count), np.float32)
    order = np.argsort(steps, kind="stable")[_filled(count)]
    arguments = (
        parameters,
        states,
        circuit,
        state,
        trials.contraction_mv.astype(np.float32),
        np.ascontiguousarray(trials.time_ms, float),
        np.ascontiguousarray(trials.intensity, float),
        np.ascontiguousarray(trials.hemisphere, np.int64),
        order,
        steps,
        _constants(dt_ms),
        _delays(dt_ms),
    )
    tiles = order.size // LANES
    wanted = default_threads() if threads is None else threads
    used = max(1, min(wanted, tiles, int(steps.sum()) // (LANES * _STEPS_PER_THREAD)))
    if used == 1:
        run_tiles(*arguments, 0, 1, course, last_rate)
    else:
        with ThreadPoolExecutor(used) as pool:
            parts = [pool.submit(run_tiles, *arguments, k, used, course, last_rate) for k in range(used)]
            for part in parts:
                part.result()
    # Fast arithmetic knows no NaN: what has no number going in must have none coming out.
    known = np.asarray(np.isfinite(parameters).all(axis=(1, 2)))[circuit]
    unknown = ~known | np.isnan(trials.intensity).any(axis=0)
    course[unknown], last_rate[..., unknown] = np.nan, np.nan
    return course.T, last_rate


def _settle(
    parameters: npt.NDArray[np.float32], contraction_mv: Floats, circuit: Ints
) -> npt.NDArray[np.float32]:
    """Return potential, rate and share of ready cells of every population, and the residual: (n, 2, 13)."""
    from sudeck.circuit.steppers.numba_rest import settle_tiles

    index = _filled(circuit.size)
    states = np.empty((index.size, 2, 13), np.float32)
    settle_tiles(
        parameters,
        contraction_mv.astype(np.float32)[index],
        np.asarray(circuit, np.int64)[index],
        _constants(0.1),  # a steady state has no step
        ITERATIONS,
        np.float32(DAMPING),
        states,
    )
    return states[: circuit.size]


def _filled(count: int) -> npt.NDArray[np.int64]:
    """Return 0 to `count` − 1, the last repeated up to whole tiles."""
    from sudeck.circuit.steppers.numba_rows import LANES

    return np.minimum(np.arange(-(-count // LANES) * LANES), count - 1)


def _pack(circuits: Circuit) -> npt.NDArray[np.float32]:
    """Return the rows that the kernel reads, shape (m, 2, 38)."""
    from sudeck.circuit.steppers.numba_rows import AXONS, PARAMETERS

    names = PARAMETERS + AXONS
    packed = np.empty((len(names), 2, circuits.n_circuits), np.float32)
    for row, name in enumerate(names):
        packed[row] = getattr(circuits, name)
    return np.ascontiguousarray(packed.T)


@cache
def _constants(dt_ms: float) -> Any:
    from sudeck.circuit.steppers.numba_rows import Constants, Exponentials

    def exponentials(kernel: kinetics.Kernel) -> Exponentials:
        slow, fast = kernel.decay_ms, kernel.rise_ms
        keep = [float(np.exp(-dt_ms / tau)) for tau in (slow, fast)]
        values = (
            *keep,
            slow / dt_ms * (1 - keep[0]) / kernel.peak,
            -fast / dt_ms * (1 - keep[1]) / kernel.peak,
            slow / kernel.peak,
            -fast / kernel.peak,
            kernel.area_ms,
        )
        return Exponentials(*(np.float32(value) for value in values))

    keep_v = float(np.exp(-dt_ms / kinetics.MEMBRANE_MS))
    return Constants(
        dt_ms=float(dt_ms),
        pulse_ms=float(kinetics.PULSE_MS),
        step_ms=np.float32(dt_ms),
        efficacy=np.float32(kinetics.RELEASE_EFFICACY),
        recovery_ms=np.float32(kinetics.RECOVERY_MS),
        ampa=exponentials(kinetics.AMPA),
        nmda=exponentials(kinetics.NMDA),
        gabaa=exponentials(kinetics.GABA_A),
        gabab=exponentials(kinetics.GABA_B),
        motoneuron=exponentials(kinetics.MOTONEURON),
        keep_v=np.float32(keep_v),
        take_v=np.float32(1 - keep_v),
        recover=np.float32(np.exp(-0.5 * dt_ms / kinetics.RECOVERY_MS)),
        depression_ms=np.float32(kinetics.DEPRESSION_RECOVERY_MS),
        refill=np.float32(np.exp(-0.5 * dt_ms / kinetics.DEPRESSION_RECOVERY_MS)),
        magnesium=np.float32(kinetics.MAGNESIUM_AT_REST),
        magnesium_open=np.float32(1 + kinetics.MAGNESIUM_AT_REST),
        magnesium_log2_per_mv=np.float32(-kinetics.MAGNESIUM_PER_MV / np.log(2)),
    )


@cache
def _delays(dt_ms: float) -> Any:
    from sudeck.circuit.steppers.numba_rows import Delays

    steps = [
        delay / dt_ms
        for delay in (kinetics.DELAY_E_MS, kinetics.DELAY_CALLOSUM_MS, kinetics.DELAY_INTERNEURON_MS)
    ]
    whole = [int(step + 1e-9) for step in steps]
    share = [step - n for step, n in zip(steps, whole, strict=True)]
    return Delays(*whole, *(np.float32(0 if part < 1e-9 else part) for part in share))
