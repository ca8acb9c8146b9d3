"""The table that a measured scan prints on the console: readable in colour, in a pipe and at 80 columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sudeck.core.published import SOURCE
from sudeck.core.vocabulary import RATIOS_OF_RATIOS
from sudeck.report.kit.printing import fit, print_item
from sudeck.report.kit.text import interval_text, number, percent, printable, value_text
from sudeck.report.scan import words
from sudeck.scan.result import ScanResult

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_SEVERITY_STYLE = {"serious": "bold red", "caution": "yellow", "info": "dim"}


def print_scan(result: ScanResult, *, written: str = "", console: Console | None = None) -> None:
    """Print a measured scan: six ratios, what was refused and why, flags, and where the results lie.

    Parameters
    ----------
    result : ScanResult
        From `sudeck.scan.measurement.measure_scan`.
    written : str
        Where the results were written, as the user named it; nothing is said of it when empty.
    console : rich.console.Console, optional
        Where to print; standard output unless given.
    """
    from rich.console import Console
    from rich.text import Text

    console = console or Console(highlight=False)
    subject = Text(f"Three-phase bone scan: {printable(words.subject_words(result))}", style="bold")
    console.print(fit(console, subject))
    console.print(ratio_table(result))
    for name, reason in result.refused.items():
        print_item(console, f"{name} not measured", reason, "yellow")
    for flag in sorted(result.flags, key=lambda flag: list(_SEVERITY_STYLE).index(flag.severity)):
        print_item(console, flag.severity, flag.message, _SEVERITY_STYLE[flag.severity])
    if result.verdicts():
        note = f"Cut-offs: {SOURCE}. Probability of exceeding, given the measurement error alone."
        console.print(Text(note, style="dim"))
    if result.skipped:
        count = len(result.skipped)
        console.print(
            Text(f"{count} {'file or part' if count == 1 else 'files or parts'} not used; see the report.")
        )
    if written:
        # A path is not broken into lines, so that it can be copied.
        console.print(fit(console, Text(f"Results: {printable(written)}")), soft_wrap=True)


def ratio_table(result: ScanResult) -> Table:
    """Return the six ratios, as far as they were measured, as a table of at most 80 columns."""
    from rich import box
    from rich.table import Table

    level = words.level_text(result)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="", show_edge=False)
    table.add_column("Ratio", no_wrap=True)
    table.add_column("Value", justify="right", no_wrap=True, style="bold")
    table.add_column(f"{level} interval", justify="right", no_wrap=True)
    table.add_column("Cut-off", justify="right", no_wrap=True)
    table.add_column("Exceeded", no_wrap=True)
    table.add_column("Probability", justify="right", no_wrap=True)
    verdicts = result.verdicts()
    for name in words.SIX_RATIOS:
        estimate, verdict = result.estimates.get(name), verdicts.get(name)
        if estimate is None:
            continue
        cells = [name, value_text(estimate, words.RATIO_DECIMALS)]
        cells.append(interval_text(estimate, words.RATIO_DECIMALS))
        if name in RATIOS_OF_RATIOS and verdict is not None:
            cells.append(number(verdict.cutoff, words.RATIO_DECIMALS))
            cells += ["yes" if verdict.exceeded else "no", percent(verdict.probability)]
        table.add_row(*cells)
    return table
