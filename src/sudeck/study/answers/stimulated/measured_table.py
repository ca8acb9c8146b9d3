"""The statistics of a table of measures alone, as `sudeck tms` writes it of a folder of people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sudeck.core.errors import InputError
from sudeck.core.flags import Flag
from sudeck.core.vocabulary import Side, opposite
from sudeck.study.answers.stimulated.hemisphere_reading import Reading
from sudeck.study.answers.stimulated.placed_readings import read_recordings
from sudeck.study.answers.stimulated.stimulation_table import BOTH, GROUP, combine_intervals

if TYPE_CHECKING:
    import pandas as pd

    from sudeck.mechanism.group_statistics import GroupStatistics

RELIEF: Final = "relief"  # column of the outcome
_NEEDED: Final = ("participant_id", "visit", "hemisphere", "measure", "value")
_MAY_LACK: Final = (
    *("side", "muscle", "muscle_side", "intensity", "isi_ms", "conditioning"),
    *("low", "high", "log_se", "unit", "n", "n_unit"),
)


def explain_measures(
    table: Path, patients: Path | None = None, *, visits: tuple[str, str] = ("pre", "post")
) -> tuple[GroupStatistics, tuple[Flag, ...]]:
    """Estimate changes and associations from a table of measures, by the rules of a study.

    Parameters
    ----------
    table : Path
        measures.tsv of a folder of people (`sudeck tms … --participants`) or of a study.
    patients : Path, optional
        One row a patient: ``participant_id`` and ``relief``. Without it nothing is associated.
    visits : (str, str)
        Before and after treatment, as the table names them.

    Returns
    -------
    statistics : GroupStatistics
    flags : tuple of Flag
        What was left out.

    Raises
    ------
    InputError
        If a file can not be read, or holds no measure of both visits.
    """
    from sudeck.mechanism.group_statistics import explain_group

    rows = _with_columns(table, _NEEDED, "give measures.tsv of sudeck tms or of a study")
    relief = None
    if patients is not None:
        relief = _with_columns(patients, ("participant_id", RELIEF), "give one row a patient with both")
    named = list(dict.fromkeys(rows["visit"].dropna()))
    absent = [visit for visit in visits if visit not in named]
    if absent:
        raise InputError(
            table.name,
            f"it has no visit {' or '.join(absent)}, but {', '.join(map(str, named)) or 'none'}",
            "name those before and after treatment with --visits",
        )
    flags: tuple[Flag, ...] = ()
    if "used_for" in rows.columns:  # of a study: chosen and combined already
        chosen = rows[rows["used_for"].isin((GROUP, BOTH))]
    else:
        chosen, flags = _chosen(rows, named)
        if chosen.empty:
            raise InputError(
                table.name,
                "no row is of the pain-side or the other hemisphere",
                "measure with --participants, a table with participant_id and affected_side",
            )
    before, after = visits
    # Statistics list visits as they come: first the two that matter.
    order = chosen["visit"].map({before: 0, after: 1}).fillna(2)
    chosen = chosen.loc[order.sort_values(kind="stable").index]
    return explain_group(chosen, relief, outcome=RELIEF, baseline=before, visit=after), flags


def _with_columns(path: Path, needed: Sequence[str], remedy: str) -> pd.DataFrame:
    from sudeck.mechanism.measure_table import read_rows

    rows = read_rows(path)
    missing = [name for name in needed if name not in rows.columns]
    if missing:
        raise InputError(path.name, f"it has no column {', '.join(missing)}", remedy)
    return rows


def _chosen(rows: pd.DataFrame, visits: Sequence[str]) -> tuple[pd.DataFrame, tuple[Flag, ...]]:
    """Choose and combine the measures of each patient as a study does."""
    import pandas as pd

    readings: list[Reading] = []
    flags: list[Flag] = []
    for patient, own in rows.groupby("participant_id", sort=False):
        found, trouble = read_recordings(
            {"participant_id": patient, "recordings": _recordings(own)},
            {f"ses-{visit}": visit for visit in visits},
            _affected(own),
        )
        combined, more = combine_intervals(found)
        readings += [reading for reading, _ in combined]
        flags += [*trouble, *more]
    table = pd.DataFrame([asdict(reading) for reading in readings])
    return table.rename(columns={"patient": "participant_id"}), tuple(flags)


def _affected(rows: pd.DataFrame) -> Side | None:
    """Return the affected side: across from the hemisphere that the table calls that of the pain."""
    for name, across in (("pain", True), ("other", False)):
        sides = rows.loc[(rows["hemisphere"] == name) & (rows["measure"] != "iSP"), "side"].dropna().unique()
        if len(sides) == 1 and sides[0] in ("left", "right"):
            return opposite(sides[0]) if across else sides[0]
    return None


def _recordings(rows: pd.DataFrame) -> dict[str, Mapping[str, Any]]:
    """Return the rows as the record of a patient keeps them."""
    columns = (
        "muscle",
        "muscle_side",
        "intensity",
        "isi_ms",
        "conditioning",
        "low",
        "high",
        "unit",
        "n",
        "n_unit",
    )
    rows = rows.reindex(columns=[*rows.columns, *(name for name in columns if name not in rows.columns)])
    plain = rows.astype(object).where(rows.notna(), None)
    sessions: dict[str, list[dict[Any, Any]]] = {}
    for row in plain.to_dict("records"):
        # A row's own name, as in "MEP_44 %MSO", says again what interval and intensity say.
        sessions.setdefault(f"ses-{row['visit']}", []).append(
            row
            | {
                "measure": str(row["measure"]).partition("_")[0],
                "participant": row["participant_id"],
                "hemisphere": row["side"],
                "level": row.get("level") or 0.95,
                "se": row["log_se"],
                "scale": "log",
            }
        )
    return {session: {"estimates": own} for session, own in sessions.items()}
