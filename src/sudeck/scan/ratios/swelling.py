"""What skin that swells over bones hides from a fit of both limbs, brought to each limb's own area."""

from __future__ import annotations

import math

from sudeck.scan.limbs.poses import PhasePose
from sudeck.scan.ratios.ratios import LogRatio, corrected
from sudeck.scan.ratios.regions import Region

# Of the swelling of skin over bones that is found, how much more there is. Sized on synthetic hands, whose
# soft tissue grows thicker as it grows wider (what others of their make ask for stands in docs/method.md); on
# hands of another make it may be anything between none and twice as much.
_SWELLING_UNSEEN = 0.45
_SWELLING_UNSEEN_SD = _SWELLING_UNSEEN / math.sqrt(3.0)


def of_own_area(ratio: LogRatio, pose: PhasePose, region: Region, *, unlike: bool) -> LogRatio:
    """Bring the ratio of a region that ends at the skin to each limb's own area where one is swollen.

    Skin that swells over bones lies farther out, but the thicker limb is also brighter, and at its edge the
    one is taken for part of the other: about half of the swelling is not seen. Bent fingers, too, look like
    a limb that is wide for its length, so nothing is taken off there.
    """
    if pose.joint is None or region.drawn:
        return ratio
    swelling, error = pose.joint.swelling
    real = swelling**3 / (swelling**2 + (2.0 * error) ** 2) if swelling else 0.0
    by = 0.0 if unlike else -_SWELLING_UNSEEN * real
    return corrected(ratio, by, cause="swollen skin", se=_SWELLING_UNSEEN_SD * real)
