"""The report of measured recordings: both hemispheres side by side, then all that opens the numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sudeck.core.storage import write_text
from sudeck.report.kit.page import render_page
from sudeck.report.kit.text import number
from sudeck.report.tms import figures, sweep_figures, words
from sudeck.report.tms.flag_words import flag_lines
from sudeck.report.tms.panels import Panel, panels_of
from sudeck.report.tms.sentences import CAVEATS, sentences
from sudeck.report.tms.settings_words import settings_rows
from sudeck.tms.checklist import reporting_checklist
from sudeck.tms.measures.background import SLOPE

if TYPE_CHECKING:
    from markupsafe import Markup

    from sudeck.tms.measures.measured import Measured
    from sudeck.tms.result import TmsResult
    from sudeck.tms.thresholds.motor_threshold import Threshold

# Of more people than this only the numbers are told: a page of figures has an end.
MOST_DRAWN = 4


@dataclass(frozen=True)
class Cell:
    """One estimate of one hemisphere as the table prints it; empty where it was not measured."""

    value: str = ""
    interval: str = ""
    n: str = ""
    at: str = ""


@dataclass(frozen=True)
class MeasureRow:
    """One measure of a panel, a cell a hemisphere."""

    name: str
    meaning: str
    cells: tuple[Cell, ...]
    beside: bool


@dataclass(frozen=True)
class RobustRow:
    """One estimate as it stands, without flagged trials, with background as covariate, before decisions."""

    name: str
    how: str
    side: str
    everything: str
    without: str
    adjusted: str
    undecided: str


@dataclass(frozen=True)
class FigureRow:
    """Figures that stand beside each other: one kind of both hemispheres, or all kinds of one."""

    title: str
    note: str
    drawn: tuple[tuple[str, Markup], ...]
    wide: bool = False
    first_tall: bool = False


@dataclass(frozen=True)
class DrawnPanel:
    """One person, visit and muscle as the page shows it."""

    title: str
    names: tuple[str, ...]
    rows: tuple[MeasureRow, ...]
    figures: tuple[FigureRow, ...]
    robust: tuple[RobustRow, ...]
    slopes: tuple[str, ...]


def write_tms(result: TmsResult, folder: Path) -> None:
    """Write ``tms.json``, ``trials.tsv`` and ``report.html`` into a folder, each atomically."""
    result.write(folder)
    write_text(folder / "report.html", tms_report(result))


def tms_report(result: TmsResult) -> str:
    """Render the report of measured recordings as one self-contained HTML page.

    Parameters
    ----------
    result : TmsResult
        From `sudeck.tms.measurement.measure_recordings`.

    Returns
    -------
    str
        HTML that needs no network and no other file; the same for the same result.
    """
    panels = panels_of(result)
    refused = [flag for flag in result.flags if flag.code == "recording-refused"]
    flags = [flag for flag in result.flags if flag.code != "recording-refused"]
    checklist = reporting_checklist(result)
    level = next((one.estimate.level for one in result.estimates), 0.95)
    points = sweep_figures.points_a_sweep(panels[:MOST_DRAWN])
    return render_page(
        "tms.html.j2",
        title="Magnetic stimulation",
        provenance=result.provenance,
        facts=[("Measured", words.subject_words(result))],
        level=f"{100 * level:g} %",
        panels=[_drawn(panel, index, points) for index, panel in enumerate(panels)],
        drawn=min(len(panels), MOST_DRAWN),
        sentences=sentences(result),
        caveats=CAVEATS,
        flags=[
            {"severity": line.severity, "message": line.text, "subject": ""}
            for line in flag_lines(flags, result.trials)
        ],
        n_flagged=sum(bool(trial.flags) for trial in result.trials),
        n_trials=len(result.trials),
        decisions=result.decisions,
        left_out=words.left_out_text(result),
        checklist=checklist,
        n_open=sum(item.origin == "open" for item in checklist),
        refused=refused,
        settings=settings_rows(result.provenance.settings),
    )


def _drawn(panel: Panel, index: int, points: int) -> DrawnPanel:
    return DrawnPanel(
        panel.title,
        tuple(words.hemisphere_text(side.group) for side in panel.sides),
        _rows(panel),
        _figures(panel, points) if index < MOST_DRAWN else (),
        _robust(panel),
        tuple(_slopes(panel)),
    )


def _rows(panel: Panel) -> tuple[MeasureRow, ...]:
    """Return a row for every measure that either hemisphere has."""
    tables = [_by_row(words.in_order(words.without_steps(side.group))) for side in panel.sides]
    first: dict[tuple[object, ...], Measured] = {}
    for table in tables:
        for key, one in table.items():
            first.setdefault(key, one)
    rows = []
    for key, one in sorted(first.items(), key=lambda item: words.place_of(item[1])):
        beside = words.is_beside(one)
        name = one.measure.removeprefix(words.base_of(one.measure)).strip() if beside else one.measure
        if one.isi_ms is not None and not beside:
            name += f", {one.isi_ms:g} ms"
        meaning = "" if beside else words.MEANINGS.get(one.measure, "")
        cells = tuple(
            _cell(table.get(key), side.group.thresholds)
            for table, side in zip(tables, panel.sides, strict=True)
        )
        rows.append(MeasureRow(name, meaning, cells, beside))
    return tuple(rows)


def _by_row(estimates: Sequence[Measured]) -> dict[tuple[object, ...], Measured]:
    """Return estimates by what makes them the same in two hemispheres: measure, interval and rank.

    The intensities are not: each hemisphere has its own threshold.
    """
    rows: dict[tuple[object, ...], Measured] = {}
    for one in estimates:
        rank = 0
        while (one.measure, one.isi_ms, rank) in rows:
            rank += 1
        rows[one.measure, one.isi_ms, rank] = one
    return rows


def _cell(one: Measured | None, thresholds: Mapping[str, Threshold]) -> Cell:
    if one is None:
        return Cell()
    value, unit = words.value_and_unit(one.estimate)
    n = "" if one.estimate.n is None else f"{one.estimate.n:g}"
    at = "" if words.is_beside(one) else words.strength_text(one, thresholds.get("RMT"))
    return Cell(f"{value} {unit}".strip(), words.bounds_text(one.estimate), n, at)


def _figures(panel: Panel, points: int) -> tuple[FigureRow, ...]:
    """Return the figures of a panel: a row a kind with both hemispheres, or one row with all of one."""
    kinds = [row for row in _kinds(panel, points) if row.drawn]
    if len(panel.sides) > 1:
        return tuple(kinds)
    wide = [row for row in kinds if row.wide]
    narrow = [row for row in kinds if not row.wide]
    together = FigureRow(
        "Trials" + (" and curves" if len(narrow) > 2 else ""),
        " ".join(row.note for row in narrow),
        tuple((row.title, figure) for row in narrow for _, figure in row.drawn),
        first_tall=len(narrow) > 2,
    )
    return (*wide, together)


def _kinds(panel: Panel, points: int) -> Iterator[FigureRow]:
    """Yield the figures of each kind, with what they show; without figures where there is nothing to draw."""
    sides = [(words.hemisphere_text(side.group), side) for side in panel.sides]
    if any(side.group.pairs for side in panel.sides):
        note = (
            "Conditioned over unconditioned amplitude, geometric means, with the interval of each. Below 1 "
            "is inhibition, above 1 facilitation. Lines join conditioning pulses of one intensity."
        )
        both = (("", figures.pairs_figure(panel)),)
        yield FigureRow("Paired pulses over the interval", note, both, wide=True)
    left_out = sweep_figures.n_left_out(panel)
    note = (
        "Sweeps, grey, as recorded, level before the pulse taken off, and their mean. Shaded: window in "
        "which the response is looked for. Below: onset of each response and their median (▲); above, where "
        "the muscle contracts: end of the silent period (▼). ×10: drawn ten times larger than the others."
        + (" One scale for both hemispheres." if len(sides) > 1 else "")
        + (f" {left_out} more conditions are in trials.tsv." if left_out > 0 else "")
    )
    drawn = tuple(
        (side_name, sweep_figures.sweeps_figure(side, panel=panel, points=points))
        for side_name, side in sides
        if side.sweeps
    )
    yield FigureRow("Trials over each other", note, drawn)
    note = (
        "Amplitudes of every trial in its order, none left out. Ring: carries a flag. Cross: rejected by a "
        "person. Dotted: what 95 % of "
        "the trials stay below without a response. ▼ at the lower edge: no response at all."
    )
    drawn = tuple((side_name, figures.amplitudes_figure(side, panel=panel)) for side_name, side in sides)
    yield FigureRow("Amplitude by trial", note, drawn)
    for kind, title in (("RMT", "Resting motor threshold"), ("AMT", "Active motor threshold")):
        note = (
            "Threshold: its posterior, shaded the interval. Strokes: pulses with and without a response. The "
            "square and the diamond are what other rules say."
        )
        drawn = tuple(
            (side_name, figures.threshold_figure(side, kind))
            for side_name, side in sides
            if kind in side.group.thresholds
        )
        yield FigureRow(title, note, drawn)
    note = "Recruitment: trials, and the fitted curve of the median amplitude with its interval."
    drawn = tuple(
        (side_name, figures.recruitment_figure(side, panel=panel))
        for side_name, side in sides
        if side.group.curve is not None
    )
    yield FigureRow("Recruitment curve", note, drawn)


def _robust(panel: Panel) -> tuple[RobustRow, ...]:
    """Return estimates that change when flagged trials go, or background EMG is a covariate."""
    rows = []
    for side in panel.sides:
        without = {_identity(one): one for one in side.without_flagged}
        adjusted = {_identity(one): one for one in side.group.adjusted}
        undecided = {_identity(one): one for one in side.undecided}
        for one in words.in_order(words.without_steps(side.group)):
            if words.is_beside(one) or words.base_of(one.measure) in words.CURVE:
                continue
            other, covaried = without.get(_identity(one)), adjusted.get(_identity(one))
            before = undecided.get(_identity(one))
            rows.append(
                RobustRow(
                    one.measure,
                    words.how_text(one) if one.isi_ms is None else words.pair_text(one, side.group),
                    side.group.hemisphere or "not stated",
                    _short(one),
                    _short(other) if other else "too few trials",
                    _short(covaried) if covaried else "",
                    _short(before) if before else "",
                )
            )
    return tuple(rows)


def _identity(one: Measured) -> tuple[object, ...]:
    return one.measure, one.isi_ms, one.intensity, one.conditioning


def _short(one: Measured) -> str:
    value, unit = words.value_and_unit(one.estimate)
    return f"{value} {unit} ({words.bounds_text(one.estimate)})".replace("  ", " ")


def _slopes(panel: Panel) -> Sequence[str]:
    slopes = []
    for side in panel.sides:
        for one in side.group.adjusted:
            if one.measure.endswith(SLOPE):
                state = one.measure.removesuffix(SLOPE)
                where = f"{words.hemisphere_text(side.group)} {state}".strip()
                low, value, high = (
                    number(x, 2) for x in (one.estimate.low, one.estimate.value, one.estimate.high)
                )
                slopes.append(f"{where}: {value} ({low} to {high})")
    return slopes
