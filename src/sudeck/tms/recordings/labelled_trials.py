"""From a file to sweeps that know their stimuli: the way in for everything that measures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sudeck.core.errors import InputError
from sudeck.core.flags import Flag
from sudeck.tms.readers import read_file
from sudeck.tms.recordings.channels import (
    derived,
    derived_flags,
    muscle_channels,
    name_at,
    refuse_derived,
    settled,
)
from sudeck.tms.recordings.companions import ForRecordings, events_for, protocol_for
from sudeck.tms.recordings.labelling import (
    few_trials,
    onset_assumed,
    placed_at_test,
    questions,
    tell_channel,
    tell_pulses,
    without_open,
)
from sudeck.tms.recordings.pairs import look_for_pairs, look_in_sweeps
from sudeck.tms.recordings.protocol import (
    StimulationProtocol,
    unmatched_conditions,
    with_stand_ins,
)
from sudeck.tms.recordings.pulses import FoundPulse, PulseTrain, find_pulses
from sudeck.tms.recordings.statement import Statement
from sudeck.tms.recordings.whose import with_person_and_visit
from sudeck.tms.signals.event_times import refuse_other_clock
from sudeck.tms.signals.events import EventsTable, Given
from sudeck.tms.signals.neutral_contents import without_names
from sudeck.tms.signals.neutral_labels import plain_name
from sudeck.tms.signals.recording import Recording
from sudeck.tms.signals.trials import AmplitudeTable, Pulse, TrialSet, cut_trials

if TYPE_CHECKING:
    from sudeck.core.vocabulary import Side
    from sudeck.tms.readers.base import Contents


def read_recording(
    path: str | Path, protocol: StimulationProtocol | None = None, *, channel: str | None = None
) -> tuple[Contents, StimulationProtocol]:
    """Read a file of any known format as it is, before stimuli are looked for.

    Labels that may name a person are replaced by words of the field.

    Parameters
    ----------
    path : path
    protocol : StimulationProtocol, optional
        What it names itself keeps its label.
    channel : str, optional
        A channel that was named on the command line, and keeps its label too.

    Returns
    -------
    contents : Recording, or tuple of TrialSet or AmplitudeTable
        The latter from files that hold epochs or amplitudes already.
    protocol : StimulationProtocol
        With the channels as they are called now.

    Raises
    ------
    InputError
        If the file can not be read, or leaves its unit or rate open.
    """
    protocol = protocol or StimulationProtocol()
    named = (*protocol.named, *([channel] if channel else ()))
    contents, instead = without_names(read_file(Path(path), protocol.hints), named)
    return contents, with_stand_ins(protocol, instead)


def read_trials(
    path: str | Path,
    *,
    events: EventsTable | str | Path | None = None,
    protocol: StimulationProtocol | str | Path | None = None,
    channel: str | None = None,
    muscle: str | None = None,
    hemisphere: Side | None = None,
    participant: str = "",
    visit: str = "",
) -> tuple[TrialSet | AmplitudeTable, ...]:
    """Read a file and return its trials, one set a muscle channel.

    Parameters
    ----------
    path : path
        Any format of `sudeck.tms.readers`.
    events : EventsTable or path, optional
        What each stimulus was. Where it has times they are the stimuli; else its rows go by order. Unless
        given, ``NAME_events.tsv`` beside the recording is taken, as BIDS and `recording_template` name it.
    protocol : StimulationProtocol or path, optional
        What holds for the recording or for a condition; unless given, ``NAME_protocol.toml`` beside it.
    channel : str, optional
        Channel to read, by its name or by the muscle that it names; every muscle channel unless given.
    muscle : str, optional
        Muscle that was recorded, with its side or without (``"FDI"``, ``"left FDI"``), where nothing says.
        Channels that name another are left out.
    hemisphere : {"left", "right"}, optional
        Hemisphere that was stimulated, where nothing says; what says another is refused.
    participant, visit : str, optional
        Whose recording it is, where neither table nor protocol says; else as the path has it in the words
        of BIDS (``sub-01``, ``ses-pre``).

    Raises
    ------
    InputError
        If there is nothing to measure, or file and tables contradict each other.
    """
    found = read_labelled(
        Path(path),
        events=events,
        protocol=protocol_for(protocol, Path(path)),
        stated=Statement(channel, muscle, hemisphere),
    )
    unmatched = unmatched_conditions(found.protocol, found.names)
    return tuple(
        with_person_and_visit(
            replace(item, flags=(*item.flags, *unmatched)), Path(path), participant=participant, visit=visit
        )
        for item in found.sets
    )


@dataclass(frozen=True)
class LabelledSets:
    """The trials of a file, the protocol that was used, and every name that its conditions may go by."""

    sets: tuple[TrialSet | AmplitudeTable, ...]
    protocol: StimulationProtocol
    names: frozenset[str]


def read_labelled(
    path: Path,
    *,
    events: ForRecordings[EventsTable],
    protocol: StimulationProtocol,
    stated: Statement,
) -> LabelledSets:
    """Read as `read_trials` does, and leave it to the caller to say which conditions match nothing."""
    table = events_for(events, path, named=protocol.named)
    contents, protocol = read_recording(path, protocol, channel=stated.channel)
    sets: Sequence[TrialSet | AmplitudeTable]
    if isinstance(contents, Recording):
        sets, names = _cut(contents, table, protocol, stated)
    else:
        sets, names = _given(contents, table, protocol, stated, path)
    return LabelledSets(tuple(sets), protocol, frozenset(filter(None, names)))


def find_or_take_pulses(
    recording: Recording, events: EventsTable | None, protocol: StimulationProtocol
) -> PulseTrain:
    """Take the stimuli from the events table where it has times, else find them in the recording.

    Single and paired stimuli are then told apart by their artefacts, where these are clear.
    """
    train = _taken_or_found(recording, events, protocol)
    pulses, flags = look_for_pairs(recording, train.pulses, _names_of(recording, train.pulses, events))
    if events is not None and all("kind" in row for row in events.rows):
        # What artefacts say against it is told trial by trial.
        flags = tuple(flag for flag in flags if flag.code not in {"kind-not-alike", "kind-open"})
    if events is not None and events.has_times and (protocol.onset or events.at_test_pulse):
        # It is stated which pulse an onset is of: what artefacts say of intervals moves none.
        timed = zip(pulses, train.pulses, strict=True)
        pulses = tuple(replace(pulse, time_s=stated.time_s) for pulse, stated in timed)
    elif events is not None and events.has_times:
        rows = zip(sorted(events.rows, key=lambda row: float(row["time_s"])), pulses, strict=True)
        flags = (*flags, *onset_assumed(sum("isi_ms" in row and p.kind != "paired" for row, p in rows)))
    else:
        within = [recording.section_of(pulse.time_s) for pulse in train.pulses]
        pulses, taken = placed_at_test(train.pulses, pulses, events, protocol, within)
        flags = (*flags, *taken)
    return replace(train, pulses=pulses, flags=(*train.flags, *flags))


def _names_of(recording: Recording, pulses: Sequence[FoundPulse], events: EventsTable | None) -> list[str]:
    """Return the condition of each stimulus as events table, marker and section name it, together."""
    rows: Sequence[Given] = [{}] * len(pulses)
    if events is not None and len(events.rows) == len(pulses):
        in_order = events.has_times
        rows = sorted(events.rows, key=lambda row: float(row["time_s"])) if in_order else events.rows
    sections = [recording.section_of(pulse.time_s) for pulse in pulses]
    return [
        " ".join(filter(None, (*_said(row), *dict.fromkeys((pulse.label, section.label if section else "")))))
        for row, pulse, section in zip(rows, pulses, sections, strict=True)
    ]


def _taken_or_found(
    recording: Recording, events: EventsTable | None, protocol: StimulationProtocol
) -> PulseTrain:
    if events is None or not events.has_times:
        named = () if protocol.markers else _named_markers(recording, protocol)
        train = find_pulses(recording, markers=protocol.markers, named=named)
        if not protocol.offset_ms:
            return train
        late_s = protocol.offset_ms / 1e3
        return replace(train, pulses=tuple(replace(p, time_s=p.time_s + late_s) for p in train.pulses))
    start_s = recording.sections[0].start_s
    pulses = []
    for row in sorted(events.rows, key=lambda item: float(item["time_s"])):
        late_ms = float(row.get("isi_ms") or 0.0) if protocol.onset == "conditioning" else 0.0
        late_ms = 0.0 if events.at_test_pulse else late_ms + protocol.offset_ms
        time_s = start_s + float(row["time_s"]) + late_ms / 1e3
        pulses.append(FoundPulse(time_s, "unknown", None, ""))
    return PulseTrain(tuple(pulses), f"events table {events.label}")


def _said(row: Given) -> tuple[str, ...]:
    """Return what a row of the events table says a stimulus is."""
    names = ("condition", "hemisphere", "conditioning_hemisphere", "kind", "isi_ms")
    return tuple(str(row.get(name, "")) for name in names)


def _named_markers(recording: Recording, protocol: StimulationProtocol) -> tuple[str, ...]:
    """Return the markers that the protocol names as conditions: these are the stimuli."""
    labels = dict.fromkeys(marker.label for marker in recording.markers if marker.label)
    return tuple(label for label in labels if plain_name(label) in protocol.conditions)


def _cut(
    recording: Recording, events: EventsTable | None, protocol: StimulationProtocol, stated: Statement
) -> tuple[tuple[TrialSet, ...], tuple[str, ...]]:
    """Cut a recording at its stimuli, and return the names that its conditions may go by."""
    signals = muscle_channels(recording, channel=stated.channel, muscle=stated.muscle, protocol=protocol)
    signals = settled(recording, signals)
    if events is not None:
        events = events.timed(signal.rate_hz for signal in signals)
        end_s = recording.sections[-1].stop_s
        refuse_other_clock(events.rows, events.label, end_s=end_s, rate_hz=signals[0].rate_hz)
    train = find_or_take_pulses(recording, events, protocol)
    if events is not None and events.has_times:
        rows = tuple(sorted(events.rows, key=lambda item: float(item["time_s"])))
        events = replace(events, rows=rows)
    pulses, given_flags = tell_pulses(
        train.pulses,
        label=recording.source.label,
        events=events,
        protocol=protocol,
        sections=[recording.section_of(pulse.time_s) for pulse in train.pulses],
    )
    names = (
        *(str(row.get("condition", "")) for row in (events.rows if events is not None else ())),
        *protocol.sequence,
        *(marker.label for marker in recording.markers),
        *(pulse.label for pulse in train.pulses),
        *(section.label for section in recording.sections),
    )
    not_raw = derived_flags((signal.name for signal in recording.signals), protocol)
    about_events = events.flags if events is not None else ()
    given_flags = (*given_flags, *not_raw, *about_events)
    given, open_flags = without_open(
        train.pulses, pulses, recording.source.label, recording.sections[0].start_s
    )
    pulses, given_flags = tuple(pulses[i] for i in given), (*given_flags, *open_flags)
    sets = []
    for signal in signals:
        known = stated.completed(tell_channel(pulses, signal.name, protocol), recording.source.label)
        cut = cut_trials(recording, signal, known)
        about_it = tuple(
            flag for flag in recording.flags if flag.subject in {"", signal.name, recording.source.label}
        )
        # The clock of the events table, which counts from the first sample.
        start_s = recording.sections[0].start_s
        cut = replace(cut, pulses=tuple(replace(p, time_s=p.time_s - start_s) for p in cut.pulses))
        flags = (*about_it, *train.flags, *given_flags, *cut.flags, *questions(cut.pulses))
        sets.append(replace(cut, flags=(*flags, *few_trials(cut.n_trials))))
    return tuple(sets), names


def _given(
    sets: Sequence[TrialSet | AmplitudeTable],
    events: EventsTable | None,
    protocol: StimulationProtocol,
    stated: Statement,
    path: Path,
) -> tuple[tuple[TrialSet | AmplitudeTable, ...], tuple[str, ...]]:
    """Complete the pulses of epochs and tables by all that is said; choose channel and muscle.

    Returns the names of conditions too.
    """
    completed: list[TrialSet | AmplitudeTable] = []
    names = list(protocol.sequence)
    channels = [item.channel for item in sets if isinstance(item, TrialSet)]
    stated = replace(stated, channel=name_at(stated.channel, channels))
    raw = [item for item in sets if not (isinstance(item, TrialSet) and derived(item.channel, protocol))]
    if sets and not raw:
        raise refuse_derived(channels, path.name)
    sets, not_raw = raw, derived_flags(channels, protocol)
    for item in sets:
        found, seen = found_in_sweeps(item, sets, events, protocol)
        pulses, flags = tell_pulses(found, label=item.source.label, events=events, protocol=protocol)
        pulses = tuple(merged(old, new) for old, new in zip(item.pulses, pulses, strict=True))
        kept, open_flags = without_open(found, pulses, item.source.label)
        if protocol.onset == "conditioning":
            at = zip(found, pulses, strict=True)
            found = [replace(one, late_s=(pulse.isi_ms or 0.0) / 1e3) for one, pulse in at]
        item, flags = _at_test_pulse(item, found), (*seen, *flags, *open_flags)
        if len(kept) < len(pulses):
            item, pulses = item.chosen(kept), tuple(pulses[i] for i in kept)
        names += [*(pulse.condition for pulse in pulses), *(pulse.label for pulse in found)]
        flags = (*flags, *events.flags) if events is not None else flags
        if isinstance(item, TrialSet):
            pulses = tell_channel(pulses, item.channel, protocol)
        if not stated.may_be(item, pulses):
            continue
        pulses = stated.completed(pulses, item.source.label)
        completed.append(
            replace(
                item,
                pulses=pulses,
                flags=(*item.flags, *flags, *not_raw, *questions(pulses), *few_trials(len(pulses))),
            )
        )
    if not completed:
        raise InputError(
            path.name,
            f"no trials of {stated.channel or stated.muscle} are in it",
            "leave out --channel and --muscle, or correct the name",
        )
    return tuple(completed), tuple(names)


def found_in_sweeps(
    item: TrialSet | AmplitudeTable,
    sweeps: Sequence[TrialSet | AmplitudeTable],
    events: EventsTable | None,
    protocol: StimulationProtocol,
) -> tuple[Sequence[FoundPulse], tuple[Flag, ...]]:
    """Return what a file of sweeps or amplitudes, and the artefacts in its sweeps, say of its stimuli.

    Parameters
    ----------
    item : TrialSet or AmplitudeTable
    sweeps : sequence of TrialSet or AmplitudeTable
        All channels of the file: the one that shows artefacts best is looked at.
    events, protocol
        What is stated of a stimulus goes before what its artefact shows.
    """
    found = [FoundPulse(p.time_s, p.kind, p.isi_ms, p.condition) for p in item.pulses]
    if not isinstance(item, TrialSet):
        return found, ()
    pulses, _ = tell_pulses(found, label=item.source.label, events=events, protocol=protocol)
    if all(pulse.kind != "unknown" for pulse in pulses):
        return found, ()
    alike = [other for other in sweeps if isinstance(other, TrialSet) and _form_of(other) == _form_of(item)]
    stated = [replace(one, kind=pulse.kind) for one, pulse in zip(found, pulses, strict=True)]
    looked, flags = look_in_sweeps(alike, stated, [pulse.condition for pulse in pulses])
    return [
        new if pulse.kind == "unknown" else old for new, old, pulse in zip(looked, found, pulses, strict=True)
    ], flags


def _form_of(item: TrialSet) -> tuple[tuple[int, ...], float, int]:
    return item.emg_mv.shape, item.rate_hz, item.pulse_sample


def _at_test_pulse(item: TrialSet | AmplitudeTable, found: Sequence[FoundPulse]) -> TrialSet | AmplitudeTable:
    """Move sweeps that were cut at the conditioning pulse of a pair to its test pulse."""
    late = [round(pulse.late_s * item.rate_hz) if isinstance(item, TrialSet) else 0 for pulse in found]
    if not isinstance(item, TrialSet) or not any(late):
        return item
    length = item.emg_mv.shape[1] - max(late)
    moved = np.stack([sweep[shift : shift + length] for sweep, shift in zip(item.emg_mv, late, strict=True)])
    n = sum(map(bool, late))
    text = (
        f"{n} sweeps of {item.channel} were cut at the conditioning pulse of a pair; they were moved to the "
        "test pulse, where the later artefact is."
    )
    flag = Flag("moved-to-test-pulse", text, "caution", item.channel, value=float(n), unit="sweeps")
    return replace(item, emg_mv=moved, flags=(*item.flags, flag))


def merged(old: Pulse, new: Pulse) -> Pulse:
    """Keep what the file itself says of a stimulus where tables and protocol say nothing."""
    empty = (None, "", "unknown")
    kept = {
        name: getattr(old, name)
        for name in Pulse.__dataclass_fields__
        if getattr(new, name) in empty and getattr(old, name) not in empty
    }
    return replace(new, **kept)
