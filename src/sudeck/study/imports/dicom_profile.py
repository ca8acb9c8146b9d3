"""The allow-list of the de-identification: which DICOM elements stay, and what becomes of each.

After the basic application confidentiality profile of DICOM PS3.15 annex E, with its options to clean
descriptors, to keep device facts, and to keep longitudinal information with modified dates. What is not in
the list is removed, whatever it is: private elements, overlays, curves, attached documents, names of
persons and places.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

# keep: numbers; time: a time of day; code: one of the values listed in `CODES`; words: reduced to known
# words; date: moved by the patient's shift; uid: replaced by one that follows from the key; class: a
# registered identifier. Pixels are not among them: they are written anew from the counts that were read.
Action = Literal["keep", "code", "words", "date", "time", "uid", "class"]
Profile: TypeAlias = Mapping[str, "Action | Profile"]


def _of(action: Action, keywords: str) -> dict[str, Action | Profile]:
    return dict.fromkeys(keywords.split(), action)


_CODE: Final[Profile] = {**_of("code", "CodeValue CodingSchemeDesignator"), **_of("words", "CodeMeaning")}

PROFILE: Final[Profile] = {
    **_of("code", "Modality ImageLaterality Laterality PatientPosition CorrectedImage Units CountsSource"),
    **_of("code", "PhotometricInterpretation LossyImageCompression"),
    **_of(
        "code", "AcquisitionTerminationCondition TypeOfDetectorMotion PatientOrientation BurnedInAnnotation"
    ),
    **_of("class", "SOPClassUID"),
    **_of("uid", "SOPInstanceUID StudyInstanceUID SeriesInstanceUID FrameOfReferenceUID"),
    **_of("words", "ImageType SeriesDescription StudyDescription ProtocolName ImageID ImageComments"),
    **_of(
        "words", "AcquisitionDeviceProcessingDescription PerformedProcedureStepDescription BodyPartExamined"
    ),
    **_of("words", "WholeBodyTechnique"),
    **_of("date", "StudyDate SeriesDate AcquisitionDate ContentDate AcquisitionDateTime"),
    **_of("time", "StudyTime SeriesTime AcquisitionTime ContentTime"),
    **_of("keep", "SeriesNumber InstanceNumber"),
    **_of("keep", "SamplesPerPixel NumberOfFrames FrameIncrementPointer Rows Columns PixelSpacing"),
    **_of("keep", "BitsAllocated BitsStored HighBit PixelRepresentation SmallestImagePixelValue"),
    **_of("keep", "LargestImagePixelValue RescaleSlope RescaleIntercept"),
    **_of(
        "keep", "CountsAccumulated ActualFrameDuration FrameTime ImageOrientationPatient ImagePositionPatient"
    ),
    **_of("keep", "DetectorVector NumberOfDetectors EnergyWindowVector NumberOfEnergyWindows PhaseVector"),
    **_of(
        "keep",
        "NumberOfPhases TimeSliceVector NumberOfTimeSlices SliceVector AngularViewVector RotationVector",
    ),
    **_of("keep", "RRIntervalVector SpacingBetweenSlices SliceThickness"),
    "PhaseInformationSequence": _of(
        "keep", "PhaseDelay ActualFrameDuration PauseBetweenFrames NumberOfFramesInPhase"
    ),
    "EnergyWindowInformationSequence": {
        "EnergyWindowRangeSequence": _of("keep", "EnergyWindowLowerLimit EnergyWindowUpperLimit"),
    },
    "DetectorInformationSequence": {
        **_of("keep", "ImageOrientationPatient ImagePositionPatient ZoomFactor StartAngle RadialPosition"),
        **_of("code", "CollimatorType FieldOfViewShape"),
        "ViewCodeSequence": _CODE,
    },
    "RadiopharmaceuticalInformationSequence": {
        **_of("time", "RadiopharmaceuticalStartTime RadiopharmaceuticalStopTime"),
        **_of("keep", "RadionuclideTotalDose RadionuclideHalfLife"),
        **_of("date", "RadiopharmaceuticalStartDateTime RadiopharmaceuticalStopDateTime"),
        **_of("words", "Radiopharmaceutical"),
        "RadionuclideCodeSequence": _CODE,
    },
}

# Private elements that carry what scans are measured with, by creator, group and element. Everything else
# that is private goes.
PRIVATE: Final[Mapping[tuple[str, int, int], Action]] = {
    ("GEMS_GENIE_1", 0x0009, 0x22): "words",  # orientation of the image
    ("GEMS_GENIE_1", 0x0011, 0x0D): "words",  # radiopharmaceutical
    ("GEMS_GENIE_1", 0x0011, 0x3B): "keep",  # scale of the pixels
}

# Every value a code may have (PS3.3 C.7.3.1, C.7.6.1, C.8.4; PS3.16 context groups 18, 25, 26 and what
# cameras wrote before them). Any other goes, whoever wrote it: a name fits into a code string, too.
_VIEWS: Final = (
    "R-10202 R-10206 R-10214 R-10224 R-10226 R-10228 R-10230 R-10236 R-10242 R-40888 G-5215 G-5216 R-102CF "
    "R-102CE R-102D0 R-102D1 R-102D2 R-10218 399033003 399348003 399321004 399001007 272460009 272479007 "
    "399012006 399352003 399273001 399296001 399300004 399336004 399368009"
)
_NUCLIDES: Final = "C-163A8 C-163A0 C-163AA 72454007 C-B1031 Y-X1743 C-1018C C-122A5 C-145A4"
_AXES: Final = "A P R L H F AR AL PR PL AH AF PH PF RH RF LH LF HL HR FL FR HA HP FA FP RA LA RP LP"
CODES: Final[Mapping[str, frozenset[str]]] = {
    keyword: frozenset(values.split())
    for keyword, values in {
        "Modality": "NM",
        "ImageLaterality": "L R B U",
        "Laterality": "L R",
        "PatientPosition": "HFS HFP HFDR HFDL FFS FFP FFDR FFDL LFP LFS RFP RFS AFDR AFDL PFDR PFDL",
        "CorrectedImage": "UNIF COR NCO DECY ATTN SCAT DTIM NRGY LIN MOTN CLN RAN RADL DCAL NORM",
        "Units": "CNTS NONE CM2 CM2ML PCNT CPS BQML MGMINML UMOLMINML MLMING MLG 1CM UMOLML PROPCNTS PROPCPS "
        "MLMINML MLML GML STDDEV",
        "CountsSource": "EMISSION TRANSMISSION",
        "PhotometricInterpretation": "MONOCHROME1 MONOCHROME2",
        "LossyImageCompression": "00 01",
        "AcquisitionTerminationCondition": "CNTS DENS MANU OVFL TIME TRIG RDD",
        "TypeOfDetectorMotion": "STATIONARY STEP_AND_SHOOT CONTINUOUS WOBBLE CLAMSHELL",
        "PatientOrientation": _AXES,
        "BurnedInAnnotation": "YES NO",
        "CollimatorType": "PARA PINH FANB CONE SLNT ASTG DIVG NONE UNKN",
        "FieldOfViewShape": "RECTANGLE ROUND HEXAGONAL",
        "CodingSchemeDesignator": "SRT SCT SNM3 99SDM DCM UMLS NCDR",
        "CodeValue": f"{_VIEWS} {_NUCLIDES}",
    }.items()
}
