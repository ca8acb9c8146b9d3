"""The page of a comparison: every change with its interval, before and after side by side."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from sudeck.core.provenance import Provenance, SourceFile
from sudeck.core.storage import write_json, write_text
from sudeck.report.kit.page import render_page
from sudeck.report.kit.text import decimals_of, interval_text, value_text
from sudeck.report.tms import comparison_words as said
from sudeck.report.tms import words
from sudeck.report.tms.compare_figures import change_figure, trial_values
from sudeck.report.tms.flag_words import flag_lines
from sudeck.report.tms.settings_words import settings_rows

if TYPE_CHECKING:
    from markupsafe import Markup

    from sudeck.core.estimate import Estimate
    from sudeck.tms.change import MeasurementError
    from sudeck.tms.comparison import Comparison, Contrast, MeasuredChange
    from sudeck.tms.measures.measured import Measured
    from sudeck.tms.result import TmsResult
    from sudeck.tms.saved import SavedResult

PAGE = "comparison.html"
# Of more people than this only the numbers are told: a page of figures has an end.
_MOST_PEOPLE = 4


@dataclass(frozen=True)
class ChangeRow:
    """One contrast as a table prints it; `before` and `after` are empty but for a change."""

    measure: str
    at: str
    where: str
    before: str
    before_interval: str
    after: str
    after_interval: str
    value: str
    interval: str
    detectable: str
    verdict: str
    first: bool


@dataclass(frozen=True)
class ChangeTable:
    """The contrasts of one kind."""

    title: str
    rows: tuple[ChangeRow, ...]


@dataclass(frozen=True)
class DrawnChange:
    """The figure of one measure."""

    title: str
    figure: Markup


def write_comparison(
    found: Comparison,
    pre: TmsResult | SavedResult,
    post: TmsResult | SavedResult,
    folder: Path,
    *,
    errors: Mapping[str, MeasurementError] | None = None,
    retest: SourceFile | None = None,
) -> Path:
    """Write ``comparison.json`` and ``comparison.html`` into a folder; return the page."""
    write_json(folder / "comparison.json", found.to_dict())
    write_text(folder / PAGE, comparison_page(found, pre, post, errors=errors, retest=retest))
    return folder / PAGE


def comparison_page(
    found: Comparison,
    pre: TmsResult | SavedResult,
    post: TmsResult | SavedResult,
    *,
    errors: Mapping[str, MeasurementError] | None = None,
    retest: SourceFile | None = None,
) -> str:
    """Render a comparison as one self-contained HTML page.

    Parameters
    ----------
    found : Comparison
        Of `pre` and `post`, from `sudeck.tms.comparison.compare_results`.
    pre, post : TmsResult or SavedResult
        Where its numbers come from: trials to draw, settings, files.
    errors : Mapping of str to MeasurementError, optional
        As the comparison was made with.
    retest : SourceFile, optional
        The table that these come from.

    Returns
    -------
    str
        HTML that needs no network and no other file.
    """
    shown = [one for one in found.changes if said.is_shown(one)]
    beside = [one for one in found.changes if not said.is_shown(one)]
    drawn = _drawn(shown, pre, post)
    alike = pre.provenance.settings == post.provenance.settings
    sources = (*pre.provenance.sources, *post.provenance.sources, *([retest] if retest else []))
    level = shown[0].change.estimate.level if shown else 0.95
    banded = any(not said.is_error_unknown(one) for one in shown if one.contrast == "change")
    return render_page(
        "tms_compare.html.j2",
        title="Magnetic stimulation, before and after",
        provenance=Provenance(tuple(dict.fromkeys(sources)), {}, created=post.provenance.created),
        facts=[("Before", _subject(pre)), ("After", _subject(post)), *_people(found)],
        level=f"{100 * level:g} %",
        tables=_tables(shown),
        beside=_tables(beside),
        n_beside=len(beside),
        counted=said.comparisons_text(found) if shown else "",
        drawn=drawn,
        banded=banded,
        dots=any(trial_values(one, item.trials).size for one, item in _sides(shown, pre, post)),
        flags=_flags(found, pre, post, settings_alike=alike),
        settings=_settings(pre, post, errors, retest),
    )


def _subject(visit: TmsResult | SavedResult) -> str:
    names = sorted({one.visit for one in visit.estimates if one.visit})
    n = len(visit.provenance.sources)
    parts = [", ".join(names), f"{n} recording{'' if n == 1 else 's'}"]
    if visit.trials:
        parts.append(f"{len(visit.trials)} trials")
    return ", ".join(filter(None, parts))


def _people(found: Comparison) -> list[tuple[str, str]]:
    people = sorted({one.participant for one in found.changes if one.participant})
    if not people:
        return []
    return [("Person", people[0])] if len(people) == 1 else [("People", str(len(people)))]


def _sides(
    shown: Sequence[MeasuredChange], pre: TmsResult | SavedResult, post: TmsResult | SavedResult
) -> list[tuple[Measured, TmsResult | SavedResult]]:
    both = [(one.before, one.after) for one in shown]
    return [(before, pre) for before, _ in both if before] + [(after, post) for _, after in both if after]


def _tables(changes: Sequence[MeasuredChange]) -> tuple[ChangeTable, ...]:
    made = []
    for contrast, title in said.CONTRASTS.items():
        own = said.in_order_of_measures([one for one in changes if one.contrast == contrast])
        if own:
            made.append(ChangeTable(title, _rows(own, contrast)))
    return tuple(made)


def _rows(changes: Sequence[MeasuredChange], contrast: Contrast) -> tuple[ChangeRow, ...]:
    rows: list[ChangeRow] = []
    named: tuple[object, ...] | None = None
    several = len({one.participant for one in changes}) > 1
    for one in changes:
        value, interval, limit = said.change_texts(one.change)
        whose = one.participant if several else ""
        side = one.hemisphere if contrast == "change" else one.visit
        of = (one.measure, one.isi_ms, one.intensity, one.conditioning)
        before, after = one.before, one.after
        rows.append(
            ChangeRow(
                one.measure,
                _at(one),
                ", ".join(filter(None, (whose, side, one.muscle))),
                *_cells(before, after),
                value,
                interval,
                limit,
                said.VERDICTS[one.change.verdict],
                of != named,
            )
        )
        named = of
    return tuple(rows)


def _cells(before: Measured | None, after: Measured | None) -> tuple[str, str, str, str]:
    """Return value and interval before, then after, both with as many decimals as their mean interval."""
    if before is None or after is None:
        return "", "", "", ""
    both: tuple[Estimate, ...] = before.estimate, after.estimate
    if all(one.unit == "mV" and abs(one.value) < 0.1 for one in both):
        both = tuple(words.in_readable_unit(one) for one in both)
    half = sum(one.high - one.low for one in both) / 4
    middle = replace(both[0], low=both[0].value - half, high=both[0].value + half)
    places = decimals_of(middle if math.isfinite(half) else both[0])
    (value, bounds), (later, later_bounds) = (
        (value_text(one, places), interval_text(one, places)) for one in both
    )
    return value, bounds, later, later_bounds


def _at(one: MeasuredChange) -> str:
    isi = "" if one.isi_ms is None else f"{one.isi_ms:g} ms"
    return ", ".join(filter(None, (isi, one.intensity, one.conditioning and f"after {one.conditioning}")))


def _drawn(
    shown: Sequence[MeasuredChange], pre: TmsResult | SavedResult, post: TmsResult | SavedResult
) -> tuple[DrawnChange, ...]:
    """Return a figure for every measure of a muscle, both hemispheres in one."""
    changes = said.in_order_of_measures([one for one in shown if one.contrast == "change"])
    people = list(dict.fromkeys(one.participant for one in changes))[:_MOST_PEOPLE]
    groups: dict[tuple[object, ...], list[MeasuredChange]] = {}
    taken: set[tuple[object, ...]] = set()
    for one in changes:
        if one.participant in people:
            whose = one.participant if len(people) > 1 else ""
            rank = 0
            # Each hemisphere has an intensity of its own: of one measure, the first of both belong together.
            while (one.hemisphere, *(key := (one.measure, one.muscle, whose, one.isi_ms, rank))) in taken:
                rank += 1
            taken.add((one.hemisphere, *key))
            groups.setdefault(key, []).append(one)
    return tuple(
        DrawnChange(
            _title(own, several=len(people) > 1),
            change_figure(own, pre.trials, post.trials),
        )
        for own in groups.values()
    )


def _title(own: Sequence[MeasuredChange], *, several: bool) -> str:
    first = own[0]
    how = " and ".join(dict.fromkeys(filter(None, map(_at, own))))
    return ", ".join(filter(None, (first.measure, how, first.muscle, first.participant if several else "")))


def _flags(
    found: Comparison, pre: TmsResult | SavedResult, post: TmsResult | SavedResult, *, settings_alike: bool
) -> list[dict[str, str]]:
    """Return what the reader must know: of the comparison, and what was serious in either visit."""
    shown = [
        {"severity": line.severity, "message": line.text, "subject": when}
        for when, visit in (("before", pre), ("after", post))
        for line in flag_lines([flag for flag in visit.flags if flag.severity == "serious"], visit.trials)
    ]
    if not settings_alike:
        text = "The two visits were measured with different settings."
        shown.append({"severity": "caution", "message": text, "subject": ""})
    shown += [
        {"severity": flag.severity, "message": flag.message, "subject": ""}
        for flag in sorted(found.flags, key=lambda flag: flag.severity)
    ]
    if any(map(said.is_error_unknown, found.changes)):
        shown.append({"severity": "caution", "message": said.UNKNOWN_ERROR, "subject": ""})
    return shown


def _settings(
    pre: TmsResult | SavedResult,
    post: TmsResult | SavedResult,
    errors: Mapping[str, MeasurementError] | None,
    retest: SourceFile | None,
) -> list[tuple[str, str]]:
    error = "not known"
    if errors:
        error = "; ".join(f"{name}: {one.n} people measured twice" for name, one in errors.items())
    rows = [
        ("Error between sessions", f"{error} ({retest.label})" if retest else error),
        *((f"{when} measured", _when(item)) for when, item in (("Before", pre), ("After", post))),
    ]
    before, after = (settings_rows(visit.provenance.settings) for visit in (pre, post))
    if before == after:
        return [*rows, *before]
    other = dict(after)
    return [
        *rows,
        *((name, f"{value}, after: {other[name]}" if other.get(name, value) != value else value)
          for name, value in before),
    ]  # fmt: skip


def _when(visit: TmsResult | SavedResult) -> str:
    made = visit.provenance
    return ", ".join(filter(None, (made.created, made.version and f"Sudeck {made.version}")))
