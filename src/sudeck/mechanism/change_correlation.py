"""One correlation of a change with an outcome: intervals, correction for measurement error, influence."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sudeck.core.estimate import Estimate
from sudeck.core.flags import Flag
from sudeck.core.quantile import normal_quantile
from sudeck.core.record import Record
from sudeck.mechanism.change_models import CHANGE_TEXT, no_answer
from sudeck.statistics.mixed.mixed_likelihood import Floats
from sudeck.statistics.resampling import (
    R_LIMIT,
    bootstrap_r_interval,
    correlate_rows,
    permutation_slope_interval,
)

MIN_PATIENTS = 5
# Below this reliability the correction divides by almost nothing.
MIN_RELIABILITY = 0.2


@dataclass(frozen=True)
class Influence(Record):
    """How far one patient carries a correlation: r without each patient in turn."""

    lowest: float
    highest: float
    patient: str
    without: float
    changes_claim: bool


@dataclass(frozen=True)
class Association:
    """Correlation of one measure's log change with the outcome.

    Attributes
    ----------
    measure, hemisphere, visit, baseline, outcome : str
    pearson, spearman : Estimate
        With bootstrap intervals; partial correlations when covariates are declared.
    fisher_low, fisher_high : float
        Fisher's z interval of `pearson`, for comparison with publications.
    slope : Estimate
        Outcome per unit of log change, with a permutation interval.
    corrected : Estimate or None
        Pearson's r freed of measurement error; None when no error is known, or it is so large beside the
        spread that r can not be corrected.
    reliability : float or None
        Share of the variance of the change that is not measurement error.
    p, df : float
        Of Pearson's r by the t test.
    p_permutation, p_family, p_fdr : float
        By permutation: alone, controlled over the family (max-t), and false-discovery adjusted.
    n : int
    influence : Influence
    covariates : tuple of str
    """

    measure: str
    hemisphere: str
    visit: str
    baseline: str
    outcome: str
    pearson: Estimate
    spearman: Estimate
    fisher_low: float
    fisher_high: float
    slope: Estimate
    corrected: Estimate | None
    reliability: float | None
    p: float
    df: int
    n: int
    influence: Influence
    covariates: tuple[str, ...]
    p_permutation: float = math.nan
    p_family: float = math.nan
    p_fdr: float = math.nan

    def __str__(self) -> str:
        adjusted = f", adjusted for {', '.join(self.covariates)}" if self.covariates else ""
        return (
            f"{self.pearson}, P = {self.p:.3g} (permutation {self.p_permutation:.3g}, "
            f"family {self.p_family:.3g}, false discovery {self.p_fdr:.3g}), n = {self.n}{adjusted}; "
            f"without one patient {self.influence.lowest:.2f} to {self.influence.highest:.2f}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values, r and its interval at the top level."""
        return {
            "measure": self.measure,
            "hemisphere": self.hemisphere,
            "visit": self.visit,
            "baseline": self.baseline,
            "outcome": self.outcome,
            "r": self.pearson.value,
            "low": self.pearson.low,
            "high": self.pearson.high,
            "level": self.pearson.level,
            "p": self.p,
            "df": self.df,
            "n": self.n,
            "fisher_low": self.fisher_low,
            "fisher_high": self.fisher_high,
            "spearman": self.spearman.to_dict(),
            "slope": self.slope.to_dict(),
            "corrected": None if self.corrected is None else self.corrected.to_dict(),
            "reliability": self.reliability,
            "p_permutation": self.p_permutation,
            "p_family": self.p_family,
            "p_fdr": self.p_fdr,
            "influence": self.influence.to_dict(),
            "covariates": list(self.covariates),
        }


@dataclass(frozen=True, eq=False)
class ChangeOutcomePair:
    """Change and outcome of the patients who have both, freed of the covariates."""

    measure: str
    hemisphere: str
    rows: np.ndarray[Any, np.dtype[np.int64]]
    projector: Floats
    x: Floats
    y: Floats
    x_error: Floats
    y_error: Floats
    patients: tuple[str, ...]


def covariate_remover(covariates: Floats) -> Floats:
    """Return the matrix that takes mean and covariates out of a column."""
    design = np.column_stack([np.ones(len(covariates)), covariates])
    projector: Floats = np.eye(len(design)) - design @ np.linalg.pinv(design)
    return projector


def pair_with_outcome(
    measure: str,
    side: str,
    change: Floats,
    change_error: Floats,
    outcome_and_covariates: Floats,
    outcome_error: Floats,
    patients: Sequence[Hashable],
) -> ChangeOutcomePair | Flag:
    """Return change and outcome of the patients who have both, or one sentence why that is not enough."""
    rows = np.flatnonzero(np.isfinite(change))
    count = outcome_and_covariates.shape[1] - 1
    subject = f"{measure}, {CHANGE_TEXT[side]}"
    n = len(rows)
    if n < MIN_PATIENTS + count:
        return no_answer(
            subject,
            f"{subject}: {n} patient(s) with change and outcome; a correlation needs {MIN_PATIENTS + count}.",
        )
    projector = covariate_remover(outcome_and_covariates[rows, 1:])
    raw_x, raw_y = change[rows], outcome_and_covariates[rows, 0]
    x, y = projector @ raw_x, projector @ raw_y
    for values, raw, what in ((x, raw_x, "change"), (y, raw_y, "outcome")):
        if values @ values <= 1e-16 * max(1e-300, float(raw @ raw)) or not raw.any():
            return no_answer(subject, f"{subject}: the {what} is the same in every patient.")
    names = tuple(str(patients[int(i)]) for i in rows)
    return ChangeOutcomePair(
        measure, side, rows, projector, x, y, change_error[rows], outcome_error[rows], names
    )


def correlate_pair(
    pair: ChangeOutcomePair,
    *,
    baseline: str,
    visit: str,
    outcome: str,
    covariates: tuple[str, ...],
    level: float,
    bootstraps: int,
    orders: NDArray[np.int64],
    rng: np.random.Generator,
) -> Association:
    """Correlate one change with the outcome; permutation and family-wise P are added by the caller."""
    from scipy import stats

    n, lost = len(pair.x), len(covariates)
    df = n - 2 - lost
    label = f"{pair.measure} {visit}/{baseline}, {CHANGE_TEXT[pair.hemisphere]}, with {outcome}"
    r = float(np.clip(correlate_rows(pair.x, pair.y), -1, 1))
    rho = float(correlate_rows(stats.rankdata(pair.x), stats.rankdata(pair.y)))
    about: dict[str, Any] = {"level": level, "n": n, "n_unit": "patients"}

    def interval(*, ranks: bool) -> tuple[float, float]:
        return bootstrap_r_interval(
            pair.x, pair.y, level=level, draws=bootstraps, lost_df=lost, rng=rng, ranks=ranks
        )

    low, high = interval(ranks=False)
    kind = "partial correlation" if lost else "correlation"
    pearson = Estimate(
        f"r of {label}", r, low, high, method=f"Pearson {kind}, bootstrap of Fisher's z", **about
    )
    rho_low, rho_high = interval(ranks=True)
    spearman = Estimate(
        f"rho of {label}", rho, rho_low, rho_high, method=f"Spearman {kind}, bootstrap of Fisher's z", **about
    )
    z = math.atanh(max(-R_LIMIT, min(R_LIMIT, r)))
    half = normal_quantile(level) / math.sqrt(max(1, n - 3 - lost))
    b_low, b_high = permutation_slope_interval(pair.x, pair.y, orders, level=level)
    slope = Estimate(
        f"{outcome} per unit log change of {pair.measure}",
        float(pair.x @ pair.y / (pair.x @ pair.x)),
        b_low,
        b_high,
        method="least squares, permutation interval",
        **about,
    )
    reliability, corrected = _corrected(pair, pearson, lost)
    return Association(
        pair.measure,
        pair.hemisphere,
        visit,
        baseline,
        outcome,
        pearson,
        spearman,
        min(r, math.tanh(z - half)),
        max(r, math.tanh(z + half)),
        slope,
        corrected,
        reliability,
        _p_of(r, df),
        df,
        n,
        _influence(pair, r, df, 1 - level),
        covariates,
    )


def _p_of(r: float, df: int) -> float:
    from scipy import stats

    return float(2 * stats.t.sf(abs(r) * math.sqrt(df / max(1e-300, 1 - r * r)), df))


def _corrected(pair: ChangeOutcomePair, pearson: Estimate, lost: int) -> tuple[float | None, Estimate | None]:
    """Return the reliability of the change, and r freed of the measurement error of change and outcome."""
    if not np.isfinite(pair.x_error).all():
        return None, None

    def reliability_of(values: Floats, errors: Floats) -> float:
        return 1 - float((errors**2).mean()) / (float(values @ values) / (len(values) - 1 - lost))

    of_change = reliability_of(pair.x, pair.x_error)
    of_outcome = reliability_of(pair.y, pair.y_error) if np.isfinite(pair.y_error).all() else 1.0
    if min(of_change, of_outcome) < MIN_RELIABILITY:
        return max(0.0, of_change), None
    scale = 1 / math.sqrt(of_change * of_outcome)
    if abs(pearson.value) * scale >= 1:
        # More than perfect: the stated errors are too large for the spread, and nothing can be corrected.
        return of_change, None

    def bounded(value: float) -> float:
        return max(-1.0, min(1.0, value * scale))

    return of_change, replace(
        pearson,
        name=f"{pearson.name}, corrected for measurement error",
        value=bounded(pearson.value),
        low=bounded(pearson.low),
        high=bounded(pearson.high),
        method=f"{pearson.method}, divided by the root of the reliability ({of_change:.2f})",
    )


def _influence(pair: ChangeOutcomePair, r: float, df: int, alpha: float) -> Influence:
    """Return r without each patient, and whether leaving one out makes or breaks significance."""
    n = len(pair.x)
    keep = np.array([np.delete(np.arange(n), i) for i in range(n)])
    without = correlate_rows(pair.x[keep], pair.y[keep])
    without = np.where(np.isfinite(without), without, 0.0)
    most = int(np.argmax(np.abs(without - r)))
    claims = {_p_of(float(w), df - 1) < alpha for w in without}
    return Influence(
        float(without.min()),
        float(without.max()),
        pair.patients[most],
        float(without[most]),
        claims != {_p_of(r, df) < alpha},
    )
