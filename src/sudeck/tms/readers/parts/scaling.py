"""Channels as a file holds them, brought to millivolts together: one channel tells about another."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sudeck.core.errors import InputError
from sudeck.core.flags import Flag
from sudeck.tms.readers.base import Hints
from sudeck.tms.signals.muscles import muscle_and_side
from sudeck.tms.signals.neutral_labels import reduced
from sudeck.tms.signals.recording import Signal
from sudeck.tms.signals.units import plain_text, to_millivolts, voltage_unit

UNSETTLED = "unit-unsettled"


@dataclass(frozen=True)
class RawChannel:
    """Name, samples as the file scales them, unit as it writes it, rate, and time of the first sample."""

    name: str
    samples: NDArray[np.float64]
    unit: str
    rate_hz: float
    start_s: float = 0.0

    def __post_init__(self) -> None:
        """Cut texts at their NUL: a unit that no one recognises is no voltage, and its EMG would be lost."""
        object.__setattr__(self, "name", plain_text(self.name))
        object.__setattr__(self, "unit", plain_text(self.unit))


def signals_of(
    channels: Sequence[RawChannel], file: str, hints: Hints
) -> tuple[tuple[Signal, ...], list[Flag]]:
    """Bring every voltage to millivolts; doubt units where EMG could not look like that.

    A recording holds more than EMG: force, breathing, triggers. Where some channels name a muscle, only
    these are held against what EMG can be. A unit that stays open is no error here, but a flag
    (``unit-unsettled``): it matters only when that channel is to be measured.

    Parameters
    ----------
    channels : sequence of RawChannel
    file : str
        For messages.
    hints : Hints
        Units a person stated.

    Returns
    -------
    signals : tuple of Signal
    flags : list of Flag
        `Flag.subject` is the channel.

    Raises
    ------
    InputError
        If a sampling rate is zero, infinite or no number.
    """
    for channel in channels:
        if not (math.isfinite(channel.rate_hz) and channel.rate_hz > 0):
            raise InputError(
                file,
                f"channel {reduced(channel.name)} has no usable sampling rate",
                "copy or export it again",
            )
    muscles_named = any(muscle_and_side(channel.name)[0] for channel in channels)
    signals = []
    flags: list[Flag] = []
    for channel in channels:
        stated = hints.units.get(channel.name)
        is_emg = not muscles_named or muscle_and_side(channel.name)[0] is not None
        unit = channel.unit
        if stated is None and is_emg and (voltage_unit(unit) or not unit.strip()):
            stated = hints.unit
        if stated is None and not is_emg:
            stated = unit if voltage_unit(unit) else None
            if stated is None:
                signals.append(
                    Signal(channel.name, channel.samples, channel.rate_hz, channel.start_s, unit or "?")
                )
                continue
        try:
            millivolts, doubts = to_millivolts(
                channel.samples, unit, channel=channel.name, file=file, stated=stated
            )
            flags += doubts
        except InputError as error:
            millivolts = channel.samples
            flags.append(
                Flag(UNSETTLED, f"{error.problem[:1].upper()}{error.problem[1:]}.", "serious", channel.name)
            )
        signals.append(Signal(channel.name, millivolts, channel.rate_hz, channel.start_s, unit))
    return tuple(signals), flags


def unsettled(flags: Sequence[Flag]) -> dict[str, Flag]:
    """Return the flags of channels whose unit is open, by channel."""
    return {flag.subject: flag for flag in flags if flag.code == UNSETTLED}


def refuse_unsettled(flag: Flag, file: str) -> InputError:
    """Build the error for a channel that is to be measured and whose unit is open."""
    problem = flag.message.rstrip(".")
    return InputError(
        file,
        f"{problem[:1].lower()}{problem[1:]}",
        "state it in the protocol file, for example unit = 'mV' under [recording]",
    )
