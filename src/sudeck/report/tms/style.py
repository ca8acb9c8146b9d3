"""Colours and measures that all figures of magnetic stimulation share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sudeck.report.kit.palette import LEFT_COLOUR, NO_SIDE_COLOUR, RIGHT_COLOUR
from sudeck.report.kit.plot import Stroke

if TYPE_CHECKING:
    from sudeck.report.tms.panels import Side

# Line styles differ too, for grey print.
STROKES: Final[dict[str | None, Stroke]] = {
    "left": Stroke(LEFT_COLOUR),
    "right": Stroke(RIGHT_COLOUR, dash=(1.35, 0.6)),
    None: Stroke(NO_SIDE_COLOUR),
}
# Of one figure on paper: width, and what its axes leave free at either side.
WIDTH_MM, LEFT_MM, RIGHT_MM = 90.0, 14.5, 2.0
PLOT_MM: Final = WIDTH_MM - LEFT_MM - RIGHT_MM
FOOT_MM: Final = 8.2  # below the axes, for their numbers and words


def colour_of(hemisphere: str | None) -> str:
    """Return the colour of a hemisphere; also of one that nothing states."""
    return STROKES[hemisphere or None].colour


def side_title(side: Side) -> str:
    """Return the hemisphere in words."""
    return f"{side.group.hemisphere} hemisphere" if side.group.hemisphere else "hemisphere not stated"
