"""The hand as a bone scan sees it: palm on the collimator, fingers slightly spread, thumb towards the middle.

Proportions of an adult hand of 185 mm from the wrist crease (`v` = 0) to the tip of the middle finger.
"""

from __future__ import annotations

from dataclasses import replace

from sudeck.synthetic.limbs.anatomy import Anatomy, Blob, Rod, Variation, between, ray
from sudeck.synthetic.limbs.posture import FLAT, Posture

# Index to little finger: knuckle (u, v), direction in degrees, length from the knuckle to the tip, radius.
_FINGERS = (
    ((23.0, 91.0), 9.0, 84.0, 8.8),
    ((4.0, 94.0), 1.0, 92.0, 9.0),
    ((-14.0, 89.0), -7.0, 86.0, 8.6),
    ((-30.0, 79.0), -16.0, 69.0, 7.8),
)
_CARPAL_BASES = ((14.0, 36.0), (4.0, 36.0), (-6.0, 34.0), (-15.0, 31.0))
_PIP, _DIP = 0.46, 0.75  # joints along the finger, as fractions of its length


def hand(variant: int = 0, posture: Posture = FLAT) -> Anatomy:
    """Return the anatomy of a hand and distal forearm.

    Parameters
    ----------
    variant : int
        Numbers small differences between people, both hands alike.
    posture : Posture
        What is this hand's own.
    """
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
    digits: list[Rod] = []
    for number, ((knuckle, degrees, length, radius), base) in enumerate(
        zip(_FINGERS, _CARPAL_BASES, strict=True), start=1
    ):
        angle, reach = vary.moved(degrees, 2.0), vary.scaled(length, 0.03)
        seen = posture.lengths[number]
        angle, reach = angle + posture.turns_deg[number], reach * seen
        tip = ray(knuckle, angle, reach)
        pip, dip = ray(knuckle, angle, _PIP * reach), ray(knuckle, angle, _DIP * reach)
        skin_end = ray(knuckle, angle, reach - 0.8 * radius)
        digits.append(Rod([knuckle, pip, skin_end], [radius + 1.5, radius, 0.8 * radius]))
        outline.append(Rod([base, knuckle], [14, 12]))
        bones.append(Rod([base, between(base, knuckle, 0.5), knuckle], [5, 3.8, 5.5], 0.42))
        joint_uptake = [vary.scaled(value, 0.15) for value in (0.62, 0.58, 0.46)]
        joints.append(Blob(knuckle, (5.5, 4.5), joint_uptake[0]))
        if number in posture.missing:
            for side in (-1, 1):  # its arteries still run through the palm
                vessels.append(
                    Rod([(2, 60), (knuckle[0] + side * 0.6 * radius, knuckle[1])], [1.5, 1.4], 0.55)
                )
            continue
        outline.append(digits[-1])
        bones += [
            Rod([knuckle, between(knuckle, pip, 0.55), pip], [5, 3.6, 4.4], 0.36 / seen),
            Rod([pip, between(pip, dip, 0.55), dip], [4.2, 3, 3.6], 0.36 / seen),
            Rod([dip, between(dip, tip, 0.7)], [3.4, 2.8], 0.4 / seen),
        ]
        joints += [
            Blob(pip, (4.6, 3.6), joint_uptake[1] / seen),
            Blob(dip, (4.0, 3.2), joint_uptake[2] / seen),
        ]
        for side in (-1, 1):  # the two digital arteries run along either side of the finger
            lateral = [(u + side * 0.6 * radius, v) for u, v in (knuckle, dip)]
            vessels.append(Rod([(2, 60), *lateral, tip], [1.5, 1.4, 1.2, 0.8], 0.55))
    thumb = _add_thumb(vary, posture, outline, bones, vessels, joints)
    if posture.soft != 1.0:
        outline = [replace(rod, radii=[posture.soft * radius for radius in rod.radii]) for rod in outline]
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
        digits=(thumb, *digits),
    )


def _add_thumb(
    vary: Variation,
    posture: Posture,
    outline: list[Rod],
    bones: list[Rod],
    vessels: list[Rod],
    joints: list[Blob],
) -> Rod:
    base = (25.0, 24.0)
    seen = posture.lengths[0]
    angle = vary.moved(33.0, 2.5) + posture.turns_deg[0]
    knuckle = ray(base, angle, 44.0)
    middle = ray(knuckle, angle - 9, seen * 31.0)
    tip = ray(middle, angle - 14, seen * 27.0)
    digit = Rod([knuckle, middle, between(middle, tip, 0.7)], [13, 10.5, 8.5])
    outline.append(Rod([(16, 18), knuckle], [19, 13]))
    bones.append(Rod([base, between(base, knuckle, 0.5), knuckle], [6, 4.4, 5.8], 0.45))
    joint_uptake = [vary.scaled(value, 0.15) for value in (0.75, 0.6, 0.55)]
    joints += [Blob(base, (6, 5), joint_uptake[0]), Blob(knuckle, (5, 4.5), joint_uptake[1])]
    if 0 in posture.missing:
        return digit
    outline.append(digit)
    bones += [
        Rod([knuckle, between(knuckle, middle, 0.5), middle], [5, 4, 4.8], 0.4 / seen),
        Rod([middle, between(middle, tip, 0.7)], [4.4, 3.2], 0.42 / seen),
    ]
    vessels.append(Rod([(22, 28), knuckle, tip], [1.8, 1.6, 1.0], 0.6))
    joints.append(Blob(middle, (4.6, 4), joint_uptake[2] / seen))
    return digit
