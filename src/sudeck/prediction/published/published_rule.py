"""The published rule, frozen: BPr/TPr > 1.125, BPr/VPr > 1.075, TPr/VPr > 0.935, all strict.

Nothing here is tuned on the data at hand. The three criteria are not three votes: on the log scale the second
ratio is the sum of the other two, so a patient's three probabilities hang together and "all three met" is the
probability of one wedge in the plane of log BPr/TPr and log TPr/VPr.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any, Final

import numpy as np

from sudeck.core.errors import InputError
from sudeck.core.estimate import Estimate
from sudeck.core.published import PUBLISHED_RATIOS, SOURCE
from sudeck.core.quantile import t_quantile
from sudeck.prediction.cohort import RESPONDER, Cohort
from sudeck.prediction.ratios import INDEPENDENT_RATIOS, Ratios
from sudeck.statistics.arrays import FloatArray
from sudeck.statistics.proportion import DiagnosticAccuracy, diagnostic_accuracy

CUTOFFS: Final[dict[str, float]] = {name: ratio.cutoff for name, ratio in PUBLISHED_RATIOS.items()}
ALL_THREE: Final = "all three"


@dataclass(frozen=True, slots=True)
class PatientVerdict:
    """What the published rule says of one patient.

    Attributes
    ----------
    participant_id : str
    values : Mapping of str to float
        The three ratios of ratios.
    exceeded : Mapping of str to bool
        Strictly above the cut-off.
    probability : Mapping of str to float, or None
        Probability that the true ratio is above the cut-off, given this patient's measurement error and a
        flat prior; with the key ``"all three"`` for all together. ``None`` without a standard error.
    """

    participant_id: str
    values: Mapping[str, float]
    exceeded: Mapping[str, bool]
    probability: Mapping[str, float] | None

    @property
    def criteria_met(self) -> int:
        """How many of the three cut-offs are exceeded."""
        return sum(self.exceeded.values())

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values."""
        return {
            "participant_id": self.participant_id,
            "values": dict(self.values),
            "exceeded": dict(self.exceeded),
            "criteria_met": self.criteria_met,
            "probability": None if self.probability is None else dict(self.probability),
        }

    def __str__(self) -> str:
        parts = [f"{self.participant_id}: {self.criteria_met} of 3 published criteria met"]
        for name, value in self.values.items():
            sign = ">" if self.exceeded[name] else "not >"
            chance = "" if self.probability is None else f" (probability {self.probability[name]:.2f})"
            parts.append(f"{name} {value:.3f} {sign} {CUTOFFS[name]}{chance}")
        return "; ".join(parts)


@dataclass(frozen=True)
class RuleOnCohort:
    """The published rule against the responders of a cohort.

    Attributes
    ----------
    accuracy : Mapping of str to DiagnosticAccuracy
        For each ratio, and for ``"all three"`` met together.
    responders_by_criteria_met : tuple of (int, int)
        Responders and patients with 0, 1, 2 and 3 criteria met.
    trend_p : float
        Exact test (permutation of outcomes, conditional on the table) that responding goes up or down with
        the number of criteria met.
    relief_difference : Estimate or None
        Mean relief of patients with all three met less that of the others (Welch's t interval); ``None`` if
        no relief was given or a group has fewer than two patients.
    left_out : int
        Patients without all ratios or without an outcome.
    """

    accuracy: Mapping[str, DiagnosticAccuracy]
    responders_by_criteria_met: tuple[tuple[int, int], ...]
    trend_p: float
    relief_difference: Estimate | None
    left_out: int

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values: one entry a ratio with its cut-off, and one for all three."""
        entries: dict[str, Any] = {}
        for name, accuracy in self.accuracy.items():
            cutoff = {"cutoff": CUTOFFS[name], "rule": ">"} if name in CUTOFFS else {"rule": "all exceeded"}
            entries[name] = cutoff | accuracy.to_dict()
        return entries | {
            "responders_by_criteria_met": [list(pair) for pair in self.responders_by_criteria_met],
            "trend_p": self.trend_p,
            "relief_difference": None if self.relief_difference is None else self.relief_difference.to_dict(),
            "left_out": self.left_out,
            "source": SOURCE,
        }

    def __str__(self) -> str:
        return "\n".join(f"{name}: {accuracy}" for name, accuracy in self.accuracy.items())


def apply_published_rule(cohort: Cohort) -> tuple[PatientVerdict, ...]:
    """Apply the three cut-offs to every patient whose three phases were measured.

    Parameters
    ----------
    cohort : Cohort
        Patients with a missing phase are left out.
    """
    ratios = cohort.ratios
    complete = np.isfinite(ratios.log_phases).all(axis=1)
    values = {name: ratios.values(name) for name in CUTOFFS}
    chances = _probabilities(ratios)
    return tuple(
        _verdict(ratios.ids[i], {name: float(each[i]) for name, each in values.items()}, chances[i])
        for i in np.flatnonzero(complete).tolist()
    )


def evaluate_published_rule(
    cohort: Cohort, *, level: float = 0.95, verdicts: Sequence[PatientVerdict] | None = None
) -> RuleOnCohort:
    """Hold the published rule against the responders of a cohort.

    Parameters
    ----------
    cohort : Cohort
        Where relief is known too, patients with all three criteria met are compared with the others.
    level : float
        Coverage of intervals.
    verdicts : sequence of PatientVerdict, optional
        What `apply_published_rule` says of this cohort, where that is known already.

    Raises
    ------
    InputError
        If no patient has both the ratios and the outcome.
    """
    said = apply_published_rule(cohort) if verdicts is None else verdicts
    of_patient = {verdict.participant_id: verdict for verdict in said}
    outcome = dict(zip(cohort.ids, cohort.outcome(RESPONDER), strict=True))
    known = [pid for pid in of_patient if np.isfinite(outcome[pid])]
    if not known:
        raise InputError(
            "the published rule", "no patient has ratios and outcome", "give both for some patients"
        )
    y = np.array([outcome[pid] for pid in known]) == 1.0
    met = np.array([of_patient[pid].criteria_met for pid in known])
    accuracy = {
        name: _accuracy(np.array([of_patient[pid].exceeded[name] for pid in known]), y, level)
        for name in CUTOFFS
    }
    accuracy[ALL_THREE] = _accuracy(met == 3, y, level)
    by_met = tuple((int(y[met == k].sum()), int((met == k).sum())) for k in range(4))
    difference = None
    if cohort.relief_percent is not None:
        scores = dict(zip(cohort.ids, cohort.relief_percent, strict=True))
        values = np.array([scores[pid] for pid in known])
        difference = _relief_difference(values[met == 3], values[met < 3], level)
    return RuleOnCohort(accuracy, by_met, trend_p_value(by_met), difference, len(cohort.ids) - len(known))


def strictly_above(value: float, cutoff: float) -> bool:
    """Tell whether a ratio is above a cut-off, a ratio equal to it up to rounding noise being not above.

    Examples
    --------
    >>> 1.35 / 1.2 > 1.125, strictly_above(1.35 / 1.2, 1.125)
    (True, False)
    """
    return value - cutoff > 1e-9 * cutoff


def trend_p_value(responders_and_patients: tuple[tuple[int, int], ...]) -> float:
    """Return the exact two-sided P value of a linear trend of responders over ordered groups.

    The Cochran-Armitage statistic under its exact conditional distribution (independent hypergeometric
    margins), summed over all tables at least as far from the mean: no large-sample approximation.

    Examples
    --------
    >>> round(trend_p_value(((1, 10), (4, 10), (5, 10), (9, 10))), 4)
    0.0005
    """
    from scipy.stats import binom

    patients = [total for _, total in responders_and_patients]
    responders = sum(count for count, _ in responders_and_patients)
    share = responders / max(sum(patients), 1)
    # Given the total, the law of the table is the same for independent binomial groups of any one share; with
    # the observed share nothing gets too small. chances[chosen, score sum] of the groups so far.
    chances = np.ones((1, 1))
    for score, total in enumerate(patients):
        most = min(total, responders)
        law = binom.pmf(np.arange(most + 1), total, share)
        rows, columns = chances.shape
        grown = np.zeros((min(rows + most, responders + 1), columns + score * most))
        for extra, chance in enumerate(law):
            kept = min(rows, len(grown) - extra)
            grown[extra : extra + kept, score * extra : score * extra + columns] += chance * chances[:kept]
        chances = grown
    final = chances[-1]
    observed = sum(score * count for score, (count, _) in enumerate(responders_and_patients))
    n = sum(patients)
    # Distance from the mean, times n, so that it stays a whole number and ties are exact.
    mean_times_n = responders * sum(score * total for score, total in enumerate(patients))
    far = abs(observed * n - mean_times_n)
    extreme = np.abs(np.arange(len(final)) * n - mean_times_n) >= far
    return min(float(final[extreme].sum() / final.sum()), 1.0)


def probability_all_exceeded(means: FloatArray, covariance: FloatArray) -> float:
    """Return the probability that all three true ratios exceed their cut-offs.

    Parameters
    ----------
    means : array, shape (2,)
        Measured log BPr/TPr and log TPr/VPr.
    covariance : array, shape (2, 2)
        Of their errors, taken as normal with a flat prior.

    Notes
    -----
    Given log BPr/TPr = u, the other must exceed both its own cut-off and what BPr/VPr still asks, so the
    probability is one integral over u, done by Gauss-Legendre on each side of the kink.
    """
    from scipy.special import ndtr

    first, second = (math.log(CUTOFFS[name]) for name in INDEPENDENT_RATIOS)
    total = math.log(CUTOFFS["BPr/VPr"])
    sd_u = math.sqrt(covariance[0, 0])
    if sd_u == 0.0 or covariance[1, 1] == 0.0:
        # One ratio is known exactly: what is left is a single normal tail (or a plain yes or no).
        return _probability_one_exact(means, covariance, first, second, total)
    slope = covariance[0, 1] / covariance[0, 0]
    sd_rest = math.sqrt(max(covariance[1, 1] - slope * covariance[0, 1], 1e-18))
    kink = total - second
    edges = sorted({first, min(max(kink, first), means[0] + 9 * sd_u), max(first, means[0] + 9 * sd_u)})
    nodes, node_weights = _gauss_legendre()
    result = 0.0
    for start, high in pairwise(edges):
        low = max(start, means[0] - 9 * sd_u)  # below, the density of u has no mass
        if high <= low:
            continue
        u = (low + high) / 2 + (high - low) / 2 * nodes
        density = np.exp(-0.5 * ((u - means[0]) / sd_u) ** 2) / (sd_u * math.sqrt(2 * math.pi))
        needed = np.maximum(second, total - u)
        above = ndtr((means[1] + slope * (u - means[0]) - needed) / sd_rest)
        result += float((high - low) / 2 * np.sum(node_weights * density * above))
    return min(max(result, 0.0), 1.0)


@cache
def _gauss_legendre() -> tuple[FloatArray, FloatArray]:
    """Return nodes and weights: finding them takes a hundred times as long as an integral by them."""
    nodes, weights = np.polynomial.legendre.leggauss(80)
    return nodes, weights


def _probability_one_exact(
    means: FloatArray, covariance: FloatArray, first: float, second: float, total: float
) -> float:
    from scipy.special import ndtr

    exact, other = (0, 1) if covariance[0, 0] == 0.0 else (1, 0)
    limits = (first, second)
    if not means[exact] > limits[exact]:
        return 0.0
    needed = max(limits[other], total - means[exact])
    sd = math.sqrt(covariance[other, other])
    gap = means[other] - needed
    return float(gap > 0) if sd == 0.0 else float(ndtr(gap / sd))


def _verdict(
    participant_id: str, values: dict[str, float], chances: dict[str, float] | None
) -> PatientVerdict:
    exceeded = {name: strictly_above(values[name], cutoff) for name, cutoff in CUTOFFS.items()}
    return PatientVerdict(participant_id, values, exceeded, chances)


def _probabilities(ratios: Ratios) -> list[dict[str, float] | None]:
    """Return what each patient's measurement error leaves of each criterion; None where it is not known."""
    from scipy.special import ndtr

    gaps = {name: ratios.log_values(name) - math.log(cutoff) for name, cutoff in CUTOFFS.items()}
    errors = {name: ratios.log_se(name) for name in CUTOFFS}
    means = np.column_stack([ratios.log_values(name) for name in INDEPENDENT_RATIOS])
    covariances = ratios.log_error_of(INDEPENDENT_RATIOS)
    found: list[dict[str, float] | None] = []
    for i in range(len(ratios.ids)):
        if not (np.isfinite(ratios.log_error[i]).all() and np.isfinite(ratios.log_phases[i]).all()):
            found.append(None)
            continue
        chances = {}
        for name in CUTOFFS:
            gap, se = gaps[name][i], errors[name][i]
            chances[name] = float(ndtr(gap / se)) if se > 0 else float(gap > 0)
        chances[ALL_THREE] = probability_all_exceeded(means[i], covariances[i])
        found.append(chances)
    return found


def _relief_difference(with_all: FloatArray, others: FloatArray, level: float) -> Estimate | None:

    groups = [group[np.isfinite(group)] for group in (with_all, others)]
    if min(map(len, groups)) < 2:
        return None
    parts = [float(group.var(ddof=1)) / len(group) for group in groups]
    se = math.sqrt(sum(parts))
    if se == 0:
        return None
    df = sum(parts) ** 2 / sum(part**2 / (len(group) - 1) for part, group in zip(parts, groups, strict=True))
    return Estimate.from_normal(
        "relief with all three met less the others",
        float(groups[0].mean() - groups[1].mean()),
        se,
        level=level,
        quantile=t_quantile(level, df),
        method="Welch's t interval",
        n=sum(map(len, groups)),
        n_unit="patients",
    )


def _accuracy(positive: np.ndarray, y: np.ndarray, level: float) -> DiagnosticAccuracy:
    return diagnostic_accuracy(
        int((positive & y).sum()),
        int((positive & ~y).sum()),
        int((~positive & y).sum()),
        int((~positive & ~y).sum()),
        level=level,
    )
