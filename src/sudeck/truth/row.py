"""One study asked for, and what came of it: numbers, and the claims of its pages beside the truth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sudeck.core.claim import Claim


@dataclass(frozen=True, slots=True)
class Task:
    """One study to be drawn.

    Attributes
    ----------
    world : str
    seed : tuple of int
    fault : str
        Of `sudeck.truth.faults`, planted while the study is answered; none unless named.
    """

    world: str
    seed: tuple[int, ...]
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Scored:
    """A claim of a page beside the truth.

    Attributes
    ----------
    page : str
    claim : Claim
    true : float
        Value of the quantity in this world.
    holds : bool
    """

    page: str
    claim: Claim
    true: float
    holds: bool

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values."""
        return {"page": self.page, **self.claim.to_dict(), "true": self.true, "holds": self.holds}


@dataclass(frozen=True)
class StudyRow:
    """What one study got right.

    Attributes
    ----------
    task : Task
    numbers : Mapping of str to tuple of float
        By what is scored: 1 or 0 for each thing that was so or not, or a difference from the truth. What the
        study did not say is not there.
    ledger : tuple of Scored
    """

    task: Task
    numbers: Mapping[str, tuple[float, ...]]
    ledger: tuple[Scored, ...]
