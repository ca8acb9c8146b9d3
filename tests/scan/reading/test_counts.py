"""The counts audit: exact counts pass, anything else is refused or said."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import Dataset

from sudeck.core.errors import InputError
from sudeck.scan.reading.counts import CountsAudit, audit_counts, rate_step_flags
from sudeck.scan.reading.dicom import Header

COUNTS = np.random.default_rng(1).poisson(20, (1, 16, 16)).astype(np.uint16)
TOTAL = int(COUNTS.sum())


def audit(values: NDArray[Any] = COUNTS, stated: float | None = TOTAL, **header: Any) -> CountsAudit:
    dataset = Dataset()
    if stated is not None:
        dataset.CountsAccumulated = round(stated)
    for keyword, value in header.items():
        setattr(dataset, keyword, value)
    return audit_counts(values, Header(dataset), "a.dcm")


def with_pixel(value: float, dtype: type) -> NDArray[Any]:
    values = COUNTS.astype(dtype)
    values[0, 3, 5] = value
    return values


def codes(result: CountsAudit) -> set[str]:
    return {flag.code for flag in result.flags}


def test_exact_counts_pass_without_a_word() -> None:
    result = audit()
    assert result.flags == ()
    assert result.total == TOTAL
    np.testing.assert_array_equal(result.counts, COUNTS)


def test_a_missing_sum_is_said() -> None:
    assert codes(audit(stated=None)) == {"counts-not-proven"}
    assert codes(audit(stated=0)) == {"counts-not-proven"}


def test_a_small_difference_is_flagged_and_a_large_one_refused() -> None:
    result = audit(stated=TOTAL * 1.0005)
    assert codes(result) == {"counts-disagree"}
    assert result.flags[0].value == pytest.approx(-0.05, abs=0.03)
    for factor in (0.98, 1.019, 2):
        with pytest.raises(InputError, match="add up to"):
            audit(stated=TOTAL * factor)


def test_the_sum_may_be_that_of_one_detector() -> None:
    pair = np.concatenate([COUNTS, COUNTS[:, :, ::-1]])
    assert codes(audit(pair, DetectorVector=[1, 2])) == set()


@pytest.mark.parametrize(
    ("values", "what"),
    [
        (with_pixel(-3, np.int16), "negative"),
        (np.zeros_like(COUNTS), "every pixel is zero"),
        (with_pixel(65535, np.uint16), "saturated at 65535"),
        (with_pixel(32767, np.uint16), "saturated at 32767"),
        (with_pixel(32767, np.int16), "saturated at 32767"),
        (np.minimum(COUNTS.astype(np.int64) * 300, 4095).astype(np.uint16), "saturated at 4095"),
        (COUNTS * 0.3, "fractions"),
        (with_pixel(np.nan, np.float64), "fractions"),
        (COUNTS * 3, "multiple of 3"),
    ],
)
def test_what_cannot_be_counts_is_refused(values: NDArray[Any], what: str) -> None:
    with pytest.raises(InputError, match=what):
        audit(values, stated=None, BitsStored=16)


def test_saturation_at_the_stored_bits() -> None:
    clipped = np.minimum(COUNTS.astype(np.int64) * 20, 511).astype(np.uint16)
    with pytest.raises(InputError, match="saturated at 511"):
        audit(clipped, stated=None, BitsStored=9)


def test_float_pixels_that_are_whole_numbers_are_counts() -> None:
    assert audit(COUNTS.astype(np.float64)).total == TOTAL


def test_rescale_slope_is_applied_only_when_the_sum_proves_it() -> None:
    restored = audit(stated=2 * TOTAL, RescaleSlope=2, RescaleIntercept=0)
    assert codes(restored) == {"rescaled"}
    np.testing.assert_array_equal(restored.counts, 2.0 * COUNTS)
    ignored = audit(RescaleSlope=2, RescaleIntercept=0)
    assert codes(ignored) == {"rescale-ignored"}
    np.testing.assert_array_equal(ignored.counts, COUNTS)
    for stated in (None, 3 * TOTAL):
        with pytest.raises(InputError, match="slope 2"):
            audit(stated=stated, RescaleSlope=2, RescaleIntercept=0)
    assert audit(RescaleSlope=1, RescaleIntercept=0).flags == ()


@pytest.mark.parametrize(
    "header",
    [
        {"ImageType": ["DERIVED", "PRIMARY", "STATIC", "EMISSION"]},
        {"ImageType": ["ORIGINAL", "SECONDARY", "STATIC", "EMISSION"]},
        {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7"},
        {"BurnedInAnnotation": "YES"},
    ],
)
def test_processed_images_need_the_proof_of_the_sum(header: dict[str, Any]) -> None:
    assert codes(audit(**header)) == {"counts-proven-by-sum"}
    with pytest.raises(InputError, match="untouched"):
        audit(stated=None, **header)


def test_monochrome1_is_not_inverted() -> None:
    result = audit(PhotometricInterpretation="MONOCHROME1")
    assert codes(result) == {"display-inverted"}
    np.testing.assert_array_equal(result.counts, COUNTS)


def test_corrected_counts_are_flagged() -> None:
    assert codes(audit(CorrectedImage=["UNIF", "DECY"])) == {"corrected-image"}


def test_a_step_in_the_count_rate_is_flagged() -> None:
    rng = np.random.default_rng(2)
    steady = rng.poisson(900, 60).astype(float)
    arriving = 900 / (1 + np.exp(-(np.arange(60) - 12) / 2.0)) + 30
    assert rate_step_flags(steady, "a") == ()
    assert rate_step_flags(rng.poisson(arriving).astype(float), "a") == ()
    stepped = np.concatenate([steady, 9 * steady[:6]])
    (flag,) = rate_step_flags(stepped, "a")
    assert flag.value == pytest.approx(9, rel=0.1)
    assert "60 and 61" in flag.message


def test_lossy_files_are_refused(study: Any, refusal: Callable[..., str]) -> None:
    from sudeck.scan.phases.phase_series import read_scan

    for number, (keyword, value) in enumerate(
        [
            ("LossyImageCompression", "01"),
            ("LossyImageCompressionRatio", "20"),
            ("LossyImageCompressionMethod", "ISO_15444_1"),
        ]
    ):
        dataset = study.delayed()
        setattr(dataset, keyword, value)
        assert "lossy" in refusal(read_scan, [study.write(f"{number}.dcm", dataset)])
