"""Change of each measure in each hemisphere, and whether the two hemispheres changed alike.

All on the log scale, so that a change is a ratio, with the measurement error of every value carried along. A
patient who missed a visit still counts with the visit that was made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from sudeck.core.errors import InputError
from sudeck.core.flags import Flag
from sudeck.core.record import Record
from sudeck.mechanism.change_models import CHANGE_TEXT, Asymmetry, Change, ChangeQuestions, no_answer
from sudeck.mechanism.covariates import read_covariates
from sudeck.mechanism.measure_table import INTERACTION, MeasureTable, pair_visits, tabulate_measures
from sudeck.statistics.mixed.degrees_of_freedom import DfMethod
from sudeck.statistics.mixed.mixed_likelihood import Floats
from sudeck.statistics.power import Power, describe_power
from sudeck.statistics.sign_flip import SignFlipTest, flip_signs

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Changes(Record):
    """All changes of a study, what could not be answered, and what the study can see at all.

    Attributes
    ----------
    changes : tuple of Change
    asymmetries : tuple of Asymmetry
    family : SignFlipTest or None
        The exact test behind every `p_family`.
    power : Power or None
        None below four patients.
    unanswered : tuple of Flag
        One sentence for each question the data can not answer.
    flags : tuple of Flag
        What was set aside or assumed.
    covariates : tuple of str
        Declared covariates, each with the value the changes are stated at.
    """

    changes: tuple[Change, ...]
    asymmetries: tuple[Asymmetry, ...]
    family: SignFlipTest | None
    power: Power | None
    unanswered: tuple[Flag, ...]
    flags: tuple[Flag, ...]
    covariates: tuple[str, ...] = ()

    def find(self, measure: str, hemisphere: str, visit: str) -> Change | None:
        """Return one change, or None when it could not be estimated."""
        for change in self.changes:
            if (change.measure, change.hemisphere, change.visit) == (measure, hemisphere, visit):
                return change
        return None

    def __str__(self) -> str:
        parts = [str(change) for change in self.changes] + [str(a) for a in self.asymmetries]
        if self.covariates:
            parts.append(f"Adjusted for {', '.join(self.covariates)}.")
        parts += [flag.message for flag in self.unanswered + self.flags]
        parts.append(str(self.power) if self.power else "Too few patients to state what could be seen.")
        return "\n".join(parts)


def estimate_changes(
    table: pd.DataFrame | MeasureTable,
    *,
    baseline: str = "pre",
    visits: Sequence[str] | None = None,
    patients: pd.DataFrame | None = None,
    covariates: Mapping[str, float | str] | None = None,
    df_method: DfMethod = "kenward-roger",
    level: float = 0.95,
    rng: np.random.Generator | int | None = 0,
) -> Changes:
    """Estimate the change of every measure in both hemispheres, and hemisphere × visit interactions.

    Parameters
    ----------
    table : DataFrame or MeasureTable
        See `tabulate_measures`.
    baseline : str
        The visit the others are compared with (of no matter when there is but one).
    visits : sequence of str, optional
        Visits to compare; all but the baseline otherwise.
    patients : DataFrame, optional
        One row a patient, with ``participant_id`` and the covariates.
    covariates : Mapping[str, float or "mean"], optional
        Declared covariates of the change (midazolam dose, ketamine dose, days since the last infusion) and
        the value at which the change is stated: ``{"midazolam_mg": 0.0, "dose_mg": "mean"}``.
    df_method : {"kenward-roger", "satterthwaite"}
    level : float
    rng : numpy Generator or seed
        For the sign-flip test beyond 22 patients only.

    Returns
    -------
    Changes

    Raises
    ------
    InputError
        If the table can not be read or has no baseline visit.

    Notes
    -----
    One hemisphere: ``log value ~ visit + (1 | patient)``, so that neither hemisphere borrows the other's
    spread. Interaction: ``log value ~ hemisphere * visit + (1 | patient) + (1 | patient:hemisphere) + (1 |
    patient:visit)``. Both by REML, the squared error of each value being a known part of its variance.
    Complete data without stated errors give the paired t test, unless a variance is estimated as zero. Each
    visit is compared with the baseline on its own: nothing is assumed of the covariance of three visits.

    Examples
    --------
    >>> import pandas as pd
    >>> values = {"pre": [0.9, 0.8, 1.0, 0.7, 0.9], "post": [0.6, 0.7, 0.6, 0.5, 0.8]}
    >>> rows = [(i, visit, "pain", "SICI", v) for visit in values for i, v in enumerate(values[visit])]
    >>> table = pd.DataFrame(rows, columns=["participant_id", "visit", "hemisphere", "measure", "value"])
    >>> print(estimate_changes(table).changes[0])
    SICI post/pre, pain-side hemisphere 0.7402 (95 % interval 0.5982 to 0.9160), t(4.0) P = 0.0173, \
P in the family 0.0625, n = 5
    """
    measures = table if isinstance(table, MeasureTable) else tabulate_measures(table)
    if len(measures.visits) == 1:
        baseline = measures.visits[0]
    if baseline not in measures.visits:
        raise InputError(
            "table of measures",
            f"no visit is called {baseline!r}",
            f"name the baseline; the visits are {', '.join(measures.visits)}",
        )
    adjustment = read_covariates(patients, covariates or {})
    followups = tuple(visits) if visits is not None else tuple(v for v in measures.visits if v != baseline)
    question = ChangeQuestions(measures, baseline, adjustment, df_method, level)
    unanswered: list[Flag] = []
    if not followups:
        unanswered.append(
            no_answer("study", f"Only the visit {baseline!r} is there, so no change can be estimated.")
        )

    changes: list[Change] = []
    columns: list[Floats] = []
    for visit in followups:
        paired = pair_visits(measures, baseline, visit)
        for measure, side in paired.names:
            answer = question.change(paired, measure, side, visit)
            if isinstance(answer, Flag):
                unanswered.append(answer)
                continue
            changes.append(answer)
            columns.append(paired.column(measure, side)[0])
    family = None
    if changes:
        names = [f"{c.measure} {c.hemisphere} {c.visit}" for c in changes]
        family = flip_signs(np.column_stack(columns), names=names, rng=rng)
        changes = [
            replace(change, p_sign_flip=p, p_family=q)
            for change, p, q in zip(changes, family.p, family.p_family, strict=True)
        ]

    asymmetries: list[Asymmetry] = []
    for measure in measures.measures:
        for visit in measures.visits:
            found = question.asymmetry(measure, visit)
            if isinstance(found, Asymmetry):
                asymmetries.append(found)
    n = max((change.n for change in changes), default=0)
    sds = {
        f"{c.measure}, {CHANGE_TEXT[c.hemisphere]}": float(np.nanstd(column, ddof=1))
        for c, column in zip(changes, columns, strict=True)
        if c.visit == followups[0] and c.hemisphere != INTERACTION
    }
    return Changes(
        tuple(changes),
        tuple(asymmetries),
        family,
        describe_power(n, sd_of_change=sds) if n >= 4 else None,
        tuple(unanswered),
        measures.flags + adjustment.flags,
        adjustment.texts,
    )
