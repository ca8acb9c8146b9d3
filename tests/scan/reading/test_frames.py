"""The frame table: from the vectors of the standard, whatever the order of the frames."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from sudeck.scan.phases.phase_series import read_scan

Refusal = Callable[..., str]


def two_phases(study: Any, *, delay_ms: int = 0, pause_ms: int = 0) -> Any:
    dataset = study.flow(frames=14)
    dataset.PhaseVector = [1] * 10 + [2] * 4
    dataset.TimeSliceVector = [*range(1, 11), *range(1, 5)]
    dataset.NumberOfPhases, dataset.SeriesDescription = 2, ""
    dataset.PhaseInformationSequence = [
        study.item(
            ActualFrameDuration=2000, NumberOfFramesInPhase=10, PhaseDelay=0, PauseBetweenFrames=pause_ms
        ),
        study.item(
            ActualFrameDuration=30000, NumberOfFramesInPhase=4, PhaseDelay=delay_ms, PauseBetweenFrames=0
        ),
    ]
    return dataset


def shuffled(dataset: Any, order: list[int]) -> Any:
    counts = np.frombuffer(dataset.PixelData, np.uint16).reshape(-1, dataset.Rows, dataset.Columns)
    dataset.PixelData = counts[order].tobytes()
    for vector in ("PhaseVector", "TimeSliceVector", "DetectorVector", "EnergyWindowVector"):
        values = getattr(dataset, vector)
        setattr(dataset, vector, [values[position] for position in order])
    return dataset


def test_frames_are_ordered_by_their_vectors_not_their_position(study: Any) -> None:
    plain = read_scan([study.write("plain.dcm", two_phases(study))])
    order = np.random.default_rng(3).permutation(14).tolist()
    mixed = read_scan([study.write("mixed.dcm", shuffled(two_phases(study), order))])
    for phase in ("vascular", "tissue"):
        np.testing.assert_array_equal(plain.phases[phase].counts, mixed.phases[phase].counts)  # type: ignore[index]
        np.testing.assert_array_equal(plain.phases[phase].start_s, mixed.phases[phase].start_s)  # type: ignore[index]


def test_delays_and_pauses_move_the_frames(study: Any) -> None:
    scan = read_scan([study.write("a.dcm", two_phases(study, delay_ms=15_000, pause_ms=500))])
    np.testing.assert_allclose(scan.phases["vascular"].start_s, 5 + 2.5 * np.arange(10))
    np.testing.assert_allclose(scan.phases["tissue"].start_s, 5 + 25 + 15 + 30 * np.arange(4))


def test_detectors_in_blocks_and_interleaved(study: Any) -> None:
    dataset = study.flow(frames=20, views=("anterior", "posterior"))
    dataset.PhaseVector, dataset.TimeSliceVector = [1] * 20, [*range(1, 11)] * 2
    dataset.PhaseInformationSequence[0].NumberOfFramesInPhase = 10
    counts = np.frombuffer(dataset.PixelData, np.uint16).reshape(20, 32, 32).copy()
    counts[10:] = counts[10:, :, ::-1]
    dataset.PixelData = counts.tobytes()
    blocked = read_scan([study.write("blocked.dcm", dataset)]).phases["vascular"]
    order = [position for pair in zip(range(10), range(10, 20), strict=True) for position in pair]
    woven = read_scan([study.write("woven.dcm", shuffled(dataset, order))]).phases["vascular"]
    assert blocked.opposed is not None
    assert woven.opposed is not None
    np.testing.assert_array_equal(blocked.counts, counts[:10])
    np.testing.assert_array_equal(blocked.opposed, counts[10:, :, ::-1])
    np.testing.assert_array_equal(blocked.counts, woven.counts)
    np.testing.assert_array_equal(blocked.opposed, woven.opposed)


def test_a_phase_vector_outvoted_by_two_witnesses_is_repaired(study: Any, refusal: Refusal) -> None:
    dataset = two_phases(study)
    dataset.PhaseVector = [1] * 14
    scan = read_scan([study.write("a.dcm", dataset)])
    assert len(scan.phases["tissue"].counts) == 4
    assert "phase-vector-repaired" in {flag.code for flag in scan.flags}
    dataset.TimeSliceVector = [*range(1, 15)]
    assert "contradict" in refusal(read_scan, [study.write("b.dcm", dataset)])


def test_a_phase_vector_against_the_time_slices_alone_is_refused(study: Any, refusal: Refusal) -> None:
    dataset = two_phases(study)
    dataset.PhaseVector = [1] * 14
    for item in dataset.PhaseInformationSequence:
        del item.NumberOfFramesInPhase
    assert "contradict" in refusal(read_scan, [study.write("a.dcm", dataset)])


def test_time_slices_that_count_on_through_the_phases(study: Any) -> None:
    dataset = two_phases(study)
    dataset.TimeSliceVector = [*range(1, 15)]
    scan = read_scan([study.write("a.dcm", dataset)])
    np.testing.assert_allclose(scan.phases["tissue"].start_s, 25 + 30 * np.arange(4))


def without_frames(dataset: Any, gone: set[int]) -> Any:
    """Take frames out and keep everything else of the header."""
    kept = [index for index in range(int(dataset.NumberOfFrames)) if index not in gone]
    counts = np.frombuffer(dataset.PixelData, np.uint16).reshape(-1, dataset.Rows, dataset.Columns)[kept]
    dataset.PixelData, dataset.NumberOfFrames = counts.tobytes(), len(kept)
    dataset.CountsAccumulated = int(counts.sum())
    for vector in ("PhaseVector", "TimeSliceVector", "DetectorVector", "EnergyWindowVector"):
        setattr(dataset, vector, [getattr(dataset, vector)[index] for index in kept])
    return dataset


@pytest.mark.parametrize("counts_on", [False, True])
@pytest.mark.parametrize("declared", [False, True])
def test_frames_taken_out_leave_their_gap_in_time(study: Any, counts_on: bool, declared: bool) -> None:
    dataset = two_phases(study)
    if counts_on:
        dataset.TimeSliceVector = [*range(1, 15)]
    if not declared:
        for item in dataset.PhaseInformationSequence:
            del item.NumberOfFramesInPhase
    scan = read_scan([study.write("a.dcm", without_frames(dataset, {3, 4, 11}))])
    np.testing.assert_allclose(scan.phases["vascular"].start_s, 5 + 2 * np.array([0, 1, 2, 5, 6, 7, 8, 9]))
    np.testing.assert_allclose(scan.phases["tissue"].start_s, 25 + 30 * np.array([0, 2, 3]))
    flags = [flag for flag in scan.flags if flag.code == "frames-absent"]
    assert [flag.value for flag in flags] == [2, 1]
    assert "2 of the 10 frames" in flags[0].message


def test_fewer_frames_than_declared_are_counted_without_time_slices(study: Any) -> None:
    dataset = without_frames(two_phases(study), {8, 9})
    del dataset.TimeSliceVector
    scan = read_scan([study.write("a.dcm", dataset)])
    (flag,) = (flag for flag in scan.flags if flag.code == "frames-absent")
    assert flag.value == 2
    assert scan.phases["tissue"].start_s[0] == 25


def test_a_declared_size_may_count_both_detectors(study: Any) -> None:
    dataset = study.flow(frames=20, views=("anterior", "posterior"))
    dataset.PhaseVector, dataset.TimeSliceVector = [1] * 20, [*range(1, 11)] * 2
    assert dataset.PhaseInformationSequence[0].NumberOfFramesInPhase == 20
    scan = read_scan([study.write("a.dcm", dataset)])
    assert "frames-absent" not in {flag.code for flag in scan.flags}


def test_a_missing_phase_vector_is_made_from_the_phase_table(study: Any) -> None:
    dataset = two_phases(study)
    del dataset.PhaseVector, dataset.TimeSliceVector
    scan = read_scan([study.write("a.dcm", dataset)])
    assert len(scan.phases["vascular"].counts) == 10
    assert len(scan.phases["tissue"].counts) == 4


@pytest.mark.parametrize(
    ("vector", "values"),
    [("DetectorVector", [1] * 13), ("DetectorVector", [0] * 14), ("EnergyWindowVector", [1] * 20)],
)
def test_vectors_that_do_not_fit_are_refused(
    study: Any, refusal: Refusal, vector: str, values: list[int]
) -> None:
    dataset = two_phases(study)
    setattr(dataset, vector, values)
    assert vector in refusal(read_scan, [study.write("a.dcm", dataset)])


def test_missing_frame_times_are_asked_for(study: Any, refusal: Refusal) -> None:
    dataset = study.flow()
    del dataset.PhaseInformationSequence
    path = study.write("a.dcm", dataset)
    assert "--frame-seconds" in refusal(read_scan, [path])
    scan = read_scan([path], frame_s=3.0)
    np.testing.assert_allclose(scan.phases["vascular"].start_s, 5 + 3 * np.arange(20))


def test_one_frame_time_serves_every_phase_of_a_vector_without_a_table(study: Any, refusal: Refusal) -> None:
    dataset = study.flow()
    dataset.PhaseVector, dataset.TimeSliceVector = [1] * 14 + [2] * 6, [*range(1, 15), *range(1, 7)]
    del dataset.PhaseInformationSequence
    path = study.write("a.dcm", dataset)
    assert "--frame-seconds" in refusal(read_scan, [path])
    scan = read_scan([path], frame_s=3.0)
    np.testing.assert_allclose(scan.phases["vascular"].start_s, 5 + 3 * np.arange(20))


@pytest.mark.parametrize("vector", [True, False])
@pytest.mark.parametrize("frame_s", [None, 2.0])
def test_frames_of_unlike_times_without_a_table_are_refused(
    study: Any, refusal: Refusal, vector: bool, frame_s: float | None
) -> None:
    dataset = two_phases(study)
    quick, slow = study.limbs(20_000, frames=10), study.limbs(80_000, frames=4)
    dataset.PixelData = np.concatenate([quick, slow]).tobytes()
    del dataset.PhaseInformationSequence, dataset.CountsAccumulated
    if not vector:
        del dataset.PhaseVector, dataset.TimeSliceVector
    sentence = refusal(read_scan, [study.write("a.dcm", dataset)], frame_s=frame_s)
    assert "different times" in sentence
    assert "from frame 10 to 11" in sentence
    assert "--frame-seconds" not in sentence


@pytest.mark.parametrize("milliseconds", [0, 3_600_000])
def test_impossible_frame_times_are_asked_for(study: Any, refusal: Refusal, milliseconds: int) -> None:
    path = study.write("a.dcm", study.flow(frame_ms=milliseconds))
    assert "--frame-seconds" in refusal(read_scan, [path])


def test_frame_times_in_seconds_are_read_so_and_flagged(study: Any) -> None:
    scan = read_scan([study.write("a.dcm", study.flow(frame_ms=3))])
    np.testing.assert_allclose(scan.phases["vascular"].duration_s, 3)
    assert "frame-time-in-seconds" in {flag.code for flag in scan.flags}


def test_the_person_knows_better_than_a_single_phase(study: Any) -> None:
    scan = read_scan([study.write("a.dcm", study.flow(frame_ms=1000))], frame_s=2.0)
    np.testing.assert_allclose(scan.phases["vascular"].duration_s, 2)
    assert "frame-time-stated" in {flag.code for flag in scan.flags}


def test_a_static_duration_in_seconds_and_a_missing_one(study: Any) -> None:
    dataset = study.delayed()
    dataset.ActualFrameDuration = 300
    scan = read_scan([study.write("a.dcm", dataset)])
    assert scan.phases["bone"].duration_s[0] == 300
    assert "frame-time-in-seconds" in {flag.code for flag in scan.flags}
    del dataset.ActualFrameDuration
    scan = read_scan([study.write("b.dcm", dataset)])
    assert np.isnan(scan.phases["bone"].duration_s[0])
    assert "duration-missing" in {flag.code for flag in scan.flags}


def test_more_frames_stated_than_there_are(study: Any, refusal: Refusal) -> None:
    dataset = study.flow()
    dataset.NumberOfFrames = 24
    scan = read_scan([study.write("a.dcm", dataset)])
    assert len(scan.phases["vascular"].counts) == 20
    assert "frame-count-disagrees" in {flag.code for flag in scan.flags}
    dataset.EnergyWindowVector = dataset.DetectorVector = [1] * 24
    assert "cut short" in refusal(read_scan, [study.write("b.dcm", dataset)])


def test_several_images_of_one_detector_are_refused(study: Any, refusal: Refusal) -> None:
    dataset = study.pair()
    dataset.DetectorVector = [1, 1]
    assert "several images of detector 1" in refusal(read_scan, [study.write("a.dcm", dataset)])


def test_the_photopeak_is_chosen_among_energy_windows(study: Any, refusal: Refusal) -> None:
    dataset = study.pair()
    dataset.DetectorVector, dataset.NumberOfDetectors = [1, 1], 1
    dataset.EnergyWindowVector, dataset.NumberOfEnergyWindows = [1, 2], 2
    path = study.write("unknown.dcm", dataset)
    assert "photopeak" in refusal(read_scan, [path])

    def window(low: float, high: float) -> Any:
        span = study.item(EnergyWindowLowerLimit=low, EnergyWindowUpperLimit=high)
        return study.item(EnergyWindowRangeSequence=[span])

    dataset.EnergyWindowInformationSequence = [window(100, 120), window(126, 154)]
    scan = read_scan([study.write("known.dcm", dataset)])
    np.testing.assert_array_equal(scan.phases["bone"].counts[0], study.limbs(50_000, seed=5)[0, :, ::-1])


@pytest.mark.parametrize(
    ("spacing", "expected", "code"),
    [
        ([2.0, 3.0], (2.0, 3.0), None),
        ([-2.0, 2.0], (2.0, 2.0), "pixel-spacing-negative"),
        ([0, 0], None, "pixel-spacing-unusable"),
        (None, None, "pixel-spacing-unusable"),
        ([1e9, 1e9], None, "pixel-spacing-unusable"),
    ],
)
def test_pixel_spacing(study: Any, spacing: Any, expected: Any, code: str | None) -> None:
    dataset = study.delayed()
    dataset.PixelSpacing = spacing
    scan = read_scan([study.write("a.dcm", dataset)])
    assert scan.phases["bone"].spacing_mm == expected
    assert {flag.code for flag in scan.flags} == ({code} if code else set())
