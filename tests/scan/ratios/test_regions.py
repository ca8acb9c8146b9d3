import numpy as np
import pytest

from sudeck.core.errors import InputError
from sudeck.core.vocabulary import PHASE_RATIOS
from sudeck.scan.limbs.geometry import Grid
from sudeck.scan.measurement import measure_region
from sudeck.scan.posing import pose_scan
from sudeck.scan.ratios.drawn_regions import drawn_region, read_region_file, regions_of_file
from sudeck.scan.ratios.regions import Region, outline
from sudeck.synthetic.limbs.posture import Posture
from support.phantoms import as_bone_scan, synthetic

GRID = Grid((100, 120), (2.0, 2.0))


def test_an_ellipse_has_its_area_whatever_its_unit() -> None:
    in_px = drawn_region({"type": "ellipse", "unit": "px", "centre": [40, 50], "radii": [12, 8]}, GRID)
    in_mm = drawn_region({"type": "ellipse", "unit": "mm", "centre": [80, 100], "radii": [24, 16]}, GRID)
    assert in_px.area_mm2 == pytest.approx(np.pi * 12 * 8 * 4, rel=0.01)
    np.testing.assert_allclose(in_px.points, in_mm.points)
    np.testing.assert_allclose(in_px.points.mean(axis=0), GRID.points_of(50, 40), atol=0.1)


def test_a_turned_ellipse_turns_about_its_centre() -> None:
    flat = drawn_region({"type": "ellipse", "unit": "px", "centre": [60, 50], "radii": [20, 5]}, GRID)
    turned = drawn_region(
        {"type": "ellipse", "unit": "px", "centre": [60, 50], "radii": [20, 5], "rotation_deg": 90}, GRID
    )
    assert np.ptp(flat.points[:, 0]) == pytest.approx(np.ptp(turned.points[:, 1]), abs=1.1)


def test_a_polygon_has_its_area() -> None:
    square = drawn_region(
        {
            "name": "ankle",
            "type": "polygon",
            "unit": "px",
            "points": [[10, 10], [30, 10], [30, 40], [10, 40]],
        },
        GRID,
    )
    assert square.name == "ankle"
    assert square.area_mm2 == pytest.approx(20 * 30 * 4, rel=0.01)


def test_the_outline_surrounds_the_points() -> None:
    region = drawn_region({"type": "ellipse", "unit": "px", "centre": [40, 50], "radii": [12, 8]}, GRID)
    (line,) = outline(region.points, GRID)
    row, column = GRID.pixel_of(line)
    assert column.min() == pytest.approx(28, abs=0.6)
    assert row.max() == pytest.approx(58, abs=0.6)


@pytest.mark.parametrize(
    "shape",
    [
        {"type": "ellipse", "centre": [40, 50], "radii": [12, 8]},
        {"type": "circle", "unit": "px"},
        {"type": "ellipse", "unit": "px", "centre": [40, 50], "radii": [0, 8]},
        {"type": "ellipse", "unit": "px", "centre": "here", "radii": [3, 8]},
        {"type": "ellipse", "unit": "px", "centre": [400, 500], "radii": [12, 8]},
        {"type": "polygon", "unit": "px", "points": [[1, 1], [2, 2]]},
        {"type": "polygon", "unit": "px", "points": [[1, 1], [2, float("nan")], [4, 4]]},
        {"type": "polygon", "unit": "mm", "points": [[1, 1], [2, 1], [2, 2]]},
        {"type": "ellipse", "unit": "px", "centre": [[40, 50], [90, 50]], "radii": [12, 8]},
        {"type": "ellipse", "unit": "px", "centre": [40, 50], "radii": [12, 8], "rotation": 45},
        *(
            {"type": "ellipse", "unit": "px", "centre": [40, 50], "radii": [12, 8], "rotation_deg": turn}
            for turn in ("abc", None, [1], float("inf"), True)
        ),
    ],
)
def test_a_region_that_cannot_be_understood_is_refused(shape: dict) -> None:
    with pytest.raises(InputError):
        drawn_region(shape, GRID)


@pytest.mark.parametrize("content", [[], {"regions": []}, "ankle", 3, [1, 2], None])
def test_a_file_without_regions_is_refused(content: object) -> None:
    with pytest.raises(InputError, match="holds no region"):
        regions_of_file(content, subject="roi.json")


@pytest.mark.parametrize("text", ["{", "[" * 100_000 + "]" * 100_000, "\x00", "[{}, {}]"])
def test_a_file_that_is_no_region_file_is_refused(tmp_path, text: str) -> None:
    path = tmp_path / "roi.json"
    path.write_text(text)
    with pytest.raises(InputError, match=r"roi\.json"):
        read_region_file(path)


def test_a_region_file_written_by_windows_is_read(tmp_path) -> None:
    path = tmp_path / "roi.json"
    path.write_text('{"type": "ellipse"}', encoding="utf-8-sig")
    assert read_region_file(path) == {"type": "ellipse"}


def test_places_inside_the_outline_of_one_limb_alone_are_left_out_and_kept_beside() -> None:
    points = np.arange(10.0).reshape(5, 2)
    affected, healthy = np.array([1, 1, 1, 1, 0], bool), np.array([1, 0, 1, 1, 1], bool)
    region = Region("whole", points, 50.0, False, np.zeros(5, bool), affected, healthy)
    both = region.on_both_limbs()
    np.testing.assert_array_equal(both.points, points[[0, 2, 3]])
    np.testing.assert_array_equal(both.on_one_limb, points[[1, 4]])
    assert both.area_mm2 == 30.0
    assert both.on_both_limbs() is both
    drawn = Region("spot", points, 50.0, True, np.zeros(5, bool))
    assert drawn.on_both_limbs() is drawn


def test_the_web_that_one_hand_closes_is_no_place_of_both() -> None:
    """Spread fingers of one hand: places beside them lie inside the outline of one hand alone."""
    turned = {"right": Posture(turns_deg=(-10.0, 5.0, 0.0, -5.0, -6.0))}
    counts = dict.fromkeys(PHASE_RATIOS, 1e5)
    study = synthetic(11, limb="hand", postures=turned, gap_mm=25.0, counts_per_limb=counts)
    posed = pose_scan(as_bone_scan(study), affected="right")
    whole = posed.whole
    result = measure_region(posed)
    measured = result.phases["bone"].affected_points.shape[0]
    assert 0.93 * whole.points.shape[0] < measured < 0.995 * whole.points.shape[0]
    placements = {name: one.components["placement"] for name, one in result.estimates.items()}
    assert 0.003 < placements["VPr"] < 0.015
