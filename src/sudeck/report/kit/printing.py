"""What every kind of result prints alike on the console; knows no kind of result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sudeck.report.kit.text import printable

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

SEVERITY_STYLE: Final = {"serious": "bold red", "caution": "yellow", "info": "dim"}
_INDENT: Final = 2


@dataclass(frozen=True, slots=True)
class ConsoleColumn:
    """A column of a console table.

    Attributes
    ----------
    heading : str
    right, bold : bool
        How its cells are set.
    fold : bool
        Whether a long cell is broken into lines; else it keeps its line.
    least : int, optional
        Narrowest width.
    """

    heading: str
    right: bool = False
    bold: bool = False
    fold: bool = False
    least: int | None = None


def console_table(*columns: ConsoleColumn | str) -> Table:
    """Return an empty table, readable in colour and in a pipe; a bare heading stands over plain words."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="", show_edge=False)
    for given in columns:
        column = ConsoleColumn(given) if isinstance(given, str) else given
        table.add_column(
            column.heading,
            justify="right" if column.right else "left",
            style="bold" if column.bold else None,
            no_wrap=not column.fold,
            overflow="fold" if column.fold else "ellipsis",
            min_width=column.least,
        )
    return table


def numbers(*headings: str) -> tuple[ConsoleColumn, ...]:
    """Return columns of numbers."""
    return tuple(ConsoleColumn(heading, right=True) for heading in headings)


def open_console(console: Console | None = None) -> Console:
    """Return the console given, or standard output."""
    from rich.console import Console

    return console or Console(highlight=False)


def print_heading(console: Console, text: str, *, first: bool = False) -> None:
    """Print a heading, with an empty line before it unless it is the first."""
    if not first:
        console.print()
    print_note(console, text, "bold")


def print_note(console: Console, text: str, style: str = "dim") -> None:
    """Print a line of words as they are, whatever marks they hold."""
    from rich.text import Text

    console.print(fit(console, Text(printable(text), style=style)))


def print_item(console: Console, label: str, sentence: str, style: str) -> None:
    """Print a labelled sentence, its further lines indented."""
    from rich.text import Text

    line = fit(console, Text.assemble((f"{label}: ", style), printable(sentence)))
    for number_of_line, part in enumerate(line.wrap(console, max(console.width - _INDENT, 20))):
        part.rstrip()
        console.print(Text(" " * _INDENT * (number_of_line > 0)).append_text(part))


def print_place(console: Console, written: str) -> None:
    """Print where results lie, unbroken so that it can be copied; nothing if nothing was written."""
    from rich.text import Text

    if written:
        console.print(fit(console, Text(f"Results: {printable(written)}")), soft_wrap=True)


def fit(console: Console, text: Text) -> Text:
    """Replace what the encoding of the output can not write."""
    fitted = text.copy()
    fitted.plain = text.plain.encode(console.encoding, "replace").decode(console.encoding)
    return fitted
