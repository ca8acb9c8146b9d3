"""Names of muscles and sides, read from channel labels as laboratories write them."""

from __future__ import annotations

import re
from typing import Final

from sudeck.core.vocabulary import Side

# Abbreviations in common use for surface EMG; longest first, so that ECRL is not read as ECR.
MUSCLES: Final = (
    "ECRL", "ECRB", "FDI", "APB", "ADM", "ECR", "FCR", "FCU", "EDC", "EIP", "EDB", "FDS", "FDP", "FPB",
    "OPP", "DELT", "TRAP", "BIC", "TRI", "BB", "TB", "AD", "PD", "TA", "SOL", "GAS", "MG", "LG",
    "AH", "VL", "VM", "RF", "BF", "SOLEUS", "BICEPS", "TRICEPS", "DELTOID", "MASSETER",
)  # fmt: skip
# What a label says of a channel that is no raw EMG: rectified, smoothed or integrated.
_DERIVED: Final = re.compile(
    r"(?<![a-z])(rms|rect|rectified|rectif|env|envelope|smooth(ed)?|integ(rated)?|iemg|arv|mav|abs)(?![a-z])",
    re.IGNORECASE,
)
_SIDES: Final[dict[str, Side]] = {"l": "left", "left": "left", "r": "right", "right": "right"}


def muscle_and_side(label: str) -> tuple[str | None, Side | None]:
    """Read muscle and side from a channel label; ``None`` for what the label does not say.

    Examples
    --------
    >>> muscle_and_side("LFDI"), muscle_and_side("left apb"), muscle_and_side("Chan1")
    (('FDI', 'left'), ('APB', 'left'), (None, None))
    """
    words = [word for word in re.split(r"[^A-Za-z]+", label) if word]
    side: Side | None = None
    muscle: str | None = None
    for word in words:
        if word.lower() in _SIDES:
            side = side or _SIDES[word.lower()]
        elif word.upper() in MUSCLES:
            muscle = muscle or word.upper()
        else:
            joined = _joined(word)
            if joined is not None:
                muscle, side = muscle or joined[0], side or joined[1]
    return muscle, side


def is_derived(label: str) -> bool:
    """Tell whether a channel calls itself rectified, smoothed or integrated: it has no peak-to-peak.

    Examples
    --------
    >>> is_derived("TA-CL-RMS"), is_derived("FDI_rect"), is_derived("FDI raw"), is_derived("RectFem")
    (True, True, False, False)
    """
    return bool(_DERIVED.search(label))


def _joined(word: str) -> tuple[str, Side] | None:
    """Read side and muscle written as one word: ``LFDI``, ``FDIr``, ``RightAPB``."""
    upper = word.upper()
    for name in MUSCLES:
        for tag, side in _SIDES.items():
            if upper in {tag.upper() + name, name + tag.upper()}:
                return name, side
    return None
