"""The protocol file: what a laboratory knows about its recording and the recording does not say.

A protocol is TOML. Every part may be missing::

    rmt_mso = 45                    # turns %MSO into %RMT
    muscle = "FDI"                  # any field of a pulse that holds for the whole recording
    hemisphere = "left"
    state = "rest"

    [recording]                     # only what the file leaves open, or says wrongly
    unit = "mV"
    rate_hz = 5000
    pulse_ms = 100                  # epoched arrays: the test pulse after the start of the epoch

    [pulses]
    markers = ["S255"]              # labels or event channels that are stimuli
    onset = "test"                  # a marker or onset of a pair is its "test" or "conditioning" pulse
    offset_ms = 0                   # added to every marker

    [channels."EMG 1"]
    muscle = "FDI"
    side = "right"

    [conditions.SICI]               # by marker label, frame label, trial_type or condition
    isi_ms = 2.5
    conditioning_rmt = 80
    test_rmt = 120

    [sequence]                      # when nothing in the file tells one stimulus from another
    conditions = ["single", "SICI", "single"]
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from sudeck.core.errors import InputError
from sudeck.core.flags import Flag
from sudeck.core.vocabulary import Side
from sudeck.tms.events import EventsTable, Told, told_by
from sudeck.tms.muscles import muscle_and_side
from sudeck.tms.readers.base import Hints
from sudeck.tms.recording import Section
from sudeck.tms.trials import Pulse
from sudeck.tms.units import voltage_unit

if TYPE_CHECKING:
    from sudeck.tms.pulses import FoundPulse

_TABLES = {"recording", "pulses", "channels", "conditions", "sequence"}
# What no amount of signal can tell, and every measure by hemisphere needs.
_ASKED = {
    "kind": "which stimuli were single and which were paired",
    "hemisphere": "which hemisphere was stimulated",
    "muscle": "which muscle was recorded",
    "state": "whether the muscle was at rest or active",
}
# Recorded and stated intervals further apart than this contradict each other.
_ISI_TOLERANCE_MS = 1.0


@dataclass(frozen=True, slots=True)
class ChannelRole:
    """What a channel records: a muscle and its side, or nothing to measure (`ignore`)."""

    muscle: str | None = None
    side: Side | None = None
    ignore: bool = False


@dataclass(frozen=True)
class StimulationProtocol:
    """A protocol file, checked. An empty one says nothing.

    Attributes
    ----------
    hints : Hints
        Rate, units and pulse time for the reader.
    markers : tuple of str
        Labels or event channels that are stimuli.
    onset : {"test", "conditioning"} or None
        Which pulse of a pair its marker or onset stands for.
    offset_ms : float
        Added to every marker time.
    channels : Mapping of str to ChannelRole
    defaults : Told
        Fields of `Pulse` for the whole recording.
    conditions : Mapping of str to Told
        Fields of `Pulse` by condition, in lower case.
    sequence : tuple of str
        Condition of every stimulus in order.
    """

    hints: Hints = field(default_factory=Hints)
    markers: tuple[str, ...] = ()
    onset: Literal["test", "conditioning"] | None = None
    offset_ms: float = 0.0
    channels: Mapping[str, ChannelRole] = field(default_factory=dict)
    defaults: Told = field(default_factory=dict)
    conditions: Mapping[str, Told] = field(default_factory=dict)
    sequence: tuple[str, ...] = ()
    label: str = "protocol"


def read_protocol(path: Path) -> StimulationProtocol:
    """Read and check a protocol file.

    Raises
    ------
    InputError
        If it is missing, no TOML, or a value is of the wrong kind.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(path.name, "there is no such protocol file", "check the path") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(path.name, f"the protocol is no valid TOML ({error})", "correct the file") from None
    return protocol_from(content, path.name)


def protocol_from(content: Mapping[str, Any], label: str = "protocol") -> StimulationProtocol:
    """Check the content of a protocol file, given as a mapping."""
    recording, pulses = _table(content, "recording", label), _table(content, "pulses", label)
    channels = {name: _table(content["channels"], name, label) for name in _table(content, "channels", label)}
    conditions = {
        name: _table(content["conditions"], name, label) for name in _table(content, "conditions", label)
    }
    onset = pulses.get("onset")
    if onset not in {None, "test", "conditioning"}:
        raise InputError(label, f"[pulses] onset is {onset!r}", "write 'test' or 'conditioning'")
    unit = recording.get("unit")
    units = {name: str(entry["unit"]) for name, entry in channels.items() if "unit" in entry}
    for stated in [*([unit] if unit is not None else []), *units.values()]:
        if voltage_unit(str(stated)) is None:
            raise InputError(label, f"the unit {stated!r} is no voltage", "write 'V', 'mV' or 'uV'")
    rmt = {"rmt_mso": content["rmt_mso"]} if "rmt_mso" in content else {}
    defaults = {key: value for key, value in content.items() if key not in _TABLES and key != "rmt_mso"}
    return StimulationProtocol(
        hints=Hints(
            rate_hz=_number(recording, "rate_hz", label),
            unit=None if unit is None else str(unit),
            units=units,
            pulse_ms=_number(recording, "pulse_ms", label),
            variable=None if "variable" not in recording else str(recording["variable"]),
        ),
        markers=_strings(pulses, "markers", label),
        onset=onset,
        offset_ms=_number(pulses, "offset_ms", label) or 0.0,
        channels={
            name: ChannelRole(
                None if "muscle" not in entry else str(entry["muscle"]),
                told_by({"muscle_side": entry.get("side", "")}, label).get("muscle_side"),
                bool(entry.get("ignore", False)),
            )
            for name, entry in channels.items()
        },
        defaults=_checked(defaults, label),
        conditions={
            name.lower(): {"condition": name} | _checked({**rmt, **entry}, label)
            for name, entry in conditions.items()
        },
        sequence=_strings(_table(content, "sequence", label), "conditions", label),
        label=label,
    )


def with_channels(protocol: StimulationProtocol, records: Sequence[Mapping[str, str]]) -> StimulationProtocol:
    """Add what a BIDS ``_channels.tsv`` says of channels that the protocol does not mention.

    Read are `name`, `type` (only EMG is measured) and `target_muscle`. Its `units` are left to the file.
    """
    roles = {}
    for record in records:
        name, kind = record.get("name", ""), record.get("type", "").upper()
        muscle, side = muscle_and_side(record.get("target_muscle", ""))
        if name and (muscle or kind not in {"", "EMG", "N/A"}):
            roles[name] = ChannelRole(muscle, side, ignore=kind not in {"", "EMG", "N/A"})
    return replace(protocol, channels={**roles, **protocol.channels})


def tell_pulses(
    found: Sequence[FoundPulse],
    *,
    label: str,
    events: EventsTable | None = None,
    protocol: StimulationProtocol | None = None,
    sections: Sequence[Section | None] = (),
) -> tuple[tuple[Pulse, ...], tuple[Flag, ...]]:
    """Join what the recording shows with what events table and protocol say.

    The events table goes before the protocol's conditions, these before its defaults. Nothing is guessed:
    what nobody says stays ``None`` (or ``"unknown"``) and is asked for in a flag.

    Parameters
    ----------
    found : sequence of FoundPulse
        In order of time.
    label : str
        Name of the recording, for messages.
    events : EventsTable, optional
        One row a stimulus, in the same order.
    protocol : StimulationProtocol, optional
    sections : sequence of Section, optional
        The section each stimulus lies in, for its label and what the file tells of it.

    Raises
    ------
    InputError
        If the number of stimuli differs from that of events or sequence.
    """
    protocol = protocol or StimulationProtocol()
    if events is not None and len(events.rows) != len(found):
        raise InputError(
            label,
            f"{len(found)} stimuli were found but the events table has {len(events.rows)} rows",
            "give the time of each stimulus in a column onset, or correct the table",
        )
    if protocol.sequence and len(protocol.sequence) != len(found):
        raise InputError(
            label,
            f"{len(found)} stimuli were found but the protocol's sequence has {len(protocol.sequence)}",
            "correct [sequence] or give an events table",
        )
    pulses, flags = [], []
    for index, pulse in enumerate(found):
        row = events.rows[index] if events is not None else {}
        section = sections[index] if sections else None
        told_by_file = {} if section is None else dict(section.told)
        ordered = protocol.sequence[index] if protocol.sequence else ""
        names = [
            str(row.get("condition", "")),
            ordered,
            pulse.label,
            "" if section is None else section.label,
        ]
        condition = next((name for name in names if name.lower() in protocol.conditions), "")
        told: Told = {
            **told_by_file,
            **protocol.defaults,
            **protocol.conditions.get(condition.lower(), {}),
            **row,
        }
        told.setdefault("condition", next((name for name in names if name), ""))
        told = {key: value for key, value in told.items() if key in Pulse.__dataclass_fields__}
        if pulse.kind == "paired" and pulse.isi_ms is not None:
            stated = told.get("isi_ms")
            if told.get("kind") == "single" or (
                stated is not None and abs(stated - pulse.isi_ms) > _ISI_TOLERANCE_MS
            ):
                flags.append(_contradiction(index, pulse, stated))
            told.setdefault("kind", "paired")
            if told["kind"] == "paired":
                told.setdefault("isi_ms", pulse.isi_ms)
        told.setdefault("kind", pulse.kind)
        pulses.append(Pulse(**{**told, "time_s": pulse.time_s}))
    return tuple(pulses), tuple(flags)


def tell_channel(
    pulses: Sequence[Pulse], channel: str, protocol: StimulationProtocol | None = None
) -> tuple[Pulse, ...]:
    """Write muscle and side of a channel into its pulses: from the protocol, else from its label."""
    role = (protocol or StimulationProtocol()).channels.get(channel, ChannelRole())
    muscle, side = muscle_and_side(channel)
    muscle, side = role.muscle or muscle, role.side or side
    # A channel that names its muscle knows better than a default for the whole recording.
    return tuple(
        replace(pulse, muscle=muscle or pulse.muscle, muscle_side=side or pulse.muscle_side)
        for pulse in pulses
    )


def questions(pulses: Sequence[Pulse]) -> tuple[Flag, ...]:
    """Ask for what neither file nor table nor protocol says.

    Examples
    --------
    >>> [flag.subject for flag in questions([Pulse(1.0, "single", hemisphere="left", muscle="FDI")])]
    ['state']
    """
    flags = []
    for name, asked in _ASKED.items():
        open_ones = sum(getattr(pulse, name) in {None, "unknown"} for pulse in pulses)
        if open_ones:
            flags.append(
                Flag(
                    "not-stated",
                    f"Nothing says {asked} for {open_ones} of {len(pulses)} stimuli; "
                    f"add {name} to the events table or the protocol file.",
                    "caution" if name == "hemisphere" else "info",
                    name,
                    value=float(open_ones),
                    limit=0.0,
                    unit="stimuli",
                )
            )
    return tuple(flags)


def _contradiction(index: int, pulse: FoundPulse, stated: float | None) -> Flag:
    said = "a single pulse" if stated is None else f"an interval of {stated:g} ms"
    return Flag(
        "interval-contradicted",
        f"Trial {index + 1} is said to be {said}, but the recording shows a pair {pulse.isi_ms:g} ms apart.",
        "serious",
        f"trial {index + 1}",
        value=pulse.isi_ms,
        limit=stated,
        unit="ms",
    )


def _checked(entry: Mapping[str, Any], label: str) -> Told:
    """Pass entries through the checks of an events table, and refuse what it does not know."""
    told = told_by(entry, label)
    for key in entry:
        if not told_by({key: entry[key]}, label) and key != "rmt_mso":
            raise InputError(label, f"{key!r} is no field of a stimulus", "see the protocol's documentation")
    return told


def _table(content: Mapping[str, Any], name: str, label: str) -> Mapping[str, Any]:
    table = content.get(name, {})
    if not isinstance(table, Mapping):
        raise InputError(label, f"{name} is no table", f"write it as a section headed [{name}]")
    return table


def _number(table: Mapping[str, Any], name: str, label: str) -> float | None:
    value = table.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(label, f"{name} is {value!r}, no number", "write a number without quotes")
    return float(value)


def _strings(table: Mapping[str, Any], name: str, label: str) -> tuple[str, ...]:
    value = table.get(name, [])
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise InputError(label, f"{name} is no list of texts", f'write {name} = ["...", "..."]')
    return tuple(value)
