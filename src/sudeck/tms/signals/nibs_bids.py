"""Pulse parameters of BEP037 (NIBS-BIDS): rows of ``*_nibs.tsv``, to which an events table points.

The proposal is a draft, and its names change; what each draft calls a column stands in `DRAFTS` and nowhere
else. Names written in camel case are read as the same names with underscores.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sudeck.core.errors import InputError

Record = dict[str, str]


@dataclass(frozen=True, slots=True)
class Draft:
    """What one draft calls things: the column that events point with, and columns by our names for them."""

    name: str
    key: str
    columns: Mapping[str, str]


_PULSES = {
    "tms_stim_mode": "kind",
    "pulse_intensity": "pulse_intensity",
    "second_pulse_intensity": "second_pulse_intensity",
    "pulse_intensity_rmt": "pulse_intensity_rmt",
    "second_pulse_intensity_rmt": "second_pulse_intensity_rmt",
    "rmt_intensity": "rmt_mso",
    "inter_stimulus_interval": "isi_ms",
    "inter_pulse_interval": "isi_ms",
}
# Newest first; the first whose key both tables have holds.
DRAFTS = (
    Draft("with event_id (after 2025)", "event_id", _PULSES),
    Draft("version 5 (2025), by stim_id", "stim_id", _PULSES),
    Draft("version 5 (2025), by stim_count", "stim_count", _PULSES),
)
_EMPTY = {"", "n/a"}
_ENTITIES = ("sub", "ses", "task", "run")


def with_nibs(records: Sequence[Record], events: Path) -> list[Record]:
    """Add to each record of an events table what its row of the ``*_nibs.tsv`` says.

    Parameters
    ----------
    records : sequence of dict
        Rows of the events table.
    events : Path
        Where it lies; the nibs table lies beside it, or in the folder ``nibs`` or ``tms`` beside that.

    Returns
    -------
    list of dict
        What the events table says itself goes before. The same records, where no nibs table belongs to them.

    Raises
    ------
    InputError
        If several tables may be meant, an event points to no row, or two rows of one key differ.
    """
    tables = {path: _table(path) for path in _beside(events)}
    for draft in DRAFTS:
        if not records or draft.key not in records[0]:
            continue
        fitting = {path: rows for path, rows in tables.items() if rows and draft.key in map(_snake, rows[0])}
        online = {path: rows for path, rows in fitting.items() if "acq-offline" not in path.name}
        fitting = online or fitting
        if len(fitting) > 1:
            names = " and ".join(path.name for path in fitting)
            raise InputError(events.name, f"{names} may both describe its pulses", "keep one beside it")
        for path, rows in fitting.items():
            return _joined(records, _by_key(rows, draft, path), draft, events, path)
    return list(records)


def _beside(events: Path) -> list[Path]:
    """Return the nibs tables of the same person, visit, task and run."""
    wanted = _entities(events)
    if "sub" not in wanted:
        return []
    folders = [events.parent, events.parent.parent / "nibs", events.parent.parent / "tms"]
    found = [path for folder in folders if folder.is_dir() for path in sorted(folder.glob("*_nibs.tsv"))]
    return [path for path in found if _entities(path) == wanted]


def _entities(path: Path) -> dict[str, str]:
    pairs = (part.partition("-") for part in path.stem.split("_") if "-" in part)
    return {key: value for key, _, value in pairs if key in _ENTITIES}


def _table(path: Path) -> list[Record]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        raise InputError(path.name, "the table can not be read as UTF-8 text", "save it again") from None
    lines = [line.split("\t") for line in text.splitlines() if line.strip()]
    if not lines:
        return []
    heading = [cell.strip() for cell in lines[0]]
    return [dict(zip(heading, (cell.strip() for cell in row), strict=False)) for row in lines[1:]]


def _by_key(rows: Sequence[Record], draft: Draft, path: Path) -> dict[str, Record]:
    found: dict[str, Record] = {}
    for row in rows:
        plain = {_snake(name): cell for name, cell in row.items()}
        given = {
            draft.columns[name]: cell
            for name, cell in plain.items()
            if name in draft.columns and cell.lower() not in _EMPTY
        }
        key = plain.get(draft.key, "")
        if key.lower() not in _EMPTY and found.setdefault(key, given) != given:
            raise InputError(path.name, f"two rows of {draft.key} {key} differ", "correct one of them")
    return found


def _joined(
    records: Sequence[Record], given: Mapping[str, Record], draft: Draft, events: Path, path: Path
) -> list[Record]:
    joined = []
    for record in records:
        key = record.get(draft.key, "").strip()
        if key.lower() in _EMPTY:
            joined.append(dict(record))
            continue
        if key not in given:
            raise InputError(
                events.name, f"{draft.key} {key} is not in {path.name}", "add the row, or correct the event"
            )
        own = {name: cell for name, cell in record.items() if cell.lower() not in _EMPTY}
        joined.append({**record, **given[key], **own})
    return joined


def _snake(name: str) -> str:
    """Write a name with underscores: ``PulseIntensity`` as ``pulse_intensity``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.strip()).lower()
