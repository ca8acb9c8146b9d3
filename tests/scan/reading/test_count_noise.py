"""The noise of counts: originals pass, images that were smoothed, scaled or clipped do not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from sudeck.core.errors import InputError
from sudeck.scan.reading.count_noise import noise_dispersion, noise_flags, refuse_clipped
from sudeck.scan.reading.dicom import open_dicom
from sudeck.scan.reading.pixels import stored_values

REAL_ORIGINALS = [
    "real/lung_kidney_ap_siemens.dcm",
    "real/qc_fourbar_mediso.dcm",
    "real/qc_linearity_x_mediso",
    "real/qc_lines_x_mediso.dcm",
    "real/qc_lines_y_mediso.dcm",
    "real/qc_quadrant_mediso.dcm",
    "real/qc_uniformity_mediso.dcm",
    "real/syringe_ap_siemens.dcm",
    "real/thyroid_ant_siemens.dcm",
    "real/wb_bone_ge_jpegll.dcm",
]


def two_limbs(total: float, *, frames: int = 1, seed: int = 1) -> NDArray[np.int64]:
    """Counts of two blobs with steep sides."""
    y, x = np.mgrid[:96, :96]
    mean = sum(np.exp(-(((x - middle) / 9) ** 4) - ((y - 48) / 30) ** 4) for middle in (28, 68))
    mean = mean * total / mean.sum() / frames
    return np.random.default_rng(seed).poisson(np.repeat(mean[None], frames, 0))


@pytest.mark.parametrize("total", [20_000, 200_000, 2_000_000])
@pytest.mark.parametrize("frames", [1, 30])
def test_counts_have_dispersion_one_and_pass(total: float, frames: int) -> None:
    for seed in range(5):
        counts = two_limbs(total, frames=frames, seed=seed)
        found = noise_dispersion(counts)
        assert found is not None
        assert found[0] == pytest.approx(1, abs=max(4 * found[1], 0.1))
        assert noise_flags(counts, "a") == ()
        refuse_clipped(counts, "a")


@pytest.mark.parametrize("factor", [2.37, 0.37])
def test_scaled_counts_are_flagged_with_the_factor(factor: float) -> None:
    (flag,) = noise_flags(np.round(two_limbs(200_000) * factor), "a")
    assert flag.value == pytest.approx(factor, rel=0.1)
    assert f"{flag.value:.2f}" in flag.message


def test_smoothed_counts_are_flagged() -> None:
    from scipy.ndimage import gaussian_filter

    (flag,) = noise_flags(np.round(gaussian_filter(two_limbs(200_000).astype(float), (0, 1, 1))), "a")
    assert flag.value is not None
    assert flag.value < 0.1


def test_few_counts_are_not_judged() -> None:
    assert noise_dispersion(two_limbs(300)) is None


@pytest.mark.parametrize("share", [0.4, 0.6, 0.8])
def test_a_ceiling_is_refused(share: float) -> None:
    counts = two_limbs(200_000)
    ceiling = round(share * counts.max())
    with pytest.raises(InputError, match=f"highest value, {ceiling}"):
        refuse_clipped(np.minimum(counts, ceiling), "a")


def test_a_clipped_file_is_refused_even_with_its_own_sum(study: Any, refusal: Any) -> None:
    from sudeck.scan.phases.phase_series import read_scan

    dataset = study.delayed()
    clipped = np.minimum(study.limbs(60_000, seed=4), 300)
    dataset.PixelData, dataset.CountsAccumulated = clipped.tobytes(), int(clipped.sum())
    assert "cut off" in refusal(read_scan, [study.write("a.dcm", dataset)])
    del dataset.CountsAccumulated
    assert "cut off" in refusal(read_scan, [study.write("b.dcm", dataset)])


@pytest.mark.parametrize("name", REAL_ORIGINALS)
def test_real_originals_pass(shared: Path, name: str) -> None:
    if "jpegll" in name:
        pytest.importorskip("gdcm")
    values, _ = stored_values(open_dicom(shared / "scan" / name).header, name)
    refuse_clipped(values, name)
    assert noise_flags(values, name) == ()
