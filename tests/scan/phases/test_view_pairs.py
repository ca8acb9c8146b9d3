"""Front and back in two files: joined where they are one acquisition, left alone where they are not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sudeck.scan.measurement import measure_scan
from sudeck.scan.phases.phase_series import read_scan
from sudeck.scan.phases.scan_inspection import inspect_scan
from support.phantoms import synthetic


def views(study: Any, *, back_time: str = "120000", description: str = "DELAYED FEET") -> list[Path]:
    paths = []
    for number, view in enumerate(("anterior", "posterior"), 5):
        counts = study.limbs(60_000, seed=number)
        dataset = study.delayed(views=(view,))
        dataset.SOPInstanceUID = f"1.2.3.4.{number}"
        dataset.PixelData = (counts if view == "anterior" else counts[:, :, ::-1]).tobytes()
        dataset.CountsAccumulated = int(counts.sum())
        if view == "posterior":
            dataset.AcquisitionTime, dataset.SeriesDescription = back_time, description
        paths.append(study.write(f"{view}.dcm", dataset))
    return paths


def test_two_views_are_one_image(study: Any) -> None:
    scan = read_scan(views(study, back_time="120004"))
    series = scan.phases["bone"]
    assert [source.label for source in series.sources] == ["anterior.dcm", "posterior.dcm"]
    assert series.view == "anterior"
    assert series.image_left == "right"
    assert series.opposed is not None
    assert series.opposed.sum() == pytest.approx(series.counts.sum(), rel=0.02)
    assert [flag.severity for flag in scan.flags if flag.code == "views-in-two-files"] == ["info"]
    assert not scan.skipped
    assert [file.used_for for file in inspect_scan([study.folder]).files] == [("bone",), ("bone",)]


def test_the_person_may_state_the_phase_of_either(study: Any) -> None:
    views(study)
    assert list(read_scan([study.folder], phase_of={"posterior.dcm": "tissue"}).phases) == ["tissue"]


@pytest.mark.parametrize("other", [{"back_time": "122000"}, {"description": "BLOOD POOL FEET"}])
def test_two_acquisitions_are_not_joined(study: Any, other: dict[str, str]) -> None:
    scan = read_scan(views(study, **other))
    assert all(series.opposed is None for series in scan.phases.values())


def test_the_geometric_mean_is_that_of_one_file_of_both(tmp_path: Path) -> None:
    from pydicom import dcmread

    from sudeck.synthetic import write_bone_scan

    made = synthetic(4, limb="hand", BPr=1.5, opposed=True)
    files = write_bone_scan(made, tmp_path / "one")
    whole = measure_scan(read_scan(files), affected="right")
    apart = tmp_path / "two"
    apart.mkdir()
    for path in files:
        dataset = dcmread(path)
        frames = dataset.pixel_array
        half = len(frames) // 2
        for number, counts in enumerate((frames[:half], frames[half:])):
            one = dcmread(path)
            one.PixelData = np.ascontiguousarray(counts).tobytes()
            one.NumberOfFrames = half
            one.NumberOfDetectors = 1
            one.CountsAccumulated = int(counts.sum())
            one.DetectorInformationSequence = [dataset.DetectorInformationSequence[number]]
            one.DetectorVector = [1] * half
            one.EnergyWindowVector = [1] * half
            if "TimeSliceVector" in dataset:
                one.PhaseVector = [1] * half
                one.TimeSliceVector = list(range(1, half + 1))
                one.PhaseInformationSequence[0].NumberOfFramesInPhase = half
            one.SOPInstanceUID = f"{dataset.SOPInstanceUID[:60]}.{number}"
            if number:
                del one.PatientOrientation
            one.save_as(apart / f"{path.stem}_{number}.dcm")
    joined = measure_scan(read_scan([apart]), affected="right")
    for name, estimate in whole.estimates.items():
        assert joined.estimates[name].value == pytest.approx(estimate.value, rel=1e-12)
        assert joined.estimates[name].low == pytest.approx(estimate.low, rel=1e-12)
