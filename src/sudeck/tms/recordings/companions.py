"""What goes with a recording: its events table and protocol, given or beside it, and rows of other files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from sudeck.core.errors import InputError
from sudeck.tms.recordings.protocol import StimulationProtocol, read_protocol, with_channels
from sudeck.tms.signals.events import EventsTable, events_table, given_by, read_events
from sudeck.tms.signals.neutral_contents import replaced_flags
from sudeck.tms.signals.neutral_labels import people_numbered, stand_ins, visit_stand_ins
from sudeck.tms.signals.table_text import read_table_file

Companion = TypeVar("Companion", EventsTable, StimulationProtocol)
# One for all recordings, or one a recording by its name; whatever is not given may lie beside it.
ForRecordings: TypeAlias = Companion | str | Path | Mapping[str, Companion | str | Path] | None
_Record = Mapping[str, str]
_MOST_NAMED = 6
# Columns that only a table of trials has: a row a trial and channel, timed at the test pulse.
_OF_TRIALS = {"trial", "channel", "amplitude_mv", "time_s"}
# What a channel knows of itself, and a row of another channel must not say.
_OF_CHANNELS = ("muscle", "muscle_side")


def own_companion(given: ForRecordings[Companion], recording: Path) -> Companion | Path | None:
    """Return what is given for one recording: by its path or name where there is one a recording.

    Examples
    --------
    >>> own_companion({"left.cfs": Path("l.tsv")}, Path("rec/left.cfs"))
    PosixPath('l.tsv')
    >>> own_companion(Path("all.tsv"), Path("left.cfs"))
    PosixPath('all.tsv')
    """
    if isinstance(given, Mapping):
        given = next((one for name, one in given.items() if _is_named(recording, name)), None)
    return Path(given) if isinstance(given, str) else given


def _is_named(recording: Path, name: str) -> bool:
    """Tell whether a name is that of a recording: its path, or the end of it."""
    if Path(name).is_file() and recording.is_file() and Path(name).samefile(recording):
        return True
    return recording.absolute().parts[-len(Path(name).parts) :] == Path(name).parts


def own_companions(given: ForRecordings[Companion], recordings: Iterable[Path]) -> ForRecordings[Companion]:
    """Return what is given for some of the recordings of a call, under their paths; one for all as it is."""
    if not isinstance(given, Mapping):
        return given
    found = {str(path): own_companion(given, path) for path in recordings}
    return {path: one for path, one in found.items() if one is not None}


def given_for(words: Sequence[str]) -> Path | dict[str, Path] | None:
    """Return what the words of an option give: one file for all, or one a recording as RECORDING=FILE.

    Raises
    ------
    InputError
        If there are several, and one does not say of which recording it is.

    Examples
    --------
    >>> given_for(["all.tsv"]), given_for([])
    (PosixPath('all.tsv'), None)
    >>> given_for(["left.cfs=l.tsv", "right.cfs=r.tsv"])
    {'left.cfs': PosixPath('l.tsv'), 'right.cfs': PosixPath('r.tsv')}
    """
    if len(words) == 1 and ("=" not in words[0] or Path(words[0]).exists()):
        return Path(words[0])
    own: dict[str, Path] = {}
    for word in words:
        name, equals, table = word.partition("=")
        if not (name and equals and table):
            raise InputError(
                word, "several were given, and this one does not say for which", "write RECORDING=FILE"
            )
        if name in own:
            raise InputError(name, "two were given for it", "keep one of them")
        own[name] = Path(table)
    return own or None


def refuse_unnamed(given: ForRecordings[Any], recordings: Iterable[Path]) -> None:
    """Refuse tables or protocols that are given for a recording that is not among those to be read.

    Raises
    ------
    InputError
        With the recordings there are.
    """
    there = list(recordings)
    for name in given if isinstance(given, Mapping) else ():
        own = [path for path in there if _is_named(path, name)]
        if not own:
            names = ", ".join(path.name for path in there[:_MOST_NAMED])
            more = ", …" if len(there) > _MOST_NAMED else ""
            raise InputError(
                name, f"no recording is called so (there are: {names}{more})", "correct what stands before ="
            )
        if len(own) > 1:
            raise InputError(
                name, f"{len(own)} recordings are called so", "write the folder before it: sub-01/left.cfs=…"
            )


def protocol_for(
    given: ForRecordings[StimulationProtocol] = None, recording: Path | None = None
) -> StimulationProtocol:
    """Return a protocol that was given, read from its file or found beside a recording.

    What a BIDS ``_channels.tsv`` beside it says of channels is added.
    """
    if recording is not None:
        given = own_companion(given, recording) or _companion(recording, "protocol.toml")
    if given is None or isinstance(given, Mapping):
        protocol = StimulationProtocol()
    else:
        protocol = given if isinstance(given, StimulationProtocol) else read_protocol(Path(given))
    beside = None if recording is None else _bids_companion(recording, "channels")
    return protocol if beside is None else with_channels(protocol, read_table_file(beside))


def events_for(
    given: ForRecordings[EventsTable], recording: Path, *, named: Iterable[str] = ()
) -> EventsTable | None:
    """Return an events table that was given, read from its file, or found beside the recording.

    Conditions, muscles and visits that may name a person are called by their words of the field or by a
    number, but for those that are `named` by a protocol.
    """
    own = own_companion(given, recording)
    if isinstance(own, EventsTable):
        return own
    beside = _bids_companion(recording, "events") or _companion(recording, "events.tsv")
    if own is not None:
        table = events_of(own, recording)
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


def _companion(recording: Path, ending: str) -> Path | None:
    """Return the file beside a recording that has its name: of left.cfs, left_events.tsv."""
    beside = recording.with_name(f"{recording.stem}_{ending}")
    return beside if beside.is_file() else None


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
