"""Which channels of a recording are measured: by muscle, by name, or every one that can be EMG."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TypeVar

from sudeck.core.errors import InputError
from sudeck.core.flags import Flag
from sudeck.core.vocabulary import Side
from sudeck.tms.readers.parts.scaling import refuse_unsettled, unsettled
from sudeck.tms.recordings.protocol import ChannelRole, StimulationProtocol
from sudeck.tms.signals.artefact_times import trigger_times
from sudeck.tms.signals.muscles import is_derived, muscle_and_side
from sudeck.tms.signals.recording import Recording, Signal
from sudeck.tms.signals.units import voltage_unit

_Channel = TypeVar("_Channel")


def muscle_channels(
    recording: Recording,
    *,
    channel: str | None = None,
    muscle: str | None = None,
    protocol: StimulationProtocol | None = None,
) -> tuple[Signal, ...]:
    """Return the channels to measure: the one asked for, else those that name a muscle, else every voltage.

    Parameters
    ----------
    recording : Recording
    channel : str, optional
        Name of a channel, or of the muscle it names.
    muscle : str, optional
        Muscle that was recorded, as a person states it: channels that name another are left out.
    protocol : StimulationProtocol, optional

    Raises
    ------
    InputError
        If no channel answers to `channel` or may be of `muscle`, or the recording has no voltage channel, or
        only rectified or smoothed ones.
    """
    roles = (protocol or StimulationProtocol()).channels
    there = ", ".join(signal.name for signal in recording.signals) or "none"

    def of(signal: Signal) -> tuple[str | None, Side | None]:
        named, side = muscle_and_side(signal.name)
        role = roles.get(signal.name, ChannelRole())
        return role.muscle or named, role.side or side

    def records(signal: Signal, wanted: str) -> bool:
        (named, side), (name, asked_side) = of(signal), muscle_and_side(wanted)
        same = (named or "").upper() == (name or wanted).upper()
        return signal.name.lower() == wanted.lower() or (same and asked_side in {None, side})

    if channel is not None:
        chosen = tuple(signal for signal in recording.signals if records(signal, channel))
        chosen = chosen or at_place(channel, recording.signals)
        if not chosen:
            raise InputError(
                recording.source.label,
                f"no channel is or records {channel} (there are: {there})",
                "name one of those, or say under [channels] which channel records which muscle",
            )
        raw = tuple(signal for signal in chosen if not derived(signal.name, protocol))
        if not raw:
            raise refuse_derived([signal.name for signal in chosen], recording.source.label)
        return raw
    voltages = [
        signal
        for signal in recording.signals
        if (voltage_unit(signal.unit_in_file) or not signal.unit_in_file.strip())
        and not (roles.get(signal.name) and roles[signal.name].ignore)
    ]
    if not voltages:
        raise InputError(
            recording.source.label,
            f"no channel is a voltage (there are: {there})",
            "name the channel with --channel",
        )
    raw_ones = [signal for signal in voltages if not derived(signal.name, protocol)]
    trigger = trigger_times(recording) if len(raw_ones) == 1 < len(voltages) else None
    if not raw_ones or (trigger is not None and trigger[0] == raw_ones[0].name):
        smoothed = [signal.name for signal in voltages if signal not in raw_ones]
        raise refuse_derived(smoothed, recording.source.label)
    voltages = raw_ones
    named_ones = [signal for signal in voltages if of(signal)[0]]
    if muscle is None:
        return tuple(named_ones or voltages)
    stated = [signal for signal in named_ones if records(signal, muscle)]
    stated = stated or [signal for signal in voltages if signal not in named_ones]
    if not stated:
        raise InputError(
            recording.source.label,
            f"every channel names another muscle than {muscle} (there are: {there})",
            "leave out --muscle, or say under [channels] which channel records which muscle",
        )
    return tuple(stated)


def at_place(wanted: str, channels: Sequence[_Channel]) -> tuple[_Channel, ...]:
    """Return the channel that is asked for by its place in the file, from 1: ``"3"`` or ``"channel 3"``.

    Examples
    --------
    >>> at_place("channel 2", ["EMG", "Force"]), at_place("FDI", ["EMG", "Force"])
    (('Force',), ())
    """
    match = re.fullmatch(r"(?:ch(?:annel)?\s*)?(\d+)", wanted.strip(), re.IGNORECASE)
    place = int(match[1]) if match else 0
    return tuple(channels[place - 1 : place]) if place else ()


def name_at(wanted: str | None, there: Sequence[str]) -> str | None:
    """Return the name of a channel that may be asked for by its place in the file."""
    if wanted is None or wanted.lower() in map(str.lower, there):
        return wanted
    return next(iter(at_place(wanted, there)), wanted)


def derived(channel: str, protocol: StimulationProtocol | None) -> bool:
    """Tell whether a channel calls itself rectified or smoothed, and the protocol gives it no muscle."""
    role = (protocol or StimulationProtocol()).channels.get(channel, ChannelRole())
    return role.muscle is None and is_derived(channel)


def refuse_derived(channels: Iterable[str], label: str) -> InputError:
    """Build the error for a recording of which only rectified or smoothed channels are left."""
    return InputError(
        label,
        f"{', '.join(channels)} holds rectified or smoothed EMG by its name, and has no peak-to-peak",
        "measure the raw channel; if it is raw, give it a muscle under [channels] in the protocol file",
    )


def derived_flags(channels: Iterable[str], protocol: StimulationProtocol | None) -> tuple[Flag, ...]:
    """Say which channels were left out because they call themselves rectified or smoothed."""
    names = [name for name in dict.fromkeys(channels) if derived(name, protocol)]
    if not names:
        return ()
    text = (
        f"{', '.join(names)}: rectified or smoothed EMG by its name, which has no peak-to-peak; left out. If "
        "it is raw, give it a muscle under [channels] in the protocol file."
    )
    return (Flag("channel-not-raw", text, "info", value=float(len(names)), unit="channels"),)


def settled(recording: Recording, signals: tuple[Signal, ...]) -> tuple[Signal, ...]:
    """Leave out channels whose unit is open; refuse when no other is left."""
    open_units = unsettled(recording.flags)
    settled = tuple(signal for signal in signals if signal.name not in open_units)
    if not settled:
        raise refuse_unsettled(open_units[signals[0].name], recording.source.label)
    return settled
