"""What a recording holds, before anything is measured: channels, markers, stimuli, and open questions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sudeck.core.errors import InputError
from sudeck.core.flags import Flag
from sudeck.tms.recordings.companions import ForRecordings, events_for, protocol_for
from sudeck.tms.recordings.labelled_trials import (
    find_or_take_pulses,
    found_in_sweeps,
    merged,
    read_recording,
)
from sudeck.tms.recordings.labelling import questions, tell_channel, tell_pulses
from sudeck.tms.recordings.protocol import StimulationProtocol
from sudeck.tms.recordings.pulses import PulseTrain
from sudeck.tms.signals.events import EventsTable
from sudeck.tms.signals.muscles import muscle_and_side
from sudeck.tms.signals.recording import Recording
from sudeck.tms.signals.trials import AmplitudeTable, Pulse, TrialSet
from sudeck.tms.signals.units import noise_and_peak, voltage_unit


@dataclass(frozen=True, slots=True)
class ChannelSummary:
    """One channel: noise (robust SD between samples, uV) and largest deflection (mV); NaN if no voltage."""

    name: str
    unit_in_file: str
    rate_hz: float
    muscle: str | None
    side: str | None
    noise_uv: float
    peak_mv: float


@dataclass(frozen=True, slots=True)
class MarkerSummary:
    """One group of markers and what it was taken for."""

    channel: str
    label: str
    n: int
    role: str


@dataclass(frozen=True, slots=True)
class PulseSummary:
    """Stimuli of one kind: how many, what they seem to be, how far apart."""

    condition: str
    kind: str
    isi_ms: float | None
    test_mso: float | None
    n: int


@dataclass(frozen=True)
class RecordingInspection:
    """What `inspect_recording` found.

    Attributes
    ----------
    label, format : str
        Masked file name and format.
    duration_s : float
        Time sampled; NaN for tables of amplitudes.
    n_sections : int
        Uninterrupted stretches, or sweeps.
    channels, markers, pulses : tuple
    origin : str
        What the stimuli were found from.
    interval_s : float
        Median time between stimuli; NaN when unknown.
    flags : tuple of Flag
        What was noticed, and what is asked for (code ``not-stated``).
    """

    label: str
    format: str
    duration_s: float
    n_sections: int
    channels: tuple[ChannelSummary, ...]
    markers: tuple[MarkerSummary, ...]
    pulses: tuple[PulseSummary, ...]
    origin: str
    interval_s: float
    flags: tuple[Flag, ...]

    @property
    def n_pulses(self) -> int:
        """Number of stimuli."""
        return sum(pulse.n for pulse in self.pulses)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values."""
        return {
            "label": self.label,
            "format": self.format,
            "duration_s": self.duration_s,
            "n_sections": self.n_sections,
            "channels": [asdict(channel) for channel in self.channels],
            "markers": [asdict(marker) for marker in self.markers],
            "pulses": [asdict(pulse) for pulse in self.pulses],
            "n_pulses": self.n_pulses,
            "origin": self.origin,
            "interval_s": self.interval_s,
            "flags": [flag.to_dict() for flag in self.flags],
        }

    def __str__(self) -> str:
        sections = "1 section" if self.n_sections == 1 else f"{self.n_sections} sections"
        lasting = f", {self.duration_s:.1f} s in {sections}" if np.isfinite(self.duration_s) else ""
        lines = [f"{self.label}: {self.format}{lasting}"]
        for channel in self.channels:
            muscle = " ".join(filter(None, (channel.side, channel.muscle))) or "muscle not named"
            lines.append(
                f"  channel {channel.name}: {channel.rate_hz:g} Hz, {channel.unit_in_file or 'no unit'}, "
                f"{muscle}" + _levels(channel)
            )
        lines += [
            f"  markers {' '.join(filter(None, (marker.channel, marker.label)))}: {marker.n}, {marker.role}"
            for marker in self.markers
        ]
        lines.append(f"  {self.n_pulses} stimuli from {self.origin}" if self.pulses else "  no stimuli")
        for pulse in self.pulses:
            isi = "" if pulse.isi_ms is None else f", ISI {pulse.isi_ms:g} ms"
            mso = "" if pulse.test_mso is None else f", {pulse.test_mso:g} %MSO"
            lines.append(f"    {pulse.n} x {pulse.condition or 'no label'}: {pulse.kind}{isi}{mso}")
        seen: Counter[tuple[str, str]] = Counter()
        for flag in self.flags:
            key = (flag.code, "trial" if flag.subject.startswith("trial ") else flag.message)
            seen[key] += 1
            if seen[key] == 1:
                lines.append(f"  {flag}")
        lines += [f"  the like in {n - 1} more trials: {code}" for (code, _), n in seen.items() if n > 1]
        return "\n".join(lines)


def inspect_recording(
    path: str | Path,
    *,
    events: ForRecordings[EventsTable] = None,
    protocol: ForRecordings[StimulationProtocol] = None,
) -> RecordingInspection:
    """Look into a file and say what it holds, without measuring.

    Parameters
    ----------
    path : path
        Any format that `read_recording` knows.
    events, protocol : path, optional
        As for `read_trials`.

    Raises
    ------
    InputError
        If the file can not be read. A recording without stimuli is no error here: it is said in a flag.
    """
    path = Path(path)
    protocol = protocol_for(protocol, path)
    table = events_for(events, path, named=protocol.named)
    contents, protocol = read_recording(path, protocol)
    if not isinstance(contents, Recording):
        return _of_sets(contents, table, protocol)
    try:
        table = table and table.timed(signal.rate_hz for signal in contents.signals)
        train = find_or_take_pulses(contents, table, protocol)
        pulses, given_flags = tell_pulses(
            train.pulses,
            label=contents.source.label,
            events=table,
            protocol=protocol,
            sections=[contents.section_of(pulse.time_s) for pulse in train.pulses],
        )
    except InputError as error:
        train, pulses = PulseTrain((), "nothing"), ()
        given_flags = (Flag("no-pulses", f"{error.problem[:1].upper()}{error.problem[1:]}.", "serious"),)
    names_muscle = any(muscle_and_side(signal.name)[0] for signal in contents.signals)
    asked = questions(tell_channel(pulses, _first_muscle(contents) if names_muscle else "", protocol))
    return RecordingInspection(
        contents.source.label,
        contents.format,
        contents.duration_s,
        len(contents.sections),
        tuple(_channel(s.name, s.unit_in_file, s.rate_hz, s.samples_mv) for s in contents.signals),
        tuple(MarkerSummary(g.channel, g.label, len(g.times_s), g.role) for g in train.groups),
        _summed(pulses),
        train.origin,
        _interval(pulses),
        (*contents.flags, *train.flags, *given_flags, *asked),
    )


def _of_sets(
    contents: tuple[TrialSet | AmplitudeTable, ...], events: EventsTable | None, protocol: StimulationProtocol
) -> RecordingInspection:
    """Summarise a file that holds epochs or amplitudes."""
    sweeps = [item for item in contents if isinstance(item, TrialSet)]
    pulses: list[Pulse] = []
    given_flags: tuple[Flag, ...] = ()
    for item in sweeps[:1] or contents:
        found, seen = found_in_sweeps(item, contents, events, protocol)
        given, contradicted = tell_pulses(found, label=item.source.label, events=events, protocol=protocol)
        pulses += map(merged, item.pulses, given)
        given_flags += (*seen, *contradicted)
    flags = tuple(dict.fromkeys((*(flag for item in contents for flag in item.flags), *given_flags)))
    return RecordingInspection(
        contents[0].source.label,
        "epochs" if sweeps else "amplitude table",
        sum(item.emg_mv.shape[1] / item.rate_hz for item in sweeps[:1]) * len(pulses)
        if sweeps
        else float("nan"),
        len(pulses),
        tuple(_channel(item.channel, "", item.rate_hz, item.emg_mv.ravel()) for item in sweeps),
        (),
        _summed(pulses),
        "the epochs of the file" if sweeps else "the rows of the table",
        _interval(pulses),
        (*flags, *questions(pulses)),
    )


def _levels(channel: ChannelSummary) -> str:
    if not np.isfinite(channel.noise_uv):
        return ", no voltage"
    return f", noise {channel.noise_uv:.2g} µV, peak {channel.peak_mv:.2g} mV"


def _first_muscle(recording: Recording) -> str:
    return next(signal.name for signal in recording.signals if muscle_and_side(signal.name)[0])


def _channel(
    name: str, unit: str, rate_hz: float, samples_mv: np.ndarray[Any, np.dtype[np.float64]]
) -> ChannelSummary:
    muscle, side = muscle_and_side(name)
    is_voltage = voltage_unit(unit) is not None or not unit.strip()
    noise_mv, peak_mv = noise_and_peak(samples_mv) if is_voltage else (float("nan"), float("nan"))
    return ChannelSummary(name, unit.strip(), rate_hz, muscle, side, 1e3 * noise_mv, peak_mv)


def _summed(pulses: Sequence[Pulse]) -> tuple[PulseSummary, ...]:
    """Count stimuli of one kind, in order of their first appearance."""
    counts = Counter((pulse.condition, pulse.kind, pulse.isi_ms, pulse.test_mso) for pulse in pulses)
    return tuple(PulseSummary(*key, n) for key, n in counts.items())


def _interval(pulses: Sequence[Pulse]) -> float:
    gaps = np.diff(sorted(pulse.time_s for pulse in pulses))
    return float(np.median(gaps)) if gaps.size and np.all(np.isfinite(gaps)) else float("nan")
