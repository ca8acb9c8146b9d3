import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sudeck.scan.limbs.geometry import Grid, Similarity

angles = st.floats(-180, 180)
logs = st.floats(-0.3, 0.3)
shifts = st.tuples(st.floats(-50, 50), st.floats(-50, 50))


@given(angles, logs, shifts, st.booleans())
def test_a_similarity_and_its_inverse_cancel(
    rotation: float, log_scale: float, shift: tuple[float, float], mirrored: bool
) -> None:
    move = Similarity.about(
        np.array([3.0, -2.0]), np.array(shift), rotation_deg=rotation, log_scale=log_scale, mirrored=mirrored
    )
    points = np.array([[0.0, 0.0], [10.0, 5.0], [-7.0, 30.0]])
    np.testing.assert_allclose(move.then(move.inverse())(points), points, atol=1e-9)
    assert move.mirrored is mirrored
    assert move.scale == pytest.approx(np.exp(log_scale))
    turned = (move.rotation_deg - rotation + 180) % 360 - 180
    assert turned == pytest.approx(0, abs=1e-6)


def test_the_centre_of_the_field_is_the_origin_for_every_matrix() -> None:
    fine = Grid((128, 128), (2.0, 2.0))
    coarse = Grid((64, 64), (4.0, 4.0))
    corner = fine.points_of(-0.5, -0.5)
    np.testing.assert_allclose(corner, coarse.points_of(-0.5, -0.5))
    row, column = coarse.pixel_of(corner)
    assert (row, column) == (-0.5, -0.5)


def test_points_outside_the_field_are_told() -> None:
    grid = Grid((10, 20), (1.0, 2.0))
    assert grid.contains(grid.points_of(0, 19))
    assert not grid.contains(grid.points_of(0, 19.5))
    assert not grid.contains(grid.points_of(0, 19), margin_px=0.5)
