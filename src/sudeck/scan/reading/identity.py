"""Whose file it is: what must be masked in anything we print, and whether files belong together."""

from __future__ import annotations

from collections.abc import Iterator

from pydicom.dataset import Dataset

from sudeck.core.privacy import Redactor
from sudeck.core.provenance import sha256_of
from sudeck.scan.reading.dicom import Header

_IDENTIFYING = (
    "PatientID",
    "OtherPatientIDs",
    "PatientBirthName",
    "PatientMotherBirthName",
    "PatientAddress",
    "PatientTelephoneNumbers",
    "MedicalRecordLocator",
    "MilitaryRank",
    "AccessionNumber",
    "IssuerOfPatientID",
)
# GE Genie keeps the patient's name a second time, out of reach of simple anonymisers.
_PRIVATE_NAMES = (("GEMS_GENIE_1", 0x0009, 0x40),)
_MAX_DEPTH = 8


def redactor_of(header: Header) -> Redactor:
    """Collect the words that identify the patient of a file, or anybody else named in it.

    Every element with the value representation of a person's name, at any depth of the sequences; record
    numbers; private copies of the name; the birth date in the ways people write one.
    """
    values: list[str] = list(_person_names(header.dataset, _MAX_DEPTH))
    for keyword in _IDENTIFYING:
        values += header.texts(keyword)
    for item in header.items("OtherPatientIDsSequence"):
        values += item.texts("PatientID")
    values += [str(header.private(*place) or "") for place in _PRIVATE_NAMES]
    values.append(header.text("PatientBirthDate"))
    return Redactor.from_values(values)


def patient_of(header: Header) -> tuple[str, str]:
    """Return tokens for the record number and the name of the patient; empty where the file states none.

    Hashes, so that neither goes any further. Case and separators of the name do not count.
    """
    return _token(header.text("PatientID")), _token(header.text("PatientName"))


def _token(text: str) -> str:
    letters = "".join(filter(str.isalnum, text.upper()))
    return sha256_of(letters.encode())[:16] if letters else ""


def _person_names(dataset: Dataset, depth: int) -> Iterator[str]:
    for tag in dataset.keys():  # noqa: SIM118 - iterating a Dataset converts every element
        try:
            # In implicit VR files the representation comes from the dictionary, hence only on conversion.
            if getattr(dataset.get_item(tag), "VR", None) not in (None, "PN", "SQ"):
                continue
            element = dataset[tag]
            if element.VR == "PN":
                yield from map(str, element.value if element.VM > 1 else (element.value,))
            elif element.VR == "SQ" and depth > 0:
                for item in element.value:
                    yield from _person_names(item, depth - 1)
        except Exception:  # a damaged element can name nobody
            continue
