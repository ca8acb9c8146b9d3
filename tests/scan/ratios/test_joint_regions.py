"""Rows of joints are found where the phantom has them, and carry the source they were published in."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sudeck.core.errors import InputError
from sudeck.core.vocabulary import JOINT_REGIONS, Limb
from sudeck.report.scan.meaning import meanings
from sudeck.scan.measurement import MeasureSettings, measure_region, measure_scan
from sudeck.scan.posing import pose_scan
from sudeck.synthetic.limbs.limb_maps import limb_map
from sudeck.synthetic.limbs.plane import apply
from sudeck.synthetic.scan.bone_scan import SyntheticBoneScan
from sudeck.synthetic.scan.scan_pose import place_limbs
from support.phantoms import as_bone_scan, synthetic

HAND_ROWS = ("mcp", "pip", "dip")
POSES: dict[str, dict[str, Any]] = {
    "hand": {"limb": "hand"},
    "turned hand": {"limb": "hand", "variant": 3, "rotation_deg": 9.0, "scale": 0.95, "view": "dorsal"},
    "left hand": {"limb": "hand", "variant": 5, "affected": "left", "both_rotation_deg": -4.0},
    "sole": {"limb": "foot", "view": "plantar", "variant": 2, "rotation_deg": -6.0},
    "foot from the front": {"limb": "foot", "view": "anterior", "variant": 1},
}


def rows_of_joints(study: SyntheticBoneScan, phase: Any) -> dict[str, np.ndarray]:
    """Return where the joints of each row lie on the image of the affected limb, in mm."""
    design = study.design
    anatomy = limb_map(design.limb, design.seen_from, design.variant).anatomy
    centres = np.array([joint.centre for joint in anatomy.joints])
    placed = apply(place_limbs(design, phase)[design.affected], centres)
    if design.limb == "foot":
        return {"mtp": placed[-10::2]}
    return {name: placed[4 + n : 16 : 3] for n, name in enumerate(HAND_ROWS)}


@pytest.mark.parametrize("pose", POSES)
def test_each_row_holds_its_own_joints_and_no_others(pose: str) -> None:
    study = synthetic(7, VPr=1.4, TPr=1.3, BPr=1.6, **POSES[pose])
    posed = pose_scan(as_bone_scan(study), affected=study.design.affected)
    rows = rows_of_joints(study, posed.poses.reference)
    truth = study.truth.image_ratios("whole")
    for name in rows:
        result = measure_region(posed, name)
        points = result.phases[posed.poses.reference].affected_points
        for other, joints in rows.items():
            away = np.array([np.linalg.norm(points - joint, axis=1).min() for joint in joints])
            assert (away < 2.0).all() if other == name else (away > 2.0).all(), (name, other, away)
        for measure, estimate in result.estimates.items():
            if measure in truth:
                error = math.log(estimate.value / truth[measure])
                assert abs(error) < 3 * float(estimate.se or 0.0), (name, measure, error)


def test_the_hand_without_fingers_holds_carpus_metacarpus_and_knuckles_alone() -> None:
    study = synthetic(7, limb="hand", variant=3, rotation_deg=9.0)
    result = measure_scan(
        as_bone_scan(study), affected="right", settings=MeasureSettings(region="without-fingers")
    )
    points = result.phases["bone"].affected_points
    rows = rows_of_joints(study, "bone")
    placed = place_limbs(study.design, "bone")["right"]
    carpus = apply(placed, np.array([[2.0, 14.0], [2.0, 34.0], [14.0, 6.0]]))

    def away(place: np.ndarray) -> float:
        return float(np.linalg.norm(points - place, axis=1).min())

    assert max(away(joint) for joint in (*rows["mcp"], *carpus)) < 2.0
    assert min(away(joint) for joint in (*rows["pip"], *rows["dip"])) > 5.0
    assert away(apply(placed, np.array([[0.0, -60.0]]))[0]) > 5.0


def test_the_source_of_a_region_is_in_the_result_and_on_the_page() -> None:
    scan = as_bone_scan(synthetic(7, limb="hand"))
    posed = pose_scan(scan, affected="right")
    for name, source in (("pip", "Wüppenhorst"), ("without-fingers", "Park")):
        result = measure_region(posed, name)
        assert source in result.to_dict()["region_source"]["citation"]
        assert any(source in str(sentence) for sentence in meanings(result))
    assert measure_region(posed, "wrist").to_dict()["region_source"] is None
    drawn = {"type": "ellipse", "unit": "px", "centre": [35, 80], "radii": [9, 9], "name": "pip"}
    assert measure_region(posed, drawn).region_source is None


@pytest.mark.parametrize(("limb", "name"), [("foot", "mcp"), ("hand", "mtp")])
def test_joints_of_the_other_limb_are_refused(limb: Limb, name: str) -> None:
    scan = as_bone_scan(synthetic(7, limb=limb))
    assert name not in JOINT_REGIONS[limb]
    with pytest.raises(InputError, match=f"no region of the {limb}"):
        measure_scan(scan, affected="right", settings=MeasureSettings(region=name))


def test_without_fingertips_in_the_field_joints_are_refused() -> None:
    scan = as_bone_scan(synthetic(7, limb="hand"))
    cut = {name: replace(series, counts=series.counts[:, 45:, :]) for name, series in scan.phases.items()}
    with pytest.raises(InputError):
        measure_scan(replace(scan, phases=cut), affected="right", settings=MeasureSettings(region="pip"))
