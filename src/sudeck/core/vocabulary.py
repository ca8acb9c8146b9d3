"""The words every room shares, as types: sides, limbs, phases of the scan, hemispheres."""

from __future__ import annotations

from typing import Final, Literal, get_args

Side = Literal["left", "right"]
Limb = Literal["hand", "foot"]
ScanPhase = Literal["vascular", "tissue", "bone"]

SIDES: Final[tuple[Side, ...]] = get_args(Side)
LIMBS: Final[tuple[Limb, ...]] = get_args(Limb)
SCAN_PHASES: Final[tuple[ScanPhase, ...]] = get_args(ScanPhase)

# Named anatomical regions of each limb, from the body outwards.
REGIONS: Final[dict[Limb, tuple[str, ...]]] = {
    "hand": ("whole", "wrist", "metacarpals", "fingers"),
    "foot": ("whole", "ankle", "midfoot", "forefoot"),
}
# Rows of joints, and the hand without fingers, as studies of CRPS drew them.
JOINT_REGIONS: Final[dict[Limb, tuple[str, ...]]] = {
    "hand": ("without-fingers", "mcp", "pip", "dip"),
    "foot": ("mtp",),
}
NAMED_REGIONS: Final[dict[Limb, tuple[str, ...]]] = {
    limb: REGIONS[limb] + JOINT_REGIONS[limb] for limb in LIMBS
}

# Ratio of affected over healthy uptake in each phase, and the ratios of those ratios as (over, under).
PHASE_RATIOS: Final[dict[ScanPhase, str]] = {"vascular": "VPr", "tissue": "TPr", "bone": "BPr"}
RATIOS_OF_RATIOS: Final[dict[str, tuple[ScanPhase, ScanPhase]]] = {
    "TPr/VPr": ("tissue", "vascular"),
    "BPr/TPr": ("bone", "tissue"),
    "BPr/VPr": ("bone", "vascular"),
}


def opposite(side: Side) -> Side:
    """Return the other side of the body.

    Examples
    --------
    >>> opposite("left")
    'right'
    """
    return "right" if side == "left" else "left"


def pain_side_hemisphere(affected: Side) -> Side:
    """Return the hemisphere that moves the affected limb: the one on the other side.

    Derived from the affected side and never typed in, so that the two can not disagree.
    """
    return opposite(affected)


def counted(n: int, noun: str, verb: str = "") -> str:
    """Return a number with its noun, and the verb that agrees with it.

    Parameters
    ----------
    n : int
    noun : str
        In the singular.
    verb : str
        ``"have"``, ``"lack"`` …, in the plural; left out unless given.

    Examples
    --------
    >>> counted(1, "patient", "have"), counted(0, "patient"), counted(2, "patient", "lack")
    ('1 patient has', '0 patients', '2 patients lack')
    """
    words = [str(n), noun if n == 1 else f"{noun}s"]
    if verb:
        words.append(_SINGULAR.get(verb, f"{verb}s") if n == 1 else verb)
    return " ".join(words)


_SINGULAR: Final = {"have": "has", "are": "is", "were": "was", "do": "does"}
