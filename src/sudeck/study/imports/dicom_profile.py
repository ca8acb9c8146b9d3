"""The allow-list of the de-identification: which DICOM elements stay, and what becomes of each.

After the basic application confidentiality profile of DICOM PS3.15 annex E, with its options to clean
descriptors, to keep device facts, and to keep longitudinal information with modified dates. What is not in
the list is removed, whatever it is: private elements, overlays, curves, attached documents, names of
persons and places.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

# keep: numbers and pixels; time: a time of day; code: a coded value in letters, digits and hyphens; words:
# reduced to known words; date: moved by the patient's shift; uid: replaced by one that follows from the key.
Action = Literal["keep", "code", "words", "date", "time", "uid"]
Profile: TypeAlias = Mapping[str, "Action | Profile"]


def _of(action: Action, keywords: str) -> dict[str, Action | Profile]:
    return dict.fromkeys(keywords.split(), action)


_CODE: Final[Profile] = {**_of("code", "CodeValue CodingSchemeDesignator"), **_of("words", "CodeMeaning")}

PROFILE: Final[Profile] = {
    **_of("code", "Modality ImageLaterality Laterality PatientPosition CorrectedImage Units CountsSource"),
    **_of("code", "PhotometricInterpretation LossyImageCompression LossyImageCompressionMethod"),
    **_of(
        "code", "AcquisitionTerminationCondition TypeOfDetectorMotion PatientOrientation BurnedInAnnotation"
    ),
    **_of("keep", "SOPClassUID"),
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
    **_of("keep", "LargestImagePixelValue RescaleSlope RescaleIntercept LossyImageCompressionRatio"),
    **_of(
        "keep", "PixelData FloatPixelData DoubleFloatPixelData ExtendedOffsetTable ExtendedOffsetTableLengths"
    ),
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
