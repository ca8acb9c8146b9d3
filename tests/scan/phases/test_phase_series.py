"""Reading a whole study: which frames serve which phase, and what is said of the rest."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sudeck.core.errors import InputError
from sudeck.scan.phases.phase_series import read_scan
from sudeck.scan.phases.scan_inspection import inspect_scan

Refusal = Callable[..., str]


def test_three_files_make_three_phases(study: Any) -> None:
    study.three_phases()
    scan = read_scan([study.folder])
    assert list(scan.phases) == ["vascular", "tissue", "bone"]
    assert scan.limb == "foot"
    assert not scan.refused
    assert not scan.skipped
    flow = scan.phases["vascular"]
    assert flow.counts.shape == (20, 32, 32)
    assert flow.counts.dtype == np.float64
    np.testing.assert_allclose(flow.start_s, 5 + 3 * np.arange(20))
    np.testing.assert_allclose(flow.duration_s, 3)
    assert scan.phases["tissue"].start_s[0] == 300
    assert scan.phases["bone"].start_s[0] == 3 * 3600
    for series in scan.phases.values():
        assert (series.view, series.image_left, series.clock) == ("anterior", "right", "injection")
        assert series.spacing_mm == (4.0, 4.0)
        assert series.half_life_s == pytest.approx(6.0067 * 3600)
        left, right = series.counts[..., :16].sum(), series.counts[..., 16:].sum()
        assert left / right == pytest.approx(2, rel=0.1)


def test_flow_and_pool_in_one_file(study: Any) -> None:
    dataset = study.flow(frames=26)
    dataset.PhaseVector = [1] * 20 + [2] * 6
    dataset.TimeSliceVector = [*range(1, 21), *range(1, 7)]
    dataset.PhaseInformationSequence = [
        study.item(ActualFrameDuration=3000, NumberOfFramesInPhase=20, PhaseDelay=0, PauseBetweenFrames=0),
        study.item(
            ActualFrameDuration=30000, NumberOfFramesInPhase=6, PhaseDelay=10000, PauseBetweenFrames=0
        ),
    ]
    dataset.SeriesDescription = "FLOW AND POOL"
    scan = read_scan([study.write("both.dcm", dataset)])
    assert len(scan.phases["vascular"].counts) == 20
    assert len(scan.phases["tissue"].counts) == 6
    # 5 s after injection, 60 s of flow, 10 s of delay
    np.testing.assert_allclose(scan.phases["tissue"].start_s, 75 + 30 * np.arange(6))
    assert list(scan.refused) == ["bone"]


@pytest.mark.parametrize(
    ("description", "code", "severity"),
    [
        ("FLOW FEET", "flow-cut", "caution"),
        ("FLOW+POOL FEET", "tissue-from-flow", "caution"),
        ("FEET", "tissue-from-flow", "serious"),
    ],
)
def test_a_long_quick_dynamic_is_cut_where_the_flow_ends(
    study: Any, description: str, code: str, severity: str
) -> None:
    dataset = study.flow(frames=200)
    dataset.SeriesDescription = description
    scan = read_scan([study.write("long.dcm", dataset)])
    assert len(scan.phases["vascular"].counts) == 40
    flag = next(flag for flag in scan.flags if flag.code == code)
    assert (flag.severity, flag.value) == (severity, 120)
    if code == "flow-cut":
        assert "tissue" in scan.refused
    else:
        assert len(scan.phases["tissue"].counts) == 160
        assert scan.phases["tissue"].start_s[0] == 125


def test_the_tail_of_a_long_flow_is_not_mixed_with_the_pool_after_it(study: Any) -> None:
    dataset = study.flow(frames=86)
    dataset.SeriesDescription = "FLOW+POOL"
    dataset.PhaseVector, dataset.TimeSliceVector = [1] * 80 + [2] * 6, [*range(1, 81), *range(1, 7)]
    dataset.PhaseInformationSequence = [
        study.item(ActualFrameDuration=3000, NumberOfFramesInPhase=80),
        study.item(ActualFrameDuration=30000, NumberOfFramesInPhase=6),
    ]
    scan = read_scan([study.write("both.dcm", dataset)])
    assert (len(scan.phases["vascular"].counts), len(scan.phases["tissue"].counts)) == (40, 6)
    assert "flow-cut" in {flag.code for flag in scan.flags}


def test_opposed_detector_is_mirrored(study: Any) -> None:
    scan = read_scan([study.write("pair.dcm", study.pair())])
    bone = scan.phases["bone"]
    assert bone.opposed is not None
    assert bone.view == "anterior"
    for counts in (bone.counts, bone.opposed):
        assert counts[..., :16].sum() / counts[..., 16:].sum() == pytest.approx(2, rel=0.1)


def test_posterior_detector_can_be_asked_for(study: Any) -> None:
    scan = read_scan([study.write("pair.dcm", study.pair())], view="posterior")
    bone = scan.phases["bone"]
    assert (bone.view, bone.image_left) == ("posterior", "left")
    assert bone.counts[..., 16:].sum() > bone.counts[..., :16].sum()


def test_most_counts_win_and_the_other_is_named(study: Any) -> None:
    study.three_phases()
    study.write("again.dcm", study.pair())
    scan = read_scan([study.folder])
    assert scan.phases["bone"].sources[0].label == "again.dcm"
    assert [item.label for item in scan.skipped] == ["delayed.dcm"]
    assert "more counts" in scan.skipped[0].reason


def test_an_image_outside_the_guideline_gives_way_and_is_flagged_alone(study: Any) -> None:
    late = study.pair()
    late.AcquisitionTime = "163000"
    path = study.write("late.dcm", late)
    flag = next(flag for flag in read_scan([path]).flags if flag.code == "phase-time-outside-guideline")
    assert flag.value == 7.5 * 3600
    assert "7.5 h" in flag.message
    study.write("delayed.dcm", study.delayed())
    scan = read_scan([study.folder])
    assert scan.phases["bone"].sources[0].label == "delayed.dcm"


def test_copies_are_used_once(study: Any) -> None:
    study.three_phases()
    study.write("zcopy/delayed.dcm", study.delayed())
    implicit = study.write("zimplicit.dcm", study.delayed(), syntax="1.2.840.10008.1.2")
    scan = read_scan([study.folder])
    reasons = {item.label: item.reason for item in scan.skipped}
    assert "copy of delayed.dcm (1)" in reasons["delayed.dcm (2)"]
    assert "same image" in reasons[implicit.name]


def test_one_image_as_two_phases_is_neither(study: Any) -> None:
    bone = study.delayed()
    pool = study.pool()
    pool.PixelData, pool.CountsAccumulated = bone.PixelData, bone.CountsAccumulated
    study.write("flow.dcm", study.flow())
    study.write("pool.dcm", pool)
    study.write("delayed.dcm", bone)
    scan = read_scan(study.folder)
    assert set(scan.phases) == {"vascular"}
    assert "holds the same image as delayed.dcm" in scan.refused["tissue"]
    assert [flag.severity for flag in scan.flags if flag.code == "image-used-twice"] == ["serious"]


@pytest.mark.parametrize(
    ("keyword", "value", "what"),
    [
        ("PatientID", "OTHER-1", "2 patients"),
        ("PatientName", "MARTIN^PAUL", "2 patients"),
    ],
)
def test_mixtures_are_refused(study: Any, refusal: Refusal, keyword: str, value: str, what: str) -> None:
    study.three_phases()
    other = study.delayed()
    setattr(other, keyword, value)
    study.write("other.dcm", other)
    assert what in refusal(read_scan, [study.folder])


def test_two_studies_of_one_injection_are_one(study: Any, refusal: Refusal) -> None:
    study.three_phases()
    other = study.delayed()
    other.StudyInstanceUID = "1.2.3.99"
    study.write("delayed.dcm", other)
    scan = read_scan([study.folder])
    assert set(scan.phases) == {"vascular", "tissue", "bone"}
    assert "several-studies" in {flag.code for flag in scan.flags}
    for change in (
        {"PatientID": "", "PatientName": ""},  # nothing says that it is the same person
        {"RadiopharmaceuticalInformationSequence": []},  # nothing says that it is the same injection
    ):
        unsaid = study.delayed()
        unsaid.StudyInstanceUID = "1.2.3.99"
        for keyword, value in change.items():
            setattr(unsaid, keyword, value)
        study.write("delayed.dcm", unsaid)
        assert "2 studies" in refusal(read_scan, [study.folder])


def _fill(dataset: Any, counts: Any) -> None:
    dataset.PixelData, dataset.CountsAccumulated = counts.tobytes(), int(counts.sum())


def test_an_image_of_the_next_day_is_a_second_delayed_one(study: Any) -> None:
    study.three_phases()
    late = study.delayed()
    late.SOPInstanceUID, late.AcquisitionDate, late.AcquisitionTime = "1.2.3.4.88", "20240306", "090000"
    _fill(late, study.limbs(40_000, seed=9))
    study.write("next_day.dcm", late)
    scan = read_scan([study.folder])
    assert "injection-dated-by-first-image" in {flag.code for flag in scan.flags}
    assert scan.phases["bone"].sources[0].label == "delayed.dcm"
    assert scan.phases["bone"].start_s[0] == 3 * 3600
    assert not scan.skipped
    (other,) = scan.other_delayed
    assert other.series.sources[0].label == "next_day.dcm"
    assert other.series.start_s[0] == 24 * 3600
    assert [flag.code for flag in other.flags] == ["phase-time-outside-guideline"]
    assert "next_day.dcm" in {source.label for source in scan.sources}
    assert "next_day.dcm: measured as a further delayed image" in str(inspect_scan([study.folder]))


def test_of_two_delayed_images_within_the_guideline_the_earlier_is_the_bone_phase(study: Any) -> None:
    study.three_phases()
    late = study.delayed()
    late.SOPInstanceUID, late.AcquisitionTime = "1.2.3.4.88", "133000"
    _fill(late, study.limbs(70_000, seed=9))  # more counts decide between images of one time
    study.write("a_later.dcm", late)
    scan = read_scan([study.folder])
    assert scan.phases["bone"].sources[0].label == "delayed.dcm"
    assert [other.series.start_s[0] for other in scan.other_delayed] == [4.5 * 3600]
    late.AcquisitionTime = "123000"  # half an hour later is another view of the same time
    study.write("a_later.dcm", late)
    scan = read_scan([study.folder])
    assert not scan.other_delayed
    assert scan.phases["bone"].sources[0].label == "a_later.dcm"


def test_a_copy_of_the_delayed_image_is_no_second_measure(study: Any) -> None:
    study.three_phases()
    late = study.delayed()
    late.SOPInstanceUID, late.AcquisitionDate, late.AcquisitionTime = "1.2.3.4.88", "20240306", "090000"
    study.write("next_day.dcm", late)
    scan = read_scan([study.folder])
    assert not scan.other_delayed
    assert [str(skip) for skip in scan.skipped] == [
        "next_day.dcm: it holds the same image as delayed.dcm, which is used once"
    ]


def test_the_flow_goes_before_an_injection_noted_late(study: Any) -> None:
    study.three_phases()
    flow = study.flow()
    flow.RadiopharmaceuticalInformationSequence[0].RadiopharmaceuticalStartTime = "085500"
    pool, delayed = study.pool(), study.delayed()
    for name, dataset in {"flow.dcm": flow, "pool.dcm": pool, "delayed.dcm": delayed}.items():
        dataset.RadiopharmaceuticalInformationSequence[0].RadiopharmaceuticalStartTime = "085500"
        study.write(name, dataset)
    scan = read_scan([study.folder])
    off = next(flag for flag in scan.flags if flag.code == "injection-time-off-flow")
    assert off.value == 305
    assert scan.phases["tissue"].start_s[0] == 295


def test_frame_times_by_vector(study: Any, refusal: Refusal) -> None:
    study.three_phases()
    flow = study.flow()
    del flow.PhaseInformationSequence, flow.PhaseVector, flow.TimeSliceVector
    flow.FrameTimeVector = [0.0] + [3000.0] * 19
    study.write("flow.dcm", flow)
    series = read_scan([study.folder]).phases["vascular"]
    assert series.duration_s.tolist() == [3.0] * 20
    assert series.start_s.tolist() == [5.0 + 3.0 * frame for frame in range(20)]
    flow.FrameTimeVector = [0.0] + [1000.0] * 10 + [5000.0] * 9
    path = study.write("flow.dcm", flow)
    assert "FrameTimeVector" in refusal(read_scan, [path])


def test_one_broken_file_leaves_the_rest(study: Any) -> None:
    _, _, delayed = study.three_phases()
    delayed.write_bytes(delayed.read_bytes()[:-100])
    (study.folder / "notes.txt").write_text("hello")
    (study.folder / "empty.dcm").write_bytes(b"")
    scan = read_scan([study.folder])
    assert list(scan.phases) == ["vascular", "tissue"]
    assert "cut short" in scan.refused["bone"]
    assert {item.label for item in scan.skipped} == {"delayed.dcm", "notes.txt", "empty.dcm"}


def test_nothing_usable_is_one_sentence(study: Any, refusal: Refusal) -> None:
    (study.folder / "a.txt").write_text("a")
    (study.folder / "b.txt").write_text("b")
    sentence = refusal(read_scan, [study.folder])
    assert sentence.count("\n") == 0
    assert "a.txt" in sentence
    assert "b.txt" in sentence


def test_missing_path_and_empty_folder(tmp_path: Path, refusal: Refusal) -> None:
    assert "no such file" in refusal(read_scan, [tmp_path / "nowhere"])
    assert "holds no file" in refusal(read_scan, [tmp_path])


def test_without_injection_time_the_flow_sets_the_clock(study: Any) -> None:
    for name, dataset in (("flow", study.flow()), ("pool", study.pool()), ("delayed", study.delayed())):
        dataset.RadiopharmaceuticalInformationSequence = []
        dataset.SeriesDescription = ""
        study.write(f"{name}.dcm", dataset)
    scan = read_scan([study.folder])
    assert list(scan.phases) == ["vascular", "tissue", "bone"]
    assert {series.clock for series in scan.phases.values()} == {"acquisition"}
    assert scan.phases["tissue"].start_s[0] == 295
    assert "injection-time-assumed" in {flag.code for flag in scan.flags}
    assert scan.phases["bone"].half_life_s is None


def test_without_flow_and_injection_the_order_tells_and_says_so(study: Any) -> None:
    for name, dataset in (("pool", study.pool()), ("delayed", study.delayed())):
        dataset.RadiopharmaceuticalInformationSequence = []
        dataset.SeriesDescription = ""
        study.write(f"{name}.dcm", dataset)
    scan = read_scan([study.folder])
    assert scan.phases["bone"].sources[0].label == "delayed.dcm"
    assert [flag.code for flag in scan.flags].count("phase-by-order") == 2


def test_a_lone_image_without_any_clue_is_refused(study: Any, refusal: Refusal) -> None:
    dataset = study.delayed()
    dataset.RadiopharmaceuticalInformationSequence = []
    dataset.SeriesDescription = "FEET"
    path = study.write("image.dcm", dataset)
    assert "--phase" in refusal(read_scan, [path])
    assert list(read_scan([path], phase_of={"image.dcm": "tissue"}).phases) == ["tissue"]
    given = read_scan([path], injected_at=datetime(2024, 3, 5, 9, 0))
    assert given.phases["bone"].start_s[0] == 3 * 3600


def test_time_against_description_is_refused(study: Any, refusal: Refusal) -> None:
    dataset = study.pool()
    dataset.SeriesDescription = "DELAYED FEET"
    path = study.write("image.dcm", dataset)
    sentence = refusal(read_scan, [path])
    assert "tissue" in sentence
    assert "bone" in sentence


def test_a_flow_hours_after_the_injection_is_refused(study: Any, refusal: Refusal) -> None:
    dataset = study.flow()
    dataset.AcquisitionTime, dataset.SeriesDescription = "120000", "FEET"
    path = study.write("flow.dcm", dataset)
    assert "--injected-at" in refusal(read_scan, [path])
    given = read_scan([path], injected_at=datetime(2024, 3, 5, 12, 0))
    assert list(given.phases) == ["vascular"]


def test_an_injection_stated_after_the_scan_points_to_the_option(study: Any, refusal: Refusal) -> None:
    path = study.write("image.dcm", study.delayed())
    sentence = refusal(read_scan, [path], injected_at=datetime(2024, 3, 5, 14, 0))
    assert "2.0 h before the injection" in sentence
    assert "check --injected-at" in sentence


def test_an_injection_later_in_the_day_is_moved_with_a_flag(study: Any) -> None:
    dataset = study.delayed()
    dataset.RadiopharmaceuticalInformationSequence[0].RadiopharmaceuticalStartTime = "140000"
    scan = read_scan([study.write("image.dcm", dataset)])
    flag = next(flag for flag in scan.flags if flag.code == "injection-day-before")
    assert flag.value == 22 * 3600


def test_between_pool_and_delayed_is_refused(study: Any, refusal: Refusal) -> None:
    dataset = study.pool()
    dataset.AcquisitionTime, dataset.SeriesDescription = "094500", "FEET"
    assert "45.0 min" in refusal(read_scan, [study.write("image.dcm", dataset)])


def test_a_phase_for_an_unknown_file_is_refused(study: Any, refusal: Refusal) -> None:
    study.three_phases()
    assert "nowhere.dcm" in refusal(read_scan, [study.folder], phase_of={"nowhere.dcm": "bone"})


def two_folders(study: Any) -> tuple[Path, Path]:
    """A pool and a delayed image that share their name and say nothing of their phase."""
    paths = []
    for folder, dataset in (("a", study.pool()), ("b", study.delayed())):
        dataset.RadiopharmaceuticalInformationSequence = []
        dataset.SeriesDescription = "FEET"
        paths.append(study.write(f"{folder}/IM0001", dataset))
    return paths[0], paths[1]


def test_files_that_share_a_name_are_kept_apart(study: Any) -> None:
    pool, delayed = two_folders(study)
    for paths in ([pool, delayed], [delayed, pool], [study.folder]):
        scan = read_scan(paths)
        assert scan.phases["tissue"].counts.sum() == study.limbs(30_000, seed=3).sum()
        assert scan.phases["tissue"].sources[0].label == "IM0001 (1)"
        assert scan.phases["bone"].counts.sum() == study.limbs(60_000, seed=4).sum()
        assert scan.phases["bone"].sources[0].label == "IM0001 (2)"


def test_a_stated_phase_concerns_one_file(study: Any, refusal: Refusal) -> None:
    _, delayed = two_folders(study)
    sentence = refusal(read_scan, [study.folder], phase_of={"IM0001": "bone"})
    assert "2 files have this name" in sentence
    assert "IM0001 (1), IM0001 (2)" in sentence
    for name in ("IM0001 (2)", "b/IM0001", str(delayed)):
        scan = read_scan([study.folder], phase_of={name: "tissue"})
        assert "IM0001 (2)" in {
            *(source.label for source in scan.phases["tissue"].sources),
            *(item.label for item in scan.skipped),
        }
        assert "bone" not in scan.phases
    both = {"IM0001 (2)": "tissue", "b/IM0001": "bone"}
    assert "two phases are stated" in refusal(read_scan, [study.folder], phase_of=both)


def test_a_stated_dicom_phase_must_exist(study: Any, refusal: Refusal) -> None:
    study.three_phases()
    sentence = refusal(read_scan, [study.folder], phase_of={"flow.dcm#9": "bone"})
    assert "no DICOM phase 9" in sentence
    assert list(read_scan([study.folder], phase_of={"flow.dcm#1": "vascular"}).phases)


def test_a_masked_name_can_be_typed_as_it_is(study: Any) -> None:
    names = ("DURAND.dcm", "ZELDA.dcm")
    for name, dataset in zip(names, (study.pool(), study.delayed()), strict=True):
        study.write(name, dataset)
    scan = read_scan([study.folder], phase_of={"ZELDA.dcm": "bone"})
    labels = {phase: series.sources[0].label for phase, series in scan.phases.items()}
    assert labels == {"tissue": "[removed].dcm (file 1 of 2)", "bone": "[removed].dcm (file 2 of 2)"}


def test_the_other_limb_alone_is_refused_with_its_reason(study: Any, refusal: Refusal) -> None:
    path = study.write("image.dcm", study.delayed())
    sentence = refusal(read_scan, [path], limb="hand")
    assert sentence == "image.dcm: it shows the foot, not the hand; choose --limb foot."


def test_injections_far_apart_are_refused(study: Any, refusal: Refusal) -> None:
    study.three_phases()
    other = study.pool()
    other.SOPInstanceUID = "1.2.3.4.55"
    other.AcquisitionDate = "20240312"
    study.write("week_later.dcm", other)
    assert "injections" in refusal(read_scan, [study.folder])


def test_hands_and_feet_together_ask_for_the_limb(study: Any, refusal: Refusal) -> None:
    study.three_phases()
    hands = study.delayed()
    hands.BodyPartExamined, hands.SOPInstanceUID = "HAND", "1.2.3.4.77"
    hands.SeriesDescription = "DELAYED HANDS"
    study.write("hands.dcm", hands)
    assert "--limb" in refusal(read_scan, [study.folder])
    scan = read_scan([study.folder], limb="hand")
    assert list(scan.phases) == ["bone"]
    assert scan.phases["bone"].sources[0].label == "hands.dcm"


def test_no_name_reaches_any_text(study: Any) -> None:
    study.three_phases()
    study.write("durand_zelda_rec-77123_19610203.dcm", study.pair())
    (study.folder / "ZELDA.txt").write_text("x")
    scan = read_scan([study.folder])
    text = repr(scan).lower()
    for word in ("durand", "zelda", "77123", "19610203", "1961"):
        assert word not in text


def test_truth_known_feet(shared: Path) -> None:
    scan = read_scan([shared / "scan" / "semireal"])
    assert list(scan.phases) == ["vascular", "tissue", "bone"]
    totals = {phase: series.counts.sum() for phase, series in scan.phases.items()}
    assert totals == {"vascular": 60009, "tissue": 120581, "bone": 250268}
    assert {series.image_left for series in scan.phases.values()} == {"right"}
    assert scan.phases["bone"].opposed is not None


ODD_READ = {
    "dyn_duration_in_seconds": ("vascular", "frame-time-in-seconds"),
    "dyn_nframes_gt_data": ("vascular", "frame-count-disagrees"),
    "dyn_no_fip": ("vascular", None),
    "dyn_phasevector_disagrees": ("vascular", "phase-vector-repaired"),
    "sc_of_nm": ("bone", "counts-proven-by-sum"),
    "st_32bit": ("bone", None),
    "st_64_matrix": ("bone", None),
    "st_derived_burned_in": ("bone", "counts-proven-by-sum"),
    "st_implicit": ("bone", None),
    "st_monochrome1": ("bone", "display-inverted"),
    "st_negative_pixelspacing": ("bone", "pixel-spacing-negative"),
    "st_next_day": ("bone", "phase-time-outside-guideline"),
    "st_no_duration": ("bone", "duration-missing"),
    "st_no_pixelspacing": ("bone", "pixel-spacing-unusable"),
    "st_no_preamble": ("bone", None),
    "st_no_radiopharm": ("bone", "phase-by-description"),
    "st_zero_pixelspacing": ("bone", "pixel-spacing-unusable"),
}
ODD_REFUSED = {
    "dyn_no_phase_info": "different times",
    "dyn_two_detectors_blocked": "same anterior view",
    "empty": "empty",
    "not_dicom": "not a DICOM file",
    "sc_rgb_screenshot": "picture of a screen",
    "st_all_zero": "every pixel is zero",
    "st_cropped_rows": "-17.1 %",
    "st_no_view_info": "--image-left",
}


@pytest.mark.parametrize("name", ODD_READ)
def test_odd_files_that_can_be_read(shared: Path, name: str) -> None:
    phase, code = ODD_READ[name]
    scan = read_scan([shared / "scan" / "odd" / f"{name}.dcm"])
    series = scan.phases[phase]  # type: ignore[index]
    assert series.counts.sum() == {"vascular": 60009, "bone": 250268}[phase]
    assert series.image_left == "right"
    assert ({flag.code for flag in scan.flags} == {code}) if code else not scan.flags
    if phase == "vascular":
        np.testing.assert_allclose(series.start_s, 5 + 2 * np.arange(60))
        np.testing.assert_allclose(scan.phases["tissue"].start_s, 125 + 20 * np.arange(6))
        assert scan.phases["tissue"].counts.sum() == 54044


@pytest.mark.parametrize("name", ODD_REFUSED)
def test_odd_files_that_are_refused(shared: Path, refusal: Refusal, name: str) -> None:
    sentence = refusal(read_scan, [shared / "scan" / "odd" / f"{name}.dcm"])
    assert sentence.startswith(f"{name}.dcm: ")
    assert ODD_REFUSED[name] in sentence


def test_every_odd_file_is_covered(shared: Path) -> None:
    names = {path.stem for path in (shared / "scan" / "odd").glob("*.dcm")}
    assert names == set(ODD_READ) | set(ODD_REFUSED)


def test_what_a_person_states_settles_odd_files(shared: Path, refusal: Refusal) -> None:
    odd = shared / "scan" / "odd"
    assert read_scan([odd / "st_no_view_info.dcm"], view="anterior").phases["bone"].image_left == "right"
    assert read_scan([odd / "st_no_view_info.dcm"], image_left="left").phases["bone"].image_left == "left"
    toes_down = read_scan([odd / "st_no_view_info.dcm"], view="plantar")
    assert toes_down.phases["bone"].image_left == "left"
    assert "side-by-digits" in {flag.code for flag in toes_down.flags}
    pair = read_scan([odd / "dyn_two_detectors_blocked.dcm"], view="anterior").phases["vascular"]
    assert pair.opposed is not None
    np.testing.assert_array_equal(pair.counts, pair.opposed)
    # 60 frames of 2 s and 6 of 20 s: no one frame time is right.
    assert "different times" in refusal(read_scan, [odd / "dyn_no_phase_info.dcm"], frame_s=2.0)


REAL_REFUSED = {
    "lung_kidney_ap_siemens.dcm": "another part of the body (poumon)",
    "qc_fourbar_mediso.dcm": "--phase",
    "qc_linearity_x_mediso": "--image-left",
    "qc_lines_x_mediso.dcm": "--image-left",
    "qc_lines_y_mediso.dcm": "--image-left",
    "qc_quadrant_mediso.dcm": "--image-left",
    "qc_uniformity_mediso.dcm": "--image-left",
    "recon_heart_acme_1993": "not a planar image",
    "recon_jaszczak_mediso_negspacing.dcm": "not a planar image",
    "syringe_ap_siemens.dcm": "another part of the body (thyroide)",
    "thyroid_ant_siemens.dcm": "another part of the body (thyroide)",
    "wb_bone_ge_j2k_corrupt.dcm": "lossy",
    "wb_bone_ge_j2k_lossy.dcm": "lossy",
    "wb_bone_ge_j2k_roundtrip_uncompressed.dcm": "lossy",
    "wb_bone_ge_jpeg_ext12_lossy.dcm": "lossy",
    "wb_bone_ge_jpgextended.dcm": "lossy",
    "wb_bone_ge_jpegll.dcm": "--limb",
}


@pytest.mark.parametrize("name", REAL_REFUSED)
def test_real_files_that_need_more_or_are_refused(shared: Path, refusal: Refusal, name: str) -> None:
    assert REAL_REFUSED[name] in refusal(read_scan, [shared / "scan" / "real" / name])


def test_folder_of_several_patients(shared: Path, refusal: Refusal) -> None:
    assert "patients" in refusal(read_scan, [shared / "scan" / "real"])


def test_real_whole_body_scan(shared: Path, refusal: Refusal) -> None:
    pytest.importorskip("gdcm")
    path = shared / "scan" / "real" / "wb_bone_ge_jpegll.dcm"
    assert "--view" in refusal(read_scan, [path], limb="foot")
    scan = read_scan([path], limb="foot", view="anterior")
    bone = scan.phases["bone"]
    assert bone.image_left == "right"
    assert bone.spacing_mm == (2.26, 2.26)
    assert bone.duration_s[0] == pytest.approx(1210.434)
    assert 200_000 < bone.counts.sum() < 300_000
    assert "berra" not in repr(scan).lower()
    assert "hands touch the thighs" in refusal(read_scan, [path], limb="hand", view="anterior")


def test_an_error_of_reading_is_an_input_error() -> None:
    with pytest.raises(InputError):
        read_scan([])


def test_the_flow_can_be_measured_over_a_window_of_ones_own(study: Any) -> None:
    path = study.write("flow.dcm", study.flow(frames=30, frame_ms=2000))
    assert read_scan([path]).phases["vascular"].duration_s.sum() == 60
    scan = read_scan([path], flow_s=40)
    assert scan.phases["vascular"].duration_s.sum() == 40
    assert list(scan.phases) == ["vascular"]
    assert "flow-cut" in {flag.code for flag in scan.flags}
