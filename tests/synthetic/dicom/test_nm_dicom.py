from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from pydicom import Dataset, dcmread
from pydicom.uid import ExplicitVRBigEndian, ImplicitVRLittleEndian, NuclearMedicineImageStorage

from sudeck.core.errors import InputError
from sudeck.core.vocabulary import SCAN_PHASES
from sudeck.synthetic.dicom.nm_dialects import DIALECTS, Dialect
from sudeck.synthetic.dicom.nm_dicom import write_bone_scan
from sudeck.synthetic.scan.bone_scan import BoneScanDesign, SyntheticBoneScan, simulate_bone_scan

DESIGN = BoneScanDesign(limb="foot", view="anterior", opposed=True, flow_frames=20, matrix=64, spacing_mm=5.4)

# Attributes of type 1 and 2 that every planar NM image must hold (PS3.3 A.5, C.7, C.8.4).
REQUIRED = [
    "SOPClassUID",
    "SOPInstanceUID",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "StudyDate",
    "StudyTime",
    "AccessionNumber",
    "ReferringPhysicianName",
    "StudyID",
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "Modality",
    "SeriesNumber",
    "InstanceNumber",
    "FrameOfReferenceUID",
    "PositionReferenceIndicator",
    "Manufacturer",
    "ImageType",
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "Rows",
    "Columns",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "PixelSpacing",
    "NumberOfFrames",
    "FrameIncrementPointer",
    "CountsAccumulated",
    "EnergyWindowVector",
    "NumberOfEnergyWindows",
    "DetectorVector",
    "NumberOfDetectors",
    "EnergyWindowInformationSequence",
    "RadiopharmaceuticalInformationSequence",
    "DetectorInformationSequence",
    "PatientOrientationCodeSequence",
    "PatientGantryRelationshipCodeSequence",
    "PixelData",
]


@pytest.fixture(scope="module")
def scan() -> SyntheticBoneScan:
    return simulate_bone_scan(DESIGN, rng=np.random.default_rng(2))


@pytest.fixture(scope="module")
def one_detector() -> SyntheticBoneScan:
    return simulate_bone_scan(replace(DESIGN, opposed=False), rng=np.random.default_rng(2))


def reopen(scan: SyntheticBoneScan, folder: Path, dialect: Dialect = "standard") -> list[Dataset]:
    return [dcmread(path) for path in write_bone_scan(scan, folder, dialect=dialect)]


def test_names_of_the_dialects_agree() -> None:
    assert set(get_args(Dialect)) == set(DIALECTS)


@pytest.mark.parametrize("dialect", get_args(Dialect))
def test_every_dialect_reopens_with_the_counts(
    dialect: Dialect, scan: SyntheticBoneScan, tmp_path: Path
) -> None:
    files = reopen(scan, tmp_path, dialect)
    assert len(files) == (2 if dialect == "single-file" else 3)
    stored = np.concatenate([np.atleast_3d(file.pixel_array).reshape(-1, 64, 64) for file in files])
    assert stored.sum() == sum(
        int(array.sum())
        for phase in SCAN_PHASES
        for array in (scan.counts[phase], scan.opposed_counts[phase])
    )
    for file in files:
        assert file.SOPClassUID == NuclearMedicineImageStorage
        assert [name for name in REQUIRED if name not in file] == []
        assert int(file.pixel_array.sum(dtype=np.int64)) == file.CountsAccumulated
        assert len(file.DetectorInformationSequence) == file.NumberOfDetectors == 2


def test_vectors_place_every_frame(scan: SyntheticBoneScan, tmp_path: Path) -> None:
    for file in reopen(scan, tmp_path, "single-file"):
        pixels = file.pixel_array.reshape(-1, 64, 64)
        phases = file.get("PhaseVector", [1] * len(pixels))
        slices = file.get("TimeSliceVector", [1] * len(pixels))
        assert file.NumberOfFrames == len(pixels) == len(file.DetectorVector) == len(file.EnergyWindowVector)
        names = ["vascular", "tissue"] if "PhaseVector" in file else ["bone"]
        rows = zip(file.DetectorVector, phases, slices, pixels, strict=True)
        for detector, phase, time, frame in rows:
            source = scan.counts if detector == 1 else scan.opposed_counts
            np.testing.assert_array_equal(frame, source[names[phase - 1]][time - 1])  # type: ignore[index]


def test_dynamic_says_its_phases(one_detector: SyntheticBoneScan, tmp_path: Path) -> None:
    flow, pool, delayed = reopen(one_detector, tmp_path / "three")
    assert flow.ImageType[2] == "DYNAMIC"
    assert [int(tag) for tag in flow.FrameIncrementPointer] == [0x540010, 0x540020, 0x540030, 0x540100]
    (phase,) = flow.PhaseInformationSequence
    assert (phase.ActualFrameDuration, phase.NumberOfFramesInPhase) == (2000, 20)
    assert list(flow.TimeSliceVector) == list(range(1, 21))
    for static in (pool, delayed):
        assert static.ImageType[2] == "STATIC"
        assert static.ActualFrameDuration == 300_000
        assert [int(tag) for tag in static.FrameIncrementPointer] == [0x540010, 0x540020]
        assert "PhaseVector" not in static
    both = reopen(one_detector, tmp_path / "two", "single-file")[0]
    assert [item.ActualFrameDuration for item in both.PhaseInformationSequence] == [2000, 300_000]
    assert both.PhaseInformationSequence[1].PhaseDelay == (300 - 40) * 1000
    assert list(both.PhaseVector) == [1] * 20 + [2]


def test_clock_runs_from_the_injection(one_detector: SyntheticBoneScan, tmp_path: Path) -> None:
    flow, pool, delayed = reopen(one_detector, tmp_path)
    start = flow.RadiopharmaceuticalInformationSequence[0].RadiopharmaceuticalStartTime
    assert start == "090000"
    assert [file.AcquisitionTime[:6] for file in (flow, pool, delayed)] == ["090000", "090500", "120000"]
    assert len({file.AcquisitionDate for file in (flow, pool, delayed)}) == 1
    assert len({file.StudyInstanceUID for file in (flow, pool, delayed)}) == 1
    assert len({file.SOPInstanceUID for file in (flow, pool, delayed)}) == 3


@pytest.mark.parametrize(
    ("limb", "view", "row", "code"),
    [
        ("hand", "palmar", "L", "399321004"),
        ("hand", "dorsal", "R", "399001007"),
        ("foot", "plantar", "L", None),
        ("foot", "anterior", "L", "399321004"),
    ],
)
def test_orientation_says_which_side_is_at_the_left(
    limb: str, view: str, row: str, code: str | None, tmp_path: Path
) -> None:
    design = replace(DESIGN, limb=limb, view=view)  # type: ignore[arg-type]
    scan = simulate_bone_scan(design, rng=np.random.default_rng(0))
    assert scan.truth.image_left == ("right" if row == "L" else "left")  # rows run away from that side
    file = reopen(scan, tmp_path)[2]
    assert file.PatientOrientation[0] == row
    first, second = file.DetectorInformationSequence
    assert first.ImageOrientationPatient[0] == (1 if row == "L" else -1)
    assert second.ImageOrientationPatient[0] == -first.ImageOrientationPatient[0]
    assert second.ImageOrientationPatient[3:] == first.ImageOrientationPatient[3:]
    codes = [item.CodeValue for item in first.get("ViewCodeSequence", [])]
    assert codes == ([code] if code else [])


def test_dialects_differ_as_they_say(scan: SyntheticBoneScan, tmp_path: Path) -> None:
    sparse = reopen(scan, tmp_path / "sparse", "sparse")[2]
    assert "PatientOrientation" not in sparse
    assert all(item.ImageOrientationPatient is None for item in sparse.DetectorInformationSequence)
    assert all("ViewCodeSequence" not in item for item in sparse.DetectorInformationSequence)
    assert "ANTERIOR" in sparse.SeriesDescription
    assert sparse.private_block(0x0009, "GEMS_GENIE_1")[0x22].value == "ANTERIOR"
    assert reopen(scan, tmp_path / "bare", "no-spacing")[2].PixelSpacing is None
    pair = reopen(scan, tmp_path / "pair", "two-detectors")[2]
    words = [item.ViewCodeSequence[0].CodeMeaning for item in pair.DetectorInformationSequence]
    assert words == ["ANT", "POST"]
    big = reopen(scan, tmp_path / "big", "big-endian")[2]
    assert big.file_meta.TransferSyntaxUID == ExplicitVRBigEndian
    implicit = reopen(scan, tmp_path / "implicit", "implicit")[2]
    assert implicit.file_meta.TransferSyntaxUID == ImplicitVRLittleEndian


def test_writing_again_gives_the_same_bytes(one_detector: SyntheticBoneScan, tmp_path: Path) -> None:
    first = write_bone_scan(one_detector, tmp_path / "a")
    again = write_bone_scan(one_detector, tmp_path / "b")
    assert [path.name for path in first] == ["01_flow.dcm", "02_pool.dcm", "03_delayed.dcm"]
    for one, other in zip(first, again, strict=True):
        assert one.read_bytes() == other.read_bytes()


def test_a_name_can_be_planted_and_stays_in_its_field(
    one_detector: SyntheticBoneScan, tmp_path: Path
) -> None:
    paths = write_bone_scan(one_detector, tmp_path, patient_name="PLANTED^NAME", patient_id="Q-77")
    for path in paths:
        assert dcmread(path).PatientName == "PLANTED^NAME"
        assert dcmread(path).PatientID == "Q-77"
        assert path.read_bytes().count(b"PLANTED") == 1
        assert "PLANTED" not in path.name.upper()


def test_what_cannot_be_written_is_refused(one_detector: SyntheticBoneScan, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="one detector"):
        write_bone_scan(one_detector, tmp_path, dialect="two-detectors")
    with pytest.raises(InputError, match="no such dialect"):
        write_bone_scan(one_detector, tmp_path, dialect="latin")  # type: ignore[arg-type]
    mixed = replace(DESIGN, matrix={"vascular": 64, "tissue": 128, "bone": 128}, opposed=False)
    with pytest.raises(InputError, match="differ in matrix"):
        write_bone_scan(
            simulate_bone_scan(mixed, rng=np.random.default_rng(0)), tmp_path, dialect="single-file"
        )
    assert list(tmp_path.iterdir()) == []
