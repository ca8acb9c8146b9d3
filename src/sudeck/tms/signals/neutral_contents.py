"""What was read, with labels of the field for those that may name a person, before anything is made of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sudeck.core.flags import Flag
from sudeck.tms.signals.neutral_labels import neutralise, reduced, stand_ins, visit_stand_ins
from sudeck.tms.signals.recording import Marker, Recording, Section, Signal
from sudeck.tms.signals.trials import AmplitudeTable, Pulse, TrialSet
from sudeck.tms.signals.units import voltage_unit

Contents = Recording | tuple[TrialSet | AmplitudeTable, ...]
_MOST_NAMED = 6


@dataclass(frozen=True, slots=True)
class _Names:
    """What stands in for labels of channels, of markers, sweeps and conditions, of muscles and of visits."""

    channels: Mapping[str, str]
    labels: Mapping[str, str]
    muscles: Mapping[str, str] = field(default_factory=dict)
    visits: Mapping[str, str] = field(default_factory=dict)

    @property
    def any(self) -> bool:
        """Tell whether any label is replaced."""
        return bool(self.channels or self.labels or self.muscles or self.visits)

    def replaced(self) -> tuple[Flag, ...]:
        """Say which labels are replaced."""
        return replaced_flags({**self.muscles, **self.channels}, self.labels, self.visits)

    def flags(self, flags: Sequence[Flag]) -> tuple[Flag, ...]:
        """Return flags that quote no label which may name a person."""
        instead = {**self.visits, **self.muscles, **self.labels, **self.channels}
        return tuple(
            replace(
                flag,
                message=str(neutralise(flag.message, instead)),
                subject=instead.get(flag.subject) or str(neutralise(flag.subject, instead)),
            )
            for flag in flags
        )


def replaced_flags(
    channels: Mapping[str, str], labels: Mapping[str, str], visits: Mapping[str, str]
) -> tuple[Flag, ...]:
    """Say what stands in for labels of channels, of stimuli and visits, and how they are had back."""
    flags = []
    if visits:
        several, shown = len(visits) > 1, _some(list(visits.values()))
        text = (
            f"{len(visits)} visit{'s' if several else ''} may name a person and {'are' if several else 'is'} "
            f"shown as {shown}; what is called pre, post, V1 or week 4 is shown as it is."
        )
        flags.append(Flag("labels-replaced", text, "info", value=float(len(visits)), unit="labels"))
    given = list(dict.fromkeys((*channels.values(), *labels.values())))
    if not given:
        return tuple(flags)
    several = len(given) > 1
    how = [f"[{name}]" for name, some in (("channels", channels), ("conditions", labels)) if some]
    text = (
        f"{len(given)} label{'s' if several else ''} may name a person and {'are' if several else 'is'} "
        f"shown as {_some(given)}; what the protocol file names under {' or '.join(how)} is shown as it is."
    )
    return (*flags, Flag("labels-replaced", text, "info", value=float(len(given)), unit="labels"))


def _some(names: Sequence[str]) -> str:
    return f"{', '.join(names[:_MOST_NAMED])}{' …' if len(names) > _MOST_NAMED else ''}"


def without_names(contents: Contents, named: Iterable[str] = ()) -> tuple[Contents, Mapping[str, str]]:
    """Return what a file holds, with labels of the field for those that may name a person.

    Parameters
    ----------
    contents : Recording, or tuple of TrialSet or AmplitudeTable
        As a reader gave it.
    named : iterable of str
        Labels that a person names in a protocol or on the command line; these stay.

    Returns
    -------
    contents
        The same samples, times and numbers.
    instead : Mapping of str to str
        The new name of each channel whose label did not stay.
    """
    stated = tuple(named)
    if isinstance(contents, Recording):
        names = _Names(
            stand_ins((s.name for s in contents.signals), letter="channel", named=stated),
            {
                **stand_ins((marker.channel for marker in contents.markers), letter="line", named=stated),
                **stand_ins(map(_label_of, contents.sections), letter="state", named=stated),
                **stand_ins((marker.label for marker in contents.markers), letter="marker", named=stated),
            },
            stand_ins(_given(contents, "muscle"), letter="muscle", named=stated),
            visit_stand_ins(_given(contents, "visit"), named=stated),
        )
        return _recording(contents, names), names.channels
    channels = [item.channel for item in contents if isinstance(item, TrialSet)]
    conditions = [pulse.condition for item in contents for pulse in item.pulses]
    names = _Names(
        stand_ins(channels, letter="channel", named=stated),
        stand_ins(conditions, letter="condition", named=stated),
        stand_ins((p.muscle or "" for item in contents for p in item.pulses), letter="muscle", named=stated),
        visit_stand_ins((p.visit for item in contents for p in item.pulses), named=stated),
    )
    return tuple(_item(item, names) for item in contents), names.channels


def _recording(recording: Recording, names: _Names) -> Recording:
    if not names.any and all(map(_has_plain_unit, recording.signals)):
        return recording
    labels = names.labels
    known = {"muscle": names.muscles, "visit": names.visits}
    return replace(
        recording,
        signals=tuple(_signal(signal, names) for signal in recording.signals),
        markers=tuple(
            Marker(one.time_s, labels.get(one.label, one.label), labels.get(one.channel, one.channel))
            for one in recording.markers
        ),
        sections=tuple(
            replace(
                section,
                label=labels.get(section.label, section.label),
                given={key: known.get(key, labels).get(value, value) for key, value in section.given.items()},
            )
            for section in recording.sections
        ),
        flags=(*names.flags(recording.flags), *names.replaced()),
    )


def _label_of(section: Section) -> str:
    return section.label or str(section.given.get("condition", ""))


def _given(recording: Recording, key: str) -> list[str]:
    return [str(section.given.get(key) or "") for section in recording.sections]


def _signal(signal: Signal, names: _Names) -> Signal:
    unit = signal.unit_in_file if _has_plain_unit(signal) else "another unit"
    if signal.name not in names.channels:
        return replace(signal, unit_in_file=unit)
    return replace(signal, name=names.channels[signal.name], unit_in_file=unit, label_in_file=signal.name)


def _has_plain_unit(signal: Signal) -> bool:
    """Tell whether a unit is one: people type anything into that field, too."""
    unit = signal.unit_in_file
    return voltage_unit(unit) is not None or "*" not in reduced(unit.replace("*", ""))


def _item(item: TrialSet | AmplitudeTable, names: _Names) -> TrialSet | AmplitudeTable:
    if not names.any:
        return item
    pulses: tuple[Pulse, ...] = tuple(
        replace(
            pulse,
            condition=names.labels.get(pulse.condition, pulse.condition),
            muscle=names.muscles.get(pulse.muscle or "", pulse.muscle),
            visit=names.visits.get(pulse.visit, pulse.visit),
        )
        for pulse in item.pulses
    )
    item = replace(item, pulses=pulses, flags=(*names.flags(item.flags), *names.replaced()))
    if isinstance(item, TrialSet) and item.channel in names.channels:
        return replace(item, channel=names.channels[item.channel], label_in_file=item.channel)
    return item
