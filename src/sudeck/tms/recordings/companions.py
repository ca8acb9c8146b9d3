"""What goes with a recording: its events table and protocol, given or beside it, and rows of other files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from sudeck.core.errors import InputError
from sudeck.tms.recordings.protocol import StimulationProtocol, read_protocol, with_channels
from sudeck.tms.signals.events import EventsTable, events_table, given_by, read_events, read_table_file
from sudeck.tms.signals.neutral_contents import replaced_flags
from sudeck.tms.signals.neutral_labels import people_numbered, stand_ins, visit_stand_ins

_Record = Mapping[str, str]
# Columns that only a table of trials has: a row a trial and channel, timed at the test pulse.
_OF_TRIALS = {"trial", "channel", "amplitude_mv", "time_s"}
# What a channel knows of itself, and a row of another channel must not say.
_OF_CHANNELS = ("muscle", "muscle_side")


def protocol_for(
    given: StimulationProtocol | str | Path | None, recording: Path | None = None
) -> StimulationProtocol:
    """Return a protocol that was given or read from its file, with what a BIDS ``_channels.tsv`` adds."""
    if given is None:
        protocol = StimulationProtocol()
    else:
        protocol = given if isinstance(given, StimulationProtocol) else read_protocol(Path(given))
    beside = None if recording is None else _bids_companion(recording, "channels")
    return protocol if beside is None else with_channels(protocol, read_table_file(beside))


def events_for(
    given: EventsTable | str | Path | None, recording: Path, *, named: Iterable[str] = ()
) -> EventsTable | None:
    """Return an events table that was given, read from its file, or found where BIDS puts it.

    Conditions, muscles and visits that may name a person are called by their words of the field or by a
    number, but for those that are `named` by a protocol.
    """
    if isinstance(given, EventsTable):
        return given
    beside = None if given is not None else _bids_companion(recording, "events")
    if given is not None:
        table = events_of(Path(given), recording)
    elif beside is not None:
        table = read_events(beside)
    else:
        return None
    return _without_names(table, named)


def _without_names(table: EventsTable, named: Iterable[str]) -> EventsTable:
    def column(name: str) -> list[str]:
        return [str(row.get(name) or "") for row in table.rows]

    stated = tuple(named)
    conditions = stand_ins(column("condition"), letter="condition", named=stated)
    muscles = stand_ins(column("muscle"), letter="muscle", named=stated)
    visits = visit_stand_ins(column("visit"), named=stated)
    instead = {
        "condition": conditions,
        "muscle": muscles,
        "visit": visits,
        "participant": people_numbered(column("participant")),
    }
    rows = tuple(
        row | {name: to[row[name]] for name, to in instead.items() if row.get(name) in to}
        for row in table.rows
    )
    return replace(table, rows=rows, flags=(*table.flags, *replaced_flags(muscles, conditions, visits)))


def _bids_companion(recording: Path, kind: str) -> Path | None:
    """Return the ``_events.tsv`` or ``_channels.tsv`` that BIDS puts beside a recording, if it is there."""
    stem, _, suffix = recording.stem.rpartition("_")
    beside = recording.with_name(f"{stem}_{kind}.tsv")
    return beside if suffix in {"emg", "eeg", "ieeg", "beh"} and beside.is_file() else None


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
        return events_table(own, table.name)
    one_channel = [record for record in own if record["channel"] == own[0]["channel"]]
    several = len(own) > len(one_channel)
    rows = [given_by(_without(record, several), table.name) for record in one_channel]
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
