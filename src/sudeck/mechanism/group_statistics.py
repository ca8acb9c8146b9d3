"""All group statistics of a study in one call: changes, associations, the published pattern, the power."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from sudeck.mechanism.association import Associations, associate_changes
from sudeck.mechanism.change_models import no_answer
from sudeck.mechanism.changes import Changes, estimate_changes
from sudeck.mechanism.healthy_reference import HealthyReference, ReferenceComparison, compare_with_healthy
from sudeck.mechanism.measure_table import tabulate_measures
from sudeck.mechanism.published_pattern import LEAST_PATIENTS, PUBLISHED_PATTERN, Judgement, judge_pattern
from sudeck.statistics.power import Power, describe_power

if TYPE_CHECKING:
    import pandas as pd

    from sudeck.core.flags import Flag


@dataclass(frozen=True)
class GroupStatistics:
    """Everything the tables of a study say about its group of patients.

    The verdicts of `pattern` share `alpha`, refutations included.
    `to_dict` gives the keys ``changes``, ``associations`` and ``pattern`` that other programs read.
    """

    changes: Changes
    associations: Associations | None
    pattern: tuple[Judgement, ...]
    healthy: tuple[ReferenceComparison, ...]
    unanswered: tuple[Flag, ...]
    alpha: float = 0.05

    def __str__(self) -> str:
        parts: list[Any] = [self.changes, *self.healthy]
        if self.associations is not None:
            parts.append(self.associations)
        return "\n".join(str(part) for part in [*parts, *self.pattern] if str(part))

    def power_of(self, judged: Judgement) -> Power | None:
        """Return what these patients see of a statement on relief, where the others are as they came out.

        Holm's method is followed to this statement: those that pass without it leave it a larger part of the
        level, and `Judgement.share` is that part exactly, whatever its own P value. Given the other
        statements nothing is left to be simulated. None of what is no correlation, or was not measured.
        """
        n = max((found["n"] for found in judged.numbers.values() if "r" in found), default=0)
        if judged.share is None or n < LEAST_PATIENTS:
            return None
        return describe_power(n).shared_by(judged.share, alpha=self.alpha)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values."""
        changes = self.changes.to_dict()
        associations = None if self.associations is None else self.associations.to_dict()
        return {
            "changes": changes["changes"],
            "asymmetries": changes["asymmetries"],
            "healthy": [comparison.to_dict() for comparison in self.healthy],
            "associations": [] if associations is None else associations["associations"],
            "pattern": [judgement.to_dict() for judgement in self.pattern],
            "power": changes["power"],
            "covariates": changes["covariates"],
            "unanswered": [flag.to_dict() for flag in self.unanswered],
            "flags": changes["flags"],
        }


def explain_group(
    table: pd.DataFrame,
    patients: pd.DataFrame | None = None,
    *,
    outcome: str = "relief",
    baseline: str = "pre",
    visit: str = "post",
    covariates: Mapping[str, float | str] | None = None,
    reference: Mapping[str, HealthyReference] | None = None,
    level: float = 0.95,
    alpha: float = 0.05,
    rng: np.random.Generator | int | None = 0,
) -> GroupStatistics:
    """Estimate changes and associations and judge the published pattern.

    Parameters
    ----------
    table : DataFrame
        Measures, see `tabulate_measures`.
    patients : DataFrame, optional
        One row a patient: ``participant_id``, the outcome and covariates. Without it nothing is associated.
    outcome : str
        Column of the relief.
    baseline, visit : str
        Visits before and after treatment; further visits are compared with the baseline too.
    covariates : Mapping[str, float or "mean"], optional
        Declared covariates and the value at which changes are stated.
    reference : Mapping[str, HealthyReference], optional
    level : float
    alpha : float
        Of all verdicts on the pattern together.
    rng : numpy Generator or seed

    Raises
    ------
    InputError
        If the table of measures can not be used at all.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = [(i, v, "pain", "SICI", 0.9 if v == "pre" else 0.5 + 0.05 * i)
    ...         for i in range(4) for v in ("pre", "post")]
    >>> table = pd.DataFrame(rows, columns=["participant_id", "visit", "hemisphere", "measure", "value"])
    >>> found = explain_group(table)
    >>> found.changes.changes[0].n, found.pattern[1].verdict  # four patients are too few for a verdict
    (4, 'undecided')
    """
    measures = tabulate_measures(table)
    changes = estimate_changes(
        measures,
        baseline=baseline,
        patients=patients,
        covariates=covariates,
        level=level,
        rng=rng,
    )
    unanswered = list(changes.unanswered)
    associations = None
    absent = [name for name in (baseline, visit) if name not in measures.visits]
    if absent:
        unanswered.append(
            no_answer("associations", f"No visit is called {absent[0]!r}, so nothing is associated.")
        )
    elif patients is None or outcome not in patients.columns:
        unanswered.append(
            no_answer("associations", f"No column {outcome!r} of relief, so nothing is associated with it.")
        )
    else:
        associations = associate_changes(
            measures,
            patients,
            outcome=outcome,
            baseline=baseline,
            visit=visit,
            covariates=tuple(covariates or ()),
            level=level,
            rng=rng,
        )
        unanswered += associations.unanswered
    pattern = judge_pattern(changes, associations, visit=visit, alpha=alpha)
    if changes.power is not None:
        # A correlation is claimed where it holds beside the other statements of the pattern.
        measured = sum(judged.share is not None for judged in pattern) or len(PUBLISHED_PATTERN)
        changes = replace(changes, power=changes.power.shared_by(measured, alpha=alpha))
    return GroupStatistics(
        changes,
        associations,
        pattern,
        compare_with_healthy(measures, reference or {}, level=level),
        tuple(unanswered),
        alpha,
    )
