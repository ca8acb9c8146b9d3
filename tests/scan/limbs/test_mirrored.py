"""A phase whose left and right are exchanged shows the limbs with each other's shapes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sudeck.core.vocabulary import SCAN_PHASES, ScanPhase
from sudeck.scan.limbs.mirrored import limb_pairs, mirror_evidence, outlines_apart
from sudeck.scan.limbs.poses import pose_phases
from sudeck.scan.measurement import measure_scan
from sudeck.scan.phases.phase_series import BoneScan
from sudeck.synthetic.scan.bone_scan import simulate_bone_scan
from sudeck.synthetic.scan.random_designs import random_design
from sudeck.synthetic.scan.scan_design import Reposition
from support.phantoms import as_bone_scan, synthetic

WEAK = {"VPr": 1.15, "TPr": 1.12, "BPr": 1.2}


@pytest.fixture(scope="module")
def hands() -> BoneScan:
    """Hands of which one lies turned by 6° and is 4 % larger, moved before the delayed image."""
    moved = {"left": Reposition(2.0, (3.0, -4.0)), "right": Reposition(-2.5, (-4.0, 2.0))}
    return as_bone_scan(synthetic(3, limb="hand", rotation_deg=6.0, scale=1.04, repositioned=moved, **WEAK))


def exchanged(scan: BoneScan, name: ScanPhase, **also: Any) -> BoneScan:
    series = scan.phases[name]
    return replace(
        scan, phases={**scan.phases, name: replace(series, counts=series.counts[:, :, ::-1], **also)}
    )


@pytest.mark.parametrize("name", ["vascular", "tissue", "bone"])
def test_a_mirrored_phase_is_named_though_the_asymmetry_is_weak(hands: BoneScan, name: ScanPhase) -> None:
    result = measure_scan(exchanged(hands, name), affected="right")
    flags = {flag.code: flag for flag in result.flags}
    assert (flags["phase-mirrored"].severity, flags["phase-mirrored"].subject) == ("serious", name)
    assert result.verdicts() == {}


def test_a_phase_seen_from_the_other_side_and_said_so_is_not_mirrored(hands: BoneScan) -> None:
    as_it_is = mirror_evidence(limb_pairs(pose_phases(hands.phases, affected="right")))
    behind = exchanged(hands, "bone", image_left="left")
    seen_behind = mirror_evidence(limb_pairs(pose_phases(behind.phases, affected="right")))
    assert min(as_it_is.values()) > 7
    assert seen_behind == pytest.approx(as_it_is, abs=0.5)
    assert not any(flag.code == "phase-mirrored" for flag in measure_scan(behind, affected="right").flags)


def test_limbs_that_mirror_each_other_leave_the_sides_open_and_then_opposite_ratios_are_serious() -> None:
    alike = as_bone_scan(synthetic(4, limb="hand", **WEAK))
    found = mirror_evidence(limb_pairs(pose_phases(alike.phases, affected="right")))
    assert max(map(abs, found.values())) < 5
    flags = {flag.code: flag for flag in measure_scan(exchanged(alike, "bone"), affected="right").flags}
    assert (flags["phases-opposed"].severity, flags["phases-opposed"].subject) == ("serious", "bone")


def test_bone_up_and_flow_down_is_no_finding_where_the_shapes_hold_the_sides() -> None:
    late = as_bone_scan(
        synthetic(5, limb="hand", rotation_deg=-8.0, scale=1.05, VPr=0.85, TPr=0.87, BPr=1.25)
    )
    result = measure_scan(late, affected="right")
    assert result.estimates["BPr"].value > 1.1 > 0.9 > result.estimates["VPr"].value
    assert not any(flag.severity == "serious" for flag in result.flags)


def test_one_phase_alone_has_nothing_to_be_held_against(hands: BoneScan) -> None:
    alone = pose_phases({"bone": hands.phases["bone"]}, affected="right")
    assert mirror_evidence(limb_pairs(alone)) == {}
    both = {name: hands.phases[name] for name in ("tissue", "bone")}
    of_two = mirror_evidence(limb_pairs(pose_phases(both, affected="right")))
    assert np.ptp(list(of_two.values())) == 0


@pytest.mark.parametrize("sizes", [(64, 128, 256), (256, 64, 256), (64, 256, 64)])
def test_outlines_that_coarse_pixels_blunt_are_not_those_of_another_person(
    sizes: tuple[int, int, int],
) -> None:
    matrix: dict[ScanPhase, int] = dict(zip(SCAN_PHASES, sizes, strict=True))
    spacing = {name: 345.6 / n for name, n in matrix.items()}
    mixed = as_bone_scan(synthetic(2, limb="hand", matrix=matrix, spacing_mm=spacing))
    apart = outlines_apart(limb_pairs(pose_phases(mixed.phases, affected="right")))
    assert max(apart.values()) < 9


def test_hands_that_lie_turned_are_not_taken_for_one_hand_shown_twice() -> None:
    """Laid over each other from upright, the fingers of one came to lie on their neighbours."""
    rng = np.random.default_rng(710008)
    design = random_design(rng, counts=dict.fromkeys(SCAN_PHASES, 2e5))
    scan = as_bone_scan(simulate_bone_scan(design, rng=rng))
    assert len(measure_scan(scan, affected=design.affected).estimates) == 6
