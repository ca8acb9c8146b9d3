"""The steppers: against each other, against a steady state, and against their own step."""

import sys

import numpy as np
import pytest

from sudeck.circuit import engines
from sudeck.circuit.engines import Engine, default_engine, require_engine
from sudeck.circuit.parameters import Circuit, make_circuits, scale, select
from sudeck.circuit.simulation import find_instability, run_trials, simulate
from sudeck.circuit.steppers.kinetics import MOTONEURON
from sudeck.circuit.steppers.numba_stepper import run_numba, settle
from sudeck.circuit.steppers.numpy_stepper import run_reference
from sudeck.circuit.steppers.rest import find_rest
from sudeck.circuit.steppers.stimulus import CircuitPulse, Ints, Trials, make_trials
from sudeck.core.errors import MissingDependencyError


def _trials(n: int) -> Trials:
    trials = make_trials(
        [CircuitPulse(0.7, 0.8), CircuitPulse(3.21, 1.25), CircuitPulse(6.0, 1.2, 1)],
        count=n,
        contraction_mv=2.0,
    )
    return trials._replace(intensity=trials.intensity * np.linspace(0.9, 1.2, n))


def _take(trials: Trials, index: Ints) -> Trials:
    return Trials(
        *(field[:, index] for field in trials[:3]),
        trials.contraction_mv[index],
    )


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
    trials = make_trials([CircuitPulse(0.0, 0.8)])
    course = run_reference(bare, trials, find_rest(bare, trials.contraction_mv), duration_ms=40.0, dt_ms=0.02)
    spikes = course.spikes[:, 1, 0, 0]
    t = np.arange(course.motoneuron.shape[0]) * 0.02
    kernel = (np.exp(-t / MOTONEURON.decay_ms) - np.exp(-t / MOTONEURON.rise_ms)) / MOTONEURON.peak
    expected = np.convolve(spikes, kernel)[: t.size]
    assert np.allclose(course.motoneuron[1:, 0, 0], expected[:-1], atol=0.02 * expected.max())
    recruited = 1 / (1 + np.exp((bare.axon_threshold_p_rmt[0, 0] - 0.8) / bare.axon_spread_p_rmt[0, 0]))
    assert spikes.sum() == pytest.approx(1 - np.exp(-0.9 * recruited), rel=0.05)


def test_error_falls_with_the_square_of_the_step(one: Circuit) -> None:
    trials = make_trials([CircuitPulse(0.0, 0.8), CircuitPulse(2.0, 1.2)])
    rest = find_rest(one, trials.contraction_mv)
    peaks = {
        dt: run_reference(one, trials, rest, duration_ms=16.0, dt_ms=dt).motoneuron[:, 0].max()
        for dt in (0.2, 0.1, 0.05, 0.0125)
    }
    error = {dt: abs(peak - peaks[0.0125]) / peaks[0.0125] for dt, peak in peaks.items()}
    assert error[0.1] < 0.01
    assert error[0.2] / error[0.05] > 7


def test_hemispheres_are_independent_without_a_callosum(circuits: Circuit) -> None:
    every = scale(circuits, **{name: 0.0 for name in Circuit._fields if name.startswith("callosal")})
    # Some circuits need the inhibition that the callosum brings.
    stable = [not problem for problem in find_instability(every)]
    assert np.mean(stable) > 0.5
    cut = select(every, np.flatnonzero(stable)[:1])
    both = simulate(cut, [CircuitPulse(1.0, 1.2, 1)], duration_ms=30.0)
    assert np.ptp(both.motoneuron[:, 0]) < 1e-6
    assert np.ptp(both.motoneuron[:, 1]) > 0.1


@pytest.mark.parametrize("dt_ms", [0.1, 0.2])
@pytest.mark.usefixtures("numba_installed")
def test_fast_stepper_equals_the_reference(circuits: Circuit, dt_ms: float) -> None:
    n = 7
    many = select(circuits, np.arange(n) % circuits.n_circuits)
    # Unequal hemispheres, so that a mix-up of sides would show.
    many = many._replace(gabaa_on_p_mv=many.gabaa_on_p_mv * np.array([[1.0], [0.7]]))
    many = many._replace(gabab_agonist=many.gabab_agonist + np.array([[0.5], [0.1]]))
    trials = _trials(n)
    rest = find_rest(many, trials.contraction_mv)
    slow = run_reference(many, trials, rest, duration_ms=38.4, dt_ms=dt_ms)
    motoneuron, last_rate = run_numba(many, trials, rest, duration_ms=38.4, dt_ms=dt_ms)
    assert motoneuron.shape == slow.motoneuron[:, 0].shape
    assert np.abs(motoneuron - slow.motoneuron[:, 0]).max() < 2e-4 * slow.motoneuron.max()
    assert np.allclose(last_rate, slow.spikes[-1] / dt_ms, rtol=0.05, atol=1e-4)


@pytest.mark.usefixtures("numba_installed")
@pytest.mark.parametrize("threads", [1, 2])
def test_trials_of_different_length_do_not_disturb_each_other(circuits: Circuit, threads: int) -> None:
    n = 400
    which, contraction = np.arange(n) % circuits.n_circuits, np.where(np.arange(n) % 3, 2.0, 0.0)
    trials = _trials(n)._replace(contraction_mv=contraction)
    duration_ms = 20.0 + np.arange(n) % 70
    recorded, _ = run_numba(
        *(circuits, trials), duration_ms=duration_ms, record_ms=12.0, which=which, threads=threads
    )
    assert recorded.shape == (121, n)
    for trial in (0, 31, 32, 250, 399):
        alone = _take(trials, np.array([trial]))
        own = select(circuits, which[[trial]])
        length = duration_ms[trial]
        slow = run_reference(own, alone, find_rest(own, alone.contraction_mv), duration_ms=length)
        whole = slow.motoneuron[:, 0, 0]
        assert np.abs(recorded[:, trial] - whole[-121:]).max() < 2e-4 * whole.max()


@pytest.mark.parametrize("engine", ["numba", "numpy"])
def test_every_engine_runs_trials_of_different_length(one: Circuit, engine: Engine) -> None:
    pytest.importorskip(engine, reason="needs the extra: pip install 'sudeck[circuit]'")
    trials, lengths = _trials(3), np.array([18.0, 24.0, 21.0])
    course, _ = run_trials(
        one, trials, np.zeros(3, int), duration_ms=lengths, record_ms=9.0, dt_ms=0.1, engine=engine
    )
    same = select(one, np.zeros(3, int))
    slow = run_reference(same, trials, find_rest(same, trials.contraction_mv), duration_ms=24.0)
    for trial, length in enumerate(lengths):
        end = round(length / 0.1)
        expected = slow.motoneuron[end - 90 : end + 1, 0, trial]
        assert np.abs(course[:, trial] - expected).max() < 2e-4 * slow.motoneuron.max()


@pytest.mark.parametrize("engine", ["numba", "numpy"])
def test_an_unknown_intensity_gives_no_number(one: Circuit, engine: Engine) -> None:
    pytest.importorskip(engine, reason="needs the extra: pip install 'sudeck[circuit]'")
    trials = make_trials([CircuitPulse(0.0, 1.2)], count=3)
    trials.intensity[0, 1] = np.nan
    course, last = run_trials(one, trials, np.zeros(3, int), duration_ms=5.0, dt_ms=0.1, engine=engine)
    assert np.isnan(course[-1]).tolist() == [False, True, False]
    assert np.isnan(last).any(axis=(0, 1)).tolist() == [False, True, False]


@pytest.mark.usefixtures("numba_installed")
def test_compiled_steady_state_equals_the_reference(circuits: Circuit) -> None:
    contraction = np.linspace(0.0, 4.5, circuits.n_circuits)
    slow, fast = find_rest(circuits, contraction), settle(circuits, contraction)
    assert np.allclose(fast.potential_mv, slow.potential_mv, atol=1e-5)
    assert np.allclose(fast.rate_per_ms, slow.rate_per_ms, rtol=1e-4)
    assert np.allclose(fast.ready, slow.ready, atol=1e-6)
    assert fast.residual_mv.max() < 1e-4


def test_without_an_engine_a_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "numba", None)
    with pytest.raises(MissingDependencyError, match=r"sudeck\[circuit\]"):
        require_engine()


def test_the_engine_follows_what_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "find_spec", lambda name: name)
    assert default_engine() == "numba"
    monkeypatch.setattr(engines, "find_spec", lambda name: None)
    assert default_engine() == "numpy"


def test_make_circuits_gives_two_equal_hemispheres() -> None:
    from sudeck.circuit.parameters import STARTING_POINT

    circuits = make_circuits({name: np.full(3, value) for name, value in STARTING_POINT.items()})
    assert circuits.n_circuits == 3
    assert all(field.shape == (2, 3) for field in circuits)
