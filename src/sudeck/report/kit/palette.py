"""Every colour of every figure. Those that tell things apart are safe for the colour-blind.

Named hues are of Okabe and Ito (2008), "Color universal design".
"""

from __future__ import annotations

from typing import Final

# Greys, from what is to be read to what lies behind.
INK: Final = "#1C2024"
MUTED: Final = "#5A6068"  # axes, legends
GREY: Final = "#666666"  # what has no colour of its own
QUIET: Final = "#8A9098"  # what stands behind
RULE: Final = "#9aa0a6"  # a line to compare with
FRAME: Final = "#B9BEC4"
RIM: Final = "#C9CED4"  # outline of a large area
BAND: Final = "#DDE1E6"  # a range within which nothing is said
WASH: Final = "#EEF0F2"  # ground of a panel

BLUE: Final = "#0072B2"
VERMILION: Final = "#D55E00"
ORANGE: Final = "#E69F00"
PINK: Final = "#CC79A7"
SKY_BLUE: Final = "#56B4E9"
GREEN: Final = "#009E73"
VIOLET: Final = "#8C6BB1"  # a seventh, not theirs

AFFECTED_COLOUR: Final = VERMILION
HEALTHY_COLOUR: Final = BLUE

# A hemisphere is neither affected nor healthy: it has other colours than the sides of the body.
LEFT_COLOUR: Final = "#00795A"
RIGHT_COLOUR: Final = "#9C3E8E"
NO_SIDE_COLOUR: Final = "#333333"

# A strength against health. Purple to green is told apart by all kinds of colour vision; no side of the body
# has these colours. The middle is grey, not white: what is surely unchanged must be seen on paper.
WEAKER: Final = "#5F1B7A"
RATHER_WEAKER: Final = "#9A57B3"
SAME: Final = "#858B92"
RATHER_STRONGER: Final = "#3E9B62"
STRONGER: Final = "#0B6130"

# Visits of one patient, in order.
VISIT_COLOURS: Final = ("#6B7178", STRONGER, WEAKER, "#B35806")

# Grounds of the drawn brain: a hemisphere, that of the pain, and what joins the two.
BRAIN_WASH: Final = "#F4F5F7"
PAIN_WASH: Final = "#FDF1E9"
BRIDGE_WASH: Final = "#F4F2F0"
