"""Images keep to one scale for both limbs, linear from zero, and to one part of the field in all phases."""

from __future__ import annotations

import base64
import io
import re
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from sudeck.report.scan.figures import curve_figure, shift_mm
from sudeck.report.scan.phase_svg import phase_figure, window_of
from sudeck.scan.limbs.geometry import Grid
from sudeck.scan.result import PhaseMeasurement, ScanResult


def grey_image(svg: str) -> NDArray[np.float64]:
    """Return the raster image inside a figure, 0 black to 255 white."""
    from PIL import Image

    found = re.findall(r"data:image/png;base64,\s*([A-Za-z0-9+/=\s]+)\"", svg)
    images = [
        np.asarray(Image.open(io.BytesIO(base64.b64decode(text))).convert("L"), float) for text in found
    ]
    return max(images, key=lambda image: min(image.shape))


@pytest.fixture(scope="module")
def bone(result: ScanResult) -> PhaseMeasurement:
    return result.phases["bone"]


def test_grey_is_linear_from_zero_and_one_scale_for_both_limbs(bone: PhaseMeasurement) -> None:
    window = window_of(bone)
    raised = replace(bone, pose=replace(bone.pose, image=bone.pose.image + 30.0))  # no pixel is empty
    counts = raised.pose.image[window.rows, window.columns]
    grey = grey_image(phase_figure(raised, affected="right", spacing_known=True))
    assert grey.shape == counts.shape
    unsaturated = grey > 0
    dark = unsaturated & (grey < 128)  # where half a step of 256 is least of the count
    scale = np.median((255 - grey[dark]) / counts[dark])
    assert np.abs((255 - grey) - scale * counts)[unsaturated].max() < 3.0
    assert (grey == 0).any()


def test_a_hot_spot_does_not_hide_the_limbs(bone: PhaseMeasurement) -> None:
    row, column = (int(place) for place in bone.pose.limbs.centre(2))
    image = bone.pose.image.copy()
    image[row - 3 : row + 4, column - 3 : column + 4] += 50 * image.max()
    hot = replace(bone, pose=replace(bone.pose, image=image))
    before = grey_image(phase_figure(bone, affected="right", spacing_known=True))
    after = grey_image(phase_figure(hot, affected="right", spacing_known=True))
    window = window_of(bone)
    limb = (bone.pose.limbs.labels == bone.pose.affected_label)[window.rows, window.columns]
    assert (255 - after)[limb].mean() > 0.4 * (255 - before)[limb].mean()


def test_phases_on_one_grid_show_the_same_window(result: ScanResult) -> None:
    phases = result.phases.values()
    assert len({str(window_of(phase, phases)) for phase in phases}) == 1
    wide = window_of(result.phases["bone"], phases)
    narrow = window_of(result.phases["bone"])
    assert wide.shape[0] >= narrow.shape[0]
    other = replace(result.phases["tissue"].pose, grid=Grid((64, 64), (5.4, 5.4)))
    assert window_of(result.phases["bone"], [replace(result.phases["tissue"], pose=other)]) == narrow


def test_the_side_names_follow_the_image(bone: PhaseMeasurement) -> None:
    on_left = {1: "Right · affected", 2: "Left · healthy"}[bone.pose.affected_label]
    figure = phase_figure(bone, affected="right", spacing_known=True)
    names = re.findall(r">((?:Left|Right) · \w+)<", figure)
    assert names[0] == on_left
    assert set(names) == {"Right · affected", "Left · healthy"}


def test_lengths_and_outlines_are_true_on_paper(bone: PhaseMeasurement) -> None:
    figure = phase_figure(bone, affected="right", spacing_known=True)
    (width, height), *_ = re.findall(r'<image width="([\d.]+)" height="([\d.]+)"', figure)
    window, grid = window_of(bone), bone.pose.grid
    mm = window.shape[1] * grid.spacing_mm[1] / float(width)  # of the limb, a mm of paper
    (bar,) = re.findall(r"h([\d.]+)\"", figure)
    assert float(bar) * mm == pytest.approx(50.0, rel=1e-3)
    assert "50 mm" not in phase_figure(bone, affected="right", spacing_known=False)
    drawn = re.findall(r'<path d="(M[^"]+)" stroke="#D55E00" stroke-width=".42"', figure)[0]
    corners = np.array(
        [[float(one) for one in pair.split(",")] for pair in re.split(r"[M ]+", drawn) if pair]
    )
    row, column = grid.pixel_of(bone.affected_points)
    for axis, places, first, shown, size in (
        (0, column, window.columns.start, window.shape[1], float(width)),
        (1, row, window.rows.start, window.shape[0], float(height)),
    ):
        for low_or_high in (np.min, np.max):
            found = low_or_high(corners[:, axis]) / size * shown + first - 0.5
            assert found == pytest.approx(low_or_high(places), abs=1.0)


def test_figures_repeat_and_keep_their_identifiers_apart(result: ScanResult) -> None:
    vascular, bone = result.phases["vascular"], result.phases["bone"]
    assert curve_figure(vascular) == curve_figure(vascular)
    first, other = (phase_figure(p, affected="right", spacing_known=True) for p in (vascular, bone))
    assert first == phase_figure(vascular, affected="right", spacing_known=True)
    sets = [set(re.findall(r'id="([^"]+)"', text)) for text in (first, other)]
    assert all(sets)
    assert not sets[0] & sets[1]


def test_curves_are_drawn_where_their_rates_lie(result: ScanResult) -> None:
    vascular = result.phases["vascular"]
    drawn = curve_figure(vascular)
    dots = re.findall(r'<path d="((?:M\d+ \d+m[^M"]*a[^M"]*)+)"', drawn)
    scales = []
    for curve, path in zip(vascular.curves, dots, strict=True):
        across, down = np.array(re.findall(r"M(\d+) (\d+)m", path), dtype=float).T
        up = down.max() - down  # no count has come in the first frame
        scales.append(up.sum() / curve.rate.sum())
        assert across / across[-1] == pytest.approx(curve.time_s / curve.time_s[-1], abs=1e-3)
        assert up == pytest.approx(scales[-1] * curve.rate, abs=2.0)  # hundredths of a mm
        assert f">{curve.side}</text>" in drawn
    assert scales[0] == pytest.approx(scales[1], rel=1e-3)


def test_limbs_that_mirror_each_other_are_not_shifted(bone: PhaseMeasurement) -> None:
    mirror = bone.pose.mirror
    matrix = np.diag([-1.0, 1.0])
    exact = replace(mirror.transform, matrix=matrix, offset=np.array([3.0, -2.0]))
    shifted = replace(bone, pose=replace(bone.pose, mirror=replace(mirror, transform=exact)))
    assert shift_mm(shifted) == pytest.approx([3.0, -2.0])
