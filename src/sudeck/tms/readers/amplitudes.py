"""Tables of trial amplitudes (CSV, TSV, XLSX): what a laboratory keeps when the sweeps are gone."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from sudeck.core.errors import InputError, MissingDependencyError
from sudeck.core.flags import Flag
from sudeck.core.missing import is_missing
from sudeck.core.spreadsheet import WORKBOOKS, read_sheets
from sudeck.tms.readers.base import Hints, corrupt, source_of
from sudeck.tms.signals.events import knows_column, read_table, told_by, with_single_pulses
from sudeck.tms.signals.trials import AmplitudeTable, Pulse
from sudeck.tms.signals.units import MILLIVOLTS_PER_UNIT, voltage_unit

FORMAT: Final = "amplitude table"
_ZIP = b"PK\x03\x04"
_TEXT = {".csv", ".tsv", ".txt"}
# Headings of a column of amplitudes, once lower-cased, stripped of unit and punctuation; best first.
_AMPLITUDE = (
    "mep_pp", "mep_amplitude", "mep_amp", "mep_p2p", "peak_to_peak", "peak_to_peak_amplitude", "amplitude_pp",
    "p2p", "ptp", "pp", "amplitude", "amp", "raw_mep", "mep", "mep_size", "motor_response",
)  # fmt: skip
_LATENCY = ("latency", "onset_latency", "mep_latency", "lat")
_PARTICIPANT = (
    "participant_id",
    "participant",
    "subj_id",
    "subject_id",
    "subject",
    "subj",
    "sub",
    "id",
    "exp_subject",
)
# Columns under which people write names: their values are numbered, never kept.
_NAMED = ("patient", "name", "patient_name", "patient_id", "initials")
# Median response of a table of trials; a factor of a thousand wide, so that one unit fits.
_USUAL_MEDIAN_MV = (0.01, 10.0)
# Noise alone is no less than 4 µV from peak to peak, the largest response of a muscle 30 mV.
_POSSIBLE_MEDIAN_MV = (0.004, 30.0)
_LARGEST_MV = 50.0


def sniff(head: bytes, path: Path) -> bool:
    """Recognise a workbook, or a text table whose heading names a column of amplitudes."""
    if head.startswith(_ZIP) or path.suffix.lower() in WORKBOOKS:
        return path.suffix.lower() in WORKBOOKS
    if path.suffix.lower() not in _TEXT or b"\0" in head:
        return False
    records = read_table(head.decode("utf-8", "replace"))
    return path.suffix.lower() in {".csv", ".tsv"} or bool(records and _amplitude_column(records[0]))


def names_amplitudes(path: Path) -> bool:
    """Tell whether a heading of the table names amplitudes, as in no other table of a folder."""
    try:
        sheets = _workbook(path) if path.suffix.lower() in WORKBOOKS else [_text_records(path)]
    except (InputError, MissingDependencyError):
        return True  # its refusal is worth telling
    return any(sheet and _amplitude_column(sheet[0]) for sheet in sheets)


def read(path: Path, hints: Hints) -> tuple[AmplitudeTable, ...]:
    """Read a table with one row a trial.

    Returns
    -------
    tuple of AmplitudeTable
        One a participant and muscle, in table order.

    Raises
    ------
    InputError
        If there is no column of amplitudes, its unit is unclear, or a cell is no number.
    MissingDependencyError
        If the table is a workbook and openpyxl is not installed.
    """
    sheets = _workbook(path) if path.suffix.lower() in WORKBOOKS else [_text_records(path)]
    with_amplitudes = [sheet for sheet in sheets if sheet and _amplitude_column(sheet[0])]
    if len(with_amplitudes) > 1:
        raise InputError(
            path.name,
            f"{len(with_amplitudes)} of its sheets hold amplitudes; nothing says how they belong together",
            "keep one sheet a file, or put all trials into one with a column that tells them apart",
        )
    records = with_amplitudes[0] if with_amplitudes else None
    if not any(sheets):
        raise InputError(path.name, "the table has no rows", "export it again, one row a trial")
    if not records:
        headings = ", ".join(next((list(sheet[0]) for sheet in sheets if sheet), [])[:12]) or "none"
        raise InputError(
            path.name,
            f"no column holds amplitudes (there are: {headings})",
            "call it amplitude_mv or mep_amplitude_uv; in a recording, call the times Time (s)",
        )
    column = _amplitude_column(records[0]) or ""
    records = [record for record in records if any(str(cell).strip() for cell in record.values())]
    amplitudes = np.array([_number(record.get(column, ""), column, path) for record in records])
    if np.any(amplitudes < 0):
        row = int(np.flatnonzero(amplitudes < 0)[0]) + 1
        raise InputError(
            path.name, f"the amplitude in row {row} is negative", "give amplitudes from peak to peak"
        )
    factor, flags = _factor(amplitudes, column, path, hints)
    if np.any(factor * amplitudes > _LARGEST_MV):
        row = int(np.flatnonzero(factor * amplitudes > _LARGEST_MV)[0])
        raise InputError(
            path.name,
            f"the amplitude in row {row + 1}, {amplitudes[row]:g}, is {factor * amplitudes[row]:g} mV: no "
            "muscle gives that",
            "leave the cell of a trial without amplitude empty, or correct it or the unit in the heading",
        )
    latency = _latency(records, path)
    source = source_of(path)
    columns = _renamed(records)
    pulses = _pulses(records, columns, path)
    groups: dict[tuple[str, str | None, str | None], list[int]] = {}
    people = _participants(records)
    for index, (person, pulse) in enumerate(zip(people, pulses, strict=True)):
        groups.setdefault((person, pulse.muscle, pulse.muscle_side), []).append(index)
    return tuple(
        AmplitudeTable(
            factor * amplitudes[rows],
            tuple(pulses[row] for row in rows),
            None if latency is None else latency[rows],
            source,
            (*flags, *_missing(amplitudes[rows])),
            person,
        )
        for (person, _, _), rows in groups.items()
    )


def _text_records(path: Path) -> list[dict[str, str]]:
    data = path.read_bytes()
    if b"\0" in data:
        raise corrupt(path, "the table holds bytes that are no text")
    try:
        return read_table(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        return read_table(data.decode("latin-1"))


def _workbook(path: Path) -> list[list[dict[str, str]]]:
    """Return every sheet that holds cells as records; its first filled row is the heading."""
    tables = []
    for sheet in read_sheets(path, extra="tms"):
        rows = [["" if cell is None else str(cell) for cell in cells] for _, cells in sheet.rows]
        if not rows:
            continue
        heading = [name.strip() for name in rows[0]]
        blank = [""] * len(heading)  # a row ends at its last filled cell
        tables.append(
            [
                {name: cell for name, cell in zip(heading, [*row, *blank], strict=False) if name}
                for row in rows[1:]
            ]
        )
    return tables


def _plain(heading: str) -> str:
    """Strip a heading of its unit: ``MEP amplitude (mV)`` becomes ``mep_amplitude``."""
    words = [word for word in re.split(r"[^a-z0-9µ]+", heading.lower()) if word]
    if len(words) > 1 and voltage_unit(words[-1]):
        words = words[:-1]
    if len(words) > 1 and words[-1] in {"ms", "s"}:
        words = words[:-1]
    return "_".join(words)


def _amplitude_column(record: Mapping[str, object]) -> str | None:
    by_name = {_plain(name): name for name in reversed(list(record))}
    exact = next((by_name[name] for name in _AMPLITUDE if name in by_name), None)
    if exact is not None:
        return exact
    return next(
        (name for name in record if re.search(r"mep.*(amp|pp|p2p)|(amp|pp).*mep|^pp_", name.lower())), None
    )


def _number(cell: object, column: str, path: Path) -> float:
    text = str(cell).strip()
    if is_missing(text):
        return math.nan
    try:
        value = float(text.replace(",", ".") if text.count(",") == 1 and "." not in text else text)
    except ValueError:
        raise InputError(
            path.name, f"{text[:20]!r} in column {column} is no number", "correct the cell"
        ) from None
    return value if math.isfinite(value) else math.nan


def _factor(
    amplitudes: np.ndarray[tuple[int], np.dtype[np.float64]], column: str, path: Path, hints: Hints
) -> tuple[float, tuple[Flag, ...]]:
    """Return millivolts per unit of the column: stated by a person, by its heading, or by its median."""
    unit = hints.unit_of(column)
    if unit is not None and voltage_unit(unit):
        return MILLIVOLTS_PER_UNIT[voltage_unit(unit) or ""], ()
    words = [word for word in re.split(r"[^A-Za-zµ]+", column) if word]
    named = voltage_unit(words[-1]) if len(words) > 1 else None
    positive = amplitudes[np.isfinite(amplitudes) & (amplitudes > 0)]
    median = float(np.median(positive)) if positive.size else math.nan
    if named is not None:
        factor = MILLIVOLTS_PER_UNIT[named]
        if math.isnan(median) or _POSSIBLE_MEDIAN_MV[0] <= median * factor <= _POSSIBLE_MEDIAN_MV[1]:
            return factor, ()
    fitting = [
        name
        for name, factor in MILLIVOLTS_PER_UNIT.items()
        if name != "nv" and _USUAL_MEDIAN_MV[0] <= median * factor < _USUAL_MEDIAN_MV[1]
    ]
    if named is not None or len(fitting) != 1:
        said = "names no unit" if named is None else f"names {words[-1]}, which can not be"
        raise InputError(
            path.name,
            f"column {column} {said}, and its median of {median:.3g} does not settle it",
            "write the unit into the heading, for example amplitude_mv",
        )
    name = {"v": "V", "mv": "mV", "uv": "uV"}[fitting[0]]
    flag = Flag(
        "unit-inferred",
        f"Column {column} names no unit; a median of {median:.3g} fits {name} alone, and was taken as that.",
        "caution",
        column,
        value=median,
    )
    return MILLIVOLTS_PER_UNIT[fitting[0]], (flag,)


def _latency(
    records: Sequence[Mapping[str, str]], path: Path
) -> np.ndarray[tuple[int], np.dtype[np.float64]] | None:
    """Return onset latencies in milliseconds, from a column in milliseconds or seconds."""
    column = next((name for name in records[0] if _plain(name) in _LATENCY), None)
    if column is None:
        return None
    values = np.array([_number(record.get(column, ""), column, path) for record in records])
    finite = values[np.isfinite(values) & (values > 0)]
    # No MEP begins within a millisecond, and none after a second: the median tells seconds from milliseconds.
    in_seconds = finite.size > 0 and float(np.median(finite)) < 1.0
    return np.where(values > 0, values * (1e3 if in_seconds else 1.0), np.nan)


def _renamed(records: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Return the name under which an events table knows each column that it knows."""
    columns = {name: name for name in records[0] if knows_column(name)}
    for name in list(columns):
        # A column Time that holds words is the visit: Baseline, Post 0.
        if name.strip().lower() in {"time", "timepoint"}:
            cells = [record.get(name, "") for record in records]
            if not all(re.fullmatch(r"\s*-?[\d.,]*\s*", cell) for cell in cells):
                columns[name] = "visit"
    return columns


def _pulses(records: Sequence[Mapping[str, str]], columns: Mapping[str, str], path: Path) -> list[Pulse]:
    """Return what the table tells of every trial's stimulus."""
    rows = [
        told_by({known: record.get(name, "") for name, known in columns.items()}, path.name)
        for record in records
    ]
    fields = Pulse.__dataclass_fields__
    return [
        Pulse(**{"time_s": math.nan, "kind": "unknown", **{key: row[key] for key in row if key in fields}})
        for row in with_single_pulses(rows)
    ]


def _participants(records: Sequence[Mapping[str, str]]) -> list[str]:
    """Return the participant of every row; what may be a name is replaced by a number."""
    by_name = {_plain(name): name for name in records[0]}
    column = next((by_name[name] for name in _PARTICIPANT if name in by_name), None)
    if column is not None:
        return [str(record.get(column, "")).strip() for record in records]
    column = next((by_name[name] for name in _NAMED if name in by_name), None)
    if column is None:
        return [""] * len(records)
    numbers: dict[str, str] = {}
    return [numbers.setdefault(record.get(column, ""), str(len(numbers) + 1)) for record in records]


def _missing(amplitudes: np.ndarray[tuple[int], np.dtype[np.float64]]) -> tuple[Flag, ...]:
    n_missing = int(np.count_nonzero(np.isnan(amplitudes)))
    if not n_missing:
        return ()
    return (
        Flag(
            "missing-amplitudes",
            f"{n_missing} of {amplitudes.size} trials have no amplitude.",
            "caution",
            value=float(n_missing),
            limit=0.0,
            unit="trials",
        ),
    )
