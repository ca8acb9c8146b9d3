"""One bone-scan file without anything that names the patient, measured exactly as before.

What stays is listed (`sudeck.study.imports.dicom_profile`), everything else goes. Pixels are not copied: the
counts that were read are written anew, so that nothing behind, above or beside them survives. Afterwards both
files are read as the scan room reads them, and the new one is given out only if counts, frames, view, side,
limb and intervals of time are the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any, Final
from warnings import catch_warnings, simplefilter

from pydicom.uid import UID

from sudeck.core.errors import InputError
from sudeck.core.privacy import Redactor
from sudeck.core.provenance import sha256_of
from sudeck.scan.phases.guideline import phase_by_text
from sudeck.scan.reading.acquisitions import read_acquisition
from sudeck.scan.reading.clock import parse_date, parse_datetime
from sudeck.scan.reading.counts import audit_counts
from sudeck.scan.reading.dicom import DicomFile, Header, classify, open_dicom
from sudeck.scan.reading.identity import redactor_of
from sudeck.scan.reading.pixels import refuse_lossy, stored_values
from sudeck.study.folder.pseudonyms import Key
from sudeck.study.imports.dicom_profile import CODES, PRIVATE, PROFILE, Action, Profile
from sudeck.study.imports.wording import GONE, reduce_wording

# Value representations of numbers and of pointers to elements; what they hold is checked value by value.
_NUMERIC: Final = frozenset({"US", "SS", "UL", "SL", "UV", "SV", "FL", "FD", "DS", "IS", "AT"})
_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
# Numbers that only tell images apart; a record number may have been typed there.
_COUNTERS: Final = frozenset({"SeriesNumber", "InstanceNumber"})
_LONGEST_COUNTER: Final = 4  # digits
# Fields in which the scan room looks for words; two that say the same count as one statement, two that do
# not as two.
_TELLING: Final = ("SeriesDescription", "ImageID", "ImageComments", "AcquisitionDeviceProcessingDescription")
_TIME: Final = re.compile(r"([01]\d|2[0-3])(:?[0-5]\d(:?[0-5]\d(\.\d{1,6})?)?)?", re.ASCII)
METHOD: Final = "Sudeck allow-list after PS3.15 E"


@dataclass(frozen=True)
class CleanFile:
    """A file without its identity.

    Attributes
    ----------
    data : bytes
        The DICOM file.
    patient, study, instance : str
        Pseudonym; new identifiers of study and image.
    acquired_at : datetime or None
        Start of the acquisition, date shifted.
    kind : str
        ``"dynamic"``, ``"static"`` or ``"whole body"``; ``"image"`` where the frames can not be told apart
        yet.
    """

    data: bytes
    patient: str
    study: str
    instance: str
    acquired_at: datetime | None
    kind: str


def deidentify(file: DicomFile, key: Key, pseudonym: str, *, subject: str) -> CleanFile:
    """Return a file without anything that names the patient.

    Parameters
    ----------
    file : DicomFile
        From `sudeck.scan.reading.dicom.open_dicom`.
    key : Key
        Whose secret gives new identifiers and the shift of the dates.
    pseudonym : str
        The patient, ``sub-...``.
    subject : str
        How to name the file in a message; not its real name, which may name the patient.

    Raises
    ------
    InputError
        If the file is no nuclear medicine image, has or may have text burned into its pixels, went through
        lossy compression, is not counts, or would be measured differently afterwards.
    """
    with catch_warnings():
        simplefilter(
            "ignore"
        )  # pydicom warns of each irregular value; the reader of the new file counts them
        _refuse_burned_in(file.header, subject)
        redactor = redactor_of(file.header)
        clean = _Cleaner(key, key.shift(pseudonym), redactor).dataset(file.header, PROFILE)
        _set_pixels(clean, file, subject)
        _set_identity(clean, file, key, pseudonym)
        data = _encode(clean, file, subject)
        after = DicomFile(file.path, sha256_of(data), len(data), _reopened(data, subject))
        kind = _verify(file, after, subject)
    header = after.header
    return CleanFile(
        data,
        pseudonym,
        header.text("StudyInstanceUID"),
        header.text("SOPInstanceUID"),
        _time_of(header),
        kind,
    )


def open_for_import(path: Path, subject: str) -> DicomFile:
    """Open a file; a refusal names `subject` and not the file.

    Raises
    ------
    InputError
        If the file is empty, unreadable or not DICOM.
    """
    try:
        with catch_warnings():
            simplefilter("ignore")
            return open_dicom(path)
    except InputError as error:
        raise InputError(subject, error.problem, error.remedy) from None


def _refuse_burned_in(header: Header, subject: str) -> None:
    kind, problem = classify(header)
    if kind != "image":
        raise InputError(subject, problem, "give the nuclear medicine images of the study")
    if header.text("BurnedInAnnotation") == "YES" or header.text("RecognizableVisualFeatures") == "YES":
        raise InputError(
            subject,
            "the header says that something is burned into the pixels, perhaps the patient's name",
            "export the original image from the camera",
        )
    # Pixels that are proven to be counts hold no text; in others nobody knows.
    refuse_lossy(header, subject)
    values, _ = stored_values(header, subject)
    audit_counts(values, header, subject)


class _Cleaner:
    """Copies what a profile lists, each element as the profile says."""

    def __init__(self, key: Key, shift: timedelta, redactor: Redactor) -> None:
        self.key = key
        self.shift = shift
        self.redactor = redactor

    def dataset(self, header: Header, profile: Profile) -> Any:
        """Return a data set with the listed elements of another."""
        from pydicom.dataset import Dataset

        clean = Dataset()
        for keyword, action in profile.items():
            if keyword not in header.dataset:
                continue
            if not isinstance(action, str):
                setattr(clean, keyword, [self.dataset(item, action) for item in header.items(keyword)])
                continue
            try:
                element = header.dataset[keyword]
                value = self._value(element.value, action, keyword)
            except Exception:  # a damaged element reads as a missing one, before as after
                continue
            if value is not None and action == "keep":
                if _is_number(element, keyword):
                    clean[keyword] = element
            elif value is not None:
                setattr(clean, keyword, value)
                if clean[keyword].VR == "CS":  # a code string has no place for the mark
                    setattr(clean, keyword, _without_mark(value))
        if profile is PROFILE:
            self._keep_distinct(header, clean)
            self._private(header, clean)
        return clean

    def _value(self, value: Any, action: Action, keyword: str) -> Any:
        if action == "keep":
            return value
        if isinstance(value, Iterable) and not isinstance(value, str | bytes):
            return [self._text(str(item), action, keyword) for item in value]
        return None if value is None else self._text(str(value), action, keyword)

    def _text(self, text: str, action: Action, keyword: str) -> str:
        text = text.strip()
        if action == "uid":
            return self.key.uid(text) if text else ""
        if action == "date":
            return self._date(text)
        if action == "time":
            return text if _TIME.fullmatch(text) else ""
        if action == "words":
            return reduce_wording(text, self.redactor)
        if action == "class":
            return text if UID(text).name != text else ""  # a registered one has a name
        return text.upper() if text.upper() in CODES[keyword] else ""

    def _date(self, text: str) -> str:
        moment = parse_datetime(text)
        if moment is not None:
            return f"{moment + self.shift:%Y%m%d%H%M%S.%f}"
        day = parse_date(text)
        return "" if day is None else f"{day + self.shift:%Y%m%d}"

    def _keep_distinct(self, header: Header, clean: Any) -> None:
        """Keep apart the descriptions that were different before the words went."""
        seen: dict[str, str] = {}
        for keyword in _TELLING:
            if keyword not in clean:
                continue
            before, after = header.text(keyword), str(getattr(clean, keyword) or "")
            while seen.setdefault(after, before) != before:
                after += f" {GONE}"
            setattr(clean, keyword, after)

    def _private(self, header: Header, clean: Any) -> None:
        for (creator, group, element), action in PRIVATE.items():
            value = header.private(creator, group, element)
            if isinstance(value, float) and action == "keep":
                clean.private_block(group, creator, create=True).add_new(element, "FD", value)
            elif isinstance(value, str) and action == "words":
                words = reduce_wording(value, self.redactor)
                clean.private_block(group, creator, create=True).add_new(element, "LO", words)


def _is_number(element: Any, keyword: str) -> bool:
    """Tell whether an element holds what its place in the standard asks for: numbers, and no text."""
    from pydicom.datadict import dictionary_VR

    # Of two representations the standard gives (US or SS), either will do.
    if element.VR not in _NUMERIC or element.VR not in dictionary_VR(element.tag).split(" or "):
        return False
    values = element.value if element.VM > 1 else [element.value]
    texts = [str(value).strip() for value in values]
    if keyword in _COUNTERS and any(len(text) > _LONGEST_COUNTER for text in texts):
        return False
    return element.VR == "AT" or all(_NUMBER.fullmatch(text) for text in texts)


def _without_mark(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_mark(item) for item in value]
    return " ".join(str(value).replace(GONE, " ").split())


def _set_pixels(clean: Any, file: DicomFile, subject: str) -> None:
    """Write the stored values that were read, and nothing else that stood in the element of the pixels."""
    header = file.header
    values, _ = stored_values(header, subject)
    little = header.dataset.original_encoding[1] or _is_compressed(header)
    order = "<" if little else ">"
    for keyword, width in (("FloatPixelData", 4), ("DoubleFloatPixelData", 8)):
        if header.has(keyword):
            setattr(clean, keyword, values.astype(f"{order}f{width}").tobytes())
            return
    bits = header.integer("BitsAllocated") or 16
    kind = "i" if header.integer("PixelRepresentation") == 1 else "u"
    written = values.astype(f"{order}{kind}{bits // 8}")
    if (written != values).any():
        raise InputError(subject, "its pixels do not fit the bits it states", "export it again")
    data = written.tobytes()
    clean.PixelData = data + b"\0" * (len(data) % 2)
    clean["PixelData"].VR = "OW" if bits > 8 else "OB"


def _is_compressed(header: Header) -> bool:
    from pydicom.uid import AllTransferSyntaxes

    syntax = header.transfer_syntax
    return syntax is not None and syntax in AllTransferSyntaxes and syntax.is_compressed


def _set_identity(clean: Any, file: DicomFile, key: Key, pseudonym: str) -> None:
    clean.SpecificCharacterSet = "ISO_IR 192"
    clean.PatientName = clean.PatientID = pseudonym
    clean.PatientBirthDate = clean.PatientSex = ""
    clean.ReferringPhysicianName = clean.AccessionNumber = clean.StudyID = ""
    clean.PatientIdentityRemoved = "YES"
    clean.DeidentificationMethod = METHOD
    clean.LongitudinalTemporalInformationModified = "MODIFIED"
    if not clean.get("SOPInstanceUID"):
        clean.SOPInstanceUID = key.uid(file.sha256)


def _encode(clean: Any, file: DicomFile, subject: str) -> bytes:
    from pydicom import config, dcmwrite
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

    source = file.header.dataset
    implicit, little = source.original_encoding
    plain = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian if little else ExplicitVRBigEndian
    if _is_compressed(file.header):
        plain = ExplicitVRLittleEndian  # a compressed stream has places of its own for comments
    clean.file_meta = FileMetaDataset()
    sop_class = clean.get("SOPClassUID") or "1.2.840.10008.5.1.4.1.1.20"  # nuclear medicine image
    clean.file_meta.MediaStorageSOPClassUID = UID(str(sop_class))
    clean.file_meta.MediaStorageSOPInstanceUID = clean.SOPInstanceUID
    clean.file_meta.TransferSyntaxUID = plain
    buffer = BytesIO()
    try:
        with config.disable_value_validation():
            dcmwrite(buffer, clean, enforce_file_format=True)
    except Exception:  # whatever the damage provokes; its text may quote the header
        raise InputError(
            subject, "its header is too damaged to be written again", "export it again from the camera"
        ) from None
    return buffer.getvalue()


def _reopened(data: bytes, subject: str) -> Header:
    from pydicom import dcmread

    try:
        return Header(dcmread(BytesIO(data)))
    except Exception:
        raise InputError(
            subject, "it can not be read once it is de-identified", "export it again from the camera"
        ) from None


def _verify(before: DicomFile, after: DicomFile, subject: str) -> str:
    """Refuse a new file that the scan room would read differently; return the kind of image."""
    first, second = _reading(before, subject), _reading(after, subject)
    for name, value in first.items():
        if second.get(name) != value:
            raise InputError(
                subject, f"its {name} would read differently without its identity", "report this kind of file"
            )
    return str(second.get("kind", "image"))


def _reading(file: DicomFile, subject: str) -> dict[str, Any]:
    """Return everything about a file that a measurement rests on."""
    values, _ = stored_values(file.header, subject)
    counts = audit_counts(values, file.header, subject).counts
    reading: dict[str, Any] = {"counts": (counts.shape, sha256_of(counts.tobytes()))}
    try:
        image = read_acquisition(file, subject)
    except InputError as error:
        # It takes a statement of a person to read this file; the same one, before and after.
        return reading | {"refusal": error.problem}
    waited = None
    if image.acquired_at is not None and image.injected_at is not None:
        waited = image.acquired_at - image.injected_at
    return reading | {
        "kind": image.kind,
        "frames": image.frames,
        "spacing": image.spacing_mm,
        "limb": image.limb,
        "view": {number: (found.view, found.image_left) for number, found in image.evidence.items()},
        "phase": phase_by_text(image.text),
        "time after injection": waited,
        "half-life": image.half_life_s,
        "time of day": None if image.acquired_at is None else image.acquired_at.time(),
        "study": bool(image.study),
    }


def _time_of(header: Header) -> datetime | None:
    from sudeck.scan.reading.clock import read_clock

    return read_clock(header, "").acquired_at
