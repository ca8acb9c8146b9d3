"""The table that a measured scan prints on the console: readable in colour, in a pipe and at 80 columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sudeck.core.published import SOURCE
from sudeck.core.vocabulary import RATIOS_OF_RATIOS
from sudeck.report.kit.printing import (
    SEVERITY_STYLE,
    ConsoleColumn,
    console_table,
    numbers,
    open_console,
    print_heading,
    print_item,
    print_note,
    print_place,
)
from sudeck.report.kit.text import interval_text, number, percent, value_text
from sudeck.report.scan import words
from sudeck.scan.result import ScanResult

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table


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
    console = open_console(console)
    print_heading(console, f"Three-phase bone scan: {words.subject_words(result)}", first=True)
    console.print(ratio_table(result))
    for name, reason in result.refused.items():
        print_item(console, f"{name} not measured", reason, "yellow")
    for other in result.other_delayed:
        for name, reason in other.refused.items():
            print_item(console, f"{name} at {other.time} not measured", reason, "yellow")
        for flag in other.flags:
            print_item(
                console,
                f"{flag.severity}, image at {other.time}",
                flag.message,
                SEVERITY_STYLE[flag.severity],
            )
    for flag in sorted(result.flags, key=lambda flag: list(SEVERITY_STYLE).index(flag.severity)):
        print_item(console, flag.severity, flag.message, SEVERITY_STYLE[flag.severity])
    if result.verdicts():
        note = f"Cut-offs: {SOURCE}. Probability of exceeding, given the measurement error alone."
        print_note(console, note)
    if result.skipped:
        count = len(result.skipped)
        what = "file or part" if count == 1 else "files or parts"
        print_note(console, f"{count} {what} not used; see the report.", "")
    print_place(console, written)


def ratio_table(result: ScanResult) -> Table:
    """Return the ratios that were measured, those of further delayed images last, in at most 80 columns."""
    value = ConsoleColumn("Value", right=True, bold=True)
    table = console_table(
        "Ratio",
        value,
        *numbers(f"{words.level_text(result)} interval", "Cut-off"),
        "Exceeded",
        *numbers("Probability"),
    )
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
    for other in result.other_delayed:
        for estimate in other.estimates.values():
            shown = value_text(estimate, words.RATIO_DECIMALS), interval_text(estimate, words.RATIO_DECIMALS)
            table.add_row(estimate.name, *shown)
    return table
