"""An events table made for one file: rows of other files left out, and trials.tsv of a run read back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from sudeck.core.errors import InputError
from sudeck.tms.signals.events import EventsTable, read_events, read_table_file, told_by, with_single_pulses

_Record = Mapping[str, str]
# Columns that only a table of trials has: a row a trial and channel, timed at the test pulse.
_OF_TRIALS = {"trial", "channel", "amplitude_mv", "time_s"}
# What a channel knows of itself, and a row of another channel must not say.
_OF_CHANNELS = ("muscle", "muscle_side")


def events_of(table: Path, recording: Path) -> EventsTable:
    """Read the rows of an events table that are about one recording.

    Parameters
    ----------
    table : Path
        Any events table; where it has a column ``file``, only the rows that name the recording count. The
        trials.tsv of a run is one too: its times are those of the test pulses, a row a channel.
    recording : Path

    Raises
    ------
    InputError
        If the table can not be read, or none of its rows names the recording.
    """
    records = read_table_file(table)
    if not records or not ({"file"} | _OF_TRIALS) & set(records[0]):
        return read_events(table)
    own = _of_file(records, table, recording) if "file" in records[0] else records
    if not set(own[0]) >= _OF_TRIALS:
        rows = with_single_pulses([told for record in own if (told := told_by(record, table.name))])
        return EventsTable(tuple(rows), table.name)
    one_channel = [record for record in own if record["channel"] == own[0]["channel"]]
    several = len(own) > len(one_channel)
    rows = [told_by(_without(record, several), table.name) for record in one_channel]
    return replace(EventsTable(tuple(rows), table.name), at_test_pulse=True)


def _of_file(records: Sequence[_Record], table: Path, recording: Path) -> Sequence[_Record]:
    names = dict.fromkeys(record["file"] for record in records)
    if len(names) == 1:
        # A table about one file is about this one: its name may have been masked.
        return records
    own = [record for record in records if record["file"] == recording.name]
    if not own:
        raise InputError(
            table.name,
            f"no row is about {recording.name} (files there are: {', '.join(list(names)[:6])})",
            "correct the column file, or give each recording its own table",
        )
    return own


def _without(record: _Record, several: bool) -> _Record:
    """Leave out what belongs to one channel where the trial has several."""
    return {name: cell for name, cell in record.items() if not (several and name in _OF_CHANNELS)}
