"""Colours and measures that all figures of magnetic stimulation share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sudeck.report.kit.palette import LEFT_COLOUR, NO_SIDE_COLOUR, RIGHT_COLOUR

if TYPE_CHECKING:
    from sudeck.report.tms.panels import Side

STYLE: Final[dict[str | None, dict[str, Any]]] = {
    "left": {"color": LEFT_COLOUR, "linestyle": "solid"},
    "right": {"color": RIGHT_COLOUR, "linestyle": (0.0, (3.2, 1.4))},
    None: {"color": NO_SIDE_COLOUR, "linestyle": "solid"},
}
# Of one figure on paper: width, and what its axes leave free at either side.
WIDTH_MM, LEFT_MM, RIGHT_MM = 90.0, 12.5, 2.0


def side_title(side: Side) -> str:
    """Return the hemisphere in words."""
    return f"{side.group.hemisphere} hemisphere" if side.group.hemisphere else "hemisphere not stated"
