"""Recordings of one call together: what was read, and what had to be refused and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sudeck.core.errors import InputError, SudeckError
from sudeck.tms.recordings.companions import protocol_for
from sudeck.tms.recordings.labelled_trials import read_trials
from sudeck.tms.recordings.recording_files import recordings_in

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
    """

    sets: tuple[TrialSet | AmplitudeTable, ...]
    refused: tuple[SudeckError, ...] = ()


def read_recordings(
    paths: Sequence[str | Path] | str | Path,
    *,
    events: EventsTable | str | Path | None = None,
    protocol: StimulationProtocol | str | Path | None = None,
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
    events, protocol, channel, muscle, hemisphere, participant, visit
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
    stated = protocol_for(protocol)
    sets: list[TrialSet | AmplitudeTable] = []
    refused: list[SudeckError] = []
    for path in several:
        try:
            sets += read_trials(
                path,
                events=events,
                protocol=stated,
                channel=channel,
                muscle=muscle,
                hemisphere=hemisphere,
                participant=participant,
                visit=visit,
            )
        except SudeckError as error:
            refused.append(error)
    if not sets:
        for other in refused[1:]:
            refused[0].add_note(str(other))
        raise refused[0]
    return RecordingBatch(tuple(sets), tuple(refused))
