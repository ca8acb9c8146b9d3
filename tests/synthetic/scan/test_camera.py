from __future__ import annotations

import numpy as np
import pytest

from sudeck.synthetic.scan.camera import FWHM_PER_SIGMA, Raster, expose, image


def point_source(raster: Raster) -> np.ndarray:
    x = raster.axis_mm
    activity = np.exp(-0.5 * (x[:, None] ** 2 + x**2) / 0.7**2)
    return activity / activity.sum()


def test_axis_is_centred_on_the_field() -> None:
    raster = Raster.for_field(64, 4.8)
    assert raster.axis_mm.mean() == pytest.approx(0)
    pixel_x = raster.to_pixels(np.broadcast_to(raster.axis_mm, (raster.axis_mm.size,) * 2))[0]
    np.testing.assert_allclose(pixel_x, (np.arange(64) - 31.5) * 4.8)


@pytest.mark.parametrize("fwhm", [5.0, 7.0, 12.0])
def test_line_spread_has_the_chosen_width(fwhm: float) -> None:
    raster = Raster.for_field(128, 1.5)
    seen = image(point_source(raster), raster, fwhm_mm=fwhm, scatter_fraction=0.0)
    x = (np.arange(128) - 63.5) * 1.5
    profile = seen.sum(axis=0)
    sigma = np.sqrt((profile * x**2).sum() / profile.sum())
    source_and_pixel = 0.7**2 + 1.5**2 / 12
    assert np.sqrt(sigma**2 - source_and_pixel) * FWHM_PER_SIGMA == pytest.approx(fwhm, rel=0.01)


def test_blur_and_scatter_keep_the_counts() -> None:
    raster = Raster.for_field(128, 2.7)
    source = point_source(raster)
    seen = image(source, raster, fwhm_mm=7.0, scatter_fraction=0.2)
    assert seen.sum() * raster.supersampling**2 == pytest.approx(1.0, rel=1e-3)
    x = (np.arange(128) - 63.5) * 2.7
    near = np.hypot(x[:, None], x) < 12
    assert seen[near].sum() * raster.supersampling**2 == pytest.approx(0.8, abs=0.03)


def test_exposure_is_poisson_and_sixteen_bit() -> None:
    counts = expose(np.full((400, 400), 3.0), np.random.default_rng(5))
    assert counts.dtype == np.uint16
    assert counts.mean() == pytest.approx(3.0, abs=0.02)
    assert counts.var() == pytest.approx(3.0, abs=0.06)
    assert expose(np.array([1e7]), np.random.default_rng(5))[0] == 65535
