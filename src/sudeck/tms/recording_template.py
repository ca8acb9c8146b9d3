"""An events table and a protocol for a recording, filled with what was found, to be completed by a person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sudeck.core.storage import write_text
from sudeck.tms.recordings.companions import ForRecordings, events_for, protocol_for
from sudeck.tms.recordings.labelled_trials import (
    find_or_take_pulses,
    found_in_sweeps,
    merged,
    read_recording,
)
from sudeck.tms.recordings.labelling import as_it_seems, tell_pulses
from sudeck.tms.signals.forms import events_form, protocol_form
from sudeck.tms.signals.recording import Recording
from sudeck.tms.signals.trials import TrialSet

if TYPE_CHECKING:
    from sudeck.tms.recordings.protocol import StimulationProtocol
    from sudeck.tms.recordings.pulses import FoundPulse
    from sudeck.tms.signals.events import EventsTable


@dataclass(frozen=True, slots=True)
class RecordingTemplate:
    """What to complete.

    Attributes
    ----------
    events, protocol : str
        An events table as TSV, and a protocol as TOML. What nothing says is ``n/a`` in the table and behind a
        ``#`` in the protocol.
    """

    events: str
    protocol: str

    def write(self, folder: str | Path, stem: str) -> tuple[Path, Path]:
        """Write both into a folder, each atomically, and return their paths."""
        table, stated = Path(folder) / f"{stem}_events.tsv", Path(folder) / f"{stem}_protocol.toml"
        write_text(table, self.events)
        write_text(stated, self.protocol)
        return table, stated


def recording_template(
    path: str | Path,
    *,
    events: ForRecordings[EventsTable] = None,
    protocol: ForRecordings[StimulationProtocol] = None,
) -> RecordingTemplate:
    """Fill an events table and a protocol with what a recording shows.

    Fed back together they give the same stimuli.

    Parameters
    ----------
    path : path
        Any format that `read_recording` knows.
    events, protocol : path, optional
        As for `sudeck.tms.read_trials`.

    Raises
    ------
    InputError
        If the file can not be read, or no stimulus is found in it.
    """
    path = Path(path)
    stated = protocol_for(protocol, path)
    table = events_for(events, path, named=stated.named)
    contents, stated = read_recording(path, stated)
    if isinstance(contents, Recording):
        table = table and table.timed(signal.rate_hz for signal in contents.signals)
        found: Sequence[FoundPulse] = find_or_take_pulses(contents, table, stated).pulses
        sections = [contents.section_of(pulse.time_s) for pulse in found]
        label, start_s = contents.source.label, contents.sections[0].start_s
        channels = [signal.name for signal in contents.signals]
    else:
        found, _ = found_in_sweeps(contents[0], contents, table, stated)
        label, start_s, sections = contents[0].source.label, 0.0, []
        channels = [item.channel for item in contents if isinstance(item, TrialSet)]
    pulses, _ = tell_pulses(found, label=label, events=table, protocol=stated, sections=sections)
    if not isinstance(contents, Recording):
        pulses = tuple(merged(old, new) for old, new in zip(contents[0].pulses, pulses, strict=True))
    pulses = tuple(as_it_seems(one, pulse) for one, pulse in zip(found, pulses, strict=True))
    return RecordingTemplate(events_form(pulses, start_s), protocol_form(pulses, channels))
