"""Lines on the console that every kind of result prints alike; knows no kind of result."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sudeck.report.kit.text import printable

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

_INDENT = 2


def print_item(console: Console, label: str, sentence: str, style: str) -> None:
    """Print a labelled sentence, its further lines indented."""
    from rich.text import Text

    line = fit(console, Text.assemble((f"{label}: ", style), printable(sentence)))
    for number_of_line, part in enumerate(line.wrap(console, max(console.width - _INDENT, 20))):
        part.rstrip()
        console.print(Text(" " * _INDENT * (number_of_line > 0)).append_text(part))


def fit(console: Console, text: Text) -> Text:
    """Replace what the encoding of the output can not write."""
    fitted = text.copy()
    fitted.plain = text.plain.encode(console.encoding, "replace").decode(console.encoding)
    return fitted
