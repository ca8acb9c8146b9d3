"""Clocks that disagree, times of export, a patient turned over between two phases, enhanced files."""

from __future__ import annotations

from typing import Any

import pytest
from pydicom import Dataset

from sudeck.scan.phases.phase_series import BoneScan, read_scan


def codes(scan: BoneScan) -> dict[str, str]:
    return {flag.code: flag.severity for flag in scan.flags}


def injected(dataset: Dataset, clock: str) -> None:
    dataset.RadiopharmaceuticalInformationSequence[0].RadiopharmaceuticalStartTime = clock


@pytest.mark.parametrize("clock", ["081000", "094500", "100005"])
def test_a_clock_up_to_an_hour_off_gives_way_to_the_flow(study: Any, clock: str) -> None:
    files = [study.flow(), study.pool(), study.delayed()]
    for number, dataset in enumerate(files):
        injected(dataset, clock)
        study.write(f"{number}.dcm", dataset)
    scan = read_scan(study.folder)
    assert list(scan.phases) == ["vascular", "tissue", "bone"]
    assert codes(scan)["injection-time-off-flow"] == "caution"
    assert scan.phases["tissue"].start_s[0] == pytest.approx(295)


def test_a_time_of_export_is_no_time_of_acquisition(study: Any) -> None:
    for number, dataset in enumerate([study.flow(), study.pool(), study.delayed()]):
        del dataset.AcquisitionTime, dataset.AcquisitionDate
        dataset.ContentDate, dataset.ContentTime = "20240305", f"17000{number}"
        study.write(f"{number}.dcm", dataset)
    scan = read_scan(study.folder)
    assert list(scan.phases) == ["vascular", "tissue", "bone"]
    assert codes(scan)["times-of-export"] == "caution"
    assert codes(scan)["phase-by-description"] == "caution"


def test_an_image_of_the_next_day_in_a_study_of_its_own_belongs_to_the_injection(study: Any) -> None:
    study.three_phases()
    late = study.delayed()
    late.SOPInstanceUID, late.StudyInstanceUID = "1.2.3.4.9", "1.2.3.99"
    late.AcquisitionDate, late.AcquisitionTime = "20240306", "090500"
    counts = study.limbs(40_000, seed=9)
    late.PixelData, late.CountsAccumulated = counts.tobytes(), int(counts.sum())
    study.write("late.dcm", late)
    scan = read_scan(study.folder)
    assert codes(scan)["several-studies"] == "caution"
    assert [other.series.sources[0].label for other in scan.other_delayed] == ["late.dcm"]


def test_a_patient_turned_over_between_phases_is_flagged(study: Any) -> None:
    for name, position, dataset in (
        ("flow", "HFS", study.flow()),
        ("pool", "HFS", study.pool()),
        ("late", "FFP", study.delayed()),
    ):
        dataset.PatientPosition = position
        study.write(f"{name}.dcm", dataset)
    assert codes(read_scan(study.folder))["positions-differ"] == "caution"


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ("posture", "the patient lay prone and supine at once"),
        ("oblique", "the view code says left anterior oblique"),
        ("lateral", "the view code says left lateral"),
    ],
)
def test_a_file_that_contradicts_itself_about_the_patient_asks_for_the_side(
    study: Any, refusal: Any, change: str, problem: str
) -> None:
    dataset = study.delayed()
    code = dataset.DetectorInformationSequence[0].ViewCodeSequence[0]
    if change == "posture":
        dataset.PatientPosition = "HFP"
        supine = study.item(CodeMeaning="supine")
        dataset.PatientOrientationCodeSequence = [study.item(PatientOrientationModifierCodeSequence=[supine])]
    elif change == "oblique":
        code.ViewModifierCodeSequence = [study.item(CodeMeaning="left anterior oblique")]
    else:
        code.CodeValue, code.CodeMeaning = "R-10236", "left lateral"
    path = study.write("bone.dcm", dataset)
    said = refusal(read_scan, path)
    assert problem in said
    assert "--image-left" in said
    assert read_scan(path, image_left="right").phases["bone"].image_left == "right"


def test_an_enhanced_file_tells_frame_times_and_pixel_size_in_its_groups(study: Any) -> None:
    flow = study.flow()
    for keyword in ("PhaseVector", "TimeSliceVector", "NumberOfPhases", "PhaseInformationSequence"):
        delattr(flow, keyword)
    del flow.PixelSpacing
    flow.SharedFunctionalGroupsSequence = [
        study.item(PixelMeasuresSequence=[study.item(PixelSpacing=[4.0, 4.0])])
    ]
    flow.PerFrameFunctionalGroupsSequence = [
        study.item(FrameContentSequence=[study.item(FrameAcquisitionDuration=3000.0)])
        for _ in range(int(flow.NumberOfFrames))
    ]
    series = read_scan(study.write("flow.dcm", flow)).phases["vascular"]
    assert series.spacing_mm == (4.0, 4.0)
    assert series.duration_s.tolist() == [3.0] * 20
    flow.PerFrameFunctionalGroupsSequence[3].FrameContentSequence[0].FrameAcquisitionDuration = 9000.0
    with pytest.raises(Exception, match="3 to 9 s each"):
        read_scan(study.write("flow.dcm", flow))


def test_the_class_of_before_1994_needs_no_modality(study: Any) -> None:
    old = study.delayed()
    old.SOPClassUID, old.Modality = "1.2.840.10008.5.1.4.1.1.5", ""
    assert list(read_scan(study.write("old.dcm", old)).phases) == ["bone"]
