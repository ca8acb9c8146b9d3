import math

import numpy as np
import pytest

from sudeck.scan.limbs.geometry import Grid, Similarity
from sudeck.scan.limbs.limb_image import LimbImage
from sudeck.scan.limbs.limb_masks import find_limbs
from sudeck.scan.limbs.registration import (
    EQUAL_SIZE_SD,
    Registration,
    _outline_covariance,
    register_mirrored,
)
from support.phantoms import synthetic


def laid_over(scan, phase: str = "bone") -> tuple[Registration, Similarity]:
    """Register a synthetic phase and return what was found and what is true."""
    truth = scan.truth.phases[phase]
    image = scan.counts[phase].reshape(-1, 128, 128).sum(axis=0).astype(float)
    grid = Grid(image.shape, (truth.spacing_mm, truth.spacing_mm))
    limbs = find_limbs(image)
    label = 1 if scan.truth.image_left == scan.truth.affected else 2
    affected, healthy = (LimbImage.alone(image, grid, limbs, number) for number in (label, 3 - label))
    to_healthy = np.asarray(truth.to_healthy_px)
    origin, pixel = grid.points_of(0, 0), truth.spacing_mm
    matrix = to_healthy[:2, :2]
    true = Similarity(matrix, pixel * to_healthy[:2, 2] + origin - matrix @ origin)
    return register_mirrored(affected, healthy), true


@pytest.mark.parametrize(
    "pose",
    [
        {"rotation_deg": 15.0},
        {"rotation_deg": -15.0, "scale": 1.07},
        {"scale": 0.93, "shift_mm": (14.0, -25.0)},
        {"rotation_deg": 8.0, "scale": 1.05, "shift_mm": (5.0, 20.0)},
    ],
)
@pytest.mark.parametrize("limb", ["hand", "foot"])
def test_the_pose_is_found_within_its_stated_error(limb: str, pose: dict) -> None:
    scan = synthetic(limb=limb, gap_mm=45.0, region="whole", BPr=1.8, TPr=1.5, VPr=0.7, **pose)
    found, true = laid_over(scan)
    error = found.standard_errors()
    assert found.transform.mirrored
    assert not found.equal_size
    assert abs(math.log(found.transform.scale / true.scale)) < max(4 * error["log_scale"], 0.006)
    assert abs(found.transform.rotation_deg - true.rotation_deg) < 1.0
    shift = found.transform(found.centre_mm) - true(found.centre_mm)
    assert np.linalg.norm(shift) < 2.5


def test_a_local_asymmetry_does_not_pull_the_pose() -> None:
    scan = synthetic(limb="foot", view="plantar", region="midfoot", BPr=2.2)
    found, true = laid_over(scan)
    shift = found.transform(found.centre_mm) - true(found.centre_mm)
    assert np.linalg.norm(shift) < 1.5


def test_the_two_directions_agree() -> None:
    scan = synthetic(limb="hand", rotation_deg=6.0, scale=1.04)
    image = scan.counts["bone"].reshape(128, 128).astype(float)
    grid = Grid(image.shape, (scan.truth.phases["bone"].spacing_mm,) * 2)
    limbs = find_limbs(image)
    one, two = (LimbImage.alone(image, grid, limbs, number) for number in (1, 2))
    there, back = register_mirrored(one, two), register_mirrored(two, one)
    round_trip = there.transform.then(back.transform)
    points = grid.centres()[one.mask]
    assert np.linalg.norm(round_trip(points) - points, axis=1).max() < 0.8


def test_limbs_of_another_aspect_are_taken_to_be_of_equal_size(shared) -> None:
    pydicom = pytest.importorskip("pydicom")
    image = pydicom.dcmread(shared / "scan/semireal/04_delayed_static_300s.dcm").pixel_array.astype(float)
    grid = Grid(image.shape, (2.26, 2.26))
    limbs = find_limbs(image)
    one, two = (LimbImage.alone(image, grid, limbs, number) for number in (1, 2))
    found = register_mirrored(one, two)
    assert found.equal_size
    assert found.transform.scale == pytest.approx(1.0)
    assert found.residual > 0.07


def test_outlines_that_lie_farther_apart_are_less_sure() -> None:
    """A hand over its own outline, and over one that is bent: the error is that of this study."""
    grid = Grid((96, 96), (3.0, 3.0))
    x, y = (grid.centres()[..., axis] - grid.centres()[..., axis].mean() for axis in (0, 1))
    errors = []
    for bend in (0.0, 6.0, 12.0):
        limbs = []
        for amount in (0.0, bend):
            mask = (np.abs(x - amount * np.sin(y / 25.0)) < 28.0) & (np.abs(y) < 100.0)
            limbs.append(LimbImage(50.0 * mask + 1.0, grid, mask, 1.0))
        found = _outline_covariance(*limbs, Similarity.identity(), limbs[0].centre_mm)
        errors.append(np.sqrt(np.diag(found)))
    assert errors[0][1] == errors[2][1] == EQUAL_SIZE_SD
    for number in (0, 2, 3):
        assert errors[0][number] < 1e-6
        assert 0 < errors[1][number] < 0.7 * errors[2][number]
