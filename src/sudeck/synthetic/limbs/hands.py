"""The hand as a bone scan sees it: palm on the collimator, fingers slightly spread, thumb towards the middle.

Proportions of an adult hand of 185 mm from the wrist crease (`v` = 0) to the tip of the middle finger.
"""

from __future__ import annotations

from sudeck.synthetic.limbs.anatomy import Anatomy, Blob, Rod, Variation, between, ray

# Index to little finger: knuckle (u, v), direction in degrees, length from the knuckle to the tip, radius.
_FINGERS = (
    ((23.0, 91.0), 9.0, 84.0, 8.8),
    ((4.0, 94.0), 1.0, 92.0, 9.0),
    ((-14.0, 89.0), -7.0, 86.0, 8.6),
    ((-30.0, 79.0), -16.0, 69.0, 7.8),
)
_CARPAL_BASES = ((14.0, 36.0), (4.0, 36.0), (-6.0, 34.0), (-15.0, 31.0))
_PIP, _DIP = 0.46, 0.75  # joints along the finger, as fractions of its length


def hand(variant: int = 0) -> Anatomy:
    """Return the anatomy of a hand and distal forearm; `variant` numbers small differences between people."""
    vary = Variation(variant)
    outline = [
        Rod([(0, -330), (0, -70), (0, -4)], [38, 32, 26]),
        Rod([(2, 0), (-2, 60)], [27, 33]),
    ]
    bones = [
        Rod([(10, -330), (12, -40), (13, -8)], [7, 7, 12], 0.55),
        Rod([(-13, -330), (-14, -30), (-15, -8)], [6, 5.5, 7], 0.5),
    ]
    vessels = [
        Rod([(20, -330), (20, -10), (22, 28)], [2.6, 2.4, 2.0], 1.0),
        Rod([(-20, -330), (-19, -5), (-14, 30)], [2.6, 2.4, 2.0], 1.0),
        Rod([(22, 28), (16, 52), (2, 60), (-12, 54), (-14, 30)], [2, 2, 2.2, 2.2, 2], 1.0),
        Rod([(2, -330), (4, -30)], [3.5, 3], 0.6),
    ]
    spots = [
        Blob((14, 6), (6.5, 5), 0.75),
        Blob((1, 6), (6, 5), 0.7),
        Blob((-13, 9), (5, 5), 0.6),
        Blob((20, 22), (5.5, 5.5), 0.8),
        Blob((7, 23), (5, 6), 0.75),
        Blob((-4, 22), (5, 6), 0.75),
        Blob((-14, 21), (5, 5), 0.65),
    ]
    joints = [
        Blob((12, -4), (9, 4.5), vary.scaled(0.65, 0.15)),
        Blob((-14, -3), (5, 4), vary.scaled(0.5, 0.15)),
        Blob((2, 14), (13, 4), vary.scaled(0.4, 0.15)),
        Blob((2, 34), (13, 3.5), vary.scaled(0.35, 0.15)),
    ]
    for (knuckle, degrees, length, radius), base in zip(_FINGERS, _CARPAL_BASES, strict=True):
        angle, reach = vary.moved(degrees, 2.0), vary.scaled(length, 0.03)
        tip = ray(knuckle, angle, reach)
        pip, dip = ray(knuckle, angle, _PIP * reach), ray(knuckle, angle, _DIP * reach)
        skin_end = ray(knuckle, angle, reach - 0.8 * radius)
        outline += [
            Rod([base, knuckle], [14, 12]),
            Rod([knuckle, pip, skin_end], [radius + 1.5, radius, 0.8 * radius]),
        ]
        bones += [
            Rod([base, between(base, knuckle, 0.5), knuckle], [5, 3.8, 5.5], 0.42),
            Rod([knuckle, between(knuckle, pip, 0.55), pip], [5, 3.6, 4.4], 0.36),
            Rod([pip, between(pip, dip, 0.55), dip], [4.2, 3, 3.6], 0.36),
            Rod([dip, between(dip, tip, 0.7)], [3.4, 2.8], 0.4),
        ]
        joints += [
            Blob(knuckle, (5.5, 4.5), vary.scaled(0.62, 0.15)),
            Blob(pip, (4.6, 3.6), vary.scaled(0.58, 0.15)),
            Blob(dip, (4.0, 3.2), vary.scaled(0.46, 0.15)),
        ]
        for side in (-1, 1):  # the two digital arteries run along either side of the finger
            lateral = [(u + side * 0.6 * radius, v) for u, v in (knuckle, dip)]
            vessels.append(Rod([(2, 60), *lateral, tip], [1.5, 1.4, 1.2, 0.8], 0.55))
    _add_thumb(vary, outline, bones, vessels, joints)
    return Anatomy(
        outline=outline,
        bones=bones,
        vessels=vessels,
        spots=spots,
        joints=joints,
        bands={"wrist": (-34.0, 30.0), "metacarpals": (30.0, 102.0), "fingers": (102.0, 200.0)},
        extent=(-75.0, 100.0, -330.0, 205.0),
        pivot=(4.0, 70.0),
        rim_mm=26.0,
        hot_spot=(10.0, -62.0),
    )


def _add_thumb(
    vary: Variation, outline: list[Rod], bones: list[Rod], vessels: list[Rod], joints: list[Blob]
) -> None:
    base = (25.0, 24.0)
    angle = vary.moved(33.0, 2.5)
    knuckle = ray(base, angle, 44.0)
    middle = ray(knuckle, angle - 9, 31.0)
    tip = ray(middle, angle - 14, 27.0)
    outline.append(Rod([(16, 18), knuckle, middle, between(middle, tip, 0.7)], [19, 13, 10.5, 8.5]))
    bones += [
        Rod([base, between(base, knuckle, 0.5), knuckle], [6, 4.4, 5.8], 0.45),
        Rod([knuckle, between(knuckle, middle, 0.5), middle], [5, 4, 4.8], 0.4),
        Rod([middle, between(middle, tip, 0.7)], [4.4, 3.2], 0.42),
    ]
    vessels.append(Rod([(22, 28), knuckle, tip], [1.8, 1.6, 1.0], 0.6))
    joints += [
        Blob(base, (6, 5), vary.scaled(0.75, 0.15)),
        Blob(knuckle, (5, 4.5), vary.scaled(0.6, 0.15)),
        Blob(middle, (4.6, 4), vary.scaled(0.55, 0.15)),
    ]
