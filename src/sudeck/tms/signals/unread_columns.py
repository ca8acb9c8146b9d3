"""Columns of a table that tell trials apart which are measured together, because nothing reads them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Final

from sudeck.core.flags import Flag
from sudeck.core.missing import is_missing
from sudeck.tms.signals.neutral_labels import reduced

# Values that come back so often, and are so few, name something; others are measurements or numbers.
_LEAST_ROWS, _MOST_VALUES, _MOST_SHOWN = 3, 8, 4
# What is measured has fractions; what names something has none.
_FRACTION: Final = re.compile(r"-?\d*[.,]\d+")
# Parts of one recording, which are measured together as they should be, and words about single values.
_NO_GROUPS: Final = frozenset(
    {"block", "run", "set", "series", "part", "serie", "bloc"}
    | {"flags", "csp_censored", "who", "why", "comment", "comments", "remark", "remarks", "note", "notes"}
)


def unread_flags(
    records: Sequence[Mapping[str, object]], alike: Sequence[Hashable], read: Iterable[str]
) -> tuple[Flag, ...]:
    """Flag columns that are not read and split trials of which all that is read says the same.

    Parameters
    ----------
    records : sequence of Mapping
        Rows of the table.
    alike : sequence
        One a row: what is read of it. Equal ones are measured together.
    read : iterable of str
        Headings of columns that are read.
    """
    taken = set(read)
    flags = []
    for number, name in enumerate(records[0] if records else (), start=1):
        if name in taken or _plain(name) in _NO_GROUPS:
            continue
        cells = [str(record.get(name, "")).strip() for record in records]
        values = _splitting(cells, alike)
        if not values:
            continue
        shown = ", ".join(map(reduced, values[:_MOST_SHOWN])) + (", …" if len(values) > _MOST_SHOWN else "")
        text = (
            f"Column {number}, {reduced(name)} ({shown}), is not read, and trials that it tells apart are "
            "measured together; call it what it is: participant, visit, hemisphere, muscle or condition."
        )
        flags.append(Flag("column-not-read", text, "caution", value=float(len(values)), unit="values"))
    return tuple(flags)


def _plain(heading: str) -> str:
    return "_".join(re.findall(r"[a-z0-9]+", heading.lower()))


def _splitting(cells: Sequence[str], alike: Sequence[Hashable]) -> list[str]:
    """Return the values of a column that splits trials which are otherwise alike; empty where none does."""
    groups: dict[Hashable, Counter[str]] = {}
    for cell, key in zip(cells, alike, strict=True):
        if not is_missing(cell):
            groups.setdefault(key, Counter())[cell] += 1
    values = list(dict.fromkeys(cell for counts in groups.values() for cell in counts))
    if not 2 <= len(values) <= _MOST_VALUES or any(map(_FRACTION.fullmatch, values)):
        return []
    split = any(
        len(counts) > 1 and sum(n >= _LEAST_ROWS for n in counts.values()) > 1 for counts in groups.values()
    )
    return values if split else []
