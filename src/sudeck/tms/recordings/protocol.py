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

    [reporting]                     # answers to the reporting checklist, see sudeck.tms.checklist
    coil_type = "figure of eight, 70 mm"
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from sudeck.core.errors import InputError
from sudeck.core.flags import Flag
from sudeck.core.storage import parse_toml, read_limited
from sudeck.core.vocabulary import Side
from sudeck.tms.readers.base import Hints
from sudeck.tms.recordings.reporting_items import checked_answers
from sudeck.tms.signals.events import Given, given_by
from sudeck.tms.signals.muscles import muscle_and_side
from sudeck.tms.signals.neutral_labels import plain_name
from sudeck.tms.signals.units import voltage_unit

_TABLES = {"recording", "pulses", "channels", "conditions", "sequence", "reporting"}


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
        Fields of `Pulse` by condition, as `plain_name` writes it.
    sequence : tuple of str
        Condition of every stimulus in order.
    reporting : Mapping of str to str
        Answers to the items of the reporting checklist.
    named : tuple of str
        Labels of channels, markers and conditions that the file itself names: they may be printed.
    """

    hints: Hints = field(default_factory=Hints)
    markers: tuple[str, ...] = ()
    onset: Literal["test", "conditioning"] | None = None
    offset_ms: float = 0.0
    channels: Mapping[str, ChannelRole] = field(default_factory=dict)
    defaults: Given = field(default_factory=dict)
    conditions: Mapping[str, Given] = field(default_factory=dict)
    sequence: tuple[str, ...] = ()
    reporting: Mapping[str, str] = field(default_factory=dict)
    label: str = "protocol"
    named: tuple[str, ...] = ()


def read_protocol(path: Path) -> StimulationProtocol:
    """Read and check a protocol file.

    Raises
    ------
    InputError
        If it is missing, no TOML, or a value is of the wrong kind.
    """
    if not path.exists():
        raise InputError(path.name, "there is no such protocol file", "check the path")
    content = parse_toml(read_limited(path, subject=path.name), subject=path.name)
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
    markers = _strings(pulses, "markers", label)
    sequence = _strings(_table(content, "sequence", label), "conditions", label)
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
        markers=markers,
        onset=onset,
        offset_ms=_number(pulses, "offset_ms", label) or 0.0,
        channels={
            name: ChannelRole(
                None if "muscle" not in entry else str(entry["muscle"]),
                given_by({"muscle_side": entry.get("side", "")}, label).get("muscle_side"),
                bool(entry.get("ignore", False)),
            )
            for name, entry in channels.items()
        },
        defaults=_checked(defaults, label),
        conditions={
            plain_name(name): {"condition": name} | _checked({**rmt, **entry}, label)
            for name, entry in conditions.items()
        },
        sequence=sequence,
        reporting=checked_answers(_table(content, "reporting", label), label),
        label=label,
        named=(*channels, *conditions, *markers, *sequence),
    )


def unmatched_conditions(protocol: StimulationProtocol, names: Iterable[str]) -> tuple[Flag, ...]:
    """Flag conditions of the protocol that are the name of nothing, with the names there are."""
    found = {plain_name(name): name for name in names if name}
    missing = [str(given["condition"]) for key, given in protocol.conditions.items() if key not in found]
    if not missing:
        return ()
    there = ", ".join(sorted(found.values())) or "none"
    return (
        Flag(
            "condition-unmatched",
            f"What {protocol.label} says of {', '.join(missing)} is not used: no marker, state or trial_type "
            f"has such a name (there are: {there}).",
            "caution",
            "conditions",
            value=float(len(missing)),
            unit="names",
        ),
    )


def with_stand_ins(protocol: StimulationProtocol, instead: Mapping[str, str]) -> StimulationProtocol:
    """Say what is known of channels by the names that stand in for those of the file."""
    roles = {instead.get(name, name): role for name, role in protocol.channels.items()}
    return replace(protocol, channels=roles)


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


def _checked(entry: Mapping[str, Any], label: str) -> Given:
    """Pass entries through the checks of an events table, and refuse what it does not know."""
    given = given_by(entry, label)
    for key in entry:
        if not given_by({key: entry[key]}, label) and key != "rmt_mso":
            raise InputError(label, f"{key!r} is no field of a stimulus", "see the protocol's documentation")
    return given


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
