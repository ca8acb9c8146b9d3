"""Patients of one study together: how treatment moves each factor on average, and how far patients differ.

Two stages (after Lunn and colleagues 2013, Journal of the Royal Statistical Society C 62:551-572): every
patient is inferred alone; what the measures added to the prior of the changes is taken as normal; and a Gibbs
sampler puts a common mean and spread in the place of that prior. No circuit is simulated again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from sudeck.circuit.parameters import Floats
from sudeck.circuit.steppers.stimulus import Ints
from sudeck.core.errors import InputError
from sudeck.core.estimate import Estimate
from sudeck.mechanism.circuit_fit.explanation import IDENTIFIED_BELOW, GroupShare
from sudeck.mechanism.circuit_fit.factors import FACTORS, N_VISIT, TONE
from sudeck.mechanism.circuit_fit.hypotheses import change_sd
from sudeck.mechanism.circuit_fit.inference import Posterior
from sudeck.mechanism.measure_table import HEMISPHERES

LEAST_PATIENTS: Final = 3
# Standard deviations between patients that are tried, as shares of the prior's of one change; all as likely.
_SPREADS: Final = np.linspace(0.05, 1.5, 30)
_BURN_IN: Final = 0.2  # share of the sweeps
# A direction in which a patient's measures narrow the prior variance by less than a quarter counts as not
# measured: finite draws alone can look that much too narrow, and a group would add it up.
_LEAST_INFORMATION: Final = 1 / 3


@dataclass(frozen=True, slots=True)
class GroupFactor:
    """How treatment moves one factor in a group.

    Attributes
    ----------
    hemisphere, factor : str
    mean : Estimate
        Average change, a ratio; for the tone in mV.
    between_sd : Estimate
        Standard deviation of patients' changes, on the natural-log scale; for the tone in mV.
    narrowing : float
        Standard deviation of the mean after over before the measures.
    """

    hemisphere: str
    factor: str
    mean: Estimate
    between_sd: Estimate
    narrowing: float

    @property
    def identified(self) -> bool:
        """Whether the patients together say anything worth saying about it."""
        return self.narrowing < IDENTIFIED_BELOW

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values."""
        return {
            "hemisphere": self.hemisphere,
            "factor": self.factor,
            "value": self.mean.value,
            "low": self.mean.low,
            "high": self.mean.high,
            "between_sd": self.between_sd.to_dict(),
            "narrowing": self.narrowing,
            "identified": self.identified,
        }


@dataclass(frozen=True)
class GroupPosterior:
    """A group of patients.

    Attributes
    ----------
    factors : tuple of GroupFactor
    changes : dict of str to tuple of Estimate
        Each patient's changes in the order of `factors`, drawn towards the group where little was measured.
    """

    factors: tuple[GroupFactor, ...]
    changes: dict[str, tuple[Estimate, ...]]

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values."""
        patients = [
            {
                "participant_id": patient,
                "hemisphere": factor.hemisphere,
                "factor": factor.factor,
                "value": change.value,
                "low": change.low,
                "high": change.high,
            }
            for patient, changes in self.changes.items()
            for factor, change in zip(self.factors, changes, strict=True)
        ]
        return {"factors": [factor.to_dict() for factor in self.factors], "patients": patients}


def infer_group(
    posteriors: Sequence[Posterior],
    *,
    sweeps: int = 2000,
    level: float = 0.95,
    rng: np.random.Generator | int = 0,
) -> GroupPosterior:
    """Infer the average change and the spread of a group from its patients' posteriors.

    Parameters
    ----------
    posteriors : sequence of Posterior
        Those with one visit only, or with other first and last visits than most, are left out.
    sweeps : int
        Of the Gibbs sampler.
    level : float
    rng : numpy Generator or seed

    Raises
    ------
    InputError
        If fewer than three patients have two visits.
    """
    shares = {str(p.data.patient): share for p in posteriors if (share := share_of(p)) is not None}
    return infer_group_from(shares, sweeps=sweeps, level=level, rng=rng)


def share_of(posterior: Posterior) -> GroupShare | None:
    """Return what a group takes from a patient; None for one visit."""
    visits = posterior.data.visits
    if len(visits) < 2:
        return None
    precision, pull = _of_visits(posterior.factors[-N_VISIT:], posterior.weight, change_sd())
    rows = tuple(tuple(float(value) for value in row) for row in precision)
    return GroupShare((visits[0], visits[-1]), rows, tuple(float(value) for value in pull))


def infer_group_from(
    shares: Mapping[str, GroupShare],
    *,
    sweeps: int = 2000,
    level: float = 0.95,
    rng: np.random.Generator | int = 0,
) -> GroupPosterior:
    """Infer a group as `infer_group`, from what each patient was found to say (`share_of`)."""
    pairs = Counter(share.visits for share in shares.values())
    usual = pairs.most_common(1)[0][0] if pairs else None
    usable = {patient: share for patient, share in shares.items() if share.visits == usual}
    if len(usable) < LEAST_PATIENTS:
        raise InputError(
            "The group",
            f"{len(usable)} patients have measures at the same two visits",
            f"a hierarchy needs at least {LEAST_PATIENTS}",
        )
    rng = np.random.default_rng(rng)
    prior = change_sd()
    precision = np.array([share.precision for share in usable.values()])
    pull = np.array([share.pull for share in usable.values()])
    count, burn = len(usable), int(_BURN_IN * sweeps)
    mean, spread = np.zeros(N_VISIT), prior.copy()
    means, spreads = np.empty((2, sweeps, N_VISIT))
    changes = np.empty((sweeps, count, N_VISIT))
    for sweep in range(sweeps):
        covariance = np.linalg.inv(precision + np.diag(1 / spread**2))
        middle = np.einsum("pij,pj->pi", covariance, pull + mean / spread**2)
        noise = rng.standard_normal((count, N_VISIT))
        drawn = middle + np.einsum("pij,pj->pi", np.linalg.cholesky(covariance), noise)
        weight = count / spread**2 + 1 / prior**2
        mean = drawn.sum(axis=0) / spread**2 / weight + rng.standard_normal(N_VISIT) / np.sqrt(weight)
        spread = _draw_spread(((drawn - mean) ** 2).sum(axis=0), count, prior, rng)
        means[sweep], spreads[sweep], changes[sweep] = mean, spread, drawn
    factors = _summarise(means[burn:], spreads[burn:], prior, count, level)
    by_patient = {
        patient: tuple(
            _estimate("change of", f.factor, changes[burn:, i, at], level, "hierarchy", None)
            for at, f in enumerate(factors)
        )
        for i, patient in enumerate(usable)
    }
    return GroupPosterior(factors, by_patient)


def _of_visits(change: Floats, weight: Floats, prior: Floats) -> tuple[Floats, Floats]:
    """Return precision, and precision times mean, of what the measures said beyond the prior."""
    mean = change @ weight
    away = (change - mean[:, None]) / prior[:, None]
    value, direction = np.linalg.eigh((away * weight) @ away.T)
    information = 1 / value - 1
    known = information > _LEAST_INFORMATION
    basis = direction[:, known] / prior[:, None]
    # The prior's mean is 0, so the mean times the posterior precision is all the measures' own.
    pull = basis @ (direction[:, known].T @ (mean / prior) / value[known])
    return (basis * information[known]) @ basis.T, pull


def _draw_spread(squares: Floats, count: int, prior: Floats, rng: np.random.Generator) -> Floats:
    """Draw the between-patient standard deviation of every factor on a grid."""
    tried = _SPREADS[:, None] * prior
    log_weight = -count * np.log(tried) - 0.5 * squares / tried**2
    noise: Floats = rng.gumbel(size=log_weight.shape)
    best: Ints = (log_weight + noise).argmax(axis=0)
    return np.asarray(tried[best, np.arange(prior.size)])


def _summarise(
    means: Floats, spreads: Floats, prior: Floats, count: int, level: float
) -> tuple[GroupFactor, ...]:
    return tuple(
        GroupFactor(
            hemisphere,
            factor,
            _estimate("mean change of", factor, means[:, at], level, "hierarchy", count),
            _spread_estimate(factor, spreads[:, at], level, count),
            float(means[:, at].std() / prior[at]),
        )
        for index, factor in enumerate(FACTORS)
        for at, hemisphere in enumerate(HEMISPHERES, start=2 * index)
    )


def _estimate(
    what: str, factor: str, draws: Floats, level: float, method: str, count: int | None
) -> Estimate:
    ends = np.quantile(draws, [0.5 - level / 2, 0.5, 0.5 + level / 2])
    low, middle, high = (float(end) for end in (ends if factor == TONE else np.exp(ends)))
    return Estimate(
        f"{what} {factor}",
        middle,
        low,
        high,
        level=level,
        unit="mV" if factor == TONE else "",
        method=method,
        scale="linear" if factor == TONE else "log",
        n=count,
        n_unit="patients" if count else "",
    )


def _spread_estimate(factor: str, draws: Floats, level: float, count: int) -> Estimate:
    low, middle, high = (float(end) for end in np.quantile(draws, [0.5 - level / 2, 0.5, 0.5 + level / 2]))
    unit = "mV" if factor == TONE else "log"
    return Estimate(
        f"spread of {factor}",
        middle,
        low,
        high,
        level=level,
        unit=unit,
        method="hierarchy",
        n=count,
        n_unit="patients",
    )
