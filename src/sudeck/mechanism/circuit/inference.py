"""What one patient's measures say about the factors of both hemispheres: a posterior with exact likelihood.

The circuit is deterministic and the errors are normal on the log scale, so the likelihood is explicit. Draws
are led to the posterior under a surrogate, which costs seconds, and then weighed by how much likelier the
circuit itself makes the measures. Where few draws carry most of the weight, the surrogate learns from what
the circuit showed at them, and the draws are led on. Where that does not suffice either, they are moved with
the circuit: each move is a walk under the surrogate, accepted or not by the circuit (surrogate transition,
Liu 2001, Monte Carlo Strategies in Scientific Computing, 9.4.3).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from sudeck.core.errors import InputError
from sudeck.core.flags import Flag
from sudeck.mechanism.circuit import hypotheses
from sudeck.mechanism.circuit.annealing import (
    anneal,
    effective_share,
    normalised,
    resample,
    walk,
)
from sudeck.mechanism.circuit.emulator import Emulator
from sudeck.mechanism.circuit.likelihood import (
    N_CIRCUIT,
    NormalError,
    Surrogate,
    simulate_patient,
    visit_position,
)
from sudeck.mechanism.circuit.parameters import Floats
from sudeck.mechanism.circuit.patient_data import PatientData
from sudeck.mechanism.circuit.reference import Reference
from sudeck.mechanism.circuit.simulate import Engine

ENOUGH_EFFECTIVE: Final = 0.10
_AIM_EFFECTIVE: Final = 0.30  # refine the surrogate until then
_MOST_REFINEMENTS: Final = 3
_EXACT_MOVES: Final = 4
_WALK_STEPS: Final = 12  # under the surrogate, between two looks at the circuit


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
        Marginal likelihood of all measures, and its Monte Carlo error.
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
    draws: int = 1000,
    seed: int = 0,
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
    seed : int
        Same seed, same draws.
    engine : str, optional
        As in `measures.measure`.

    Raises
    ------
    InputError
        If no circuit responds with factors near the patient's.
    """
    rng = np.random.default_rng(seed)
    error = NormalError(data)

    def log_prior(position: Floats) -> Floats:
        return reference.log_density(position[:N_CIRCUIT]) + hypotheses.log_prior(position[N_CIRCUIT:])

    factors, _ = hypotheses.draw_factors(len(data.visits), draws, rng)
    surrogate = Surrogate.of(data, emulator)
    found = anneal(
        np.concatenate([reference.draw(draws, rng), factors]), log_prior, surrogate.log_likelihood, rng
    )
    position, log_evidence = found.draws, found.log_evidence
    for attempt in range(_MOST_REFINEMENTS + 1):
        predicted = simulate_patient(data, position, engine=engine)
        log_exact = error.log_density(predicted)
        if not np.isfinite(log_exact).any():
            raise InputError(
                f"Patient {data.patient}",
                "no circuit responds with factors that would explain the measures",
                "check the units of its measures",
            )
        ratio = log_exact - surrogate.log_likelihood(position)
        weight = normalised(ratio)
        effective = effective_share(weight)
        if effective >= _AIM_EFFECTIVE or attempt == _MOST_REFINEMENTS:
            break
        before, surrogate = surrogate, surrogate.refine(position, predicted)
        led = anneal(
            position,
            lambda x, old=before: log_prior(x) + old.log_likelihood(x),  # type: ignore[misc]
            lambda x, old=before, new=surrogate: new.log_likelihood(x) - old.log_likelihood(x),  # type: ignore[misc]
            rng,
        )
        position, log_evidence = led.draws, log_evidence + led.log_evidence
    log_evidence += float(ratio.max() + np.log(np.exp(ratio - ratio.max()).mean()))
    flags, exact = data.flags, True
    if effective < ENOUGH_EFFECTIVE:
        kept = resample(rng, weight)
        position, log_exact, predicted = position[:, kept], log_exact[kept], predicted[:, kept]
        accepted = []
        for _ in range(_EXACT_MOVES):
            moved = walk(position, lambda x: log_prior(x) + surrogate.log_likelihood(x), _WALK_STEPS, rng)
            new_predicted = simulate_patient(data, moved, engine=engine)
            new_exact = error.log_density(new_predicted)
            gain = new_exact - log_exact
            gain -= surrogate.log_likelihood(moved) - surrogate.log_likelihood(position)
            taken = np.log(rng.random(draws)) < gain
            accepted.append(float(taken.mean()))
            position = np.where(taken, moved, position)
            predicted = np.where(taken, new_predicted, predicted)
            log_exact = np.where(taken, new_exact, log_exact)
        weight = np.full(draws, 1 / draws)
        flags += (_walked(effective, float(np.mean(accepted))),)
    return Posterior(
        data,
        position[:N_CIRCUIT],
        position[N_CIRCUIT:],
        weight,
        predicted,
        log_evidence,
        float(np.sqrt((1 / effective - 1) / draws)),
        effective,
        exact,
        flags,
    )


def _walked(effective: float, accepted: float) -> Flag:
    return Flag(
        "surrogate-poor",
        f"Only {100 * effective:.0f} % of the surrogate's draws were effective, so they were moved on with the "
        f"circuit itself ({100 * accepted:.0f} % of moves taken).",
        "caution" if accepted < ENOUGH_EFFECTIVE else "info",
        value=effective,
        limit=ENOUGH_EFFECTIVE,
    )
