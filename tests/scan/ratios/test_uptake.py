import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sudeck.core.errors import InputError
from sudeck.scan.limbs.geometry import Grid
from sudeck.scan.limbs.limb_masks import Limbs
from sudeck.scan.ratios.drawn_regions import drawn_region
from sudeck.scan.ratios.uptake import Background, measure_background, measure_uptake, pixel_weights

GRID = Grid((64, 64), (2.0, 2.0))


@given(st.floats(20, 44), st.floats(20, 44), st.floats(3, 12), st.floats(3, 12))
def test_weights_add_up_to_the_area_and_a_flat_image_gives_its_level(
    x: float, y: float, a: float, b: float
) -> None:
    region = drawn_region({"type": "ellipse", "unit": "px", "centre": [x, y], "radii": [a, b]}, GRID)
    area_px = region.area_mm2 / 4
    weights = pixel_weights(region.points, GRID, area_px)
    assert weights.sum() == pytest.approx(area_px)
    uptake = measure_uptake(np.full(GRID.shape, 7.0), weights, area_px, Background())
    assert uptake.net_per_pixel == pytest.approx(7.0)


def test_pixels_at_the_edge_of_the_field_count_as_a_whole() -> None:
    corners = [[-0.5, -0.5], [63.5, -0.5], [63.5, 20.5], [-0.5, 20.5]]
    region = drawn_region({"type": "polygon", "unit": "px", "points": corners}, GRID)
    weights = pixel_weights(region.points, GRID, region.area_mm2 / 4)
    assert weights.sum() == pytest.approx(region.area_mm2 / 4)
    assert weights[:20] == pytest.approx(np.ones((20, 64)))


def test_effective_counts_are_the_counts_of_whole_pixels() -> None:
    weights = np.zeros(GRID.shape)
    weights[10:20, 10:20] = 1.0
    image = np.random.default_rng(0).poisson(4.0, GRID.shape).astype(float)
    uptake = measure_uptake(image, weights, 100.0, Background())
    assert uptake.counts == image[10:20, 10:20].sum()
    assert uptake.effective_counts == pytest.approx(uptake.counts)


def test_effective_counts_state_the_poisson_error_of_weighted_pixels() -> None:
    rng = np.random.default_rng(1)
    region = drawn_region({"type": "ellipse", "unit": "px", "centre": [30.3, 31.7], "radii": [6, 4]}, GRID)
    weights = pixel_weights(region.points, GRID, region.area_mm2 / 4)
    counts = [float((weights * rng.poisson(3.0, GRID.shape)).sum()) for _ in range(3000)]
    uptake = measure_uptake(np.full(GRID.shape, 3.0), weights, region.area_mm2 / 4, Background())
    relative = np.std(counts) / np.mean(counts)
    assert 1 / np.sqrt(uptake.effective_counts) == pytest.approx(relative, rel=0.05)


def test_half_pixels_bring_half_the_counts_and_the_background_is_taken_off() -> None:
    weights = np.zeros(GRID.shape)
    weights[10:20, 10:20] = 0.5
    uptake = measure_uptake(np.full(GRID.shape, 7.0), weights, 50.0, Background(2.0, 0.01, 400.0))
    assert uptake.counts == pytest.approx(350.0)
    # Of 700 counts each lies inside with one half: the relative error is that of 700, not of 350.
    assert uptake.effective_counts == pytest.approx(700.0)
    assert uptake.net_per_pixel == pytest.approx(5.0)


def test_points_outside_the_image_bring_no_counts() -> None:
    points = GRID.points_of(np.array([5.0, 5.0, 500.0, -9.0]), np.array([5.0, 6.0, 5.0, 5.0]))
    assert pixel_weights(points, GRID, 4.0).sum() == pytest.approx(2.0)


def limbs_in(labels: np.ndarray) -> Limbs:
    return Limbs(labels.astype(np.uint8), np.ones(labels.shape, dtype=np.uint8), 0.0, 0.0)


def test_the_background_is_measured_away_from_the_limbs() -> None:
    labels = np.zeros(GRID.shape)
    labels[20:44, 20:30], labels[20:44, 34:44] = 1, 2
    image = np.random.default_rng(2).poisson(2.0, GRID.shape) + 50.0 * (labels > 0)
    found = measure_background(image, limbs_in(labels), GRID, subject="bone phase")
    assert found.per_pixel == pytest.approx(2.0, abs=4 * np.sqrt(found.variance))
    assert found.variance == pytest.approx(found.per_pixel / found.area_px)


def test_an_image_full_of_limbs_has_no_background() -> None:
    with pytest.raises(InputError, match="--background none"):
        measure_background(np.ones(GRID.shape), limbs_in(np.ones(GRID.shape)), GRID, subject="bone phase")
