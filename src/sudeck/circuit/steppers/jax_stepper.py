"""The circuit step by step in JAX: many trials at once, the trial as the last axis, in single precision.

Nothing arrives before the shortest delay has passed, so the steps of one such chunk need no look at the
history: it is read and written once a chunk, and the steps inside are a plain scan. A segment of chunks is
compiled once and called as often as a trial is long. The engine for a graphics card.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final, NamedTuple

import numpy as np

from sudeck.circuit.engines import require_engine
from sudeck.circuit.parameters import Circuit, Floats, select
from sudeck.circuit.steppers.kinetics import (
    AMPA,
    DELAY_CALLOSUM_MS,
    DELAY_E_MS,
    DELAY_INTERNEURON_MS,
    GABA_A,
    GABA_B,
    MAGNESIUM_AT_REST,
    MAGNESIUM_PER_MV,
    MEMBRANE_MS,
    MOTONEURON,
    NMDA,
    PULSE_MS,
    RECOVERY_MS,
    RELEASE_EFFICACY,
    A,
    B,
    E,
    Kernel,
    P,
)
from sudeck.circuit.steppers.rest import Rest
from sudeck.circuit.steppers.stimulus import Trials, recruit_axons

# Trials computed together: their state stays in the cache of one core.
BLOCK: Final = 1024
_HISTORY_MS: Final = DELAY_CALLOSUM_MS + 0.5
_SEGMENT_CHUNKS: Final = 8
_SMALLEST_BLOCK: Final = 64


def run_jax(
    circuits: Circuit,
    trials: Trials,
    rest: Rest,
    *,
    duration_ms: float,
    dt_ms: float = 0.1,
    block: int = BLOCK,
) -> tuple[Floats, Floats]:
    """Simulate n circuits under n trials, as `reference_stepper.run_reference` does.

    Parameters
    ----------
    circuits : Circuit
        n circuits.
    trials : Trials
        n trials.
    rest : Rest
        Where they start, from `find_rest`.
    duration_ms, dt_ms : float
        The step at most the shortest delay, 0.8 ms.
    block : int
        Trials computed together; the last block is filled up, so that few shapes are compiled.

    Returns
    -------
    motoneuron : array, shape (steps + 1, n)
        Motoneuron drive of hemisphere 0 at the ends of the steps.
    last_rate_per_ms : array, shape (4, 2, n)
        Spikes per cell and ms in the last step.

    Raises
    ------
    MissingDependencyError
        If JAX is not installed.
    """
    require_engine("jax")
    chunk = int(DELAY_E_MS / dt_ms + 1e-9)
    steps = round(duration_ms / dt_ms)
    count = trials.n_trials
    while block > _SMALLEST_BLOCK and count <= block // 4:
        block //= 4
    begin, advance = _compiled(dt_ms, chunk)
    segments = -(-steps // (chunk * _SEGMENT_CHUNKS))
    courses, rates = [], []
    for start in range(0, count, block):
        index = np.minimum(np.arange(start, start + block), count - 1)
        part = select(circuits, index)
        given = Trials(
            trials.time_ms[:, index],
            trials.intensity[:, index],
            trials.hemisphere[:, index],
            trials.contraction_mv[index],
        )
        used = min(block, count - start)
        start_from = Rest(*(array[..., index] for array in rest))
        fixed, state = begin(*_arguments(part, given, start_from))
        pieces = [np.asarray(state.motoneuron)[None, :used]]
        for number in range(segments):
            state, piece = advance(fixed, state, number)
            pieces.append(np.asarray(piece)[:, :used])
        courses.append(np.concatenate(pieces)[: steps + 1])
        rates.append(np.asarray(state.last_rate)[:, :, :used])
    return np.concatenate(courses, axis=1), np.concatenate(rates, axis=2)


def _arguments(circuits: Circuit, trials: Trials, rest: Rest) -> tuple[Any, ...]:
    contraction = np.stack([trials.contraction_mv, np.zeros_like(trials.contraction_mv)])
    with_drive = circuits._replace(tonic_on_p_mv=circuits.tonic_on_p_mv + contraction)
    return (
        Circuit(*(np.asarray(field, np.float32) for field in with_drive)),
        trials.time_ms.astype(np.float32),
        recruit_axons(circuits, trials).astype(np.float32),
        rest.potential_mv.astype(np.float32),
        rest.rate_per_ms.astype(np.float32),
        rest.ready.astype(np.float32),
    )


class _Parts:
    """The constants of one kernel at one step: decay and gain of its two exponentials."""

    def __init__(self, kernel: Kernel, dt_ms: float) -> None:
        self.keep = tuple(float(np.exp(-dt_ms / tau)) for tau in (kernel.decay_ms, kernel.rise_ms))
        self.gain = tuple(
            sign * tau / dt_ms * (1 - keep) / kernel.peak
            for tau, keep, sign in zip((kernel.decay_ms, kernel.rise_ms), self.keep, (1.0, -1.0), strict=True)
        )
        self.steady = (kernel.decay_ms / kernel.peak, -kernel.rise_ms / kernel.peak)

    def start(self, rate_per_ms: Any) -> tuple[Any, Any]:
        return rate_per_ms * self.steady[0], rate_per_ms * self.steady[1]

    def advance(self, state: tuple[Any, Any], spikes: Any) -> tuple[Any, Any]:
        return (
            self.keep[0] * state[0] + self.gain[0] * spikes,
            self.keep[1] * state[1] + self.gain[1] * spikes,
        )


def _released_share(hazard: Any) -> Any:
    """Return ``1 − exp(−hazard)`` by its series: exact to 1e-6 below 0.7, where every step lies."""
    h = hazard
    return h * (1 - h / 2 * (1 - h / 3 * (1 - h / 4 * (1 - h / 5 * (1 - h / 6 * (1 - h / 7))))))


class _State(NamedTuple):
    """Between two segments: potentials, refractoriness and synapses; past spikes; what is read."""

    kinetic: Any
    e: Any
    crossing: Any
    a: Any
    b: Any
    motoneuron: Any
    last_rate: Any


@cache
def _compiled(dt_ms: float, chunk: int) -> tuple[Any, Any]:
    """Return the compiled start of a simulation and its advance by one segment."""
    import jax
    import jax.numpy as jnp
    from jax import lax

    ampa, nmda, gabaa, gabab, moto = (_Parts(k, dt_ms) for k in (AMPA, NMDA, GABA_A, GABA_B, MOTONEURON))
    keep_v = float(np.exp(-dt_ms / MEMBRANE_MS))
    recover = float(np.exp(-0.5 * dt_ms / RECOVERY_MS))
    history_steps = -(-round(_HISTORY_MS / dt_ms) // chunk) * chunk

    def gate(v: Any) -> Any:
        return (1 + MAGNESIUM_AT_REST) / (1 + MAGNESIUM_AT_REST * jnp.exp(-MAGNESIUM_PER_MV * v))

    def delayed(history: Any, at: Any, delay_ms: float) -> Any:
        """Return what arrives in the chunk of steps beginning at `at` (counted with the history before 0)."""
        whole = int(delay_ms / dt_ms + 1e-9)
        share = delay_ms / dt_ms - whole
        late = lax.dynamic_slice_in_dim(history, at - whole, chunk)
        if share < 1e-9:
            return late
        return (1 - share) * late + share * lax.dynamic_slice_in_dim(history, at - whole - 1, chunk)

    def begin(c: Circuit, time_ms: Any, recruited: Any, v: Any, rate: Any, ready: Any) -> Any:
        released = rate[A] / (1 + c.presynaptic_gabab * sum(gabab.start(rate[B])))
        kinetic = (
            tuple(v),
            tuple(ready),
            ampa.start(rate[E]),
            nmda.start(rate[E]),
            ampa.start(rate[E][::-1]),
            nmda.start(rate[E][::-1]),
            gabaa.start(released),
            gabab.start(rate[B]),
            moto.start(rate[P]),
        )
        e, a, b = (
            jnp.broadcast_to(r * dt_ms, (history_steps, *r.shape)) for r in (rate[E], released, rate[B])
        )
        return (c, time_ms, recruited), _State(kinetic, e, e, a, b, sum(moto.start(rate[P]))[0], rate)

    def advance(fixed: Any, start: _State, number: Any) -> Any:
        c, time_ms, recruited = fixed

        def step(state: Any, arriving: Any) -> Any:
            v, ready, s_ampa, s_nmda, x_ampa, x_nmda, s_gabaa, s_gabab, s_moto = state
            near, across, from_a, from_b, given = arriving
            e_ampa, e_nmda, c_ampa, c_nmda = (sum(s) for s in (s_ampa, s_nmda, x_ampa, x_nmda))
            i_a, i_b = sum(s_gabaa), sum(s_gabab)
            drive = (
                c.ampa_on_e_mv * e_ampa
                + c.callosal_ampa_on_e_mv * c_ampa
                + gate(v[E]) * (c.nmda_on_e_mv * e_nmda + c.callosal_nmda_on_e_mv * c_nmda)
                - c.gabaa_on_e_mv * i_a
                - c.gabab_on_e_mv * i_b
                + c.tonic_on_e_mv,
                c.ampa_on_p_mv * e_ampa
                + gate(v[P]) * c.nmda_on_p_mv * e_nmda
                - c.gabaa_on_p_mv * i_a
                - c.gabab_on_p_mv * i_b
                + c.tonic_on_p_mv,
                c.ampa_on_a_mv * e_ampa
                + c.callosal_ampa_on_a_mv * c_ampa
                + gate(v[A]) * c.nmda_on_a_mv * e_nmda
                - c.gabaa_on_a_mv * i_a
                + c.tonic_on_a_mv,
                c.ampa_on_b_mv * e_ampa
                + c.callosal_ampa_on_b_mv * c_ampa
                + gate(v[B]) * (c.nmda_on_b_mv * e_nmda + c.callosal_nmda_on_b_mv * c_nmda)
                - c.gabaa_on_b_mv * i_a
                + c.tonic_on_b_mv,
            )
            new_v, new_ready, spikes = [], [], []
            for p in (E, P, A, B):
                potential = keep_v * v[p] + (1 - keep_v) * drive[p]
                excitement = (potential - c.release_threshold_mv) / c.release_spread_mv
                hazard = (RELEASE_EFFICACY * dt_ms) * c.release_max_per_ms / (1 + jnp.exp(-excitement))
                direct = sum(given[k] * recruited[k, p] for k in range(recruited.shape[0]))
                free = 1 - (1 - ready[p]) * recover
                left = free * _released_share(hazard + direct)
                if p == E:
                    crossing = left * (hazard + c.callosal_direct_share * direct) / (hazard + direct)
                new_v.append(potential)
                new_ready.append(1 - (1 - (free - left)) * recover)
                spikes.append(left)
            released = spikes[A] / (1 + c.presynaptic_gabab * i_b)
            s_moto = moto.advance(s_moto, spikes[P])
            state = (
                tuple(new_v),
                tuple(new_ready),
                ampa.advance(s_ampa, near),
                nmda.advance(s_nmda, near),
                ampa.advance(x_ampa, across),
                nmda.advance(x_nmda, across),
                gabaa.advance(s_gabaa, from_a),
                gabab.advance(s_gabab, from_b),
                s_moto,
            )
            return state, (spikes[E], crossing, released, spikes[B], s_moto[0][0] + s_moto[1][0])

        def advance_chunk(carry: Any, within: Any) -> Any:
            state, e_past, x_past, a_past, b_past = carry
            at = history_steps + within * chunk
            first = (number * _SEGMENT_CHUNKS + within) * chunk
            x = jnp.clip(((first + jnp.arange(chunk + 1))[:, None, None] * dt_ms - time_ms) / PULSE_MS, 0, 1)
            share = x - jnp.sin(2 * jnp.pi * x) / (2 * jnp.pi)
            arriving = (
                delayed(e_past, at, DELAY_E_MS),
                delayed(x_past, at, DELAY_CALLOSUM_MS)[:, ::-1],
                delayed(a_past, at, DELAY_INTERNEURON_MS),
                delayed(b_past, at, DELAY_INTERNEURON_MS),
                jnp.diff(share, axis=0),
            )
            state, (e, x, a, b, course) = lax.scan(step, state, arriving)
            pasts = (
                lax.dynamic_update_slice_in_dim(past, new, at, 0)
                for past, new in ((e_past, e), (x_past, x), (a_past, a), (b_past, b))
            )
            return (state, *pasts), course

        steps = _SEGMENT_CHUNKS * chunk
        room = [
            jnp.pad(past, ((0, steps), (0, 0), (0, 0)))
            for past in (start.e, start.crossing, start.a, start.b)
        ]
        (kinetic, *pasts), courses = lax.scan(
            advance_chunk, (start.kinetic, *room), jnp.arange(_SEGMENT_CHUNKS)
        )
        course = courses.reshape(steps, -1)
        excitement = (jnp.stack(kinetic[0]) - c.release_threshold_mv) / c.release_spread_mv
        hazard = RELEASE_EFFICACY * c.release_max_per_ms / (1 + jnp.exp(-excitement))
        last_rate = hazard * jnp.stack(kinetic[1])
        e, x, a, b = (past[steps:] for past in pasts)
        return _State(kinetic, e, x, a, b, course[-1], last_rate), course

    return jax.jit(begin), jax.jit(advance)
