"""What counts as nothing in a cell of a table, the same for every reader."""

from __future__ import annotations

from typing import Final

MISSING: Final = frozenset({"", "n/a", "na", "nan", "none", "null", "-", ".", "<na>", "nat"})


def is_missing(text: str) -> bool:
    """Tell whether a cell of text holds no value.

    Examples
    --------
    >>> is_missing(" N/A "), is_missing("-"), is_missing("0")
    (True, True, False)
    """
    return text.strip().lower() in MISSING
