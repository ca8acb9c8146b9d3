"""Where the two limbs lie in each image, and whether they fit the field.

Image positions are millimetres from the centre of the field, x to the right and y down. The limb at the
image left is placed first, the other one is its mirror image; then the affected limb is turned, scaled and
shifted, then both together, and before the delayed image each on its own.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from sudeck.core.vocabulary import SCAN_PHASES, SIDES, ScanPhase, Side, opposite
from sudeck.synthetic.limbs.limb_maps import View, limb_map
from sudeck.synthetic.limbs.plane import FLIP, Matrix, about, apply, inverse, shift, turn
from sudeck.synthetic.scan.scan_design import BoneScanDesign, Reposition

# Height of the limb's centre in the field (mm, down) that leaves room for every pose, by view.
_CENTRE_Y: Final[dict[View, float]] = {"palmar": -6.0, "dorsal": -6.0, "plantar": 0.0, "anterior": 8.0}
_MARGIN_MM: Final = 4.0
_OVERLAP_MM: Final = 1.0  # skin gives way a little where limbs touch


def place_limbs(design: BoneScanDesign, phase: ScanPhase) -> dict[Side, Matrix]:
    """Return, for each side of the body, the map from limb coordinates ``(u, v)`` to image mm ``(x, y)``."""
    body = limb_map(design.limb, design.seen_from, design.variant)
    upwards = design.seen_from != "anterior"
    axis = np.diag([1.0, -1.0 if upwards else 1.0, 1.0])  # fingers and toes point up, except from the front
    # At the image left, turning the tip outwards is counter-clockwise when it points up.
    outwards = turn(-design.splay_deg if upwards else design.splay_deg, scale=design.size)
    upright = outwards @ axis @ shift(-body.anatomy.pivot[0], -body.anatomy.pivot[1])
    centre_y = _CENTRE_Y[design.seen_from]
    skin = apply(upright, body.contour)
    half_field = 0.5 * design.matrix_of(phase) * design.spacing_of(phase)
    in_field = np.abs(skin[:, 1] + centre_y) < half_field
    centre_x = -(0.5 * design.gap_mm + float(skin[in_field, 0].max()))
    left_image = shift(centre_x, centre_y) @ upright
    placed: dict[Side, Matrix] = {}
    for side in SIDES:
        at_left = side == design.image_left
        centre = (centre_x if at_left else -centre_x, centre_y)
        matrix = left_image if at_left else FLIP @ left_image
        if side == design.affected:
            own = shift(*design.shift_mm) @ about(centre, turn(design.rotation_deg, scale=design.scale))
            matrix = own @ matrix
        matrix = shift(*design.both_shift_mm) @ turn(design.both_rotation_deg) @ matrix
        if phase == "bone":
            moved = design.repositioned.get(side, Reposition())
            pivot = apply(matrix, np.array(body.anatomy.pivot))
            again = about((float(pivot[0]), float(pivot[1])), turn(moved.rotation_deg))
            matrix = shift(*moved.shift_mm) @ again @ matrix
        placed[side] = matrix
    return placed


def fits_the_field(design: BoneScanDesign) -> bool:
    """Tell whether both limbs fit into the field in every phase and do not overlap.

    Fingers, toes and both flanks must lie inside; arm or leg may leave the field at the end of the body.
    """
    body = limb_map(design.limb, design.seen_from, design.variant)
    skin = body.contour
    goes_on = skin[:, 1] < body.anatomy.bands[next(iter(body.anatomy.bands))][0]
    for phase in SCAN_PHASES:
        half = 0.5 * design.matrix_of(phase) * design.spacing_of(phase)
        placed = place_limbs(design, phase)
        for side in SIDES:
            points = apply(placed[side], skin)
            visible = np.abs(points).max(axis=1) < half
            near_edge = np.abs(points[:, 0]) > half - _MARGIN_MM
            beyond = np.abs(points[~goes_on]).max(axis=1) > half - _MARGIN_MM
            if beyond.any() or (near_edge & (np.abs(points[:, 1]) < half)).any():
                return False
            other = apply(inverse(placed[opposite(side)]), points[visible])
            if body.sample(body.distance, other).min() < -_OVERLAP_MM:
                return False
    return True
