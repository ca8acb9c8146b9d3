"""Which channels of a recording are measured: by muscle, by name, or every one that can be EMG."""

from __future__ import annotations

from sudeck.core.errors import InputError
from sudeck.tms.readers.parts.scaling import refuse_unsettled, unsettled
from sudeck.tms.recordings.protocol import StimulationProtocol
from sudeck.tms.signals.muscles import muscle_and_side
from sudeck.tms.signals.recording import Recording, Signal
from sudeck.tms.signals.units import voltage_unit


def muscle_channels(
    recording: Recording, *, muscle: str | None = None, protocol: StimulationProtocol | None = None
) -> tuple[Signal, ...]:
    """Return the channels to measure: those named, else those that name a muscle, else every voltage.

    Raises
    ------
    InputError
        If no channel answers to `muscle`, or the recording has no voltage channel.
    """
    roles = (protocol or StimulationProtocol()).channels
    there = ", ".join(signal.name for signal in recording.signals) or "none"
    if muscle is not None:
        wanted = muscle_and_side(muscle)
        chosen = []
        for signal in recording.signals:
            named, side = muscle_and_side(signal.name)
            role = roles.get(signal.name)
            if role is not None:
                named, side = role.muscle or named, role.side or side
            same_muscle = (named or "").upper() == (wanted[0] or muscle).upper()
            if signal.name.lower() == muscle.lower() or (same_muscle and wanted[1] in {None, side}):
                chosen.append(signal)
        if not chosen:
            raise InputError(
                recording.source.label,
                f"no channel records {muscle} (there are: {there})",
                "name one of those, or say under [channels] which channel records which muscle",
            )
        return tuple(chosen)
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
            "name the channel with --muscle",
        )
    named_ones = [
        signal
        for signal in voltages
        if muscle_and_side(signal.name)[0] or (signal.name in roles and roles[signal.name].muscle)
    ]
    return tuple(named_ones or voltages)


def settled(recording: Recording, signals: tuple[Signal, ...]) -> tuple[Signal, ...]:
    """Leave out channels whose unit is open; refuse when no other is left."""
    open_units = unsettled(recording.flags)
    settled = tuple(signal for signal in signals if signal.name not in open_units)
    if not settled:
        raise refuse_unsettled(open_units[signals[0].name], recording.source.label)
    return settled
