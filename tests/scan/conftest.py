"""Small nuclear medicine files of a three-phase study, built with pydicom, to be spoiled by the tests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import Dataset, dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

SIZE = 32
SYNTAX = ExplicitVRLittleEndian
ROWS_TO_LEFT = [1.0, 0.0, 0.0, 0.0, 0.0, -1.0]
ROWS_TO_RIGHT = [-1.0, 0.0, 0.0, 0.0, 0.0, -1.0]
VIEWS = {"anterior": ("R-10206", "antero-posterior"), "posterior": ("R-10214", "postero-anterior")}


def limbs(total: int, *, frames: int = 1, seed: int = 1) -> NDArray[np.uint16]:
    """Two blobs of counts, the one at image-left twice the other."""
    y, x = np.mgrid[:SIZE, :SIZE]
    mean = 2 * np.exp(-((x - 8) ** 2 + (y - 15) ** 2) / 18) + np.exp(-((x - 23) ** 2 + (y - 15) ** 2) / 18)
    mean *= total / mean.sum() / frames
    return np.random.default_rng(seed).poisson(np.repeat(mean[None], frames, 0)).astype(np.uint16)


def item(**values: Any) -> Dataset:
    """Return a sequence item."""
    dataset = Dataset()
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    return dataset


def detector(view: str) -> Dataset:
    """Return the information of a detector in one view, coded and by geometry."""
    code, meaning = VIEWS[view]
    return item(
        ImageOrientationPatient=ROWS_TO_LEFT if view == "anterior" else ROWS_TO_RIGHT,
        ViewCodeSequence=[item(CodeValue=code, CodingSchemeDesignator="SRT", CodeMeaning=meaning)],
    )


def image(
    counts: NDArray[np.uint16],
    *,
    time: str,
    description: str,
    kind: str = "STATIC",
    views: Sequence[str] = ("anterior",),
    phases: Sequence[tuple[int, int]] = (),
    number: int = 1,
) -> Dataset:
    """Return one image of the study of feet injected at 09:00; `phases` are (frames, milliseconds)."""
    n_views = len(views)
    dataset = item(
        SOPClassUID="1.2.840.10008.5.1.4.1.1.20",
        SOPInstanceUID=f"1.2.3.4.{number}",
        StudyInstanceUID="1.2.3.1",
        Modality="NM",
        ImageType=["ORIGINAL", "PRIMARY", kind, "EMISSION"],
        StudyDate="20240305",
        AcquisitionDate="20240305",
        AcquisitionTime=time,
        SeriesDescription=description,
        BodyPartExamined="FOOT",
        PatientName="DURAND^ZELDA",
        PatientID="REC-77123",
        PatientBirthDate="19610203",
        CountsAccumulated=int(counts.sum()),
        PixelSpacing=[4.0, 4.0],
        SamplesPerPixel=1,
        PhotometricInterpretation="MONOCHROME2",
        NumberOfFrames=len(counts),
        Rows=counts.shape[1],
        Columns=counts.shape[2],
        BitsAllocated=16,
        BitsStored=16,
        HighBit=15,
        PixelRepresentation=0,
        NumberOfDetectors=n_views,
        NumberOfEnergyWindows=1,
        EnergyWindowVector=[1] * len(counts),
        DetectorVector=np.repeat(np.arange(1, n_views + 1), len(counts) // n_views).tolist(),
        DetectorInformationSequence=[detector(view) for view in views],
        RadiopharmaceuticalInformationSequence=[
            item(
                RadiopharmaceuticalStartTime="090000",
                RadionuclideCodeSequence=[
                    item(CodeValue="C-163A8", CodingSchemeDesignator="SRT", CodeMeaning="99mTc")
                ],
            )
        ],
    )
    if phases:
        order = [phase for phase, (frames, _) in enumerate(phases, 1) for _ in range(frames)]
        slices = [number for frames, _ in phases for number in range(1, frames + 1)]
        dataset.PhaseVector, dataset.TimeSliceVector = order * n_views, slices * n_views
        dataset.NumberOfPhases = len(phases)
        dataset.PhaseInformationSequence = [
            item(ActualFrameDuration=ms, NumberOfFramesInPhase=frames, PhaseDelay=0, PauseBetweenFrames=0)
            for frames, ms in phases
        ]
    else:
        dataset.ActualFrameDuration = 300_000
    dataset.PixelData = counts.tobytes()
    dataset["PixelData"].VR = "OW"
    return dataset


class StudyBuilder:
    """Writes files of a study into a folder of the test."""

    limbs = staticmethod(limbs)
    item = staticmethod(item)
    detector = staticmethod(detector)
    rows_to_left = ROWS_TO_LEFT
    rows_to_right = ROWS_TO_RIGHT

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def flow(self, *, frames: int = 20, frame_ms: int = 3000, **options: Any) -> Dataset:
        """A flow of one minute, five seconds after injection."""
        counts = limbs(20_000, frames=frames, seed=2)
        phases = [(frames, frame_ms)]
        return image(
            counts, time="090005", description="FLOW FEET", kind="DYNAMIC", phases=phases, number=1, **options
        )

    def pool(self, **options: Any) -> Dataset:
        """A pool image five minutes after injection."""
        return image(limbs(30_000, seed=3), time="090500", description="BLOOD POOL FEET", number=2, **options)

    def delayed(self, **options: Any) -> Dataset:
        """A delayed image three hours after injection."""
        return image(limbs(60_000, seed=4), time="120000", description="DELAYED FEET", number=3, **options)

    def pair(self) -> Dataset:
        """A delayed image of two opposed detectors."""
        front = limbs(60_000, seed=4)
        back = limbs(50_000, seed=5)[:, :, ::-1]
        counts = np.concatenate([front, back])
        return image(
            counts, time="120000", description="DELAYED FEET", views=("anterior", "posterior"), number=4
        )

    def sweep(self, *, apart: bool = True, rows: int = 400, columns: int = 120) -> Dataset:
        """A whole-body sweep: trunk, two legs, two arms beside them, apart from the thighs or not."""
        y, x = np.mgrid[:rows, :columns]
        mean = np.zeros((rows, columns))
        mean[(y > 20) & (y < 200) & (abs(x - 60) < 22)] = 6
        mean[(y >= 200) & (y < 380) & (abs(abs(x - 60) - 12) < 9)] = 6
        gap = 16 if apart else 4
        mean[(y > 60) & (y < 235) & (abs(abs(x - 60) - 24 - gap) < 5)] = 5
        counts = np.random.default_rng(6).poisson(mean + 0.02)[None].astype(np.uint16)
        dataset = image(counts, time="120000", description="WB BONE", kind="WHOLE BODY", number=5)
        dataset.BodyPartExamined = "WHOLE BODY"
        dataset.PixelSpacing = [4.5, 4.5]
        return dataset

    def three_phases(self) -> list[Path]:
        """Write flow, pool and delayed image."""
        return [
            self.write("flow.dcm", self.flow()),
            self.write("pool.dcm", self.pool()),
            self.write("delayed.dcm", self.delayed()),
        ]

    def write(self, name: str, dataset: Dataset, *, syntax: str = SYNTAX, preamble: bool = True) -> Path:
        """Write a data set in a transfer syntax, with or without preamble and file meta information."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(self.encode(dataset, syntax=syntax, preamble=preamble))
        return path

    @staticmethod
    def encode(dataset: Dataset, *, syntax: str = SYNTAX, preamble: bool = True) -> bytes:
        """Return the bytes of a file."""
        little = syntax != "1.2.840.10008.1.2.2"
        if not little:
            dataset.PixelData = np.frombuffer(dataset.PixelData, "<u2").astype(">u2").tobytes()
        buffer = BytesIO()
        if preamble:
            dataset.file_meta = FileMetaDataset()
            dataset.file_meta.TransferSyntaxUID = syntax
            dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
            dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
            dcmwrite(buffer, dataset, enforce_file_format=True)
        else:
            implicit = syntax == "1.2.840.10008.1.2"
            dcmwrite(buffer, dataset, implicit_vr=implicit, little_endian=little)
        return buffer.getvalue()


@pytest.fixture
def study(tmp_path: Path) -> StudyBuilder:
    """A builder of small studies in the test's own folder."""
    return StudyBuilder(tmp_path)


@pytest.fixture
def refusal() -> Callable[..., str]:
    """Call something that must refuse, and return the sentence."""
    from sudeck.core.errors import InputError

    def call(function: Callable[..., object], *arguments: object, **options: object) -> str:
        with pytest.raises(InputError) as caught:
            function(*arguments, **options)
        return str(caught.value)

    return call
