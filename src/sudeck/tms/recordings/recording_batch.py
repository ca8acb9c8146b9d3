"""Recordings of one call together: what was read, and what had to be refused and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from sudeck.core.errors import InputError, SudeckError
from sudeck.core.flags import Flag
from sudeck.tms.recordings.companions import ForRecordings, protocol_for, refuse_unnamed
from sudeck.tms.recordings.labelled_trials import LabelledSets, read_labelled
from sudeck.tms.recordings.protocol import unmatched_conditions
from sudeck.tms.recordings.recording_files import recordings_in
from sudeck.tms.recordings.statement import Statement
from sudeck.tms.recordings.whose import with_person_and_visit

if TYPE_CHECKING:
    from sudeck.core.vocabulary import Side
    from sudeck.tms.recordings.protocol import StimulationProtocol
    from sudeck.tms.signals.events import EventsTable
    from sudeck.tms.signals.trials import AmplitudeTable, TrialSet


@dataclass(frozen=True)
class RecordingBatch:
    """What the recordings of one call hold.

    Attributes
    ----------
    sets : tuple of TrialSet or AmplitudeTable
        One a recording and muscle channel.
    refused : tuple of SudeckError
        Why each file that is not among them was left out.
    flags : tuple of Flag
        What concerns no recording alone: conditions of a protocol that match nothing in any of them.
    reporting : Mapping of str to str
        Answers to the reporting checklist, of all protocols.
    """

    sets: tuple[TrialSet | AmplitudeTable, ...]
    refused: tuple[SudeckError, ...] = ()
    flags: tuple[Flag, ...] = ()
    reporting: Mapping[str, str] = field(default_factory=dict)


def read_recordings(
    paths: Sequence[str | Path] | str | Path,
    *,
    events: ForRecordings[EventsTable] = None,
    protocol: ForRecordings[StimulationProtocol] = None,
    channel: str | None = None,
    muscle: str | None = None,
    hemisphere: Side | None = None,
    participant: str = "",
    visit: str = "",
) -> RecordingBatch:
    """Read recordings, and folders of them, to trials that know their stimuli.

    Parameters
    ----------
    paths : path or sequence of paths
        Recordings in any format of `sudeck.tms.readers`, and folders of them.
    events, protocol
        As in `read_trials`, one for all or one a recording: a mapping from its name to its own.
    channel, muscle, hemisphere, participant, visit
        As in `read_trials`.

    Returns
    -------
    RecordingBatch
        A recording that can not be read is among its refusals; the others go on.

    Raises
    ------
    InputError
        If there is no recording, or none can be read: the reason of the first, with those of the others
        as its notes.
    """
    several = recordings_in([paths] if isinstance(paths, str | Path) else paths)
    if not several:
        raise InputError("recordings", "none was given", "name one or more files")
    refuse_unnamed(events, several)
    refuse_unnamed(protocol, several)
    if isinstance(protocol, str | Path):
        protocol = protocol_for(protocol)
    sets: list[TrialSet | AmplitudeTable] = []
    refused: list[SudeckError] = []
    used: list[LabelledSets] = []
    for path in several:
        try:
            found = read_labelled(
                path,
                events=events,
                protocol=protocol_for(protocol, path),
                stated=Statement(channel, muscle, hemisphere),
            )
        except SudeckError as error:
            refused.append(error)
            continue
        used.append(found)
        sets += [
            with_person_and_visit(item, path, participant=participant, visit=visit) for item in found.sets
        ]
    if not sets:
        for other in refused[1:]:
            refused[0].add_note(str(other))
        raise refused[0]
    reporting = {key: answer for found in reversed(used) for key, answer in found.protocol.reporting.items()}
    return RecordingBatch(tuple(sets), tuple(refused), tuple(_unmatched(used)), reporting)


def _unmatched(used: Sequence[LabelledSets]) -> Iterator[Flag]:
    """Yield a flag for each protocol with conditions that match nothing in any recording it is for."""
    alike: dict[tuple[str, ...], list[LabelledSets]] = {}
    for found in used:
        alike.setdefault((found.protocol.label, *found.protocol.conditions), []).append(found)
    for own in alike.values():
        yield from unmatched_conditions(own[0].protocol, {name for found in own for name in found.names})
