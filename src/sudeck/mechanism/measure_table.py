"""The table every analysis of changes starts from: one row a patient, visit, hemisphere and measure."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from sudeck.core.errors import InputError
from sudeck.core.flags import Flag
from sudeck.core.quantile import normal_quantile
from sudeck.statistics.mixed.mixed_likelihood import Floats

if TYPE_CHECKING:
    import pandas as pd

HEMISPHERES: Final = ("pain", "other")
INTERACTION: Final = "interaction"
KEY_COLUMNS: Final = ("participant_id", "visit", "hemisphere", "measure")


@dataclass(frozen=True, slots=True)
class Observation:
    """One measure of one hemisphere of one patient at one visit, on the natural-log scale."""

    patient: Hashable
    visit: str
    hemisphere: str
    measure: str
    log_value: float
    log_se: float


@dataclass(frozen=True)
class MeasureTable:
    """Checked observations.

    Attributes
    ----------
    observations : tuple of Observation
        At most one for each patient, visit, hemisphere and measure.
    measures, visits : tuple of str
        In order of first appearance.
    flags : tuple of Flag
        What was set aside or filled in, and why.
    """

    observations: tuple[Observation, ...]
    measures: tuple[str, ...]
    visits: tuple[str, ...]
    flags: tuple[Flag, ...]

    def of(self, measure: str, visits: tuple[str, ...]) -> list[Observation]:
        """Return the observations of one measure at some visits."""
        return [o for o in self.observations if o.measure == measure and o.visit in visits]

    def __str__(self) -> str:
        patients = len({o.patient for o in self.observations})
        return (
            f"{len(self.observations)} observations of {patients} patients: "
            f"{', '.join(self.measures)} at {', '.join(self.visits)}"
        )


@dataclass(frozen=True, eq=False)
class PairedChanges:
    """Change of each patient in each measure and hemisphere between two visits.

    Attributes
    ----------
    patients : tuple
    names : tuple of (measure, hemisphere)
        Hemisphere is ``"pain"``, ``"other"`` or ``"interaction"`` (pain minus other).
    log_change : array (patients, names)
        Logarithm of the ratio visit / baseline; NaN where a visit is missing.
    log_se : array (patients, names)
        Measurement error of `log_change`; NaN where the table gives none.
    """

    patients: tuple[Hashable, ...]
    names: tuple[tuple[str, str], ...]
    log_change: Floats
    log_se: Floats

    def column(self, measure: str, hemisphere: str) -> tuple[Floats, Floats]:
        """Return change and error of one measure and hemisphere, (patients,) each."""
        j = self.names.index((measure, hemisphere))
        return self.log_change[:, j], self.log_se[:, j]


def read_rows(path: Path) -> pd.DataFrame:
    """Read a tab-separated table with a header; ``n/a`` is a missing value, a participant always text.

    Raises
    ------
    InputError
        If it is no such table.
    """
    import pandas as pd

    try:
        return pd.read_csv(path, sep="\t", na_values="n/a", dtype={"participant_id": str})
    except OSError:
        raise InputError(path.name, "there is no such file", "check the path") from None
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError):
        raise InputError(path.name, "it is no table", "give tab-separated text with a header") from None


def tabulate_measures(table: pd.DataFrame) -> MeasureTable:
    """Check a table of measures and take logarithms.

    Parameters
    ----------
    table : DataFrame
        Columns ``participant_id``, ``visit``, ``hemisphere`` (``"pain"``: contralateral to the affected limb,
        or ``"other"``), ``measure`` and ``value`` (positive). The error of each value comes from ``log_se``
        or, failing that, from ``low`` and ``high`` (with ``level``, 0.95 unless given); both may be absent.

    Returns
    -------
    MeasureTable
        Rows that can not be used (no side, no value, a value that has no logarithm) are left out and flagged.

    Raises
    ------
    InputError
        If a column is missing, a measurement occurs twice, or no row can be used.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = {"participant_id": ["a", "a"], "visit": ["pre", "post"], "hemisphere": "pain",
    ...         "measure": "SICI", "value": [0.9, 0.6]}
    >>> print(tabulate_measures(pd.DataFrame(rows)))
    2 observations of 1 patients: SICI at pre, post
    """
    missing = [name for name in (*KEY_COLUMNS, "value") if name not in table.columns]
    if missing:
        raise InputError("table of measures", f"no column {', '.join(missing)}", "add it or rename yours")
    flags: list[Flag] = []
    kept: dict[tuple[Any, ...], Observation] = {}
    set_aside = {"name-missing": 0, "side-unknown": 0, "value-missing": 0, "value-not-positive": 0}
    for row in table.to_dict("records"):
        reason = _unusable(row)
        if reason is not None:
            set_aside[reason] += 1
            continue
        key = tuple(row[name] for name in KEY_COLUMNS)
        if key in kept:
            raise InputError(
                f"{row['participant_id']}, {row['visit']}, {row['hemisphere']}, {row['measure']}",
                "it occurs twice",
                "keep one row for each measurement",
            )
        kept[key] = Observation(
            row["participant_id"],
            str(row["visit"]),
            str(row["hemisphere"]),
            str(row["measure"]),
            math.log(float(row["value"])),
            _log_se(row),
        )
    messages = {
        "name-missing": "without a patient, a visit or a measure",
        "side-unknown": "without a hemisphere relative to the pain (pain or other)",
        "value-missing": "without a value",
        "value-not-positive": "at or below zero, which has no logarithm",
    }
    flags += [
        Flag(code, f"{count} row(s) {messages[code]} left out.", "caution", value=float(count))
        for code, count in set_aside.items()
        if count
    ]
    if not kept:
        raise InputError(
            "table of measures",
            "no row can be used" + "".join(f"; {flag.message.rstrip('.')}" for flag in flags),
            "give positive values with hemisphere pain or other, derived from the affected side",
        )
    observations = tuple(kept.values())
    filled, fill_flags = _fill_errors(observations)
    return MeasureTable(
        filled,
        tuple(dict.fromkeys(o.measure for o in observations)),
        tuple(dict.fromkeys(o.visit for o in observations)),
        tuple(flags) + fill_flags,
    )


def pair_visits(table: MeasureTable, baseline: str, visit: str) -> PairedChanges:
    """Return each patient's change between two visits; interactions stand after the two hemispheres."""
    by_key = {(o.patient, o.visit, o.hemisphere, o.measure): o for o in table.observations}
    patients = tuple(dict.fromkeys(o.patient for o in table.observations))
    names = tuple((measure, side) for measure in table.measures for side in (*HEMISPHERES, INTERACTION))
    change, error = (np.full((len(patients), len(names)), np.nan) for _ in range(2))
    for i, patient in enumerate(patients):
        for j, (measure, side) in enumerate(names):
            if side == INTERACTION:
                change[i, j] = change[i, j - 2] - change[i, j - 1]
                error[i, j] = math.hypot(error[i, j - 2], error[i, j - 1])
                continue
            before = by_key.get((patient, baseline, side, measure))
            after = by_key.get((patient, visit, side, measure))
            if before is not None and after is not None:
                change[i, j] = after.log_value - before.log_value
                error[i, j] = math.hypot(after.log_se, before.log_se)
    return PairedChanges(patients, names, change, error)


def _unusable(row: Mapping[Hashable, Any]) -> str | None:
    if any(row[name] in (None, "") or row[name] != row[name] for name in KEY_COLUMNS if name != "hemisphere"):
        return "name-missing"
    if row["hemisphere"] not in HEMISPHERES:
        return "side-unknown"
    try:
        value = float(row["value"])
    except (TypeError, ValueError):
        return "value-missing"
    if not math.isfinite(value):
        return "value-missing"
    return None if value > 0 else "value-not-positive"


def _log_se(row: Mapping[Hashable, Any]) -> float:
    """Return the standard error of the log value, NaN when the row has none."""

    def number(name: str) -> float:
        try:
            return float(row.get(name, math.nan))
        except (TypeError, ValueError):
            return math.nan

    stated = number("log_se")
    if stated >= 0 and math.isfinite(stated):
        return stated
    low, high, level = number("low"), number("high"), number("level")
    if not (0 < low <= high < math.inf):
        return math.nan
    level = level if 0 < level < 1 else 0.95
    return math.log(high / low) / (2 * normal_quantile(level))


def _fill_errors(
    observations: tuple[Observation, ...],
) -> tuple[tuple[Observation, ...], tuple[Flag, ...]]:
    """Give an observation without an error the median error of its measure, where others have one."""
    from dataclasses import replace

    flags, medians = [], {}
    for measure in dict.fromkeys(o.measure for o in observations):
        errors = np.array([o.log_se for o in observations if o.measure == measure])
        known = np.isfinite(errors)
        if known.any() and not known.all():
            medians[measure] = float(np.median(errors[known]))
            flags.append(
                Flag(
                    "error-assumed",
                    f"{int((~known).sum())} value(s) of {measure} come without an interval and take the "
                    f"median error of the others ({medians[measure]:.3g} on the log scale).",
                    "caution",
                    measure,
                    value=float((~known).sum()),
                )
            )
    filled = tuple(
        replace(o, log_se=medians[o.measure]) if math.isnan(o.log_se) and o.measure in medians else o
        for o in observations
    )
    return filled, tuple(flags)
