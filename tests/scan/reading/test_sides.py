"""Clues about the side at image-left, weighed: agreement settles, contradiction and silence do not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from pydicom import Dataset

from sudeck.scan.phases.phase_series import read_scan
from sudeck.scan.reading.dicom import Header
from sudeck.scan.reading.sides import SideEvidence, gather_clues, left_of_view, weigh

Refusal = Callable[..., str]
SOLE = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]


def evidence(*, code: str = "", orientation: list[float] | None = None, **header: Any) -> SideEvidence:
    dataset, item = Dataset(), Dataset()
    if code:
        coded = Dataset()
        coded.CodeValue = coded.CodeMeaning = code
        item.ViewCodeSequence = [coded]
    if orientation is not None:
        item.ImageOrientationPatient = orientation
    dataset.DetectorInformationSequence = [item]
    for keyword, value in header.items():
        setattr(dataset, keyword, value)
    return weigh(gather_clues(Header(dataset), 1))


@pytest.mark.parametrize(
    ("clues", "view", "image_left"),
    [
        ({"code": "R-10206"}, "anterior", "right"),
        ({"code": "R-10214"}, "posterior", "left"),
        ({"code": "399001007"}, "posterior", "left"),
        ({"code": "FACE ANT"}, "anterior", "right"),
        ({"code": "POST"}, "posterior", "left"),
        ({"orientation": [1, -8.7e-8, 0, 0, 0, -1]}, "anterior", "right"),
        ({"orientation": [-1, 0, 0, 0, 0, -1]}, "posterior", "left"),
        ({"PatientOrientation": ["L", "F"]}, "anterior", "right"),
        ({"PatientOrientation": ["R", "F"]}, "posterior", "left"),
        ({"PatientOrientation": ["RP", "FA"]}, "posterior", "left"),
        ({"SeriesDescription": "FEET ANTERIOR", "ImageID": "ANT"}, "anterior", "right"),
        ({"SeriesDescription": "HANDS ANT"}, "anterior", "right"),
        ({"SeriesDescription": "HANDS AP"}, "anterior", "right"),
        ({"SeriesDescription": "FEET POST"}, "posterior", "left"),
        ({"ProtocolName": "HANDS ANT"}, "anterior", "right"),
        ({"SeriesDescription": "MANI ANTERIORE", "ProtocolName": "BONE ANT/POST"}, "anterior", "right"),
        ({"orientation": SOLE, "SeriesDescription": "FEET PLANTAR"}, "plantar", "right"),
        ({"orientation": [-1, 0, 0, 0, 1, 0], "SeriesDescription": "HANDS DORSAL"}, "dorsal", "left"),
        ({"orientation": SOLE}, "unknown", "right"),
    ],
)
def test_clues_that_settle_the_side(clues: dict[str, Any], view: str, image_left: str) -> None:
    found = evidence(**clues)
    assert (found.view, found.image_left) == (view, image_left)
    assert not found.problem


@pytest.mark.parametrize(
    ("clues", "problem"),
    [
        ({}, "nothing in it tells"),
        ({"SeriesDescription": "ANT POST", "ImageID": "AP"}, "nothing in it tells"),
        ({"SeriesDescription": "PALMAR", "ImageID": "HANDS PALMAR"}, "not enough"),
        ({"code": "R-10206", "orientation": [-1, 0, 0, 0, 0, -1]}, "contradict"),
        ({"code": "R-10206", "SeriesDescription": "POSTERIOR"}, "contradict"),
        ({"PatientOrientation": ["L", "F"], "orientation": [-1, 0, 0, 0, 0, -1]}, "contradict"),
        ({"orientation": [1, 0, 0, 0, 0, -1], "SeriesDescription": "PLANTAR"}, "lying body"),
        ({"code": "PALMAR", "PatientOrientation": ["L", "F"]}, "lying body"),
        ({"orientation": [0, 0, 1, 1, 0, 0]}, "nothing in it tells"),
        ({"PatientOrientation": ["F", "L"]}, "nothing in it tells"),
    ],
)
def test_clues_that_leave_it_open(clues: dict[str, Any], problem: str) -> None:
    found = evidence(**clues)
    assert found.image_left is None
    assert problem in found.problem


def test_a_single_word_is_said_to_have_settled_the_side(study: Any) -> None:
    dataset = study.delayed()
    dataset.DetectorInformationSequence = [study.item()]
    dataset.SeriesDescription = "DELAYED FEET ANT"
    scan = read_scan([study.write("a.dcm", dataset)])
    assert scan.phases["bone"].image_left == "right"
    assert "side-by-word" in {flag.code for flag in scan.flags}


def test_where_no_file_tells_the_view_that_of_the_study_counts(study: Any, refusal: Refusal) -> None:
    dataset = study.delayed()
    dataset.DetectorInformationSequence = [study.item()]
    path = study.write("a.dcm", dataset)
    sentence = refusal(read_scan, [path])
    assert "sudeck decide STUDY PATIENT image-left right" in sentence
    assert '[scan] view = "anterior"' in sentence
    scan = read_scan([path], usual_view="posterior")
    assert scan.phases["bone"].image_left == "left"
    assert [flag.message for flag in scan.flags if flag.code == "side-by-word"] == [
        "Patient left is taken to stand at image-left because the study says posterior; nothing else in the "
        "file tells the side."
    ]
    dataset.SeriesDescription = "DELAYED FEET ANT"
    said = read_scan([study.write("a.dcm", dataset)], usual_view="posterior")
    assert said.phases["bone"].image_left == "right"


def test_after_the_injection_is_not_a_posterior_view() -> None:
    assert evidence(SeriesDescription="3H POST INJ", ImageID="POST-OP").clues == ()


def test_views_without_a_side_of_their_own() -> None:
    assert left_of_view("anterior") == "right"
    assert left_of_view("palmar") is None


def test_two_detectors_with_one_story_are_not_believed(study: Any, refusal: Refusal) -> None:
    dataset = study.pair()
    dataset.DetectorInformationSequence = [study.detector("anterior"), study.detector("anterior")]
    path = study.write("pair.dcm", dataset)
    assert "same anterior view" in refusal(read_scan, [path])
    given = read_scan([path], view="anterior").phases["bone"]
    assert given.image_left == "right"
    assert given.opposed is not None


def test_a_second_detector_that_is_not_opposed_is_left_out(study: Any) -> None:
    dataset = study.pair()
    counts = np.frombuffer(dataset.PixelData, np.uint16).reshape(2, dataset.Rows, dataset.Columns).copy()
    counts[1] = counts[1][:, ::-1]
    dataset.PixelData = counts.tobytes()
    scan = read_scan([study.write("pair.dcm", dataset)])
    assert scan.phases["bone"].opposed is None
    assert "opposed-view-unused" in {flag.code for flag in scan.flags}


def test_a_doubtful_detector_is_not_replaced_by_its_partner(study: Any, refusal: Refusal) -> None:
    dataset = study.pair()
    dataset.DetectorInformationSequence[0].ImageOrientationPatient = study.rows_to_right
    assert "contradict" in refusal(read_scan, [study.write("pair.dcm", dataset)])


def test_a_posterior_image_alone_flips_the_sides(study: Any) -> None:
    scan = read_scan([study.write("post.dcm", study.delayed(views=("posterior",)))])
    assert (scan.phases["bone"].view, scan.phases["bone"].image_left) == ("posterior", "left")


def test_a_person_overrules_the_file_with_a_flag(study: Any) -> None:
    path = study.write("delayed.dcm", study.delayed())
    scan = read_scan([path], image_left="left")
    assert scan.phases["bone"].image_left == "left"
    assert "side-overruled" in {flag.code for flag in scan.flags}


def test_a_limb_view_from_a_person_still_needs_the_side(study: Any, refusal: Refusal) -> None:
    path = study.write("delayed.dcm", study.delayed())
    sentence = refusal(read_scan, [path], view="plantar")
    assert "--image-left" in sentence
    assert "--view" not in sentence
    scan = read_scan([path], view="plantar", image_left="right")
    assert (scan.phases["bone"].view, scan.phases["bone"].image_left) == ("plantar", "right")


def test_different_views_of_the_phases_are_flagged(study: Any) -> None:
    study.write("pool.dcm", study.pool())
    study.write("post.dcm", study.delayed(views=("posterior",)))
    assert "views-differ" in {flag.code for flag in read_scan([study.folder]).flags}
