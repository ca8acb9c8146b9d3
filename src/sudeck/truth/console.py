"""The table of a tally on the console."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from rich.console import Console

    from sudeck.truth.goals import Line
    from sudeck.truth.tally import Tally

_STYLES: Final = {"pass": "green", "fail": "bold red", "open": "yellow"}


def print_tally(tally: Tally, console: Console | None = None) -> None:
    """Print every goal with what was measured, then the false claims that were made most often."""
    from rich.console import Console

    out = console or Console()
    print_lines(tally.lines, out)
    false = sorted(tally.false_claims().items(), key=lambda one: (-one[1], one[0]))
    if false:
        out.print("\nFalse claims and the studies that made them")
        for (world, claim), count in false:
            out.print(f"  {world}: {claim}: {count}", highlight=False)
    died = f", {tally.died} died" if tally.died else ""
    out.print(f"\n{len(tally.rows)} studies{died}, {len(tally.failed)} of {len(tally.lines)} goals failed")


def print_lines(lines: Sequence[Line], console: Console | None = None) -> None:
    """Print goals with what was measured, its error, and whether they hold."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    strata = any(line.worst for line in lines)
    for name in ("world", "what", "goal", "measured", "n", "", *(["worst stratum"] if strata else [])):
        table.add_column(name, justify="right" if name in ("measured", "n") else "left", overflow="fold")
    world = ""
    for line in lines:
        table.add_row(
            "" if line.world == world else line.world,
            line.goal.what,
            str(line.goal),
            str(line),
            str(line.n),
            f"[{_STYLES[line.verdict]}]{line.verdict}[/]",
            *([line.worst] if strata else []),
        )
        world = line.world
    (console or Console()).print(table)
