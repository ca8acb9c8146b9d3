"""Sentences about data, each with the claims it makes: what is printed and what can be scored against truth.

A page prints a `Sentence` as it is, since it is text. Whoever knows the truth reads its claims instead: they
name the quantity, what is said of it, and the budget of error that pays for saying it. A sentence without
claims says that it makes none: a count, a description of these patients, a caveat.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal, Self

from sudeck.core.record import Record

Direction = Literal["above", "below", "differs", "within"]

# What the words of a report may err, all its pages together: the share of studies with a false one.
REPORT_ERROR: Final = 0.05

# Only where a quantity lies, not what a test let through: scored as coverage, not as a false sentence.
INTERVAL = "interval"


def page_error(pages: int) -> float:
    """Return the share of `REPORT_ERROR` of each page, of as many as test something.

    Each has its own part: what one page spends the other need not know.

    Examples
    --------
    >>> page_error(1), page_error(2)
    (0.05, 0.025)
    """
    return REPORT_ERROR / max(pages, 1)


@dataclass(frozen=True, slots=True)
class Claim(Record):
    """One thing that a sentence says of one quantity.

    Attributes
    ----------
    claim : str
        In words, for the ledger.
    estimand : str
        The quantity, by a name that a world of truth gives its value under.
    direction : {"above", "below", "differs", "within"}
    low, high : float
        *Above* and *differs* are held against `low`, *below* against `high`, *within* against both.
    budget : str
        The share of error that this draws on; `INTERVAL` for an interval that stands on its own.
    """

    claim: str
    estimand: str
    direction: Direction
    budget: str
    low: float = 0.0
    high: float = 0.0

    def holds(self, true: float) -> bool:
        """Return whether this is so where the quantity is `true`.

        Examples
        --------
        >>> Claim("relief goes with BPr/TPr", "r", "above", "page").holds(0.3)
        True
        >>> Claim("C", "c", "within", INTERVAL, 0.52, 0.70).holds(0.5)
        False
        """
        if self.direction == "above":
            return true > self.low
        if self.direction == "below":
            return true < self.high
        if self.direction == "differs":
            return true != self.low
        return self.low <= true <= self.high


class Sentence(str):
    """A sentence for a page or a screen, with the claims it makes; none where it makes none.

    Examples
    --------
    >>> says = Sentence("105 patients were scanned.")
    >>> says, says.claims
    ('105 patients were scanned.', ())
    """

    claims: tuple[Claim, ...]

    def __new__(cls, text: str, *claims: Claim) -> Self:
        """Make a sentence of text and claims."""
        made = super().__new__(cls, text)
        made.claims = claims
        return made


def described(texts: Iterable[str]) -> tuple[Sentence, ...]:
    """Return texts as sentences; one that is none yet claims nothing: a count, a description, a caveat.

    Examples
    --------
    >>> described(["3 patients were lost."])[0].claims
    ()
    """
    return tuple(one if isinstance(one, Sentence) else Sentence(one) for one in texts)


def claims_of(sentences: Iterable[str]) -> tuple[Claim, ...]:
    """Return the ledger of a page: the claims of its sentences, in order."""
    return tuple(claim for one in sentences if isinstance(one, Sentence) for claim in one.claims)
