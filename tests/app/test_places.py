"""A finding points at the place it speaks of."""

from dataclasses import replace

import numpy as np
import pytest

from sudeck.app.places import places_of
from sudeck.core.flags import Flag
from sudeck.scan import measure_region, pose_scan, read_scan
from sudeck.synthetic.dicom.nm_dicom import write_bone_scan
from sudeck.synthetic.scan.bone_scan import simulate_bone_scan
from sudeck.synthetic.scan.scan_design import BoneScanDesign


@pytest.fixture(scope="module")
def posed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scan")
    design = BoneScanDesign(injection_site="left")
    scan = simulate_bone_scan(design, rng=np.random.default_rng(0))
    write_bone_scan(scan, folder, dialect="standard", patient_name="a", patient_id="a")
    return pose_scan(read_scan(sorted(folder.glob("*.dcm")), limb=design.limb), affected="left")


def test_a_hot_spot_is_pointed_at_in_its_phase(posed):
    flags = [flag for flag in measure_region(posed).flags if flag.code == "hot-spot-masked"]
    assert flags
    for flag in flags:
        image = posed.poses.phases[flag.subject].image
        ((column, row),) = places_of(flag, posed)
        brightest = np.unravel_index(np.argmax(image), image.shape)
        assert np.hypot(row - brightest[0], column - brightest[1]) < 3


def test_a_cut_tip_is_pointed_at_and_a_count_is_not(posed):
    reference = posed.poses.reference
    assert places_of(Flag("low-counts", "too few", "info", reference), posed) == []
    flag = Flag("limb-cut-by-field", "the tip of the healthy limb", "serious", reference)
    assert places_of(flag, posed) == []
    cut = {side: replace(axis, cut_distal=True) for side, axis in posed.axes.items()}
    ((column, row),) = places_of(flag, replace(posed, axes=cut))
    pose = posed.poses.phases[reference]
    rows, columns = np.nonzero(pose.limbs.mask(pose.healthy_label))
    assert abs(row - rows.min()) < 4  # fingertips lie up
    assert columns.min() < column < columns.max()
