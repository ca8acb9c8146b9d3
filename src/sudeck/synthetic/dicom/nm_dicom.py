"""Writing a synthetic bone scan as nuclear medicine DICOM: valid files, the same bytes for the same study.

Attributes and their types follow the NM Image object of DICOM PS3.3 (sections A.5 and C.8.4).
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from sudeck.core.errors import InputError
from sudeck.core.storage import write_bytes
from sudeck.synthetic.dicom.nm_acquisitions import PlannedAcquisition, acquisitions_of
from sudeck.synthetic.dicom.nm_dialects import (
    TRACER_CODES,
    Dialect,
    DialectRules,
    coded,
    describe_series,
    detector_items,
    orient,
    rules_of,
)
from sudeck.synthetic.scan.bone_scan import SyntheticBoneScan

if TYPE_CHECKING:
    from pydicom import Dataset

_NM_IMAGE_STORAGE: Final = "1.2.840.10008.5.1.4.1.1.20"
_BIG_ENDIAN: Final = "1.2.840.10008.1.2.2"
_FIRST_INJECTION: Final = datetime(2020, 1, 6, 9, 0, 0)
_VECTORS: Final = {"window": 0x00540010, "detector": 0x00540020, "phase": 0x00540030, "slice": 0x00540100}


def write_bone_scan(
    scan: SyntheticBoneScan,
    folder: Path,
    *,
    dialect: Dialect = "standard",
    patient_name: str = "SYNTHETIC^PATIENT",
    patient_id: str | None = None,
) -> list[Path]:
    """Write a study as DICOM files: flow, pool and delayed image, or flow and pool in one.

    Identifiers, dates and bytes follow from the study alone, so writing it again gives the same files.

    Parameters
    ----------
    scan : SyntheticBoneScan
        The study; views of a second detector are written where it has them.
    folder : Path
        Where to; made if absent.
    dialect : str
        ``"standard"``; ``"two-detectors"`` (an opposed pair, views in free text); ``"single-file"`` (flow and
        pool in one dynamic file with two phases); ``"sparse"`` (the view only in a description and a private
        string); ``"no-spacing"``; ``"big-endian"``; ``"implicit"``.
    patient_name, patient_id : str
        What stands in the identifying fields; the identifier is derived from the study unless given.

    Returns
    -------
    list of Path
        The files, in the order of acquisition.

    Raises
    ------
    InputError
        If the dialect is unknown, needs a second detector that the study lacks, or puts images of different
        matrix into one file.
    """
    rules = rules_of(dialect)
    if rules.needs_opposed and not scan.opposed_counts:
        raise InputError(dialect, "the study has one detector", "simulate it with opposed=True")
    seal = _seal(scan)
    paths = []
    for number, acquisition in enumerate(acquisitions_of(scan, rules), start=1):
        dataset = _dataset(scan, acquisition, rules, seal=f"{seal}/{dialect}", number=number)
        dataset.PatientName = patient_name
        dataset.PatientID = patient_id if patient_id is not None else f"SYN-{seal[:8].upper()}"
        path = folder / f"{number:02d}_{acquisition.name}.dcm"
        write_bytes(path, _encode(dataset, rules))
        paths.append(path)
    return paths


def _dataset(
    scan: SyntheticBoneScan, acquisition: PlannedAcquisition, rules: DialectRules, *, seal: str, number: int
) -> Dataset:
    from pydicom import Dataset

    design = scan.design
    dataset = Dataset()
    _identify(dataset, seal=seal, number=number)
    _date(dataset, seal=seal, begins_s=acquisition.blocks[0].begins_s)
    dataset.Manufacturer = "SUDECK SYNTHETIC"
    dataset.ManufacturerModelName = "Parallel-hole planar camera"
    dataset.StudyDescription = "THREE PHASE BONE SCAN"
    dataset.SeriesDescription = describe_series(rules, design.limb, design.seen_from, acquisition.words)
    dataset.BodyPartExamined = design.limb.upper()
    dataset.ImageLaterality = "B"
    if rules.view_coding == "none":  # all that is left is a private string of the workstation
        block = dataset.private_block(0x0009, "GEMS_GENIE_1", create=True)
        block.add_new(0x22, "SH", design.seen_from.upper())
    _describe_pixels(dataset, acquisition, rules)
    _describe_frames(dataset, acquisition)
    _describe_tracer(dataset, seal=seal)
    items = detector_items(rules, design.seen_from, len(acquisition.blocks[0].by_detector))
    dataset.DetectorInformationSequence = list(items)
    orient(dataset, rules, design.seen_from)
    return dataset


def _identify(dataset: Dataset, *, seal: str, number: int) -> None:
    from pydicom.uid import PYDICOM_ROOT_UID, generate_uid

    def uid(*words: str) -> str:
        return generate_uid(PYDICOM_ROOT_UID, entropy_srcs=[seal, *words])

    dataset.SOPClassUID = _NM_IMAGE_STORAGE
    dataset.SOPInstanceUID = uid("image", str(number))
    dataset.StudyInstanceUID = uid("study")
    dataset.SeriesInstanceUID = uid("series", str(number))
    dataset.FrameOfReferenceUID = uid("frame of reference", str(number))
    dataset.PositionReferenceIndicator = ""
    dataset.Modality = "NM"
    dataset.StudyID = "1"
    dataset.SeriesNumber, dataset.InstanceNumber = number, 1
    dataset.AccessionNumber = dataset.ReferringPhysicianName = dataset.PatientBirthDate = ""
    dataset.PatientSex = "O"


def _date(dataset: Dataset, *, seal: str, begins_s: float) -> None:
    injected = _injected_at(seal)
    began = injected + timedelta(seconds=begins_s)
    dataset.StudyDate, dataset.StudyTime = f"{injected:%Y%m%d}", f"{injected:%H%M%S}"
    for what in ("Series", "Acquisition", "Content"):
        setattr(dataset, f"{what}Date", f"{began:%Y%m%d}")
        setattr(dataset, f"{what}Time", f"{began:%H%M%S.%f}")


def _injected_at(seal: str) -> datetime:
    return _FIRST_INJECTION + timedelta(days=int(seal[:6], 16) % 1500)


def _describe_pixels(dataset: Dataset, acquisition: PlannedAcquisition, rules: DialectRules) -> None:
    frames = acquisition.frames()
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "DYNAMIC" if acquisition.dynamic else "STATIC", "EMISSION"]
    dataset.ImageID = acquisition.words
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.NumberOfFrames, dataset.Rows, dataset.Columns = frames.shape
    dataset.PixelSpacing = [acquisition.spacing_mm] * 2 if rules.spacing else None
    dataset.BitsAllocated = dataset.BitsStored = 16
    dataset.HighBit, dataset.PixelRepresentation = 15, 0
    dataset.CountsAccumulated = int(frames.sum(dtype=np.int64))
    dataset.AcquisitionTerminationCondition = "TIME"
    if not acquisition.dynamic:
        dataset.ActualFrameDuration = round(1000 * acquisition.blocks[0].frame_s)
    order = ">" if rules.transfer_syntax == _BIG_ENDIAN else "<"
    dataset.PixelData = frames.astype(f"{order}u2").tobytes()
    dataset["PixelData"].VR = "OW"


def _describe_frames(dataset: Dataset, acquisition: PlannedAcquisition) -> None:
    from pydicom import Dataset

    blocks = acquisition.blocks
    detectors = range(1, len(blocks[0].by_detector) + 1)
    rows = [
        (detector, phase, time)
        for detector in detectors
        for phase, block in enumerate(blocks, start=1)
        for time in range(1, len(block.by_detector[0]) + 1)
    ]
    dataset.FrameIncrementPointer = [_VECTORS["window"], _VECTORS["detector"]]
    dataset.EnergyWindowVector, dataset.NumberOfEnergyWindows = [1] * len(rows), 1
    dataset.DetectorVector, dataset.NumberOfDetectors = [row[0] for row in rows], len(detectors)
    if not acquisition.dynamic:
        return
    dataset.FrameIncrementPointer = list(_VECTORS.values())
    dataset.PhaseVector, dataset.NumberOfPhases = [row[1] for row in rows], len(blocks)
    dataset.TimeSliceVector = [row[2] for row in rows]
    phases = []
    ended_s = blocks[0].begins_s
    for block in blocks:
        item = Dataset()
        item.PhaseDelay = round(1000 * (block.begins_s - ended_s))
        ended_s = block.ends_s
        item.ActualFrameDuration = round(1000 * block.frame_s)
        item.PauseBetweenFrames = 0
        item.NumberOfFramesInPhase = len(block.by_detector[0])
        phases.append(item)
    dataset.PhaseInformationSequence = phases


def _describe_tracer(dataset: Dataset, *, seal: str) -> None:
    from pydicom import Dataset

    limits = Dataset()
    limits.EnergyWindowLowerLimit, limits.EnergyWindowUpperLimit = "129.5", "150.5"  # 140 keV, 15 %
    window = Dataset()
    window.EnergyWindowName = "Tc99m"
    window.EnergyWindowRangeSequence = [limits]
    dataset.EnergyWindowInformationSequence = [window]
    tracer = Dataset()
    tracer.Radiopharmaceutical = "Tc-99m HDP"
    tracer.RadiopharmaceuticalStartTime = f"{_injected_at(seal):%H%M%S}"
    tracer.RadionuclideTotalDose = "600"
    tracer.RadionuclideCodeSequence = [coded(*TRACER_CODES["nuclide"])]
    tracer.RadiopharmaceuticalCodeSequence = [coded(*TRACER_CODES["pharmaceutical"])]
    dataset.RadiopharmaceuticalInformationSequence = [tracer]


def _encode(dataset: Dataset, rules: DialectRules) -> bytes:
    from pydicom import dcmwrite
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import UID

    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.file_meta.TransferSyntaxUID = UID(rules.transfer_syntax)
    buffer = BytesIO()
    dcmwrite(buffer, dataset, enforce_file_format=True)
    return buffer.getvalue()


def _seal(scan: SyntheticBoneScan) -> str:
    """Return a hash of all counts of a study: what its identifiers and dates derive from."""
    hasher = hashlib.sha256(repr(sorted(scan.design.to_dict().items())).encode())
    for counts in (*scan.counts.values(), *scan.opposed_counts.values()):
        hasher.update(counts.tobytes())
    return hasher.hexdigest()
