"""What a person states on the command line: which channel to read, and what it is of where nothing says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sudeck.core.errors import InputError
from sudeck.tms.signals.muscles import muscle_and_side
from sudeck.tms.signals.trials import AmplitudeTable, Pulse, TrialSet

if TYPE_CHECKING:
    from sudeck.core.vocabulary import Side


@dataclass(frozen=True, slots=True)
class Statement:
    """What a person states of a recording.

    Attributes
    ----------
    channel : str or None
        The channel to read, by its name or by the muscle that it names.
    muscle : str or None
        The muscle that was recorded, with its side or without; what names another is left out.
    hemisphere : {"left", "right"} or None
        The hemisphere that was stimulated.
    """

    channel: str | None = None
    muscle: str | None = None
    hemisphere: Side | None = None

    def may_be(self, item: TrialSet | AmplitudeTable, pulses: Sequence[Pulse]) -> bool:
        """Tell whether trials are of the channel that is asked for, and not all of another muscle."""
        if self.channel is not None:
            named = isinstance(item, TrialSet) and item.channel.lower() == self.channel.lower()
            if not named and not any(_is_of(pulse, self.channel) for pulse in pulses):
                return False
        wanted = self.muscle
        return wanted is None or any(pulse.muscle is None or _is_of(pulse, wanted) for pulse in pulses)

    def completed(self, pulses: Sequence[Pulse], label: str) -> tuple[Pulse, ...]:
        """Write what is stated into the pulses of which nothing says it.

        Raises
        ------
        InputError
            If a pulse is said to be of the other hemisphere.
        """
        wrong = {"left": "right", "right": "left"}.get(self.hemisphere or "")
        other = [pulse for pulse in pulses if wrong is not None and pulse.hemisphere == wrong]
        if other:
            raise InputError(
                label,
                f"{len(other)} of {len(pulses)} stimuli are said to be of the "
                f"{other[0].hemisphere} hemisphere, not of the {self.hemisphere} one",
                "leave out --hemisphere, or correct the events table, the protocol or the file",
            )
        muscle, side = muscle_and_side(self.muscle) if self.muscle else (None, None)
        muscle = muscle or self.muscle
        return tuple(
            replace(
                pulse,
                hemisphere=pulse.hemisphere or self.hemisphere,
                muscle=pulse.muscle or muscle,
                muscle_side=pulse.muscle_side or (side if pulse.muscle in {None, muscle} else None),
            )
            for pulse in pulses
        )


def _is_of(pulse: Pulse, wanted: str) -> bool:
    name, side = muscle_and_side(wanted)
    return (pulse.muscle or "").upper() == (name or wanted).upper() and side in {None, pulse.muscle_side}
