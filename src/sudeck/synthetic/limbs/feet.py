"""The foot as a bone scan sees it: from the sole, or from the front with the leg leaving the field.

Proportions of an adult foot 250 mm long. Seen from the sole nothing leaves the field, because the leg
stands behind the heel; seen from the front the foot points at the camera and is foreshortened.
"""

from __future__ import annotations

from collections.abc import Sequence

from sudeck.synthetic.limbs.anatomy import Anatomy, Blob, Rod, Variation, between, ray
from sudeck.synthetic.limbs.shapes import Point

# Hallux to little toe, seen from the sole: base and head of the metatarsal, direction, toe length, radius.
_RAYS = (
    ((17.0, 92.0), (25.0, 147.0), -3.0, 58.0, 12.5),
    ((6.0, 94.0), (8.0, 150.0), -1.0, 54.0, 8.2),
    ((-4.0, 91.0), (-7.0, 144.0), -3.0, 49.0, 7.8),
    ((-12.0, 86.0), (-20.0, 136.0), -7.0, 44.0, 7.4),
    ((-20.0, 78.0), (-32.0, 125.0), -10.0, 39.0, 7.4),
)


def foot_from_sole(variant: int = 0) -> Anatomy:
    """Return the anatomy of a foot seen from the sole; the heel ends at `v` = -40, the toes near 208 mm."""
    vary = Variation(variant)
    outline = [
        Rod([(0, -12), (-3, 45)], [28, 26]),
        Rod([(-6, 40), (-21, 110)], [24, 21]),
        Rod([(2, 40), (14, 100), (21, 140)], [22, 20, 23]),
        Rod([(21, 143), (-27, 124)], [22, 18]),
    ]
    bones = [
        Rod([(0, -14), (-4, 12), (-8, 40)], [17, 15, 12], 0.85),
        Rod([(4, 20), (8, 46)], [14, 12], 0.6),
    ]
    spots = [
        Blob((13, 62), (8, 5), 0.7),
        Blob((-13, 62), (7, 9), 0.6),
        Blob((17, 79), (5, 7), 0.55),
        Blob((6, 80), (4, 7), 0.55),
        Blob((-4, 78), (4, 7), 0.55),
        Blob((22, 143), (5, 5), 0.3),
    ]
    joints = [
        Blob((4, 26), (13, 6), vary.scaled(0.7, 0.15)),
        Blob((10, 54), (9, 4), vary.scaled(0.55, 0.15)),
        Blob((2, 89), (15, 4), vary.scaled(0.4, 0.15)),
        Blob((1, -28), (10, 5), vary.scaled(0.35, 0.2)),
    ]
    vessels = [
        Rod([(18, -18), (15, 30), (20, 80), (19, 128)], [2.8, 2.6, 1.9, 1.4], 0.6),
        Rod([(15, 30), (-10, 62), (-21, 100), (-12, 114), (2, 112)], [2.4, 2.2, 1.9, 1.7, 1.4], 0.6),
        Rod([(1, -26), (2, 4)], [10, 10], 0.3),
    ]
    _add_rays(_RAYS, vary, outline, bones, joints, vessels, shortening=1.0)
    return Anatomy(
        outline=outline,
        bones=bones,
        vessels=vessels,
        spots=spots,
        joints=joints,
        bands={"ankle": (-50.0, 53.0), "midfoot": (53.0, 102.0), "forefoot": (102.0, 225.0)},
        extent=(-70.0, 65.0, -60.0, 230.0),
        pivot=(-1.0, 82.0),
        rim_mm=30.0,
        hot_spot=(14.0, 20.0),
    )


def foot_from_front(variant: int = 0) -> Anatomy:
    """Return the anatomy of a foot and leg seen from the front; the ankle joint is at `v` = 0."""
    vary = Variation(variant)
    outline = [
        Rod([(0, -330), (-2, -150), (-2, -40)], [54, 44, 33]),
        Rod([(-3, -40), (-4, 8)], [33, 36]),
        Rod([(-2, 10), (-1, 60)], [35, 40]),
        Rod([(20, 78), (-24, 70)], [24, 20]),
    ]
    bones = [
        Rod([(9, -330), (8, -60), (7, -12)], [12, 12, 20], 0.62),
        Rod([(-24, -330), (-25, -40), (-27, 2)], [6, 6, 8.5], 0.5),
        Rod([(-1, 4), (4, 24)], [17, 15], 0.7),
        Rod([(-12, 14), (-16, 34)], [12, 10], 0.4),
    ]
    spots = [
        Blob((12, 34), (9, 4.5), 0.6),
        Blob((-13, 40), (8, 6), 0.55),
        Blob((16, 46), (5, 5), 0.5),
        Blob((5, 47), (5, 5), 0.5),
        Blob((-5, 46), (5, 5), 0.45),
    ]
    joints = [
        Blob((2, -2), (17, 5), vary.scaled(0.75, 0.15)),
        Blob((23, 0), (5, 8), vary.scaled(0.6, 0.15)),
        Blob((-27, 4), (5, 8), vary.scaled(0.6, 0.15)),
        Blob((8, 28), (12, 4), vary.scaled(0.5, 0.15)),
        Blob((1, 54), (17, 4), vary.scaled(0.4, 0.15)),
    ]
    vessels = [
        Rod([(-4, -330), (0, -40), (5, 20), (12, 62)], [2.8, 2.6, 2.4, 1.8], 0.7),
        Rod([(20, -330), (24, -30), (25, 24)], [3, 2.8, 1.8], 0.6),
        Rod([(30, -330), (26, -60), (14, 40)], [3, 3, 1.8], 0.35),
        Rod([(12, 62), (-4, 66), (-18, 58)], [1.8, 1.8, 1.4], 0.6),
    ]
    front = tuple(
        ((u0, 56.0), (1.05 * u1, 86.0 - 0.28 * max(15.0 - u1, 0.0)), angle, length, radius)
        for (u0, _), (u1, _), angle, length, radius in _RAYS
    )
    _add_rays(front, vary, outline, bones, joints, vessels, shortening=0.88)
    return Anatomy(
        outline=outline,
        bones=bones,
        vessels=vessels,
        spots=spots,
        joints=joints,
        bands={"ankle": (-46.0, 28.0), "midfoot": (28.0, 62.0), "forefoot": (62.0, 165.0)},
        extent=(-75.0, 75.0, -330.0, 165.0),
        pivot=(-1.0, 10.0),
        rim_mm=34.0,
        hot_spot=(6.0, 18.0),
    )


def _add_rays(
    rays: Sequence[tuple[Point, Point, float, float, float]],
    vary: Variation,
    outline: list[Rod],
    bones: list[Rod],
    joints: list[Blob],
    vessels: list[Rod],
    *,
    shortening: float,
) -> None:
    for number, (base, head, degrees, length, radius) in enumerate(rays):
        big = number == 0
        angle, reach = vary.moved(degrees, 1.5), vary.scaled(shortening * length, 0.04)
        tip = ray(head, angle, reach)
        middle = between(head, tip, 0.55)
        outline.append(Rod([head, ray(head, angle, reach - 0.9 * radius)], [radius + 3, 0.9 * radius]))
        bones += [
            Rod([base, between(base, head, 0.5), head], [6, 5, 7] if big else [4.5, 3.4, 4.8], 0.45),
            Rod([head, between(head, middle, 0.6), middle], [6, 4.5, 5] if big else [4, 3, 3.4], 0.38),
            Rod([middle, between(middle, tip, 0.7)], [4.6, 3.8] if big else [3.2, 2.6], 0.36),
        ]
        joints += [
            Blob(head, (7.5, 6) if big else (4.8, 4.2), vary.scaled(0.8 if big else 0.48, 0.15)),
            Blob(middle, (5.5, 4.5) if big else (3.8, 3.2), vary.scaled(0.5 if big else 0.34, 0.15)),
        ]
        vessels.append(Rod([between(base, head, 0.4), head, tip], [1.6, 1.4, 1.0], 0.55))
