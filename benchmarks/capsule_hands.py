"""Hands of another make than `sudeck.synthetic`: capsules of real thickness, DICOM files written by hand.

Nothing is shared with the package's own generator: a finger is a capsule whose counts follow the path
through it, bones, joints and vessels lie inside, every finger of every phase has a turn of its own, forearms
are cut by the field, and pixels are 1.6 to 8 mm. The true ratio of a phase is one factor for all of the
affected hand, times its size where it is larger: a larger hand is thicker, and uptake is counted per area.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Rng = np.random.Generator

FIELD_MM: Final = 512.0
_FINE: Final = 640  # samples along the field, 0.8 mm
_STEP_MM: Final = FIELD_MM / _FINE
_FWHM_MM, _SCATTER_SHARE, _SCATTER_FWHM_MM, _BACKGROUND = 8.5, 0.11, 60.0, 0.004
_FWHM_PER_SIGMA: Final = 2.3548
# What soft tissue, bone, joints and vessels hold in each phase.
PHASES: Final = {"VPr": (1.0, 0.1, 0.0, 2.0), "TPr": (1.0, 0.25, 0.3, 0.5), "BPr": (0.35, 1.6, 2.0, 0.025)}
_THICKNESS_MM: Final = (25.0, 12.0, 8.0, 4.0)  # of soft tissue, bone, joints, vessels, that count as one
_KNUCKLES: Final = ((-29.0, -86.0), (-10.0, -92.0), (9.0, -90.0), (27.0, -82.0))
_FINGERS_MM: Final = (72.0, 80.0, 74.0, 58.0)
_RADII_MM: Final = (9.0, 9.3, 8.8, 7.8)
_FANNED_DEG: Final = (-6.0, -1.0, 4.0, 10.0)
_VESSELS: Final = (
    ((-14, 400), (-18, -10), 2.2, 2.0),
    ((14, 400), (20, -20), 2.0, 1.8),
    ((-18, -10), (20, -60), 1.6, 1.5),
)


@dataclass(frozen=True)
class Hand:
    """Size, uptake of the carpus, and lengths, turns (degrees) and bends of the thumb and the fingers."""

    size: float
    carpus: float
    lengths: Array
    turns: Array
    bends: Array


@dataclass(frozen=True)
class Condition:
    """How two hands differ: spread of turns (None: both alike), and what is done to the affected one."""

    spread_deg: float | None = 3.0
    size: tuple[float, float] = (1.0, 1.0)
    bends: tuple[float, float] = (0.0, 0.0)
    lacks_finger: bool = False
    matrices: Mapping[str, int] = field(default_factory=lambda: dict.fromkeys(PHASES, 128))


CONDITIONS: Final[dict[str, Condition]] = {
    "alike": Condition(spread_deg=None),
    "spread": Condition(spread_deg=4.0),
    "swollen": Condition(size=(1.10, 1.15)),
    "bent": Condition(bends=(0.1, 0.35)),
    "a finger missing": Condition(lacks_finger=True),
    "matrices 64, 128, 160": Condition(matrices={"VPr": 64, "TPr": 128, "BPr": 160}),
    "matrices 320": Condition(matrices=dict.fromkeys(PHASES, 320)),
}


def draw_study(rng: Rng, condition: Condition, counts: float, folder: Path) -> tuple[str, dict[str, float]]:
    """Write flow, pool and delayed image of two hands to a folder; return the affected side and the truth."""
    affected, healthy = rng.permutation(["left", "right"]).tolist()
    lengths, carpus, size = rng.normal(1.0, 0.02, 5), rng.uniform(0.9, 1.5), rng.uniform(0.92, 1.06)
    hands = {}
    for side in (healthy, affected):
        turns = rng.normal(0.0, condition.spread_deg or 3.0, 5) * [2, 1, 1, 1, 1]
        hands[side] = Hand(
            size * (1 + rng.normal(0.0, 0.01)), carpus, lengths, turns, rng.uniform(0, 0.04, 5)
        )
    if condition.spread_deg is None:
        hands[affected] = hands[healthy]
    hands[affected] = _changed(rng, hands[affected], condition)
    places = {side: _place(rng, side) for side in hands}
    factors = {name: float(np.exp(rng.uniform(math.log(0.65), math.log(2.2)))) for name in PHASES}
    images = {}
    for name in PHASES:
        uptake = np.zeros((_FINE, _FINE))
        for side, hand in hands.items():
            moved = places[side] + rng.normal(0.0, [1.5, 1.5, math.radians(0.8)])
            turned = hand.turns + rng.normal(0.0, 0.4, 5)
            shown = _uptake(hand, turned, side, moved, PHASES[name])
            uptake += shown * (factors[name] if side == affected else 1.0)
        images[name] = _expected(uptake, condition.matrices[name], 2.0 * counts)
    _write_study(folder, images, rng)
    larger = hands[affected].size / hands[healthy].size
    return affected, {name: factor * larger for name, factor in factors.items()}


def _changed(rng: Rng, hand: Hand, condition: Condition) -> Hand:
    bends = hand.bends
    if max(condition.bends) > 0:
        bends = rng.uniform(*condition.bends, 5)
    if condition.lacks_finger:
        bends = np.where(np.arange(5) == rng.integers(1, 5), 0.93, bends)
    return Hand(hand.size * rng.uniform(*condition.size), hand.carpus, hand.lengths, hand.turns, bends)


def _place(rng: Rng, side: str) -> Array:
    """Return x and y of the wrist in mm and the turn of a hand: palms down, the left hand at image-left."""
    sign = -1.0 if side == "left" else 1.0
    at = np.array([105.0 * sign, 20.0, math.radians(-4.0 * sign)])
    return at + rng.normal(0.0, [8.0, 10.0, math.radians(4.0)])


def _uptake(hand: Hand, turns: Array, side: str, place: Array, weights: tuple[float, ...]) -> Array:
    """Return the counts of a hand per area: soft tissue, bone, joints, vessels by the path through each."""
    rows, columns = np.mgrid[0:_FINE, 0:_FINE] * _STEP_MM - FIELD_MM / 2
    across, down = columns - place[0], rows - place[1]
    cos, sin = math.cos(-place[2]), math.sin(-place[2])
    x = (cos * across - sin * down) * (1.0 if side == "right" else -1.0) / hand.size
    y = (sin * across + cos * down) / hand.size
    palm = 27.0 * np.sqrt(np.clip(1 - (x / 41) ** 4 - ((y + 42) / 54) ** 4, 0, None))
    wrist = 20.0 * hand.carpus * np.sqrt(np.clip(1 - (x / 24) ** 2 - ((y + 4) / 15) ** 2, 0, None))
    soft = np.maximum(palm, _capsule(x, y, (0, 400), (0, 20), 24, 22))
    bone, joints = wrist, np.zeros_like(x)
    for at in (-11, 11):
        bone = np.maximum(bone, _capsule(x, y, (at, 400), (at, 8), 7, 9))
    for number in range(5):
        start, way, length, radii, knuckles, swell = _digit(hand, turns, number)
        end = start + length * way
        soft = np.maximum(soft, _capsule(x, y, start, end, *radii))
        bone = np.maximum(bone, _capsule(x, y, start, end, 0.42 * radii[0], 0.42 * radii[1]))
        if number:
            inner = start * [0.75, 0.35]
            soft = np.maximum(soft, _capsule(x, y, inner, start, 0.9 * radii[0], radii[0]))
            bone = np.maximum(bone, _capsule(x, y, inner, start, 0.45 * radii[0], 0.5 * radii[0]))
        for share in knuckles:
            along = ((x - start[0]) * way[0] + (y - start[1]) * way[1] - share * length) / (
                1 - hand.bends[number]
            )
            beside = (y - start[1]) * way[0] - (x - start[0]) * way[1]
            joints += 8.0 * np.exp(-(along**2 + beside**2) / (2 * swell**2))
    vessels = sum(_capsule(x, y, *line) for line in _VESSELS)
    parts = (soft, bone, joints * (soft > 0), vessels * (soft > 0))
    # Twice as large is twice as thick.
    return hand.size * sum(w * part / t for w, part, t in zip(weights, parts, _THICKNESS_MM, strict=True))


def _digit(
    hand: Hand, turns: Array, number: int
) -> tuple[Array, Array, float, tuple[float, float], tuple[float, ...], float]:
    """Return start, direction, length, radii, places and width of joints of the thumb (0) or a finger."""
    if number == 0:
        angle, start, length, radii = math.radians(-42 + turns[0]), (-30.0, -20.0), 66.0, (12.0, 9.0)
        knuckles, swell = (0.45,), 5.0
    else:
        angle = math.radians(_FANNED_DEG[number - 1] + turns[number])
        start, length = _KNUCKLES[number - 1], _FINGERS_MM[number - 1]
        radii = (_RADII_MM[number - 1], 0.8 * _RADII_MM[number - 1])
        knuckles, swell = (0.0, 0.47, 0.78), 4.0
    shown = length * hand.lengths[number] * (1 - hand.bends[number])
    way = np.array([math.sin(angle), -math.cos(angle)])
    return np.array(start), way, float(shown), radii, knuckles, swell


def _capsule(x: Array, y: Array, start: Any, end: Any, first: float, last: float) -> Array:
    """Return the path through a rod with round ends whose radius goes from `first` to `last`."""
    start, along = np.asarray(start, float), np.asarray(end, float) - np.asarray(start, float)
    share = np.clip(((x - start[0]) * along[0] + (y - start[1]) * along[1]) / (along @ along), 0, 1)
    away2 = (x - start[0] - share * along[0]) ** 2 + (y - start[1] - share * along[1]) ** 2
    return np.asarray(2.0 * np.sqrt(np.clip((first + (last - first) * share) ** 2 - away2, 0, None)))


def _expected(uptake: Array, matrix: int, total: float) -> Array:
    """Return what the camera shows without noise on a square of so many pixels."""
    from scipy import ndimage

    def blurred(fwhm: float) -> Array:
        return np.asarray(ndimage.gaussian_filter(uptake, fwhm / _FWHM_PER_SIGMA / _STEP_MM))

    seen = (1 - _SCATTER_SHARE) * blurred(_FWHM_MM) + _SCATTER_SHARE * blurred(_SCATTER_FWHM_MM)
    seen += _BACKGROUND * seen.max()
    binned = seen.reshape(matrix, _FINE // matrix, matrix, _FINE // matrix).sum(axis=(1, 3))
    return np.asarray(binned * total / binned.sum())


def _write_study(folder: Path, images: Mapping[str, Array], rng: Rng) -> None:
    from pydicom.uid import generate_uid

    seconds = np.arange(60.0) + 0.5 - 14.0
    bolus = (1 - np.exp(-seconds / 4)) * (1 + 0.8 * np.exp(-(((seconds - 6) / 5) ** 2)))
    curve = np.where(seconds > 0, bolus, 0.0)
    flow = np.stack([rng.poisson(images["VPr"] * share) for share in curve / curve.sum()])
    study = generate_uid()
    pool, bone = (rng.poisson(images[name])[None] for name in ("TPr", "BPr"))
    _write(folder / "flow.dcm", flow, "FLOW HANDS ANT", study, "120000", 1_000)
    _write(folder / "pool.dcm", pool, "BLOOD POOL HANDS ANT", study, "120500", 300_000)
    _write(folder / "bone.dcm", bone, "DELAYED HANDS ANT", study, "150000", 300_000)


def _write(path: Path, frames: Any, title: str, study: str, time: str, duration_ms: int) -> None:
    import pydicom
    from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, NuclearMedicineImageStorage, generate_uid

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = (
        NuclearMedicineImageStorage,
        generate_uid(),
    )
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    file = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    dynamic, number, matrix = len(frames) > 1, len(frames), frames.shape[1]
    moment, view = Dataset(), Dataset()
    moment.RadiopharmaceuticalStartTime, moment.Radiopharmaceutical = "120000", "Tc-99m MDP"
    view.CodeValue, view.CodingSchemeDesignator, view.CodeMeaning = "R-10206", "SRT", "anterior"
    detector = Dataset()
    detector.CollimatorType, detector.ViewCodeSequence = "PARA", [view]
    values: dict[str, Any] = {
        "SOPClassUID": meta.MediaStorageSOPClassUID,
        "SOPInstanceUID": meta.MediaStorageSOPInstanceUID,
        "StudyInstanceUID": study,
        "SeriesInstanceUID": generate_uid(),
        "PatientName": "PHANTOM",
        "PatientID": "1",
        "PatientPosition": "HFS",
        "Modality": "NM",
        "Manufacturer": "Capsules",
        "StudyDescription": "3 PHASE BONE SCAN",
        "SeriesDescription": title,
        "StudyTime": "120000",
        "ImageType": ["ORIGINAL", "PRIMARY", "DYNAMIC" if dynamic else "STATIC", "EMISSION"],
        "Rows": matrix,
        "Columns": matrix,
        "PixelSpacing": [FIELD_MM / matrix] * 2,
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "BitsAllocated": 16,
        "BitsStored": 16,
        "HighBit": 15,
        "PixelRepresentation": 0,
        "NumberOfFrames": number,
        "ActualFrameDuration": duration_ms,
        "NumberOfDetectors": 1,
        "NumberOfEnergyWindows": 1,
        "EnergyWindowVector": [1] * number,
        "DetectorVector": [1] * number,
        "FrameIncrementPointer": [0x00540010, 0x00540020],
        "DetectorInformationSequence": [detector],
        "RadiopharmaceuticalInformationSequence": [moment],
        "PixelData": np.clip(frames, 0, 65535).astype("<u2").tobytes(),
    }
    values |= dict.fromkeys(("StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate"), "20200106")
    values |= dict.fromkeys(("SeriesTime", "AcquisitionTime", "ContentTime"), time)
    if dynamic:
        phase = Dataset()
        phase.PhaseDelay, phase.PauseBetweenFrames = 0, 0
        phase.ActualFrameDuration, phase.NumberOfFramesInPhase = duration_ms, number
        values["FrameIncrementPointer"] = [0x00540010, 0x00540020, 0x00540030, 0x00540100]
        values |= {"PhaseVector": [1] * number, "TimeSliceVector": list(range(1, number + 1))}
        values |= {"NumberOfPhases": 1, "PhaseInformationSequence": [phase]}
    for name, value in values.items():
        setattr(file, name, value)
    pydicom.dcmwrite(path, file, enforce_file_format=True)
