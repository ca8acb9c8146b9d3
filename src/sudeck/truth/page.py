"""The page of `sudeck truth`: goals with what was measured, reliability curves, the ledger of the claims."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from scipy.special import chdtr

from sudeck.core.provenance import Provenance
from sudeck.core.storage import write_text
from sudeck.report.kit.page import render_page
from sudeck.report.kit.palette import BLUE, GREEN, ORANGE, PINK, RULE, SKY_BLUE, VERMILION, VIOLET
from sudeck.report.kit.plot import Mark, Plot, Span, Stroke, legend, sheet, text
from sudeck.synthetic.study.worlds import WORLDS

if TYPE_CHECKING:
    from markupsafe import Markup

    from sudeck.truth.goals import Line
    from sudeck.truth.row import Scored, StudyRow

_ERROR: Final = ": error over stated error"
_COLOURS: Final = (BLUE, VERMILION, GREEN, PINK, ORANGE, SKY_BLUE, VIOLET)
_LEVELS: Final = np.linspace(0.0, 1.0, 41)
_FEWEST_ERRORS: Final = 20  # of one quantity, for a curve
_MOST_KEPT: Final = 300  # false claims that stand one by one; all are in the JSON file
_WIDTH, _PANEL, _GAP = 170.0, 46.0, 16.0  # mm
_A_ROW: Final = 3


@dataclass(frozen=True)
class ReliabilityPanel:
    """The reliability curves of one world.

    Attributes
    ----------
    world : str
    curves : Mapping of str to ndarray
        By quantity, the share of errors within the interval of each level of `_LEVELS`.
    """

    world: str
    curves: Mapping[str, np.ndarray]


def write_page(
    path: Path, lines: Sequence[Line], rows: Sequence[StudyRow] = (), *, settings: Mapping[str, Any]
) -> None:
    """Write the page.

    Parameters
    ----------
    path : Path
    lines : sequence of Line
        Goals as they were judged.
    rows : sequence of StudyRow
        The studies, for the curves and the ledger; left out where only the goals are known.
    settings : Mapping
        What was asked for.
    """
    wrong = _wrong(rows)
    page = render_page(
        "truth.html.j2",
        title="Are the sentences true?",
        provenance=Provenance((), settings),
        facts=[
            ("Studies", str(len(rows) or max(line.n for line in lines))),
            ("Goals", str(len(lines))),
            ("Failed", str(sum(line.verdict == "fail" for line in lines))),
            ("Open", str(sum(line.verdict == "open" for line in lines))),
            *((name, str(value)) for name, value in settings.items() if value not in ("", None)),
        ],
        worlds=_by_world(lines),
        strata=any(line.worst for line in lines),
        curves=reliability_figure(reliability_panels(rows)),
        ledger=_ledger(rows),
        wrong_claims=wrong[:_MOST_KEPT],
        n_wrong=len(wrong),
    )
    write_text(path, page)


def reliability_panels(rows: Iterable[StudyRow]) -> tuple[ReliabilityPanel, ...]:
    """Return, for each world, how often errors lie within the interval of every level.

    A method whose stated errors are true draws the diagonal; above it they are too large, below too small.
    """
    squares: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        for name, values in row.numbers.items():
            if name.endswith(_ERROR):
                squares[row.task.world][name.removesuffix(_ERROR)] += values
    panels = (
        ReliabilityPanel(
            world,
            {
                # A squared normal error is a chi square: its probability is the level that just holds it.
                name: np.searchsorted(np.sort(chdtr(1, found)), _LEVELS, side="right") / len(found)
                for name, found in sorted(own.items())
                if len(found) >= _FEWEST_ERRORS
            },
        )
        for world, own in squares.items()
    )
    return tuple(panel for panel in panels if panel.curves)


def reliability_figure(panels: Sequence[ReliabilityPanel]) -> Markup | None:
    """Draw the panels; None where there is none."""
    if not panels:
        return None
    names = sorted({name for panel in panels for name in panel.curves})
    colours = dict(zip(names, _COLOURS, strict=False))
    named, foot = legend(
        [(Mark("s", colours[name], 0.8), name) for name in names if name in colours], 0.0, 0.0, _WIDTH
    )
    parts = [named]
    ticks = [(share, f"{100 * share:.0f}") for share in (0.0, 0.5, 0.95)]
    for index, panel in enumerate(panels):
        row, column = divmod(index, _A_ROW)
        top = foot + 7.0 + row * (_PANEL + _GAP)
        plot = Plot(12.0 + column * (_PANEL + 10.0), top, _PANEL, _PANEL, Span(0.0, 1.0), Span(0.0, 1.0))
        parts.append(text(plot.left, top - 2.0, panel.world, bold=True))
        drawn = [plot.line([0, 1], [0, 1], Stroke(RULE, 0.3, (1.2, 0.8)))]
        drawn += [
            plot.line(_LEVELS, curve, Stroke(colours[name]))
            for name, curve in panel.curves.items()
            if name in colours
        ]
        parts.append(plot.inside(drawn))
        parts.append(plot.x_axis(ticks, "interval of, %"))
        parts.append(plot.y_axis(ticks, "holds the truth, %" if column == 0 else ""))
    height = foot + 7.0 + -(-len(panels) // _A_ROW) * (_PANEL + _GAP)
    description = "Share of intervals that hold the truth against their level, by world and quantity"
    return sheet(_WIDTH, height, parts, description)


def _by_world(lines: Sequence[Line]) -> list[tuple[str, str, list[Line]]]:
    found: dict[str, list[Line]] = defaultdict(list)
    for line in lines:
        found[line.world].append(line)
    return [(name, WORLDS[name].what if name in WORLDS else "", own) for name, own in found.items()]


def _ledger(rows: Sequence[StudyRow]) -> list[tuple[tuple[str, ...], int, int]]:
    """Return each kind of claim of each page, how many studies made it, and in how many it was false."""

    def kind(row: StudyRow, one: Scored) -> tuple[str, ...]:
        return row.task.world, one.page, one.claim.claim, one.claim.budget

    made = Counter(key for row in rows for key in {kind(row, one) for one in row.ledger})
    false = Counter(key for row in rows for key in {kind(row, one) for one in row.ledger if not one.holds})
    order = {world: index for index, world in enumerate(dict.fromkeys(row.task.world for row in rows))}
    keys = sorted(made, key=lambda key: (order[key[0]], -false[key], key))
    return [(key, made[key], false[key]) for key in keys]


def _wrong(rows: Sequence[StudyRow]) -> list[tuple[str, str, Scored]]:
    return [
        (row.task.world, " ".join(map(str, row.task.seed)), one)
        for row in rows
        for one in row.ledger
        if not one.holds
    ]
