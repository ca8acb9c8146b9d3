"""What one patient's measures say about the factors of both hemispheres: a posterior with exact likelihood.

The circuit is deterministic and the errors are normal on the log scale, so the likelihood is explicit. Draws
are led to the posterior under a surrogate, which costs seconds, and then weighed by how much likelier the
circuit itself makes the measures. Where few draws carry most of the weight, the surrogate learns from what
the circuit showed at them, and the draws are led on. Where that does not suffice either, they are moved with
the circuit: each move is a walk under the surrogate, accepted or not by the circuit (surrogate transition,
Liu 2001, Monte Carlo Strategies in Scientific Computing, 9.4.3).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
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
    Density,
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
    error, members = NormalError(data), len(reference.factor)

    def placed(x: Draws) -> Floats:
        """Return positions of the circuit: a draw holds steps about its member, which are easier to move."""
        return np.concatenate([reference.place(x.position[:N_CIRCUIT], x.member), x.position[N_CIRCUIT:]])

    def log_prior(x: Draws) -> Floats:
        steps = -0.5 * (x.position[:N_CIRCUIT] ** 2).sum(axis=0)
        return np.asarray(steps + hypotheses.log_prior(x.position[N_CIRCUIT:]))

    def log_surrogate(x: Draws) -> Floats:
        return surrogate.log_likelihood(placed(x))

    factors, _ = hypotheses.draw_factors(len(data.visits), draws, rng)
    steps = rng.standard_normal((N_CIRCUIT, draws))
    surrogate = Surrogate.of(data, emulator)
    start = Draws(np.concatenate([steps, factors]), rng.integers(members, size=draws))
    found, log_evidence, variance, _ = anneal(start, log_prior, log_surrogate, rng, members=members)
    for attempt in range(_MOST_REFINEMENTS + 1):
        position = placed(found)
        predicted = simulate_patient(data, position, engine=engine)
        log_exact = error.log_density(predicted)
        if not np.isfinite(log_exact).any():
            raise InputError(
                f"Patient {data.patient}",
                "no circuit responds with factors that would explain the measures",
                "check the units of its measures",
            )
        ratio = log_exact - log_surrogate(found)
        weight = normalised(ratio)
        effective = effective_share(weight)
        if effective >= ENOUGH_EFFECTIVE or attempt == _MOST_REFINEMENTS:
            break
        before, surrogate = surrogate, surrogate.refine(position, predicted)
        found, gained, doubt = _lead_on(found, placed, log_prior, before, surrogate, rng, members)
        log_evidence, variance = log_evidence + gained, variance + doubt
    flags, exact = data.flags, True
    if effective >= ENOUGH_EFFECTIVE:
        gained, doubt = log_mean(ratio)
    else:

        def look(x: Draws) -> tuple[Floats, Floats]:
            shown = simulate_patient(data, placed(x), engine=engine)
            return shown, error.log_density(shown) - log_surrogate(x)

        bridged = _bridge(
            found, predicted, ratio, lambda x: log_prior(x) + log_surrogate(x), look, rng, members
        )
        position, predicted, weight = placed(bridged.draws), bridged.predicted, np.full(draws, 1 / draws)
        gained, doubt = bridged.log_evidence, bridged.log_evidence_variance
        exact = bridged.acceptance >= _LEAST_ACCEPTANCE
        flags += (_bridged(effective, bridged.acceptance),)
    flags += _runaway(position, weight, engine)
    return Posterior(
        data,
        position[:N_CIRCUIT],
        position[N_CIRCUIT:],
        weight,
        predicted,
        log_evidence + gained,
        float(np.sqrt(variance + doubt)),
        effective,
        exact,
        flags,
    )


def _runaway(position: Floats, weight: Floats, engine: Engine | None) -> tuple[Flag, ...]:
    """Return a flag where many draws of the baseline keep firing after the strongest pulses."""
    patient = apply_visit(circuits_at(position[:N_CIRCUIT]), visit_position(position[N_CIRCUIT:], 0))
    problems = find_instability(patient, engine=engine or default_engine())
    share = float(weight[[bool(problem) for problem in problems]].sum())
    if share < _MUCH_RUNAWAY:
        return ()
    message = (
        f"In {100 * share:.0f} % of the draws the circuit before treatment keeps firing after strong "
        f"pulses to one hemisphere or both ({PROBE_INTENSITY:g} RMT): the model is at its edge."
    )
    return (Flag("circuit-runaway", message, "caution", value=share, limit=_MUCH_RUNAWAY),)


def _lead_on(
    draws: Draws,
    placed: Callable[[Draws], Floats],
    log_prior: Density,
    before: Surrogate,
    after: Surrogate,
    rng: np.random.Generator,
    members: int,
) -> tuple[Draws, float, float]:
    """Lead draws of the posterior under one surrogate to that under the next."""

    def log_old(x: Draws) -> Floats:
        return log_prior(x) + before.log_likelihood(placed(x))

    def log_gain(x: Draws) -> Floats:
        position = placed(x)
        return after.log_likelihood(position) - before.log_likelihood(position)

    led = anneal(draws, log_old, log_gain, rng, members=members, settle=False)
    return led.draws, led.log_evidence, led.log_evidence_variance


class _Bridged(NamedTuple):
    draws: Draws
    predicted: Floats
    log_evidence: float
    log_evidence_variance: float
    acceptance: float


def _bridge(
    draws: Draws,
    predicted: Floats,
    ratio: Floats,
    log_density: Density,
    look: Callable[[Draws], tuple[Floats, Floats]],
    rng: np.random.Generator,
    members: int,
) -> _Bridged:
    """Lead draws from the surrogate to the circuit in steps.

    Parameters
    ----------
    draws : Draws
        Of the posterior under the surrogate, whose log density is `log_density`.
    predicted : array, shape (observations, n)
    ratio : array, shape (n,)
        Log likelihood under the circuit less that under the surrogate.
    look : callable
        Simulates draws and returns both.
    """
    reached, evidence, variance, accepted = 0.0, 0.0, 0.0, [1.0]
    while reached < 1.0:
        step = next_step(ratio, 1.0 - reached)
        gained, doubt = log_mean(step * ratio)
        evidence, variance = evidence + gained, variance + doubt
        reached += step
        kept = resample(rng, normalised(step * ratio))
        draws, predicted, ratio = draws.at(kept), predicted[:, kept], ratio[kept]
        accepted = []
        for _ in range(_BRIDGE_MOVES if reached < 1.0 else _LAST_BRIDGE_MOVES):
            moved = walk(draws, log_density, rng, members=members)
            new_predicted, new_ratio = look(moved)
            taken = np.log(rng.random(ratio.size)) < reached * (new_ratio - ratio)
            accepted.append(float(taken.mean()))
            draws = choose(taken, moved, draws)
            predicted, ratio = np.where(taken, new_predicted, predicted), np.where(taken, new_ratio, ratio)
    return _Bridged(draws, predicted, evidence, variance, float(np.mean(accepted)))


def _bridged(effective: float, accepted: float) -> Flag:
    return Flag(
        "surrogate-poor",
        f"Only {100 * effective:.1f} % of the surrogate's draws were effective, so they were led on with the "
        f"circuit itself ({100 * accepted:.0f} % of moves taken).",
        "caution" if accepted < _LEAST_ACCEPTANCE else "info",
        value=effective,
        limit=ENOUGH_EFFECTIVE,
    )
