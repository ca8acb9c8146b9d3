"""Tables of trial amplitudes (CSV, TSV, XLSX): what a laboratory keeps when the sweeps are gone."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sudeck.core.errors import InputError, MissingDependencyError
from sudeck.core.flags import Flag
from sudeck.core.spreadsheet import WORKBOOKS, read_sheets
from sudeck.tms.readers.base import Hints, corrupt, source_of
from sudeck.tms.readers.parts.amplitude_cells import read_cells
from sudeck.tms.readers.parts.amplitude_columns import (
    AmplitudeColumn,
    amplitude_columns,
    numbered_columns,
    plain_heading,
    unclear_numbers,
    unused_columns,
    without_summaries,
)
from sudeck.tms.readers.parts.amplitude_latency import LATENCY_HEADINGS, latencies_in
from sudeck.tms.readers.parts.amplitude_units import millivolts_per_unit, refuse_large
from sudeck.tms.signals.events import given_rows, knows_column, with_single_pulses
from sudeck.tms.signals.neutral_labels import people_numbered, reduced
from sudeck.tms.signals.table_text import decode_text, is_utf16, read_table
from sudeck.tms.signals.trials import AmplitudeTable, Pulse
from sudeck.tms.signals.units import voltage_unit
from sudeck.tms.signals.unread_columns import unread_flags

FORMAT: Final = "amplitude table"
_ZIP = b"PK\x03\x04"
_TEXT = {".csv", ".tsv", ".txt"}
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
# Columns in which laboratories mark trials that they threw away, and what they write there.
_REJECTED = (
    "decision",
    "rejected",
    "reject",
    "excluded",
    "exclude",
    "bad",
    "artefact",
    "artifact",
    "outlier",
)
_YES = {"1", "1.0", "true", "yes", "y", "x", "reject", "rejected", "excluded", "exclude", "bad", "ja", "oui"}
# Conditions that are pairs by their name alone.
_PAIRED_NAMES = re.compile(r"(sici|icf|lici|sicf|s?ihi|lihi|sai|lai)(?![a-z])", re.IGNORECASE)
_NUMBERED = {"sample", "samples", "sample_index", "index", "point", "points"}
_FORM = "\n".join(
    "\t".join(row.split())
    for row in (
        "participant visit hemisphere muscle condition isi_ms test_mso conditioning_mso amplitude_mv",
        "p01 pre left FDI single n/a 55 n/a 0.92",
        "p01 pre left FDI SICI 2.5 55 38 0.31",
    )
)
# So many lines above the heading are looked through for it.
_TITLE_LINES = 40


def sniff(head: bytes, path: Path) -> bool:
    """Recognise a workbook, or a text table whose heading names a column of amplitudes."""
    if head.startswith(_ZIP) or path.suffix.lower() in WORKBOOKS:
        return path.suffix.lower() in WORKBOOKS
    if path.suffix.lower() not in _TEXT or (b"\0" in head and not is_utf16(head)):
        return False
    records = read_table(below_titles(decode_text(head)))
    return path.suffix.lower() in {".csv", ".tsv"} or bool(records and amplitude_columns(list(records[0])))


def names_amplitudes(path: Path) -> bool:
    """Tell whether a heading of the table names amplitudes, as in no other table of a folder."""
    try:
        sheets = _workbook(path) if path.suffix.lower() in WORKBOOKS else [_text_records(path)]
    except (InputError, MissingDependencyError):
        return True  # its refusal is worth telling
    return any(sheet and amplitude_columns(list(sheet[0])) for sheet in sheets)


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
    with_amplitudes = [sheet for sheet in sheets if sheet and amplitude_columns(list(sheet[0]))]
    if len(with_amplitudes) > 1:
        raise InputError(
            path.name,
            f"{len(with_amplitudes)} of its sheets hold amplitudes; nothing says how they belong together",
            "keep one sheet a file, or put all trials into one with a column that tells them apart",
        )
    records: Sequence[Mapping[str, str]] = with_amplitudes[0] if with_amplitudes else ()
    if not any(sheets):
        raise InputError(path.name, "the table has no rows", "export it again, one row a trial")
    if not records:
        raise _no_amplitudes(next((list(sheet[0]) for sheet in sheets if sheet), []), path)
    columns = amplitude_columns(list(records[0]))
    if unclear_numbers(columns):
        raise _unclear([column.name for column in columns], path)
    records = [record for record in records if any(str(cell).strip() for cell in record.values())]
    records, summaries = without_summaries(records)
    flags = _summary_flags(summaries) + _side_by_side(columns)
    flags += _unused_flags(unused_columns(list(records[0]), columns))
    source = source_of(path)
    people = _participants(records)
    rejected, rejected_flags = _rejected(records)
    tables: list[AmplitudeTable] = []
    for column in columns:
        found = read_cells(
            [record.get(column.name, "") for record in records], reduced(column.name), path.name
        )
        in_mv = Hints(unit="mV") if found.in_millivolts else hints
        factor, unit_flags = millivolts_per_unit(found.values, column.name, path.name, in_mv)
        amplitudes, below = factor * found.values, factor * found.below
        refuse_large(amplitudes, factor, path.name)
        amplitudes[rejected] = np.nan
        latency, unlikely = latencies_in(records, path.name)
        pulses = [
            replace(pulse, participant=person) if pulse.participant else pulse
            for person, pulse in zip(people, _pulses(records, column, path), strict=True)
        ]
        if column is columns[0]:
            flags += unread_flags(records, _alike(people, pulses), _read_columns(records, columns))
        groups: dict[tuple[str, str | None, str | None], list[int]] = {}
        for index, (person, pulse) in enumerate(zip(people, pulses, strict=True)):
            groups.setdefault((person, pulse.muscle, pulse.muscle_side), []).append(index)
        noticed = (*flags, *unit_flags, *found.flags, *rejected_flags, *unlikely)
        tables += [
            AmplitudeTable(
                amplitudes[rows],
                tuple(pulses[row] for row in rows),
                None if latency is None else latency[rows],
                source,
                (*noticed, *_missing(amplitudes[rows])),
                person,
                below[rows] if np.isfinite(below[rows]).any() else None,
            )
            for (person, _, _), rows in groups.items()
        ]
    return tuple(tables)


def _no_amplitudes(heading: Sequence[str], path: Path) -> InputError:
    """Build the refusal of a table without amplitudes: what it seems to be, and what it could look like."""
    there = ", ".join(map(reduced, heading[:12])) or "none"
    numbered = next((name for name in heading if plain_heading(name) in _NUMBERED), None)
    if numbered is not None and any(voltage_unit(_last_word(name)) for name in heading):
        return InputError(
            path.name,
            f"its column {numbered} numbers samples, and nothing says how fast they were taken",
            "give a column of times instead, called Time (s)",
        )
    return InputError(
        path.name,
        f"no column holds amplitudes (there are: {there})",
        "call it amplitude_mv or mep_amplitude_uv, or give the table the form below; in a recording call "
        "the times Time (s)",
        paste=_FORM,
    )


def _unclear(names: Sequence[str], path: Path) -> InputError:
    first, last = reduced(names[0]), reduced(names[-1])
    return InputError(
        path.name,
        f"nothing says what {first} to {last} are: repeated pulses, muscles, or the two pulses of a pair",
        "call them trial1, trial2 … if they are repeated pulses, by their muscles (FDI_mV, APB_mV), or by "
        "their conditions (test, SICI 2.5 ms)",
    )


def _side_by_side(columns: Sequence[AmplitudeColumn]) -> tuple[Flag, ...]:
    names = [column.name for column in columns]
    if len(names) < 2 or numbered_columns(names) != names:
        return ()
    text = f"{reduced(names[0])} to {reduced(names[-1])} were taken for repeated pulses of a row each."
    return (Flag("trials-side-by-side", text, "info", value=float(len(names)), unit="columns"),)


def _last_word(heading: str) -> str:
    words = [word for word in re.split(r"[^A-Za-zµμ]+", heading) if word]
    return words[-1] if words else ""


def _summary_flags(names: Sequence[str]) -> tuple[Flag, ...]:
    if not names:
        return ()
    which = ", ".join(dict.fromkeys(names))
    if len(names) == 1:
        text = f"1 row sums up others ({which}) and was left out."
    else:
        text = f"{len(names)} rows sum up others ({which}) and were left out."
    return (Flag("summary-rows", text, "caution", value=float(len(names)), unit="rows"),)


def _unused_flags(names: Sequence[str]) -> tuple[Flag, ...]:
    if not names:
        return ()
    was = "was" if len(names) == 1 else "were"
    text = f"{', '.join(map(reduced, names))} may hold amplitudes too and {was} not used."
    return (Flag("amplitudes-not-used", text, "caution", value=float(len(names)), unit="columns"),)


def _rejected(records: Sequence[Mapping[str, str]]) -> tuple[NDArray[np.bool_], tuple[Flag, ...]]:
    """Return which trials the table itself marks as thrown away."""
    by_name = {plain_heading(name): name for name in records[0]}
    column = next((by_name[name] for name in _REJECTED if name in by_name), None)
    if column is None:
        return np.zeros(len(records), dtype=bool), ()
    marked = np.array([str(record.get(column, "")).strip().lower() in _YES for record in records])
    if not marked.any() or marked.all():
        return np.zeros(len(records), dtype=bool), ()
    n = int(marked.sum())
    text = f"{n} of {marked.size} trials are marked in column {column} and were left out."
    return marked, (Flag("trials-marked-out", text, "info", column, float(n), unit="trials"),)


def _text_records(path: Path) -> list[dict[str, str]]:
    data = path.read_bytes()
    if b"\0" in data and not is_utf16(data):
        raise corrupt(path, "the table holds bytes that are no text")
    return read_table(below_titles(decode_text(data)))


def below_titles(text: str) -> str:
    r"""Leave out what stands above the heading of a table: titles and remarks, which have fewer cells.

    Examples
    --------
    >>> below_titles("Lab A\n\nisi,mep\n2,0.1\n3,0.2\n").splitlines()[0]
    'isi,mep'
    """
    lines = text.splitlines()
    filled = [line for line in lines if line.strip()][: 2 * _TITLE_LINES]
    if not filled:
        return text
    delimiter = max("\t;,", key=lambda mark: sum(mark in line for line in filled))
    usual = sorted(line.count(delimiter) for line in filled)[len(filled) // 2]
    if usual == 0:
        return text
    for number, line in enumerate(lines[:_TITLE_LINES]):
        if line.count(delimiter) >= usual and line.strip(delimiter + " ") and not line.startswith(("#", "%")):
            return "\n".join(lines[number:])
    return text


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


def _pulses(records: Sequence[Mapping[str, str]], column: AmplitudeColumn, path: Path) -> list[Pulse]:
    """Return what the table, and the heading of the amplitudes, tell of every trial's stimulus."""
    columns = _renamed(records)
    by_heading = {"muscle": column.muscle or "", "muscle_side": column.side or "", **column.given}
    rows = given_rows(
        [
            {**{known: record.get(name, "") for name, known in columns.items()}, **_filled(by_heading)}
            for record in records
        ],
        path.name,
    )
    for row in rows:
        if _PAIRED_NAMES.match(str(row.get("condition", ""))):
            # Nothing shows the interval of a trial without sweep, but what is called SICI is no single pulse.
            row.setdefault("kind", "paired")
    fields = Pulse.__dataclass_fields__
    return [
        Pulse(**{"time_s": math.nan, "kind": "unknown", **{key: row[key] for key in row if key in fields}})
        for row in with_single_pulses(rows)
    ]


def _alike(people: Sequence[str], pulses: Sequence[Pulse]) -> list[tuple[str, Pulse]]:
    """Return what is read of each row, but for its time."""
    return [(person, replace(pulse, time_s=0.0)) for person, pulse in zip(people, pulses, strict=True)]


def _read_columns(records: Sequence[Mapping[str, str]], columns: Sequence[AmplitudeColumn]) -> set[str]:
    """Return the headings of all columns that mean something here."""
    known = {*_PARTICIPANT, *_NAMED, *_REJECTED, *_NUMBERED, *LATENCY_HEADINGS}
    plain = {name for name in records[0] if plain_heading(name) in known}
    return plain | set(_renamed(records)) | {column.name for column in columns}


def _filled(given: Mapping[str, str]) -> dict[str, str]:
    return {name: cell for name, cell in given.items() if cell}


def _participants(records: Sequence[Mapping[str, str]]) -> list[str]:
    """Return the participant of every row; what may be a name is replaced by a number."""
    by_name = {plain_heading(name): name for name in records[0]}
    column = next((by_name[name] for name in _PARTICIPANT if name in by_name), None)
    if column is not None:
        people = [str(record.get(column, "")).strip() for record in records]
        instead = people_numbered(people)
        return [instead.get(person, person) for person in people]
    column = next((by_name[name] for name in _NAMED if name in by_name), None)
    if column is None:
        return [""] * len(records)
    numbers: dict[str, str] = {}
    return [numbers.setdefault(record.get(column, ""), str(len(numbers) + 1)) for record in records]


def _missing(amplitudes: NDArray[np.float64]) -> tuple[Flag, ...]:
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
