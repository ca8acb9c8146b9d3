"""The ratios of every patient: those that Sudeck measured, those that somebody typed, and the error of both.

Two readers of one scan say how far a reading can be trusted; a test-retest standard deviation that the centre
states says how far a scan can. Either only ever widens an error that was measured.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from sudeck.core.errors import InputError
from sudeck.core.record import Record
from sudeck.core.vocabulary import PHASE_RATIOS, RATIOS_OF_RATIOS
from sudeck.statistics.clinical.agreement import Agreement, reading_agreement
from sudeck.study.folder.settings import Settings
from sudeck.study.folder.tables import ReadTable

if TYPE_CHECKING:
    import pandas as pd

_PHASES: Final = tuple(PHASE_RATIOS.values())
_OF_RATIOS: Final = {
    name: (PHASE_RATIOS[over], PHASE_RATIOS[under]) for name, (over, under) in RATIOS_OF_RATIOS.items()
}
SIX: Final = (*_PHASES, *_OF_RATIOS)
# Two ways of measuring one scan that differ by more than this, in per cent, are named.
_FAR_APART_PERCENT: Final = 10.0


@dataclass(frozen=True, slots=True)
class RatioSources(Record):
    """Where the ratios of a study come from.

    Attributes
    ----------
    measured : tuple of str
        Patients whose scan Sudeck measured.
    typed : tuple of str
        Patients whose ratios were typed.
    agreement : Mapping of str to Agreement
        Of the natural logarithm of each ratio, between typed readings of one patient; empty where nobody read
        twice.
    remarks : tuple of str
        A sentence each.
    """

    measured: tuple[str, ...]
    typed: tuple[str, ...]
    agreement: Mapping[str, Agreement]
    remarks: tuple[str, ...]


def collect_ratios(
    measured: pd.DataFrame, typed: ReadTable, settings: Settings
) -> tuple[pd.DataFrame, RatioSources]:
    """Join measured and typed ratios to one row a patient, with their errors.

    Parameters
    ----------
    measured : DataFrame
        ``participant_id``, the three ratios and six standard errors of logarithms; NaN where not measured.
    typed : ReadTable
        The table ``scan_ratios``.
    settings : Settings
    """
    import pandas as pd

    readings = _readings(typed)
    agreement = _agreement(readings, settings.level)
    own = measured.dropna(subset=list(_PHASES), how="all")
    by_sudeck = tuple(own["participant_id"])
    rows: list[dict[Any, Any]] = own.to_dict("records")
    rows += [_mean_reading(pid, taken, agreement) for pid, taken in readings.items() if pid not in by_sudeck]
    rows = [_with_retest(row, settings.retest_sd) for row in rows]
    by_hand = tuple(pid for pid in readings if pid not in by_sudeck)
    columns = ["participant_id", *_PHASES, *(f"{name}_log_se" for name in SIX)]
    frame = pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(columns[1:], "float64"))
    remarks = _remarks(own, readings, by_hand, agreement, settings.retest_sd)
    return frame, RatioSources(by_sudeck, by_hand, agreement, tuple(remarks))


def _readings(typed: ReadTable) -> dict[str, list[Mapping[str, Any]]]:
    """Return the rows of each patient; a reader who is there twice for one patient counts once."""
    readings: dict[str, dict[object, Mapping[str, Any]]] = defaultdict(dict)
    for row in typed.rows:
        pid = row["participant_id"]
        if isinstance(pid, str) and any(row[name] is not None for name in _PHASES):
            readings[pid].setdefault(row["reader"], row)
    return {pid: list(rows.values()) for pid, rows in readings.items()}


def _logs(row: Mapping[str, Any]) -> dict[str, float]:
    """Return the logarithms of those of the six ratios that a row gives."""
    logs = {name: math.log(row[name]) for name in _PHASES if row[name] is not None}
    return logs | {
        name: logs[over] - logs[under]
        for name, (over, under) in _OF_RATIOS.items()
        if over in logs and under in logs
    }


def _agreement(readings: Mapping[str, Sequence[Mapping[str, Any]]], level: float) -> dict[str, Agreement]:
    found = {}
    logs = [[_logs(row) for row in rows] for rows in readings.values()]
    for name in SIX:
        try:
            found[name] = reading_agreement(
                [[one[name] for one in rows if name in one] for rows in logs], level=level
            )
        except InputError:
            continue
    return found


def _mean_reading(
    pid: str, taken: Sequence[Mapping[str, Any]], agreement: Mapping[str, Agreement]
) -> dict[str, Any]:
    """Return the geometric mean of the readings of one patient with its error.

    A stated error is that of one reading and of counts that all readings share, so it does not shrink with
    readings; the error between readers does. The larger of the two counts.
    """
    logs = [_logs(row) for row in taken]
    row: dict[str, Any] = {"participant_id": pid}
    for name in SIX:
        values = [one[name] for one in logs if name in one]
        if name in _PHASES:
            row[name] = math.exp(sum(values) / len(values)) if values else np.nan
        between = agreement[name].error_sd / math.sqrt(len(values)) if name in agreement and values else None
        known = [error for error in (_stated(taken, name), between) if error is not None]
        row[f"{name}_log_se"] = max(known) if known else np.nan
    return row


def _stated(taken: Sequence[Mapping[str, Any]], name: str) -> float | None:
    """Return the error stated for a ratio: the root mean square over readings; of independent phases."""
    if name in _OF_RATIOS:
        over, under = (_stated(taken, phase) for phase in _OF_RATIOS[name])
        return None if over is None or under is None else math.hypot(over, under)
    stated = [row[f"{name}_log_se"] for row in taken if row[f"{name}_log_se"] is not None]
    return math.sqrt(sum(error**2 for error in stated) / len(stated)) if stated else None


def _with_retest(row: Mapping[Any, Any], retest: Mapping[str, float]) -> dict[Any, Any]:
    """Widen errors to what the centre found between scans of one patient.

    Where it is stated for phases and not for a ratio of them, what it adds to each is taken as independent.
    """
    wide, added = dict(row), dict.fromkeys(_PHASES, 0.0)
    for name in SIX:
        before = row[f"{name}_log_se"]
        known = 0.0 if math.isnan(before) else before
        if name in retest:
            error = max(known, retest[name])
        elif name in _OF_RATIOS and any(added[phase] for phase in _OF_RATIOS[name]):
            error = math.sqrt(known**2 + sum(added[phase] for phase in _OF_RATIOS[name]))
        else:
            continue
        if name in added:
            added[name] = error**2 - known**2
        wide[f"{name}_log_se"] = error
    return wide


def _remarks(
    own: pd.DataFrame,
    readings: Mapping[str, Sequence[Mapping[str, Any]]],
    by_hand: Sequence[str],
    agreement: Mapping[str, Agreement],
    retest: Mapping[str, float],
) -> list[str]:
    remarks = []
    if by_hand:
        patients = "of 1 patient were" if len(by_hand) == 1 else f"of {len(by_hand)} patients were"
        remarks.append(f"The ratios {patients} measured elsewhere and typed into scan_ratios.tsv.")
    if agreement:
        shown = ", ".join(f"{name} {found.icc.value:.2f}" for name, found in agreement.items())
        least = min(found.n for found in agreement.values())
        remarks.append(
            f"Readers agree on the logarithm with an ICC of {shown} ({least} patients read twice or more); "
            "their spread is in the measurement error. Readings of one patient count as their geometric mean."
        )
    elif by_hand and all(math.isnan(_known_error(readings[pid])) for pid in by_hand) and not retest:
        remarks.append(
            "No error of the typed ratios is known, so nothing is corrected for it: a second reader of some "
            "scans, or retest_sd in sudeck.toml, would tell it."
        )
    if retest:
        shown = ", ".join(f"{name} {sd:g}" for name, sd in retest.items())
        remarks.append(f"Errors are at least the stated test-retest standard deviations of the log: {shown}.")
    both = own[own["participant_id"].isin(readings)]
    if len(both):
        apart = [row["participant_id"] for row in both.to_dict("records") if _far_apart(row, readings)]
        said = f"{len(both)} patients were also measured by Sudeck, which counts"
        far = f"; more than {_FAR_APART_PERCENT:g} % apart: {', '.join(apart)}" if apart else ""
        remarks.append(f"{said}{far}.")
    return remarks


def _known_error(taken: Sequence[Mapping[str, Any]]) -> float:
    known = [error for name in _PHASES if (error := _stated(taken, name)) is not None]
    return max(known, default=math.nan)


def _far_apart(row: Mapping[Any, Any], readings: Mapping[str, Sequence[Mapping[str, Any]]]) -> bool:
    limit = math.log1p(_FAR_APART_PERCENT / 100)
    typed = [_logs(one) for one in readings[row["participant_id"]]]
    return any(
        abs(math.log(row[name]) - sum(known) / len(known)) > limit
        for name in _PHASES
        if (known := [one[name] for one in typed if name in one]) and not math.isnan(row[name])
    )
