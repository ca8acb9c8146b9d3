"""Designs drawn at random, so that a measurement is tried on more than the cases one thinks of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np

from sudeck.core.vocabulary import LIMBS, REGIONS, SIDES, Limb, ScanPhase, Side, opposite
from sudeck.synthetic.limbs.limb_maps import VIEWS
from sudeck.synthetic.limbs.posture import DIGITS, Posture
from sudeck.synthetic.scan.scan_design import BoneScanDesign, Reposition
from sudeck.synthetic.scan.scan_pose import fits_the_field

PIXEL_MM: Final = 2.7


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


def unlike_design(design: BoneScanDesign, rng: np.random.Generator) -> BoneScanDesign:
    """Make a scan hard: limbs unlike in shape in one of the ways that people's are, now and then few counts.

    Hands spread their fingers (3 degrees each, 6 the thumb), bend them, lack one or swell over bones that
    stay as they are; feet swell as a whole. A third holds a fifth of the counts, and a sixth a spot of the
    injection. The ways are those of ``benchmarks/bench_scan_unlike_limbs.py``; how often, is assumed.

    Parameters
    ----------
    design : BoneScanDesign
        As `random_design` draws it.
    rng : numpy.random.Generator
    """
    affected, either = design.affected, SIDES[int(rng.integers(2))]
    if design.limb == "foot":
        design = replace(design, scale=float(rng.uniform(1.03, 1.12)))
    else:
        spread = {side: Posture(turns_deg=_turns(rng)) for side in SIDES}
        bent = tuple(rng.uniform(0.65, 0.95, DIGITS).tolist())
        ways: tuple[dict[Side, Posture], ...] = (
            spread,
            {affected: Posture(turns_deg=_turns(rng, 0.5), lengths=bent)},
            {affected: Posture(soft=float(rng.uniform(1.08, 1.18)))},
            {either: Posture(missing=(int(rng.integers(1, DIGITS)),))},
        )
        postures = ways[int(rng.choice(len(ways), p=(0.35, 0.25, 0.3, 0.1)))]
        design = replace(design, postures=postures, gap_mm=max(design.gap_mm, 25.0))
    if rng.random() < 1 / 3:
        design = replace(
            design, counts_per_limb={name: 0.2 * n for name, n in design.counts_per_limb.items()}
        )
    return replace(design, injection_site=opposite(affected)) if rng.random() < 1 / 6 else design


def _turns(rng: np.random.Generator, by: float = 1.0) -> tuple[float, ...]:
    return tuple((by * rng.normal(0.0, [6.0, 3.0, 3.0, 3.0, 3.0])).tolist())


def _random_pose(rng: np.random.Generator) -> dict[str, Any]:
    return {
        "rotation_deg": float(rng.uniform(-15, 15)),
        "scale": float(rng.uniform(0.93, 1.07)),
        "shift_mm": (float(PIXEL_MM * rng.uniform(-12, 12)), float(PIXEL_MM * rng.uniform(-12, 12))),
        "both_rotation_deg": float(rng.uniform(-4, 4)),
        "both_shift_mm": (float(rng.uniform(-8, 8)), float(rng.uniform(-8, 8))),
        "size": float(rng.uniform(0.90, 1.05)),
        "splay_deg": float(rng.uniform(-4, 8)),
        "repositioned": {
            side: Reposition(float(rng.normal(0, 2.5)), (float(rng.normal(0, 4)), float(rng.normal(0, 4))))
            for side in SIDES
        },
        "gap_mm": float(rng.uniform(0, 40)),
        "spacing_mm": PIXEL_MM,
    }
