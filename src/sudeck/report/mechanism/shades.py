"""How a connection of the circuit looks: colour and width say how strong, fading says how little is known."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sudeck.mechanism.circuit_fit.factors import TONE
from sudeck.report.kit.palette import QUIET, RATHER_STRONGER, RATHER_WEAKER, SAME, STRONGER, WEAKER

if TYPE_CHECKING:
    from sudeck.mechanism.circuit_fit.explanation import FactorEstimate

# Beyond these the colour does not change any more: a doubling or halving.
FULL_LOG: Final = math.log(2.0)
# mV of tone that look like a ratio of e: 1.4 mV, a strong drive, has the colour of a doubling.
_MV_A_LOG = 2.0
# Width repeats what colour says.
_WIDTH_PT, _THINNEST_PT, _WIDEST_PT = 1.7, 0.8, 3.6
_UNKNOWN_WIDTH_PT, _UNKNOWN_OPACITY = 0.6, 0.45
# Posterior over prior standard deviation that is drawn in full, and the one drawn faintest.
_SURE, _UNSURE = 0.2, 0.7
_FAINTEST = 0.3


@dataclass(frozen=True, slots=True)
class Shade:
    """The look of a connection.

    Attributes
    ----------
    colour : str
    opacity : float
        1 for what is known well.
    width_pt : float
    known : bool
        False: dashed and grey, the measurements do not tell.
    """

    colour: str
    opacity: float
    width_pt: float
    known: bool


UNKNOWN_SHADE: Final = Shade(QUIET, _UNKNOWN_OPACITY, _UNKNOWN_WIDTH_PT, False)


def shade_of(factor: FactorEstimate | None) -> Shade:
    """Return how the connections of a factor are drawn; None stands for a factor that was not estimated."""
    if factor is None or not factor.identified:
        return UNKNOWN_SHADE
    return shade(log_strength(factor.factor, factor.estimate.value), factor.narrowing)


def shade(log_ratio: float, narrowing: float) -> Shade:
    """Return how a connection of a known strength is drawn.

    Parameters
    ----------
    log_ratio : float
        Natural logarithm of the strength over that of health, or of after over before.
    narrowing : float
        Posterior over prior standard deviation.

    Examples
    --------
    >>> shade(0.0, 0.1).colour == SAME.lower(), shade(math.log(0.5), 0.1).colour == WEAKER.lower()
    (True, True)
    """
    width = min(max(_WIDTH_PT * math.exp(log_ratio), _THINNEST_PT), _WIDEST_PT)
    return Shade(colour_of(log_ratio), opacity_of(narrowing), width, True)


def log_strength(factor: str, value: float) -> float:
    """Return the value of a factor on the log scale that colours share; mV of tone by a convention."""
    if factor == TONE:
        return value / _MV_A_LOG
    return math.log(value)


def tone_mv(log_ratio: float) -> float:
    """Return the tone that has the colour of a ratio: the inverse of `log_strength`."""
    return log_ratio * _MV_A_LOG


def opacity_of(narrowing: float) -> float:
    """Return the opacity for what is known: from 1 for sure down to the faintest.

    Examples
    --------
    >>> [round(opacity_of(n), 2) for n in (0.1, 0.2, 0.45, 0.7, 1.0)]
    [1.0, 1.0, 0.65, 0.3, 0.3]
    """
    share = (_UNSURE - narrowing) / (_UNSURE - _SURE)
    return _FAINTEST + (1 - _FAINTEST) * min(max(share, 0.0), 1.0)


def colour_of(log_ratio: float) -> str:
    """Return the colour of a log ratio: purple weaker, grey the same, green stronger."""
    from matplotlib.colors import to_hex

    share = min(max(log_ratio / FULL_LOG, -1.0), 1.0)
    return str(to_hex(colour_map()((share + 1) / 2)))


def colour_map() -> Any:
    """Return the colours between `WEAKER` and `STRONGER`, for the legend too."""
    from matplotlib.colors import LinearSegmentedColormap

    colours = [WEAKER, RATHER_WEAKER, SAME, RATHER_STRONGER, STRONGER]
    return LinearSegmentedColormap.from_list("strength", colours, N=257)  # odd: a middle of its own
