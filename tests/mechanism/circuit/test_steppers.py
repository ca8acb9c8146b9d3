"""The two steppers: against each other, against a steady state, and against their own step."""

import numpy as np
import pytest

from sudeck.mechanism.circuit.kinetics import MOTONEURON
from sudeck.mechanism.circuit.parameters import Circuit, make_circuits, select
from sudeck.mechanism.circuit.pulses import Pulse, Trials, make_trials
from sudeck.mechanism.circuit.reference_stepper import run_reference
from sudeck.mechanism.circuit.rest import find_rest
from sudeck.mechanism.circuit.simulate import simulate


def _trials(n: int) -> Trials:
    trials = make_trials(
        [Pulse(0.7, 0.8), Pulse(3.21, 1.25), Pulse(6.0, 1.2, 1)], count=n, contraction_mv=2.0
    )
    return trials._replace(intensity=trials.intensity * np.linspace(0.9, 1.2, n))


def test_without_pulses_nothing_moves(one: Circuit) -> None:
    trials = make_trials([], contraction_mv=3.0)
    rest = find_rest(one, trials.contraction_mv)
    course = run_reference(one, trials, rest, duration_ms=60.0)
    assert rest.residual_mv.max() < 1e-6
    assert np.ptp(course.motoneuron, axis=0).max() < 1e-4 * course.motoneuron.max()


def test_one_volley_gives_the_kernel_of_the_motoneuron(one: Circuit) -> None:
    # Without synapses and spontaneous spikes only the pulse on the corticospinal axons is left.
    bare = Circuit(
        *(
            np.zeros_like(f) if n.endswith("_mv") and "_on_" in n else f
            for n, f in zip(one._fields, one, strict=True)
        )
    )
    bare = bare._replace(release_threshold_mv=one.release_threshold_mv * 0 + 60.0)
    trials = make_trials([Pulse(0.0, 0.8)])
    course = run_reference(bare, trials, find_rest(bare, trials.contraction_mv), duration_ms=40.0, dt_ms=0.02)
    spikes = course.spikes[:, 1, 0, 0]
    t = np.arange(course.motoneuron.shape[0]) * 0.02
    kernel = (np.exp(-t / MOTONEURON.decay_ms) - np.exp(-t / MOTONEURON.rise_ms)) / MOTONEURON.peak
    expected = np.convolve(spikes, kernel)[: t.size]
    assert np.allclose(course.motoneuron[1:, 0, 0], expected[:-1], atol=0.02 * expected.max())
    recruited = 1 / (1 + np.exp((bare.axon_threshold_p_rmt[0, 0] - 0.8) / bare.axon_spread_p_rmt[0, 0]))
    assert spikes.sum() == pytest.approx(1 - np.exp(-0.9 * recruited), rel=0.05)


def test_error_falls_with_the_square_of_the_step(one: Circuit) -> None:
    trials = make_trials([Pulse(0.0, 0.8), Pulse(2.0, 1.2)])
    rest = find_rest(one, trials.contraction_mv)
    peaks = {
        dt: run_reference(one, trials, rest, duration_ms=16.0, dt_ms=dt).motoneuron[:, 0].max()
        for dt in (0.2, 0.1, 0.05, 0.0125)
    }
    error = {dt: abs(peak - peaks[0.0125]) / peaks[0.0125] for dt, peak in peaks.items()}
    assert error[0.1] < 0.01
    assert error[0.2] / error[0.05] > 7


def test_hemispheres_are_independent_without_a_callosum(one: Circuit) -> None:
    cut = Circuit(*(f * 0 if n.startswith("callosal") else f for n, f in zip(one._fields, one, strict=True)))
    both = simulate(cut, [Pulse(1.0, 1.2, 1)], duration_ms=30.0)
    assert np.ptp(both.motoneuron[:, 0]) < 1e-6
    assert np.ptp(both.motoneuron[:, 1]) > 0.1


@pytest.mark.usefixtures("jax_installed")
@pytest.mark.parametrize("dt_ms", [0.1, 0.2])
def test_fast_stepper_equals_the_reference(circuits: Circuit, dt_ms: float) -> None:
    from sudeck.mechanism.circuit.fast_stepper import run_fast

    n = 7
    many = select(circuits, np.arange(n) % circuits.n_circuits)
    # Unequal hemispheres, so that a mix-up of sides would show.
    many = many._replace(gabaa_on_p_mv=many.gabaa_on_p_mv * np.array([[1.0], [0.7]]))
    trials = _trials(n)
    rest = find_rest(many, trials.contraction_mv)
    slow = run_reference(many, trials, rest, duration_ms=38.4, dt_ms=dt_ms)
    fast = run_fast(many, trials, rest, duration_ms=38.4, dt_ms=dt_ms)
    assert fast.motoneuron.shape == slow.motoneuron[:, 0].shape
    assert np.abs(fast.motoneuron - slow.motoneuron[:, 0]).max() < 2e-4 * slow.motoneuron.max()
    assert np.allclose(fast.last_rate_per_ms, slow.spikes[-1] / dt_ms, rtol=0.05, atol=1e-4)


@pytest.mark.usefixtures("jax_installed")
def test_fast_stepper_fills_its_last_block(one: Circuit) -> None:
    from sudeck.mechanism.circuit.fast_stepper import run_fast

    n = 130
    many, trials = select(one, np.zeros(n, int)), _trials(n)
    rest = find_rest(many, trials.contraction_mv)
    whole = run_fast(many, trials, rest, duration_ms=12.0, dt_ms=0.2)
    parts = run_fast(many, trials, rest, duration_ms=12.0, dt_ms=0.2, block=32)
    assert whole.motoneuron.shape == (61, n)
    assert np.allclose(whole.motoneuron, parts.motoneuron, atol=1e-6)


def test_without_jax_a_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    from sudeck.core.errors import MissingDependencyError
    from sudeck.mechanism.circuit.fast_stepper import require_jax

    monkeypatch.setitem(sys.modules, "jax", None)
    with pytest.raises(MissingDependencyError, match=r"sudeck\[circuit\]"):
        require_jax()


def test_make_circuits_gives_two_equal_hemispheres() -> None:
    from sudeck.mechanism.circuit.parameters import STARTING_POINT, source_of

    circuits = make_circuits({name: np.full(3, value) for name, value in STARTING_POINT.items()})
    assert circuits.n_circuits == 3
    assert all(field.shape == (2, 3) for field in circuits)
    assert all(source_of(name) in ("fitted", "assumed") for name in Circuit._fields)
