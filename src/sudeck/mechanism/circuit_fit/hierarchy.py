"""Patients of one study together: how treatment moves each factor on average, and how far patients differ.

Two stages (Lunn and colleagues 2013, Journal of the Royal Statistical Society C 62:551-572): every patient is
inferred alone; then a Gibbs sampler draws the group's means and spreads, and for each patient one of the
draws already there, weighed by how much likelier the group makes it than the prior did. No circuit is
simulated again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from sudeck.core.errors import InputError
from sudeck.core.estimate import Estimate
from sudeck.mechanism.circuit.parameters import Floats
from sudeck.mechanism.circuit.pulses import Ints
from sudeck.mechanism.circuit_fit.explanation import IDENTIFIED_BELOW
from sudeck.mechanism.circuit_fit.factors import FACTORS, N_VISIT, TONE
from sudeck.mechanism.circuit_fit.hypotheses import change_sd
from sudeck.mechanism.circuit_fit.inference import Posterior
from sudeck.mechanism.measure_table import HEMISPHERES

LEAST_PATIENTS: Final = 3
# Standard deviations between patients that are tried, as shares of the prior's of one change; all as likely.
_SPREADS: Final = np.linspace(0.05, 1.5, 30)
_BURN_IN: Final = 0.2  # share of the sweeps


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


@dataclass(frozen=True, eq=False)
class GroupPosterior:
    """A group of patients.

    Attributes
    ----------
    factors : tuple of GroupFactor
    posteriors : tuple of Posterior
        Each patient's draws, weighed anew by what the others tell.
    effective : float
        Smallest effective sample size of a patient's weights, as a share of its draws.
    """

    factors: tuple[GroupFactor, ...]
    posteriors: tuple[Posterior, ...]
    effective: float

    def __str__(self) -> str:
        lines = [f"{len(self.posteriors)} patients, change from the first to the last visit"]
        lines += [
            f"{f.hemisphere} {f.factor} {f.mean.value:#.3g} [{f.mean.low:#.3g}, {f.mean.high:#.3g}], "
            f"patients differ by {f.between_sd.value:#.2g}"
            + ("" if f.identified else ", not identified by these measurements")
            for f in self.factors
        ]
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values."""
        return {
            "patients": [str(p.data.patient) for p in self.posteriors],
            "factors": [factor.to_dict() for factor in self.factors],
            "effective_sample": self.effective,
        }


def infer_group(
    posteriors: Sequence[Posterior], *, sweeps: int = 2000, level: float = 0.95, seed: int = 0
) -> GroupPosterior:
    """Infer the average change and the spread of a group from its patients' posteriors.

    Parameters
    ----------
    posteriors : sequence of Posterior
        Those with one visit only are left out.
    sweeps : int
        Of the Gibbs sampler.
    level : float
    seed : int

    Raises
    ------
    InputError
        If fewer than three patients have two visits.
    """
    usable = [p for p in posteriors if len(p.data.visits) > 1]
    if len(usable) < LEAST_PATIENTS:
        raise InputError(
            "The group",
            f"{len(usable)} patients have measures at two visits",
            f"a hierarchy needs at least {LEAST_PATIENTS}",
        )
    rng = np.random.default_rng(seed)
    changes = [p.factors[-N_VISIT:] for p in usable]
    prior = change_sd()
    count, burn = len(usable), int(_BURN_IN * sweeps)
    mean, spread = np.zeros(N_VISIT), prior.copy()
    means, spreads = np.empty((2, sweeps, N_VISIT))
    visited = [np.zeros(p.weight.size) for p in usable]
    base = [
        np.log(np.maximum(p.weight, 1e-300)) - _log_normal(change, np.zeros(N_VISIT), prior)
        for p, change in zip(usable, changes, strict=True)
    ]
    for sweep in range(sweeps):
        drawn = np.empty((count, N_VISIT))
        for i, change in enumerate(changes):
            log_weight = base[i] + _log_normal(change, mean, spread)
            weight = np.exp(log_weight - log_weight.max())
            weight /= weight.sum()
            drawn[i] = change[:, rng.choice(weight.size, p=weight)]
            if sweep >= burn:
                visited[i] += weight
        precision = count / spread**2 + 1 / prior**2
        mean = drawn.sum(axis=0) / spread**2 / precision + rng.standard_normal(N_VISIT) / np.sqrt(precision)
        spread = _draw_spread(((drawn - mean) ** 2).sum(axis=0), count, prior, rng)
        means[sweep], spreads[sweep] = mean, spread
    again = tuple(replace(p, weight=seen / seen.sum()) for p, seen in zip(usable, visited, strict=True))
    effective = min(float(1 / (p.weight**2).sum() / p.weight.size) for p in again)
    return GroupPosterior(_summarise(means[burn:], spreads[burn:], prior, count, level), again, effective)


def _log_normal(change: Floats, mean: Floats, sd: Floats) -> Floats:
    return np.asarray(-0.5 * (((change - mean[:, None]) / sd[:, None]) ** 2).sum(axis=0) - np.log(sd).sum())


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
    ends = [0.5 - level / 2, 0.5, 0.5 + level / 2]
    rows = []
    for index, factor in enumerate(FACTORS):
        for side, hemisphere in enumerate(HEMISPHERES):
            at = 2 * index + side
            low, middle, high = np.quantile(means[:, at], ends)
            unit = "mV" if factor == TONE else ""
            if factor != TONE:
                low, middle, high = np.exp([low, middle, high])
            less, typical, more = np.quantile(spreads[:, at], ends)
            rows.append(
                GroupFactor(
                    hemisphere,
                    factor,
                    Estimate(
                        f"mean change of {factor}",
                        float(middle),
                        float(low),
                        float(high),
                        level=level,
                        unit=unit,
                        method="two-stage hierarchy",
                        scale="linear" if factor == TONE else "log",
                        n=count,
                        n_unit="patients",
                    ),
                    Estimate(
                        f"spread of {factor}",
                        float(typical),
                        float(less),
                        float(more),
                        level=level,
                        method="two-stage hierarchy",
                        n=count,
                        n_unit="patients",
                    ),
                    float(means[:, at].std() / prior[at]),
                )
            )
    return tuple(rows)
