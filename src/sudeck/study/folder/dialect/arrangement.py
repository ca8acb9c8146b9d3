"""How people lay a table out: a title above the headings, a column a visit, days left to the reader."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from sudeck.core.missing import is_missing
from sudeck.study.folder.dialect.headings import column_of, is_visual, says_hundred, visit_in
from sudeck.study.folder.dialect.wordings import day_of_visit

_TITLES: Final = 5  # lines that may stand above the headings
_KEY: Final = "participant_id"

Lines = Sequence[tuple[int, Sequence[str]]]


@dataclass(frozen=True)
class Arranged:
    """A table as we lay it out, its cells still text.

    Attributes
    ----------
    line : int
        Line of the headings in the file.
    headings : tuple of str
        As they stand there; ours for columns that were added.
    names : tuple of str
        The column each means; the heading itself where it is none of ours.
    body : tuple of (int, tuple of str)
        Line in the file and cells; several rows may come from one line.
    remarks : tuple of str
        What was laid out otherwise, a phrase each.
    unclear : tuple of str
        What a person has to say first.
    """

    line: int
    headings: tuple[str, ...]
    names: tuple[str, ...]
    body: tuple[tuple[int, tuple[str, ...]], ...]
    remarks: tuple[str, ...] = ()
    unclear: tuple[str, ...] = ()


def arrange(cells: Lines, columns: Sequence[str]) -> Arranged:
    """Find the headings of a table, and give it a row for each visit.

    Parameters
    ----------
    cells : sequence of (line, cells)
        At least one line.
    columns : sequence of str
        Those the table should have.
    """
    remarks: list[str] = []
    top = _headings_at(cells, columns)
    if top:
        lines = "1 line stands" if top == 1 else f"{top} lines stand"
        remarks.append(f"{lines} above the headings and {'is' if top == 1 else 'are'} left out")
    line, header = cells[top]
    body = [(number, tuple(texts)) for number, texts in cells[top + 1 :] if any(t.strip() for t in texts)]
    table = Arranged(line, tuple(header), (), tuple(body))
    unclear: list[str] = []
    if "nrs" in columns:
        table, said = _long(table, columns)
        remarks += said
        table, said, unclear = _to_ten(table, columns)
        remarks += said
    if {"visit", "day"} <= set(columns):
        table, said = _visits_and_days(table, columns)
        remarks += said
    names = tuple(column_of(heading, columns) for heading in table.headings)
    return Arranged(table.line, table.headings, names, table.body, tuple(remarks), tuple(unclear))


def _headings_at(cells: Lines, columns: Sequence[str]) -> int:
    """Return which row holds the headings: the first that names the patient and something else of ours."""
    for number, (_, texts) in enumerate(cells[: _TITLES + 1]):
        names = {column_of(text, columns) for text in texts}
        further = names & set(columns) - {_KEY} or ("nrs" in columns and any(map(visit_in, texts)))
        if _KEY in names and further:
            return number
    return 0


def _long(table: Arranged, columns: Sequence[str]) -> tuple[Arranged, list[str]]:
    """Turn scores with a column for each visit into a row for each; leave any other table as it is."""
    names = [column_of(heading, columns) for heading in table.headings]
    if {"visit", "nrs", "day"} & set(names) or _KEY not in names:
        return table, []
    visits = {n: name for n, text in enumerate(table.headings) if (name := visit_in(text)) is not None}
    if not visits:
        return table, []
    kept = [n for n in range(len(names)) if n not in visits]
    asked = {f"nrs{' (mm)' if says_hundred(table.headings[n]) else ''}" for n in visits}
    if any(is_visual(table.headings[n]) for n in visits) and asked == {"nrs"}:
        asked = {"vas"}
    headings = (*(table.headings[n] for n in kept), "visit", "day", *sorted(asked)[:1])
    body: list[tuple[int, tuple[str, ...]]] = []
    for line, texts in table.body:
        padded = (*texts, *[""] * (len(names) - len(texts)))
        own = tuple(padded[n] for n in kept)
        # What stands beyond the headings is seen as such in the first row.
        beyond = tuple(texts[len(names) :])
        for n, visit in visits.items():
            body.append((line, (*own, visit, str(day_of_visit(visit)), padded[n], *beyond)))
            beyond = ()
    said = f"{len(visits)} columns become {len(visits)} rows of each patient, one a visit"
    return Arranged(table.line, headings, (), tuple(body)), [said]


def _to_ten(table: Arranged, columns: Sequence[str]) -> tuple[Arranged, list[str], list[str]]:
    """Divide scores of a scale that ends at 100, where heading or numbers leave no doubt."""
    names = [column_of(heading, columns) for heading in table.headings]
    if "nrs" not in names:
        return table, [], []
    place = names.index("nrs")
    heading = table.headings[place]
    scores = {text: value for _, texts in table.body if (value := _number(text := _cell(texts, place)))}
    values = [value for _, texts in table.body if (value := _number(_cell(texts, place)))]
    if not values or max(values) > 100:
        return table, [], []
    large = median(values) > 10
    if not large and not (says_hundred(heading) and max(values) > 10):
        if says_hundred(heading):
            return table, [], ["the heading says a scale to 100 and no score is above 10; say which it is"]
        return table, [], []
    if not (says_hundred(heading) or is_visual(heading)):
        said = "most scores are above 10: where the scale ends at 100, write (0-100) or (mm) in the heading"
        return table, [], [said]
    body = tuple(
        (line, tuple(f"{scores[t] / 10:g}" if n == place and t in scores else t for n, t in enumerate(texts)))
        for line, texts in table.body
    )
    headings = (*table.headings[:place], "nrs", *table.headings[place + 1 :])
    return (
        Arranged(table.line, headings, (), body),
        ["scores of a scale from 0 to 100 are divided by 10"],
        [],
    )


def _visits_and_days(table: Arranged, columns: Sequence[str]) -> tuple[Arranged, list[str]]:
    """Add the days that names of visits say, or the visits that days are, where that column lacks."""
    names = [column_of(heading, columns) for heading in table.headings]
    if ("visit" in names) == ("day" in names) or _KEY not in names:
        return table, []
    given, lacking = ("visit", "day") if "visit" in names else ("day", "visit")
    place = names.index(given)
    added: list[str] = []
    for _, texts in table.body:
        text = _cell(texts, place)
        if given == "visit":
            found = day_of_visit(text)
            added.append("" if found is None else str(found))
        else:
            value = _number(text) if not is_missing(text) else None
            added.append("" if value is None else "baseline" if value == 0 else f"day {value:g}")
    if not all(added):
        return table, []
    width = len(names)
    body = tuple(
        (line, (*(*texts, *[""] * width)[:width], more, *texts[width:]))
        for (line, texts), more in zip(table.body, added, strict=True)
    )
    said = f"the column {lacking} is taken from the column {given}"
    return Arranged(table.line, (*table.headings, lacking), (), body), [said]


def _cell(texts: Sequence[str], place: int) -> str:
    return texts[place].strip() if place < len(texts) else ""


def _number(text: str) -> float | None:
    try:
        return float(text.strip().replace(",", "."))
    except ValueError:
        return None
