"""Change of each measure in each hemisphere, and whether the two hemispheres changed alike.

All on the log scale, so that a change is a ratio, with the measurement error of every value carried along. A
patient who missed a visit still counts with the visit that was made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

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


_UNLIKELY: Final = 0.005  # of a spread this small, were the stated errors right
_FEWEST_SPREAD: Final = 6  # patients


@dataclass(frozen=True)
class Changes(Record):
    """All changes of a study, what could not be answered, and what the study can see at all.

    Attributes
    ----------
    changes : tuple of Change
    asymmetries : tuple of Asymmetry
    family, interaction_family : SignFlipTest or None
        The exact tests behind every `p_family`: of the hemispheres, and of pain over other, which is their
        difference and another question.
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
    interaction_family: SignFlipTest | None = None

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
    stated: list[Floats] = []
    for visit in followups:
        paired = pair_visits(measures, baseline, visit)
        for measure, side in paired.names:
            answer = question.change(paired, measure, side, visit)
            if isinstance(answer, Flag):
                unanswered.append(answer)
                continue
            changes.append(answer)
            values, errors = paired.column(measure, side)
            columns.append(values)
            stated.append(errors)
    families: dict[bool, SignFlipTest] = {}
    for interaction in (False, True):
        own = [j for j, change in enumerate(changes) if (change.hemisphere == INTERACTION) == interaction]
        if not own:
            continue
        names = [f"{changes[j].measure} {changes[j].hemisphere} {changes[j].visit}" for j in own]
        test = flip_signs(np.column_stack([columns[j] for j in own]), names=names, rng=rng)
        families[interaction] = test
        for j, p, q in zip(own, test.p, test.p_family, strict=True):
            changes[j] = replace(changes[j], p_sign_flip=p, p_family=q)

    asymmetries: list[Asymmetry] = []
    for measure in measures.measures:
        for visit in measures.visits:
            found = question.asymmetry(measure, visit)
            if isinstance(found, Asymmetry):
                asymmetries.append(found)
    beyond = [
        flag
        for change, values, errors in zip(changes, columns, stated, strict=True)
        if change.hemisphere != INTERACTION
        and (flag := _error_beyond_spread(change, values, errors)) is not None
    ]
    n = max((change.n for change in changes), default=0)
    sds = {
        f"{c.measure}, {CHANGE_TEXT[c.hemisphere]}": float(np.nanstd(column, ddof=1))
        for c, column in zip(changes, columns, strict=True)
        if c.visit == followups[0] and c.hemisphere != INTERACTION
    }
    return Changes(
        tuple(changes),
        tuple(asymmetries),
        families.get(False),
        describe_power(n, sd_of_change=sds) if n >= 4 else None,
        tuple(unanswered),
        measures.flags + adjustment.flags + tuple(beyond),
        adjustment.texts,
        families.get(True),
    )


def _error_beyond_spread(change: Change, values: Floats, errors: Floats) -> Flag | None:
    """Return a flag where people differ less than their stated errors alone would make them."""
    from scipy.stats import chi2

    known = np.isfinite(values) & np.isfinite(errors)
    n, stated = int(known.sum()), float((errors[known] ** 2).mean()) if known.any() else 0.0
    if n < _FEWEST_SPREAD or stated == 0.0:
        return None
    spread = float(values[known].var(ddof=1))
    if float(chi2.cdf((n - 1) * spread / stated, n - 1)) >= _UNLIKELY:
        return None
    place = f"{change.measure}, {CHANGE_TEXT[change.hemisphere]}"
    share = float(np.sqrt(spread / stated))
    message = (
        f"{place}: changes from {change.baseline} to {change.visit} differ between patients by "
        f"{np.sqrt(spread):.2g} (log scale), their stated errors alone would give {np.sqrt(stated):.2g}: "
        "these errors are too large, and so is every interval that rests on them."
    )
    return Flag("error-above-spread", message, "caution", change.measure, share, 1.0)
