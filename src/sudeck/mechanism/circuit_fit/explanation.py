"""What a posterior says, as results: factors, hypotheses, curves, and how the fit went."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sudeck.core.estimate import Estimate
from sudeck.core.flags import Flag
from sudeck.core.record import Record

CHANGE: Final = "change"
BALANCE: Final = "balance"
# Inhibition over excitation of a hemisphere; pain over other side it is the transcallosal balance.
GABA_OVER_GLUTAMATE: Final = "gaba_over_glutamate"
# A factor is identified where the measures take its standard deviation below this share of the prior's.
IDENTIFIED_BELOW: Final = 0.7
# Code of the flag that the circuits do not reproduce the measures, or foresee no such patient.
STRAINED: Final = "model-strained"


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
        A name of `factors.FACTORS`, or ``"gaba_over_glutamate"``.
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
        One of `hypotheses.ACCOUNTS`, or ``"outside_the_model"``.
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
class CurvePoint(Record):
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


@dataclass(frozen=True, slots=True)
class GroupShare:
    """What one patient's measures say of the change, beyond the prior, as a normal distribution.

    Attributes
    ----------
    visits : tuple of str
        First and last.
    precision : tuple of tuple of float
        Shape (12, 12), in the order of `factors`.
    pull : tuple of float
        Precision times mean, shape (12,).
    """

    visits: tuple[str, str]
    precision: tuple[tuple[float, ...], ...]
    pull: tuple[float, ...]


@dataclass(frozen=True)
class Explanation:
    """What a patient's measures say about the circuit.

    Attributes
    ----------
    patient : str
    factors : tuple of FactorEstimate
    effective : float
    exact : bool
        As in `Posterior`.
    flags : tuple of Flag
    visits : tuple of str
        The first is the baseline.
    hypotheses : tuple of Hypothesis
        None where the measures can not be used or none is from before treatment.
    preferred : str
        Name of the hypothesis that the measures prefer; empty where they can not tell.
    verdict : str
        One sentence: which hypothesis the measures prefer, or that they can not tell.
    curves : tuple of CurvePoint
        Observed against predicted.
    share : GroupShare or None
        What a group takes from this patient; None with one visit, or where the measures can not be used.
    """

    patient: str
    factors: tuple[FactorEstimate, ...]
    effective: float
    exact: bool
    flags: tuple[Flag, ...]
    visits: tuple[str, ...] = ()
    hypotheses: tuple[Hypothesis, ...] = ()
    preferred: str = ""
    verdict: str = ""
    curves: tuple[CurvePoint, ...] = ()
    share: GroupShare | None = None

    @property
    def weighed(self) -> tuple[Hypothesis, ...]:
        """The accounts that may be weighed: none where the circuits do not reproduce the measures."""
        return () if any(flag.code == STRAINED for flag in self.flags) else self.hypotheses

    def rows(self) -> list[dict[str, Any]]:
        """Return the factors as flat rows, one a visit, hemisphere and factor."""
        return [{"participant_id": self.patient, **factor.to_dict()} for factor in self.factors]

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values; the factors stand in `rows`."""
        return {
            "participant_id": self.patient,
            "visits": list(self.visits),
            "hypotheses": [hypothesis.to_dict() for hypothesis in self.hypotheses],
            "preferred": self.preferred,
            "verdict": self.verdict,
            "curves": [point.to_dict() for point in self.curves],
            "effective_sample": self.effective,
            "exact": self.exact,
            "flags": [flag.to_dict() for flag in self.flags],
        }
