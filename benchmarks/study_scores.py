"""What many synthetic studies got right: intervals that hold the truth, and claims of what is not there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

import numpy as np
from scipy import stats

from sudeck.mechanism.association import Associations
from sudeck.mechanism.change_correlation import Association
from sudeck.mechanism.changes import Changes
from sudeck.mechanism.measure_table import INTERACTION, PairedChanges
from sudeck.statistics.resampling import correlate_rows

ALPHA = 0.05
_Z = float(stats.norm.ppf(1 - ALPHA / 2))


def row(what: str, target: str, measured: str, baseline: str = "") -> None:
    print(f"{what:<58} {target:<22} {measured:<30} {baseline}", flush=True)


class Scores:
    """Shares over studies, by name; a study that counts several things under one name counts once."""

    def __init__(self) -> None:
        self._studies: defaultdict[str, list[float]] = defaultdict(list)
        self._open: defaultdict[str, list[bool]] = defaultdict(list)

    def add(self, name: str, hit: bool | np.bool_) -> None:
        """Count one thing of the current study."""
        self._open[name].append(bool(hit))

    def close_study(self) -> None:
        """Take the current study in; what is added next is of another."""
        for name, hits in self._open.items():
            self._studies[name].append(float(np.mean(hits)))
        self._open.clear()

    def percent(self, name: str) -> str:
        """Return the share with its standard error over studies."""
        shares = 100 * np.array(self._studies[name])
        if len(shares) < 2:
            return "none"
        return f"{shares.mean():.1f} % (± {shares.std(ddof=1) / np.sqrt(len(shares)):.1f})"


def score_changes(
    scores: Scores, changes: Changes, paired: PairedChanges, truth: Mapping[tuple[str, str], float]
) -> None:
    """Count intervals that hold the true mean log change; beside ours the same model with z and the paired t.

    Parameters
    ----------
    truth : Mapping of (measure, hemisphere) to float
        Interactions included.
    """
    for c in changes.changes:
        log_truth = truth[c.measure, c.hemisphere]
        kind = "interaction" if c.hemisphere == INTERACTION else "change"
        held = c.ratio.low <= np.exp(log_truth) <= c.ratio.high
        held_by_z = abs(np.log(c.ratio.value) - log_truth) <= _Z * float(c.ratio.se or 0)
        column = paired.column(c.measure, c.hemisphere)[0]
        by_t = stats.ttest_1samp(column, log_truth, nan_policy="omit").pvalue >= ALPHA
        for name in (kind, f"{kind}, {c.measure}"):
            scores.add(name, held)
            scores.add(f"{name}, z", held_by_z)
            scores.add(f"{name}, paired t", by_t)


def score_association(scores: Scores, found: Association, measured_r: float, true_r: float) -> None:
    """Count intervals of r that hold the correlation of what is measured, and of what is true."""
    scores.add("r", found.pearson.low <= measured_r <= found.pearson.high)
    scores.add("r, Fisher", found.fisher_low <= measured_r <= found.fisher_high)
    scores.add("r for the truth", found.pearson.low <= true_r <= found.pearson.high)
    scores.add("answered", found.corrected is not None)
    if found.corrected is not None:
        scores.add("corrected r", found.corrected.low <= true_r <= found.corrected.high)


def score_percentile(
    scores: Scores, paired: PairedChanges, place: tuple[str, str], relief: np.ndarray, r: float, seed: int
) -> None:
    """Count the percentile bootstrap of one correlation, as most analyses would make it."""
    change = paired.column(*place)[0]
    seen = np.isfinite(change)
    x, y = change[seen], relief[seen]
    pick = np.random.default_rng(seed).integers(0, len(x), (1000, len(x)))
    low, high = np.quantile(correlate_rows(x[pick], y[pick]), [ALPHA / 2, 1 - ALPHA / 2])
    scores.add("r, percentile", low <= r <= high)


def score_change_claims(scores: Scores, changes: Changes) -> None:
    """Count a study that claims any change: controlled, by each model's own P, and by z."""
    scores.add("claims a change", any((c.p_family or 0) < ALPHA for c in changes.changes))
    scores.add("claims a change, uncontrolled", any(c.p < ALPHA for c in changes.changes))
    by_z = [abs(np.log(c.ratio.value)) > _Z * float(c.ratio.se or 0) for c in changes.changes]
    scores.add("claims a change, z", any(by_z))


def score_association_claims(scores: Scores, found: Associations) -> None:
    """Count a study that claims any association, controlled and not."""
    scores.add("claims an association", any(a.p_family < ALPHA for a in found.associations))
    scores.add("claims an association, uncontrolled", any(a.p < ALPHA for a in found.associations))


def print_scores(scores: Scores) -> None:
    """Print what every study of synthetic studies counts, each beside its baseline."""
    share = scores.percent
    aim, level = "93 to 97 %", f"{100 * ALPHA:.0f} % +- 1.5"
    for kind in ("change", "interaction"):
        beside = f"z {share(f'{kind}, z')}; paired t {share(f'{kind}, paired t')}"
        row(f"{kind} intervals cover", aim, share(kind), beside)
    row("intervals of r cover r of what is measured", aim, share("r"), f"percentile {share('r, percentile')}")
    row("Fisher's z intervals cover it", aim, share("r, Fisher"))
    row("r corrected for error, where answered, covers true r", aim, share("corrected r"),
        f"uncorrected {share('r for the truth')}; answered {share('answered')}")  # fmt: skip
    row("no effect: studies claiming a change", level, share("claims a change"),
        f"P < .05 {share('claims a change, uncontrolled')}, z {share('claims a change, z')}")  # fmt: skip
    row("no effect: studies claiming an association", level, share("claims an association"),
        f"P < .05 {share('claims an association, uncontrolled')}")  # fmt: skip
