"""Proportions with intervals, and what a two-by-two table of a rule against an outcome says."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

from sudeck.core.errors import InputError
from sudeck.core.estimate import Estimate
from sudeck.core.quantile import normal_quantile

ProportionMethod = Literal["wilson", "exact"]


def proportion(
    name: str,
    successes: float,
    total: float,
    *,
    level: float = 0.95,
    method: ProportionMethod = "wilson",
    n_unit: str = "patients",
) -> Estimate | None:
    """Return a proportion with its interval, or ``None`` where there is nobody to count.

    Parameters
    ----------
    name : str
    successes, total : float
        Numerator and denominator.
    level : float
    method : {"wilson", "exact"}
        Wilson's score interval (Wilson 1927), which covers 95 % on average; or Clopper & Pearson's (1934),
        which covers at least 95 % and is wider.

    Examples
    --------
    >>> print(proportion("sensitivity", 18, 20))
    sensitivity 0.9000 (95 % interval 0.6990 to 0.9721)
    """
    from scipy.stats import beta

    if not 0 <= successes <= total:
        raise InputError(name, f"{successes} of {total} is no proportion", "count the patients again")
    if total == 0:
        return None
    share = successes / total
    if method == "wilson":
        z2 = normal_quantile(level) ** 2
        middle = (successes + z2 / 2) / (total + z2)
        half = math.sqrt(z2) / (total + z2) * math.sqrt(successes * (total - successes) / total + z2 / 4)
        low, high = max(0.0, middle - half), min(1.0, middle + half)
    else:
        tail = (1 - level) / 2
        low = 0.0 if successes == 0 else float(beta.ppf(tail, successes, total - successes + 1))
        high = 1.0 if successes == total else float(beta.ppf(1 - tail, successes + 1, total - successes))
    return Estimate(
        name,
        share,
        min(low, share),
        max(high, share),
        level=level,
        method=f"{method} interval of a proportion",
        n=total,
        n_unit=n_unit,
        se=math.sqrt(share * (1 - share) / total),
    )


@dataclass(frozen=True)
class DiagnosticAccuracy:
    """A rule against an outcome. A measure without a denominator is ``None``.

    Attributes
    ----------
    true_positives, false_positives, false_negatives, true_negatives : int
    sensitivity, specificity, positive_predictive_value, negative_predictive_value : Estimate or None
    positive_likelihood_ratio, negative_likelihood_ratio : Estimate or None
        With log-normal intervals (Simel et al. 1991, J Clin Epidemiol 44:763-770); ``None`` if a cell it
        divides by, or takes the logarithm of, is empty.
    youden : float or None
        Sensitivity + specificity - 1.
    """

    true_positives: int
    false_positives: int
    false_negatives: int
    true_negatives: int
    sensitivity: Estimate | None
    specificity: Estimate | None
    positive_predictive_value: Estimate | None
    negative_predictive_value: Estimate | None
    positive_likelihood_ratio: Estimate | None
    negative_likelihood_ratio: Estimate | None

    @property
    def youden(self) -> float | None:
        """Sensitivity + specificity - 1, or ``None`` where one of the two groups is empty."""
        if self.sensitivity is None or self.specificity is None:
            return None
        return self.sensitivity.value + self.specificity.value - 1.0

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values."""
        counts = ("true_positives", "false_positives", "false_negatives", "true_negatives")
        measures = (
            "sensitivity",
            "specificity",
            "positive_predictive_value",
            "negative_predictive_value",
            "positive_likelihood_ratio",
            "negative_likelihood_ratio",
        )
        values: dict[str, Any] = {name: getattr(self, name) for name in counts}
        for name in measures:
            estimate: Estimate | None = getattr(self, name)
            values[name] = None if estimate is None else estimate.to_dict()
        return values | {"youden": self.youden}

    def __str__(self) -> str:
        known = (self.sensitivity, self.specificity)
        return "; ".join(str(estimate) for estimate in known if estimate is not None)


def diagnostic_accuracy(
    true_positives: int,
    false_positives: int,
    false_negatives: int,
    true_negatives: int,
    *,
    level: float = 0.95,
    method: ProportionMethod = "wilson",
) -> DiagnosticAccuracy:
    """Return sensitivity, specificity, predictive values and likelihood ratios of a two-by-two table.

    Raises
    ------
    InputError
        If a count is negative.

    Examples
    --------
    >>> print(diagnostic_accuracy(18, 6, 2, 24))
    sensitivity 0.9000 (95 % interval 0.6990 to 0.9721); specificity 0.8000 (95 % interval 0.6269 to 0.9049)
    """
    tp, fp, fn, tn = true_positives, false_positives, false_negatives, true_negatives
    if min(tp, fp, fn, tn) < 0:
        raise InputError("the two-by-two table", "a count is negative", "count the patients again")

    def share(name: str, successes: int, total: int) -> Estimate | None:
        return proportion(name, successes, total, level=level, method=method)

    return DiagnosticAccuracy(
        tp,
        fp,
        fn,
        tn,
        share("sensitivity", tp, tp + fn),
        share("specificity", tn, tn + fp),
        share("positive predictive value", tp, tp + fp),
        share("negative predictive value", tn, tn + fn),
        _ratio("positive likelihood ratio", tp, tp + fn, fp, fp + tn, level),
        _ratio("negative likelihood ratio", fn, tp + fn, tn, fp + tn, level),
    )


def _ratio(name: str, a: int, a_total: int, b: int, b_total: int, level: float) -> Estimate | None:
    if a == 0 or b == 0:
        return None
    log_se = math.sqrt(1 / a - 1 / a_total + 1 / b - 1 / b_total)
    return Estimate.from_log(
        name,
        math.log(a / a_total) - math.log(b / b_total),
        log_se,
        level=level,
        method="log-normal interval of a ratio of proportions",
        n=a_total + b_total,
        n_unit="patients",
    )
