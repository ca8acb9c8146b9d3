"""How one hand differs from the other: fingers spread or bent one by one, swollen skin, a finger missing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from sudeck.core.errors import InputError

DIGITS: Final = 5  # thumb to little finger
_STRAIGHT: Final = (0.0,) * DIGITS
_LONG: Final = (1.0,) * DIGITS


@dataclass(frozen=True)
class Posture:
    """Posture and shape of one hand, thumb to little finger; the defaults are a flat hand like any other.

    Attributes
    ----------
    turns_deg : tuple of 5 floats
        By how much each digit is spread away from its place, positive towards the middle of the body.
    lengths : tuple of 5 floats
        Length of each digit as the camera sees it, over its length stretched out: below 1 where it is bent.
        What it holds stays, so that its bones show brighter.
    soft : float
        How many times thicker the skin makes the limb, over bones that stay as they are.
    missing : tuple of int
        Digits that are not there, 0 the thumb.
    above : tuple of int
        Digits that lie over others they cross: what both hold is seen at once. Digits that touch side by side
        share their room instead.
    """

    turns_deg: tuple[float, ...] = _STRAIGHT
    lengths: tuple[float, ...] = _LONG
    soft: float = 1.0
    missing: tuple[int, ...] = ()
    above: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if len(self.turns_deg) != DIGITS or len(self.lengths) != DIGITS:
            raise InputError("posture", "it does not hold five digits", "give five turns and five lengths")
        if min(self.lengths) <= 0 or self.soft <= 0 or not {*self.missing, *self.above} <= set(range(DIGITS)):
            raise InputError("posture", "a hand can not be like that", "give lengths above 0, digits 0 to 4")

    def without(self, missing: tuple[int, ...]) -> Posture:
        """Return the same hand without these digits, besides those it lacks already."""
        return replace(self, missing=tuple(sorted({*self.missing, *missing})))

    def laid(self) -> tuple[Posture, tuple[Posture, ...], Posture]:
        """Return the same hand without what lies above, with each such digit alone, and without any digit."""
        above = tuple(number for number in self.above if number not in self.missing)
        flat = replace(self, above=())
        alone = tuple(flat.without(tuple(set(range(DIGITS)) - {number})) for number in above)
        return flat.without(above), alone, flat.without(tuple(range(DIGITS)))


FLAT: Final = Posture()
