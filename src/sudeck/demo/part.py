"""One part of the demo: what was run, what came out beside its truth, where to look."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from sudeck.core.estimate import Estimate
from sudeck.report.kit.text import decimals_of, interval_text, number, value_text

Say = Callable[[str], None]
SEED: Final = 1900  # the year Paul Sudeck described the bone of this disease


@dataclass(frozen=True)
class DemoRow:
    """One measured number, beside its truth where that is known."""

    name: str
    value: str
    interval: str
    truth: str
    inside: str


@dataclass(frozen=True)
class DemoPart:
    """What was run and where its report lies.

    Attributes
    ----------
    title, text : str
        For the reader.
    command : str
        The same by hand.
    link : str
        Its report, relative to the page of the demo.
    rows : sequence of DemoRow
    more : sequence of (str, str)
        Further pages: what each shows, and where it lies.
    """

    title: str
    text: str
    command: str
    link: str
    rows: Sequence[DemoRow]
    more: Sequence[tuple[str, str]] = ()

    @property
    def said(self) -> str:
        """How many intervals hold the truth, in words; empty where no truth is known."""
        known = [row.inside for row in self.rows if row.inside]
        return f"{known.count('yes')} of {len(known)} intervals hold the truth." if known else ""


def demo_row(name: str, estimate: Estimate, truth: float | None) -> DemoRow:
    """Set an estimate beside its truth."""
    if truth is None:
        return DemoRow(name, value_text(estimate), interval_text(estimate), "not known", "")
    inside = "yes" if estimate.low <= truth <= estimate.high else "no"
    return DemoRow(
        name, value_text(estimate), interval_text(estimate), number(truth, decimals_of(estimate)), inside
    )
