"""A posterior in words and numbers: factors with intervals, which of them are identified, the balance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from sudeck.core.estimate import Estimate
from sudeck.core.flags import Flag
from sudeck.mechanism.circuit.factors import FACTORS, N_VISIT, PRIOR_SD, TONE
from sudeck.mechanism.circuit.inference import Posterior
from sudeck.mechanism.circuit.parameters import Floats
from sudeck.mechanism.measure_table import HEMISPHERES

CHANGE: Final = "change"
# A factor is identified where the measures take its standard deviation below this share of the prior's.
IDENTIFIED_BELOW: Final = 0.7


@dataclass(frozen=True, slots=True)
class FactorEstimate:
    """One factor of one hemisphere.

    Attributes
    ----------
    visit : str
        A visit, or ``"change"`` from the first to the last.
    hemisphere : str
        ``"pain"``, ``"other"``, or ``"balance"`` (pain over other).
    factor : str
        A name of `factors.FACTORS`.
    estimate : Estimate
        A ratio to the healthy circuit; for the tone a difference in mV.
    narrowing : float
        Posterior over prior standard deviation.
    """

    visit: str
    hemisphere: str
    factor: str
    estimate: Estimate
    narrowing: float

    @property
    def identified(self) -> bool:
        """Whether the measures say anything worth saying about it."""
        return self.narrowing < IDENTIFIED_BELOW

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values."""
        return {
            "visit": self.visit,
            "hemisphere": self.hemisphere,
            "factor": self.factor,
            "value": self.estimate.value,
            "low": self.estimate.low,
            "high": self.estimate.high,
            "level": self.estimate.level,
            "unit": self.estimate.unit,
            "identified": self.identified,
            "narrowing": self.narrowing,
        }


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """How well one account of a patient's baseline predicts the measures.

    Attributes
    ----------
    name : str
        ``"local_gaba_a_loss"``, ``"excess_pyramidal_nmda"``, ``"tonic_callosal_drive"`` or ``"none"``.
    sentence : str
        What it says.
    probability : float
        Posterior probability, all accounts being equally likely beforehand.
    log_evidence, log_evidence_se : float
        Logarithm of the marginal likelihood and its Monte Carlo error.
    """

    name: str
    sentence: str
    probability: float
    log_evidence: float
    log_evidence_se: float

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values."""
        return {
            "hypothesis": self.name,
            "sentence": self.sentence,
            "probability": self.probability,
            "log_evidence": self.log_evidence,
            "log_evidence_se": self.log_evidence_se,
        }


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """One measure as observed, and as the posterior predicts it, in the same unit.

    Attributes
    ----------
    visit, hemisphere, measure : str
        As in the table of measures, e.g. ``"post"``, ``"pain"``, ``"SICI_2"``.
    observed, predicted : Estimate
    """

    visit: str
    hemisphere: str
    measure: str
    observed: Estimate
    predicted: Estimate

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values."""
        return {
            "visit": self.visit,
            "hemisphere": self.hemisphere,
            "measure": self.measure,
            "observed": self.observed.to_dict(),
            "predicted": self.predicted.to_dict(),
        }


@dataclass(frozen=True)
class Explanation:
    """What a patient's measures say about the circuit.

    Attributes
    ----------
    patient : str
    factors : tuple of FactorEstimate
    effective, acceptance : float
        As in `Posterior`.
    exact : bool
    flags : tuple of Flag
    visits : tuple of str
        The first is the baseline.
    hypotheses : tuple of Hypothesis
    verdict : str
        One sentence: which hypothesis the measures prefer, or that they can not tell.
    curves : tuple of CurvePoint
        Observed against predicted.
    """

    patient: str
    factors: tuple[FactorEstimate, ...]
    effective: float
    acceptance: float
    exact: bool
    flags: tuple[Flag, ...]
    visits: tuple[str, ...] = ()
    hypotheses: tuple[Hypothesis, ...] = ()
    verdict: str = ""
    curves: tuple[CurvePoint, ...] = ()

    def __str__(self) -> str:
        how = "exact likelihood" if self.exact else "approximate"
        lines = [
            f"{self.patient}: {how}; effective sample of the linearised proposal "
            f"{100 * self.effective:.1f} %, {100 * self.acceptance:.0f} % of moves taken"
        ]
        lines += [
            f"{f.visit} {f.hemisphere} {f.factor} {f.estimate.value:#.3g} "
            f"[{f.estimate.low:#.3g}, {f.estimate.high:#.3g}]"
            + ("" if f.identified else ", not identified by these measurements")
            for f in self.factors
        ]
        return "\n".join([*lines, *map(str, self.flags)])

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values."""
        return {
            "participant_id": self.patient,
            "factors": [factor.to_dict() for factor in self.factors],
            "effective_sample": self.effective,
            "acceptance": self.acceptance,
            "exact": self.exact,
            "flags": [flag.to_dict() for flag in self.flags],
        }


def explain(posterior: Posterior, *, level: float = 0.95) -> Explanation:
    """Summarise a posterior: every factor at every visit, the change, and the transcallosal balance.

    Parameters
    ----------
    posterior : Posterior
    level : float
        Coverage of the intervals.
    """
    visits = posterior.data.visits
    rows: list[FactorEstimate] = []
    for index, visit in enumerate(visits):
        widths = np.sqrt(2.0) if index else 1.0  # a later visit is baseline plus change
        rows += _summarise(posterior.of_visit(index), posterior.weight, visit, widths, level)
    if len(visits) > 1:
        last = posterior.draws[(len(visits) - 1) * N_VISIT :]
        rows += _summarise(last, posterior.weight, CHANGE, 1.0, level)
    return Explanation(
        str(posterior.data.patient),
        tuple(rows),
        posterior.effective,
        posterior.acceptance,
        posterior.exact,
        posterior.flags,
    )


def _summarise(
    position: Floats, weight: Floats, visit: str, widths: float, level: float
) -> list[FactorEstimate]:
    by_factor = position.reshape(len(FACTORS), 2, -1)
    rows = []
    for index, factor in enumerate(FACTORS):
        sides = {name: by_factor[index, side] for side, name in enumerate(HEMISPHERES)}
        prior = PRIOR_SD[factor] * widths
        if factor == "callosum":
            sides["balance"] = sides["pain"] - sides["other"]
        for name, draws in sides.items():
            expected = prior * np.sqrt(2.0) if name == "balance" else prior
            mean = draws @ weight
            narrowing = float(np.sqrt(((draws - mean) ** 2) @ weight) / expected)
            rows.append(
                FactorEstimate(visit, name, factor, _estimate(factor, draws, weight, level), narrowing)
            )
    return rows


def _estimate(factor: str, draws: Floats, weight: Floats, level: float) -> Estimate:
    order = np.argsort(draws)
    below = np.cumsum(weight[order]) - 0.5 * weight[order]
    low, middle, high = np.interp([0.5 - level / 2, 0.5, 0.5 + level / 2], below, draws[order])
    if factor == TONE:
        return Estimate(factor, middle, low, high, level=level, unit="mV", method="circuit posterior")
    return Estimate(
        factor,
        float(np.exp(middle)),
        float(np.exp(low)),
        float(np.exp(high)),
        level=level,
        method="circuit posterior, ratio to health",
        scale="log",
    )
