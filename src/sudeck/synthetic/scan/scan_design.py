"""What is chosen about a synthetic bone scan: limb, asymmetry, pose, counts, camera."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from sudeck.core.errors import InputError
from sudeck.core.vocabulary import REGIONS, Limb, ScanPhase, Side
from sudeck.synthetic.limbs.limb_maps import VIEWS, View
from sudeck.synthetic.limbs.posture import FLAT, Posture

# Expected counts in the healthy limb: what the phases of a good clinical study collect.
CLINICAL_COUNTS: Final[dict[ScanPhase, float]] = {"vascular": 40_000.0, "tissue": 80_000.0, "bone": 120_000.0}


@dataclass(frozen=True)
class Reposition:
    """How a limb lies differently in the delayed image, after the patient got up in between."""

    rotation_deg: float = 0.0
    shift_mm: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True)
class BoneScanDesign:
    """Everything chosen about one synthetic three-phase bone scan.

    Attributes
    ----------
    limb, affected, region
        What is seen, the side with CRPS, and the region that carries the asymmetry.
    VPr, TPr, BPr : float
        True affected / healthy activity per unit area in that region, one a phase.
    counts_per_limb : mapping of phase to float
        Expected counts inside the outline of the healthy limb in the field, all included; for the vascular
        phase the sum over the flow.
    periarticular : float
        Extra bone-phase uptake of the affected joints, as a fraction of their own; raises the true ratio.
    rotation_deg, scale, shift_mm
        Pose of the affected limb relative to the mirror image of the healthy one, about its own centre:
        clockwise on the image, times in size, and (x to the right, y down) in mm.
    both_rotation_deg, both_shift_mm, size, splay_deg
        Pose of the two limbs together about the centre of the field, body size, and how far both limbs turn
        outwards.
    repositioned : mapping of side to Reposition
        What changes before the delayed image.
    gap_mm : float
        Smallest distance between the outlines in the symmetric pose; 0 touches.
    variant : int
        Number of the person's anatomy; 0 is the average.
    postures : mapping of side to Posture
        What is each hand's own: digits spread, bent or missing, swollen skin. Alike without.
    cast : float
        Share of the counts that a cast around the affected palm and forearm lets through; 1 without.
    matrix, spacing_mm : mapping of phase, or one for all
        Pixels along one side of the square field, and their size.
    view, opposed
        Side seen by the first detector, and whether a second one sees the other side.
    fwhm_mm, scatter_fraction, background_fraction : float
        System resolution; fraction of counts that are scattered broadly; uniform background relative to the
        mean density of the healthy limb.
    injection_site, hot_spot : side or None, float
        Where an injection left a hot spot, and its counts relative to the healthy limb.
    flow_frames, flow_frame_s, pool_after_s, pool_s, delayed_after_h, delayed_s
        Timing of the acquisitions, counted from the injection, at which the flow starts.
    arrival_s : mapping of side to float
        Arrival of the bolus in each limb after the start of the flow, in s.
    """

    limb: Limb = "hand"
    affected: Side = "right"
    region: str = "whole"
    VPr: float = 1.3
    TPr: float = 1.25
    BPr: float = 1.4
    counts_per_limb: Mapping[ScanPhase, float] = field(default_factory=lambda: dict(CLINICAL_COUNTS))
    periarticular: float = 0.0
    rotation_deg: float = 0.0
    scale: float = 1.0
    shift_mm: tuple[float, float] = (0.0, 0.0)
    both_rotation_deg: float = 0.0
    both_shift_mm: tuple[float, float] = (0.0, 0.0)
    size: float = 1.0
    splay_deg: float = 0.0
    repositioned: Mapping[Side, Reposition] = field(default_factory=dict)
    gap_mm: float = 12.0
    variant: int = 0
    postures: Mapping[Side, Posture] = field(default_factory=dict)
    cast: float = 1.0
    matrix: Mapping[ScanPhase, int] | int = 128
    spacing_mm: Mapping[ScanPhase, float] | float = 2.7
    view: View | None = None
    opposed: bool = False
    fwhm_mm: float = 7.0
    scatter_fraction: float = 0.10
    background_fraction: float = 0.02
    injection_site: Side | None = None
    hot_spot: float = 0.15
    flow_frames: int = 60
    flow_frame_s: float = 2.0
    pool_after_s: float = 300.0
    pool_s: float = 300.0
    delayed_s: float = 300.0
    delayed_after_h: float = 3.0
    arrival_s: Mapping[Side, float] = field(default_factory=lambda: {"left": 16.0, "right": 16.0})

    def __post_init__(self) -> None:
        if self.region not in REGIONS[self.limb]:
            known = ", ".join(REGIONS[self.limb])
            raise InputError(self.region, f"no such region of a {self.limb}", f"choose one of {known}")
        positive = {"VPr": self.VPr, "TPr": self.TPr, "BPr": self.BPr, "scale": self.scale, "size": self.size}
        positive |= {f"counts in the {phase} phase": n for phase, n in self.counts_per_limb.items()}
        for name, value in positive.items():
            if not (math.isfinite(value) and value > 0):
                raise InputError(name, f"{value} is not a positive number", "give one above 0")

    @property
    def seen_from(self) -> View:
        """The view of the first detector; palmar and plantar unless chosen."""
        return self.view if self.view is not None else VIEWS[self.limb][0]

    @property
    def image_left(self) -> Side:
        """The side of the body at the left of the first detector's image."""
        return "left" if self.seen_from == "dorsal" else "right"

    def posture(self, side: Side) -> Posture:
        """Return what is the hand's own on a side."""
        return self.postures.get(side, FLAT)

    def ratio(self, phase: ScanPhase) -> float:
        """Return the chosen ratio of a phase."""
        return {"vascular": self.VPr, "tissue": self.TPr, "bone": self.BPr}[phase]

    def matrix_of(self, phase: ScanPhase) -> int:
        """Return the number of pixels along one side of the field in a phase."""
        return self.matrix if isinstance(self.matrix, int) else self.matrix[phase]

    def spacing_of(self, phase: ScanPhase) -> float:
        """Return the pixel size of a phase in mm."""
        return self.spacing_mm[phase] if isinstance(self.spacing_mm, Mapping) else float(self.spacing_mm)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values."""
        return asdict(self) | {"view": self.seen_from}
