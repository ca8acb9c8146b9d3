"""The greys of every figure, and the colour-blind safe pair of the two sides (Okabe and Ito 2008)."""

from __future__ import annotations

from typing import Final

INK: Final = "#1C2024"  # what is to be read
MUTED: Final = "#5A6068"  # axes, legends
QUIET: Final = "#8A9098"  # what stands behind
WASH: Final = "#EEF0F2"  # ground of a panel
AFFECTED_COLOUR: Final = "#D55E00"
HEALTHY_COLOUR: Final = "#0072B2"
