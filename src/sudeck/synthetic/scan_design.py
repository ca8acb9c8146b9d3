"""What is chosen about a synthetic bone scan: limb, asymmetry, pose, counts, camera; by hand or at random."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

import numpy as np

from sudeck.core.errors import InputError
from sudeck.core.vocabulary import LIMBS, REGIONS, SIDES, Limb, ScanPhase, Side, opposite
from sudeck.synthetic.limbs import VIEWS, View

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


def random_design(
    rng: np.random.Generator,
    *,
    limb: Limb | None = None,
    counts: float | Mapping[ScanPhase, float] | None = None,
    region: str | None = None,
) -> BoneScanDesign:
    """Draw a design at random: pose within ±15°, ±7 % and ±12 pixels, ratios of about 0.6 to 2.2.

    Poses that would push fingers or toes out of the field, or one limb into the other, are drawn again.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of randomness; the same state gives the same design.
    limb : {"hand", "foot"}, optional
        Either, at random, unless given.
    counts : float or mapping of phase, optional
        Expected counts in the healthy limb, for all phases or each; 2 k to 200 k, log-uniform, unless given.
    region : str, optional
        The region that carries the asymmetry; any, at random, unless given.
    """
    from sudeck.synthetic.scan_pose import fits_the_field

    limb = limb if limb is not None else LIMBS[int(rng.integers(2))]
    affected = SIDES[int(rng.integers(2))]
    number = float(np.exp(rng.uniform(np.log(2e3), np.log(2e5))))
    common = number if counts is None else counts
    per_phase: Mapping[ScanPhase, float]
    if isinstance(common, Mapping):
        per_phase = common
    else:
        per_phase = {"vascular": common, "tissue": common, "bone": common}
    vascular = float(np.exp(rng.uniform(np.log(0.65), np.log(2.0))))
    tissue = vascular * float(np.exp(rng.normal(0.0, 0.12)))
    bone = tissue * float(np.exp(rng.normal(0.05, 0.15)))
    arrival = float(rng.uniform(10.0, 22.0))
    fixed: dict[str, Any] = {
        "limb": limb,
        "affected": affected,
        "region": region if region is not None else str(rng.choice(REGIONS[limb])),
        "VPr": vascular,
        "TPr": float(np.clip(tissue, 0.6, 2.2)),
        "BPr": float(np.clip(bone, 0.6, 2.2)),
        "counts_per_limb": dict(per_phase),
        "variant": int(rng.integers(8)),
        "view": VIEWS[limb][int(rng.integers(2))],
        "fwhm_mm": float(rng.uniform(6.0, 8.5)),
        "scatter_fraction": float(rng.uniform(0.05, 0.15)),
        "background_fraction": float(rng.uniform(0.01, 0.04)),
        "arrival_s": {affected: arrival - float(rng.uniform(0.0, 4.0)), opposite(affected): arrival},
    }
    while True:
        design = BoneScanDesign(**fixed, **_random_pose(rng))
        if fits_the_field(design):
            return design


def _random_pose(rng: np.random.Generator) -> dict[str, Any]:
    pixel = 2.7
    return {
        "rotation_deg": float(rng.uniform(-15, 15)),
        "scale": float(rng.uniform(0.93, 1.07)),
        "shift_mm": (float(pixel * rng.uniform(-12, 12)), float(pixel * rng.uniform(-12, 12))),
        "both_rotation_deg": float(rng.uniform(-4, 4)),
        "both_shift_mm": (float(rng.uniform(-8, 8)), float(rng.uniform(-8, 8))),
        "size": float(rng.uniform(0.90, 1.05)),
        "splay_deg": float(rng.uniform(-4, 8)),
        "repositioned": {
            side: Reposition(float(rng.normal(0, 2.5)), (float(rng.normal(0, 4)), float(rng.normal(0, 4))))
            for side in SIDES
        },
        "gap_mm": float(rng.uniform(0, 40)),
        "spacing_mm": pixel,
    }
