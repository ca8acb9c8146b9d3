"""A limb a file: joined where both sides are there, refused by name where one is alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread

from sudeck.scan.measurement import measure_scan
from sudeck.scan.phases.phase_series import read_scan
from sudeck.scan.ratios.ratios import LogRatio, corrected
from support.phantoms import synthetic


def one_limb(study: Any, name: str, counts: np.ndarray, *, number: int, time: str, side: str) -> Path:
    dataset = study.delayed()
    dataset.SOPInstanceUID = f"1.2.3.4.{number}"
    dataset.SeriesDescription = f"DELAYED {side.upper()} HAND"
    dataset.BodyPartExamined = "HAND"
    dataset.AcquisitionTime = time
    dataset.Rows, dataset.Columns = counts.shape
    dataset.PixelSpacing = [2.7, 2.7]
    dataset.PixelData = counts.astype(np.uint16).tobytes()
    dataset.CountsAccumulated = int(counts.sum())
    path: Path = study.write(name, dataset)
    return path


@pytest.fixture
def hands() -> tuple[np.ndarray, np.ndarray, float]:
    """The right hand, the left hand, and the true bone ratio of the right."""
    made = synthetic(3, limb="hand", BPr=1.5)
    image = np.asarray(made.counts["bone"]).reshape(-1, 128, 128).sum(axis=0)
    middle = int(np.argmin(image.sum(axis=0)[44:84])) + 44
    right, left = image.copy(), image.copy()
    right[:, middle:] = 0
    left[:, :middle] = 0
    return right, left, made.truth.image_ratios("whole")["BPr"]


def test_two_files_are_one_image(study: Any, hands: Any) -> None:
    right, left, truth = hands
    files = [
        one_limb(study, "r.dcm", right, number=5, time="120000", side="right"),
        one_limb(study, "l.dcm", left, number=6, time="121000", side="left"),
    ]
    scan = read_scan(files)
    assert [source.label for source in scan.sources] == ["r.dcm", "l.dcm"]
    series = scan.phases["bone"]
    assert series.side_seconds["right"] == 300
    # Ten minutes later decay has left 98.1 %: half-life 6.0067 h.
    assert series.side_seconds["left"] == pytest.approx(300 * 0.5 ** (600 / (6.0067 * 3600)))
    result = measure_scan(scan, affected="right")
    assert result.estimates["BPr"].value == pytest.approx(truth * series.side_seconds["left"] / 300, rel=0.02)
    assert {flag.code for flag in result.flags} >= {"sides-in-two-files"}
    assert measure_scan(scan, affected="left").estimates["BPr"].value == pytest.approx(
        1 / result.estimates["BPr"].value, rel=0.02
    )


def test_a_limb_alone_is_refused(study: Any, hands: Any, refusal: Callable[..., str]) -> None:
    right, left, _ = hands
    path = one_limb(study, "r.dcm", right, number=5, time="120000", side="right")
    assert "right limb alone" in refusal(read_scan, [path])
    much_later = one_limb(study, "l.dcm", left, number=6, time="130000", side="left")
    assert "none can be measured" in refusal(read_scan, [path, much_later])


def test_a_pair_that_can_not_be_joined_costs_its_own_phase_alone(study: Any, hands: Any) -> None:
    right, left, _ = hands
    one_limb(study, "r.dcm", right, number=5, time="120000", side="right")
    path = one_limb(study, "l.dcm", left, number=6, time="120500", side="left")
    dataset = dcmread(path)
    del dataset.ActualFrameDuration
    dataset.save_as(path)
    pool = study.pool()
    pool.BodyPartExamined = "HAND"
    study.write("pool.dcm", pool)
    scan = read_scan([study.folder])
    assert list(scan.phases) == ["tissue"]
    assert "states no duration" in scan.refused["bone"]


def test_sides_as_technicians_abbreviate_them(study: Any, hands: Any) -> None:
    right, left, _ = hands
    files = [
        one_limb(study, "r.dcm", right, number=5, time="120000", side="r."),
        one_limb(study, "l.dcm", left, number=6, time="121000", side="izq"),
    ]
    assert list(read_scan(files).phases["bone"].side_seconds) == ["right", "left"]


def test_both_limbs_in_an_image_that_names_one_side(study: Any, hands: Any) -> None:
    right, left, _ = hands
    path = one_limb(study, "both.dcm", right + left, number=5, time="120000", side="right")
    assert read_scan([path]).phases["bone"].side_seconds == {}


def test_a_correction_moves_the_bounds_with_the_value_and_adds_its_error() -> None:
    from sudeck.scan.ratios.placement import Placement

    ratio = LogRatio(0.2, 0.1, 0.3, 0.05, Placement(0.0, {"region": 0.03}), 1e5, 0.95)
    moved = corrected(ratio, -0.05, cause="time", se=0.04)
    assert (moved.value, moved.counting_low, moved.counting_high) == pytest.approx((0.15, 0.05, 0.25))
    assert moved.placement.total == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("right", "left"), [("RH", "LH"), ("mao direita", "mao esquerda"), ("rechterhand", "linkerhand")]
)
def test_sides_are_known_by_the_words_of_several_languages(
    study: Any, hands: Any, right: str, left: str
) -> None:
    files = [
        one_limb(study, "r.dcm", hands[0], number=5, time="120000", side="right"),
        one_limb(study, "l.dcm", hands[1], number=6, time="121000", side="left"),
    ]
    for path, words in zip(files, (right, left), strict=True):
        dataset = dcmread(path)
        dataset.SeriesDescription = f"DELAYED {words}"
        dataset.save_as(path)
    assert "sides-in-two-files" in {flag.code for flag in read_scan(files).flags}


def test_a_limb_called_right_and_coded_left_is_refused(study: Any, hands: Any, refusal: Any) -> None:
    files = [
        one_limb(study, "r.dcm", hands[0], number=5, time="120000", side="right"),
        one_limb(study, "l.dcm", hands[1], number=6, time="121000", side="left"),
    ]
    dataset = dcmread(files[0])
    dataset.ImageLaterality = "L"
    dataset.save_as(files[0])
    assert "called right but coded as the left one" in refusal(read_scan, files)
