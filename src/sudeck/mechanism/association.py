"""Does relief go with the change of a measure? Correlations that say how little nineteen patients tell.

The change is the logarithm of visit over baseline: a *negative* correlation means that patients whose ratio
fell (SICI restored, ICF lowered) had more relief.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from sudeck.core.errors import InputError
from sudeck.core.flags import Flag
from sudeck.core.record import Record
from sudeck.mechanism.change_correlation import (
    Association,
    ChangeOutcomePair,
    correlate_pair,
    covariate_remover,
    pair_with_outcome,
)
from sudeck.mechanism.covariates import read_covariates
from sudeck.mechanism.measure_table import HEMISPHERES, MeasureTable, pair_visits, tabulate_measures
from sudeck.statistics.resampling import draw_permutations, permute_family

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Associations(Record):
    """All associations of a study, and what could not be answered."""

    associations: tuple[Association, ...]
    unanswered: tuple[Flag, ...]
    flags: tuple[Flag, ...]
    permutations: int
    exact: bool

    def find(self, measure: str, hemisphere: str) -> Association | None:
        """Return one association, or None when it could not be estimated."""
        for association in self.associations:
            if (association.measure, association.hemisphere) == (measure, hemisphere):
                return association
        return None

    def __str__(self) -> str:
        return "\n".join(
            [str(a) for a in self.associations] + [flag.message for flag in self.unanswered + self.flags]
        )


def associate_changes(
    table: pd.DataFrame | MeasureTable,
    patients: pd.DataFrame,
    *,
    outcome: str = "relief",
    baseline: str = "pre",
    visit: str = "post",
    covariates: Sequence[str] = (),
    level: float = 0.95,
    bootstraps: int = 2000,
    permutations: int = 9999,
    rng: np.random.Generator | int | None = 0,
) -> Associations:
    """Correlate the log change of every measure and hemisphere with an outcome.

    Parameters
    ----------
    table : DataFrame or MeasureTable
        See `tabulate_measures`.
    patients : DataFrame
        One row a patient: ``participant_id``, the outcome, its error if known (``<outcome>_se``), covariates.
    outcome : str
        Column of the outcome, larger for better (relief, not pain).
    baseline, visit : str
    covariates : sequence of str
        Declared covariates (midazolam, dose, days since the last infusion); correlations are then partial.
    level : float
    bootstraps, permutations : int
    rng : numpy Generator or seed

    Returns
    -------
    Associations
        The family of the family-wise and false-discovery control is all associations returned.

    Raises
    ------
    InputError
        If a column or a visit is missing, or a patient occurs twice.

    Notes
    -----
    Correction for attenuation: r divided by the root of the reliabilities (Spearman 1904), its interval
    likewise. Partial correlations permute the outcome freed of the covariates (Freedman & Lane 1983).

    Examples
    --------
    >>> import pandas as pd
    >>> falls, relief = [0.5, 0.7, 0.6, 0.9, 1.0, 0.8], [60, 30, 45, 10, 5, 30]
    >>> rows = [(i, v, "pain", "SICI", 1.0 if v == "pre" else f)
    ...         for i, f in enumerate(falls) for v in ("pre", "post")]
    >>> table = pd.DataFrame(rows, columns=["participant_id", "visit", "hemisphere", "measure", "value"])
    >>> patients = pd.DataFrame({"participant_id": range(6), "relief": relief})
    >>> found = associate_changes(table, patients).associations[0]
    >>> round(found.pearson.value, 3), found.n
    (-0.982, 6)
    """
    from scipy import stats

    measures = table if isinstance(table, MeasureTable) else tabulate_measures(table)
    for name in (baseline, visit):
        if name not in measures.visits:
            raise InputError(
                "table of measures",
                f"no visit is called {name!r}",
                f"the visits are {', '.join(measures.visits)}",
            )
    generator = np.random.default_rng(rng)
    # A covariate's reference value does not matter to a partial correlation.
    adjustment = read_covariates(patients, dict.fromkeys((outcome, *covariates), 0.0))
    errors = read_covariates(patients, {f"{outcome}_se": 0.0}) if f"{outcome}_se" in patients else None
    paired = pair_visits(measures, baseline, visit)
    known = np.flatnonzero(adjustment.complete(paired.patients))
    outcome_and_covariates = adjustment.values([paired.patients[i] for i in known])
    complete = [paired.patients[i] for i in known]
    outcome_error = np.array(
        [errors.by_patient[p][0] if errors and p in errors.by_patient else np.nan for p in complete]
    )
    pairs: list[ChangeOutcomePair] = []
    unanswered: list[Flag] = []
    for measure, side in paired.names:
        if side not in HEMISPHERES:
            continue
        change, change_error = (values[known] for values in paired.column(measure, side))
        answer = pair_with_outcome(
            measure, side, change, change_error, outcome_and_covariates, outcome_error, complete
        )
        if isinstance(answer, Flag):
            unanswered.append(answer)
        else:
            pairs.append(answer)
    if not pairs:
        return Associations((), tuple(unanswered), measures.flags + adjustment.flags, 0, True)

    orders, exact = draw_permutations(len(known), permutations, generator)
    y = covariate_remover(outcome_and_covariates[:, 1:]) @ outcome_and_covariates[:, 0]
    alone, family = permute_family(
        [p.x for p in pairs],
        [p.projector for p in pairs],
        [p.rows for p in pairs],
        y,
        orders,
        len(covariates),
    )
    fdr = stats.false_discovery_control(alone)
    orders_of = {len(known): orders}
    found = []
    for j, pair in enumerate(pairs):
        n = len(pair.x)
        if n not in orders_of:
            orders_of[n], _ = draw_permutations(n, permutations, generator)
        association = correlate_pair(
            pair,
            baseline=baseline,
            visit=visit,
            outcome=outcome,
            covariates=tuple(covariates),
            level=level,
            bootstraps=bootstraps,
            orders=orders_of[n],
            rng=generator,
        )
        found.append(
            replace(
                association,
                p_permutation=float(alone[j]),
                p_family=float(family[j]),
                p_fdr=float(fdr[j]),
            )
        )
    return Associations(
        tuple(found), tuple(unanswered), measures.flags + adjustment.flags, len(orders), exact
    )
