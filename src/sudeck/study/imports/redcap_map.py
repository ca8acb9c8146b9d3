"""The map from a REDCap project to the tables of a study, ``map.toml``.

::

    [patients]
    identifier = "hospital_number"      # as in the scans; record = "record_id" is the column of the records

    [events]                            # what an event says of its rows
    baseline_arm_1 = { visit = "baseline", day = 0 }

    [participants]
    sex = { column = "gender", values = { 1 = "M", 2 = "F" } }
    duration_months = { column = "weeks_since_onset", factor = 0.23 }

    [pain]                              # or several, each as [[pain]]
    nrs = "pain_now"
    day = { column = "date_of_visit", since = "date_of_first_infusion" }
    visit = { constant = "day 5" }
    only_events = ["day5_arm_1"]        # rows of these events only
    only_instrument = "pain_diary"      # rows of this repeated form only
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from sudeck.core.errors import InputError
from sudeck.core.storage import parse_toml, read_limited
from sudeck.study.folder.fields import Table
from sudeck.study.folder.schema import TABLES

_BY_EVENT: Final = ("visit", "day", "session_id")


@dataclass(frozen=True, slots=True)
class Source:
    """Where the value of a field comes from.

    Attributes
    ----------
    column : str
        Column of the export; empty for a constant.
    constant : str
        The value itself.
    since : str
        Column of another date: the value is the day of the study, 1 on that date.
    factor : float
        What a number is multiplied by.
    values : Mapping of str to str
        Our value for each of theirs.
    """

    column: str = ""
    constant: str = ""
    since: str = ""
    factor: float = 1.0
    values: Mapping[str, str] = field(default_factory=dict)


_LARGEST_FACTOR: Final = 1e12


@dataclass(frozen=True, slots=True)
class RedcapBlock:
    """How a row of the export makes a row of a table."""

    table: Table
    sources: Mapping[str, Source]
    only_events: tuple[str, ...] = ()
    only_instrument: str = ""


@dataclass(frozen=True, slots=True)
class RedcapMap:
    """A map.

    Attributes
    ----------
    identifier : str
        Column with the number by which the patient is known, here and in the scans.
    record : str
        Column that holds the rows of one patient together; the first of the export unless named.
    events : Mapping of str to Mapping
        Visit, day and session by event.
    blocks : tuple of Block
    """

    identifier: str
    record: str
    events: Mapping[str, Mapping[str, str]]
    blocks: tuple[RedcapBlock, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column of the export that the map names, each once."""
        named = [self.identifier, self.record]
        for block in self.blocks:
            for source in block.sources.values():
                named += [source.column, source.since]
        return tuple(dict.fromkeys(filter(None, named)))


def read_map(path: Path) -> RedcapMap:
    """Read a map.

    Raises
    ------
    InputError
        If the file is not there, is not TOML, or names tables or fields that do not exist.
    """
    if not path.is_file():
        raise InputError(path.name, "there is no such file", "check the path")
    content = parse_toml(read_limited(path, subject=path.name), subject=path.name)
    return map_from(content, subject=path.name)


def map_from(content: Mapping[str, Any], *, subject: str = "map.toml") -> RedcapMap:
    """Build a map from parsed TOML.

    Raises
    ------
    InputError
        If it names tables or fields that do not exist, or an entry is malformed.
    """
    patients = _mapping(content.get("patients"), f"{subject} [patients]")
    identifier, record = patients.get("identifier"), patients.get("record", "")
    if not isinstance(identifier, str) or not identifier or not isinstance(record, str):
        raise InputError(
            f"{subject} [patients]", "it names no column of patients", 'write identifier = "record_id"'
        )
    events: dict[str, Mapping[str, str]] = {}
    for event, says in _mapping(content.get("events", {}), f"{subject} [events]").items():
        said = _mapping(says, f"{subject} [events] {event}")
        if not set(said) <= set(_BY_EVENT):
            raise InputError(
                f"{subject} [events] {event}", "it says something unknown", f"use {', '.join(_BY_EVENT)}"
            )
        events[event] = {name: str(value) for name, value in said.items()}
    blocks: list[RedcapBlock] = []
    for name, entries in content.items():
        if name in ("patients", "events"):
            continue
        if name not in TABLES:
            raise InputError(f"{subject} [{name}]", "there is no such table", f"use {', '.join(TABLES)}")
        for entry in entries if isinstance(entries, list) else [entries]:
            blocks.append(_block(TABLES[name], _mapping(entry, f"{subject} [{name}]"), subject))
    if not blocks:
        raise InputError(subject, "it fills no table", "add a section, e.g. [pain]")
    return RedcapMap(identifier, record, events, tuple(blocks))


def _block(table: Table, entry: Mapping[str, Any], subject: str) -> RedcapBlock:
    place = f"{subject} [{table.name}]"
    sources: dict[str, Source] = {}
    events = entry.get("only_events", [])
    instrument = entry.get("only_instrument", "")
    if not isinstance(events, list) or not isinstance(instrument, str):
        raise InputError(place, "only_events or only_instrument is malformed", 'write only_events = ["..."]')
    for name, said in entry.items():
        if name in ("only_events", "only_instrument"):
            continue
        if name == "participant_id" or name not in table.columns:
            raise InputError(place, f"it fills no column {name}", f"use {', '.join(table.columns[1:])}")
        sources[name] = _source(said, f"{place} {name}")
    return RedcapBlock(table, sources, tuple(map(str, events)), instrument)


def _source(said: Any, place: str) -> Source:
    if isinstance(said, str) and said:
        return Source(column=said)
    if not isinstance(said, Mapping) or ("column" in said) == ("constant" in said):
        raise InputError(
            place, "it names neither a column nor a constant", 'write "column" or { constant = "..." }'
        )
    unknown = set(said) - {"column", "constant", "since", "factor", "values"}
    values = said.get("values", {})
    factor = said.get("factor", 1.0)
    malformed = (
        not isinstance(values, Mapping)
        or isinstance(factor, bool)
        or not isinstance(factor, int | float)
        or not abs(factor) <= _LARGEST_FACTOR
    )
    if unknown or malformed:
        raise InputError(place, "an entry is unknown or malformed", "use column, since, factor, values")
    return Source(
        column=str(said.get("column", "")),
        constant=str(said.get("constant", "")),
        since=str(said.get("since", "")),
        factor=float(factor),
        values={str(theirs): str(ours) for theirs, ours in values.items()},
    )


def _mapping(value: Any, place: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise InputError(place, "it is missing or no section", "see the reference for how to write a map")
    return value
