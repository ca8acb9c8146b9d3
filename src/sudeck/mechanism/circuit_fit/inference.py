"""What one patient's measures say about the factors of both hemispheres: a posterior with exact likelihood.

The circuit is deterministic and the errors are normal on the log scale, so the likelihood is explicit. Draws
are led to the posterior under a surrogate, which costs seconds, and then weighed by how much likelier the
circuit itself makes the measures. Where few draws carry most of the weight, the surrogate learns from what
the circuit showed at them, and the draws are led on. Where that does not suffice either, they are moved with
the circuit: each move is a walk under the surrogate, accepted or not by the circuit (surrogate transition,
Liu 2001, Monte Carlo Strategies in Scientific Computing, 9.4.3).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import numpy as np

from sudeck.circuit.circuit_prior import circuits_at
from sudeck.circuit.engines import Engine, default_engine
from sudeck.circuit.parameters import Floats
from sudeck.circuit.reference import Reference
from sudeck.circuit.simulation import PROBE_INTENSITY, find_instability
from sudeck.core.errors import InputError
from sudeck.core.flags import Flag
from sudeck.mechanism.circuit_fit import hypotheses
from sudeck.mechanism.circuit_fit.annealing import (
    Annealed,
    Draws,
    anneal,
    choose,
    effective_share,
    log_mean,
    next_step,
    normalised,
    resample,
    walk,
)
from sudeck.mechanism.circuit_fit.emulator import Emulator
from sudeck.mechanism.circuit_fit.factors import apply_visit
from sudeck.mechanism.circuit_fit.likelihood import (
    N_CIRCUIT,
    NormalError,
    Surrogate,
    simulate_patient,
    visit_position,
)
from sudeck.mechanism.circuit_fit.patient_data import PatientData

ENOUGH_EFFECTIVE: Final = 0.10
_MOST_REFINEMENTS: Final = 1
_BRIDGE_MOVES: Final = 3
_LAST_BRIDGE_MOVES: Final = 8
_LEAST_ACCEPTANCE: Final = 0.05
_MUCH_RUNAWAY: Final = 0.2
_TINY: Final = 1e-300
_PROBED: Final = 4  # every fourth draw: their share is then known to 2 %


@dataclass(frozen=True, eq=False)
class Posterior:
    """Weighted draws of a patient's circuit and factors.

    Attributes
    ----------
    data : PatientData
    circuit : array, shape (33, draws)
        Positions of the healthy circuit that the patient's is a change of.
    factors : array, shape (12 · visits, draws)
        Baseline first, then the change of each later visit.
    weight : array, shape (draws,)
        Sums to one.
    predicted : array, shape (observations, draws)
        Log measures of each draw, by the circuit.
    log_evidence, log_evidence_se : float
        Marginal likelihood of all measures, and its Monte Carlo error: a lower bound, as draws are not
        independent.
    effective : float
        Effective sample size of the surrogate's draws under the circuit, as a share of the draws.
    exact : bool
        Whether weights or moves have led to the likelihood of the circuit.
    flags : tuple of Flag
    """

    data: PatientData
    circuit: Floats
    factors: Floats
    weight: Floats
    predicted: Floats
    log_evidence: float
    log_evidence_se: float
    effective: float
    exact: bool
    flags: tuple[Flag, ...]

    def of_visit(self, visit: int) -> Floats:
        """Return the draws of a visit's factors, shape (12, draws)."""
        return visit_position(self.factors, visit)


def infer(
    data: PatientData,
    reference: Reference,
    emulator: Emulator,
    *,
    draws: int = 2000,
    rng: np.random.Generator | int = 0,
    engine: Engine | None = None,
) -> Posterior:
    """Infer a patient's factors.

    Parameters
    ----------
    data : PatientData
    reference : Reference
        Healthy circuits.
    emulator : Emulator
        Trained on that reference.
    draws : int
    rng : numpy Generator or seed
        Same seed, same draws.
    engine : str, optional
        As in `measures.measure`.

    Raises
    ------
    InputError
        If no circuit responds with factors near the patient's.
    """
    rng = np.random.default_rng(rng)
    target = _Target(data, reference, Surrogate.of(data, emulator), engine)
    led = anneal(
        target.prior_draws(draws, rng), target.log_prior, target.log_surrogate, rng, members=target.members
    )
    seen = target.look(led.draws)
    for _ in range(_MOST_REFINEMENTS):
        if effective_share(normalised(seen.ratio)) >= ENOUGH_EFFECTIVE:
            break
        target, led = _lead_on(target, led, seen, rng)
        seen = target.look(led.draws)
    flags, exact, weight = data.flags, True, normalised(seen.ratio)
    effective = effective_share(weight)
    if effective >= ENOUGH_EFFECTIVE:
        led = _further(led, log_mean(seen.ratio))
    else:
        led, seen = _bridge(target, led, seen, rng)
        weight, exact = np.full(draws, 1 / draws), led.acceptance >= _LEAST_ACCEPTANCE
        flags += (_bridged(effective, led.acceptance),)
    position = target.placed(led.draws)
    flags += _runaway(position, weight, engine)
    return Posterior(
        data,
        position[:N_CIRCUIT],
        position[N_CIRCUIT:],
        weight,
        seen.predicted,
        led.log_evidence,
        float(np.sqrt(led.log_evidence_variance)),
        effective,
        exact,
        flags,
    )


class _Seen(NamedTuple):
    """What the circuit shows at draws.

    Attributes
    ----------
    predicted : array, shape (observations, n)
        Log measures.
    ratio : array, shape (n,)
        Log likelihood under the circuit less that under the surrogate.
    """

    predicted: Floats
    ratio: Floats


@dataclass(frozen=True, eq=False)
class _Target:
    """The posterior of one patient, by the surrogate and by the circuit.

    A draw holds steps about its member of the reference, which are easier to move than positions.
    """

    data: PatientData
    reference: Reference
    surrogate: Surrogate
    engine: Engine | None

    @property
    def members(self) -> int:
        return len(self.reference.factor)

    def prior_draws(self, count: int, rng: np.random.Generator) -> Draws:
        factors, _ = hypotheses.draw_factors(len(self.data.visits), count, rng)
        steps = rng.standard_normal((N_CIRCUIT, count))
        return Draws(np.concatenate([steps, factors]), rng.integers(self.members, size=count))

    def placed(self, x: Draws) -> Floats:
        """Return positions of the circuit, shape (dimensions, n)."""
        circuit = self.reference.place(x.position[:N_CIRCUIT], x.member)
        return np.concatenate([circuit, x.position[N_CIRCUIT:]])

    def log_prior(self, x: Draws) -> Floats:
        steps = -0.5 * (x.position[:N_CIRCUIT] ** 2).sum(axis=0)
        return np.asarray(steps + hypotheses.log_prior(x.position[N_CIRCUIT:]))

    def log_surrogate(self, x: Draws) -> Floats:
        return self.surrogate.log_likelihood(self.placed(x))

    def log_density(self, x: Draws) -> Floats:
        """Return the log density of the posterior under the surrogate, up to a constant."""
        return self.log_prior(x) + self.log_surrogate(x)

    def look(self, x: Draws) -> _Seen:
        """Simulate draws with the circuit itself."""
        predicted = simulate_patient(self.data, self.placed(x), engine=self.engine)
        log_exact = NormalError(self.data).log_density(predicted)
        if not np.isfinite(log_exact).any():
            raise InputError(
                f"Patient {self.data.patient}",
                "no circuit responds with factors that would explain the measures",
                "check the units of its measures",
            )
        return _Seen(predicted, log_exact - self.log_surrogate(x))


def _further(led: Annealed, gained: tuple[float, float]) -> Annealed:
    """Return draws with the log evidence that a step has gained, and its variance, added."""
    evidence, variance = gained
    return led._replace(
        log_evidence=led.log_evidence + evidence,
        log_evidence_variance=led.log_evidence_variance + variance,
    )


def _lead_on(
    target: _Target, led: Annealed, seen: _Seen, rng: np.random.Generator
) -> tuple[_Target, Annealed]:
    """Let the surrogate learn from what was seen, and lead the draws to the posterior under it."""
    refined = replace(target, surrogate=target.surrogate.refine(target.placed(led.draws), seen.predicted))

    def log_gain(x: Draws) -> Floats:
        return refined.log_surrogate(x) - target.log_surrogate(x)

    on = anneal(led.draws, target.log_density, log_gain, rng, members=target.members, settle=False)
    return refined, _further(on, (led.log_evidence, led.log_evidence_variance))


def _bridge(target: _Target, led: Annealed, seen: _Seen, rng: np.random.Generator) -> tuple[Annealed, _Seen]:
    """Lead draws of the posterior under the surrogate to that under the circuit, in steps."""
    draws, (predicted, ratio) = led.draws, seen
    reached, accepted = 0.0, [1.0]
    while reached < 1.0:
        step = next_step(ratio, 1.0 - reached)
        led = _further(led, log_mean(step * ratio))
        reached += step
        kept = resample(rng, normalised(step * ratio))
        draws, predicted, ratio = draws.at(kept), predicted[:, kept], ratio[kept]
        accepted = []
        for _ in range(_BRIDGE_MOVES if reached < 1.0 else _LAST_BRIDGE_MOVES):
            moved = walk(draws, target.log_density, rng, members=target.members)
            there = target.look(moved)
            taken = np.log(rng.random(ratio.size)) < reached * (there.ratio - ratio)
            accepted.append(float(taken.mean()))
            draws = choose(taken, moved, draws)
            predicted = np.where(taken, there.predicted, predicted)
            ratio = np.where(taken, there.ratio, ratio)
    return led._replace(draws=draws, acceptance=float(np.mean(accepted))), _Seen(predicted, ratio)


def _bridged(effective: float, accepted: float) -> Flag:
    return Flag(
        "surrogate-poor",
        f"Of the draws of the circuit's quick stand-in only {100 * effective:.1f} % met these measures, so "
        f"the circuit itself led them on ({100 * accepted:.0f} % of moves taken).",
        "caution" if accepted < _LEAST_ACCEPTANCE else "info",
        value=effective,
        limit=ENOUGH_EFFECTIVE,
    )


def _runaway(position: Floats, weight: Floats, engine: Engine | None) -> tuple[Flag, ...]:
    """Return a flag where many draws of the baseline keep firing after the strongest pulses."""
    position, weight = position[:, ::_PROBED], weight[::_PROBED]
    patient = apply_visit(circuits_at(position[:N_CIRCUIT]), visit_position(position[N_CIRCUIT:], 0))
    problems = find_instability(patient, engine=engine or default_engine())
    # All the weight may lie on draws that were not probed.
    share = float(weight[[bool(problem) for problem in problems]].sum() / max(weight.sum(), _TINY))
    if share < _MUCH_RUNAWAY:
        return ()
    message = (
        f"In {100 * share:.0f} % of the draws the circuit before treatment keeps firing after strong "
        f"pulses to one hemisphere or both ({PROBE_INTENSITY:g} RMT): the model is at its edge."
    )
    return (Flag("circuit-runaway", message, "caution", value=share, limit=_MUCH_RUNAWAY),)
