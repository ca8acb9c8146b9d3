"""Files and folders in, opened DICOM out: whatever the dialect, and never a traceback for a broken one."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Literal

import pydicom
from pydicom.dataset import Dataset
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    MediaStorageDirectoryStorage,
    NuclearMedicineImageStorage,
    SecondaryCaptureImageStorage,
)

from sudeck.core.errors import InputError
from sudeck.core.limits import check_deflated
from sudeck.core.provenance import sha256_of

FileKind = Literal["image", "screen capture", "other modality", "no image"]

_AGAIN = "export it again from the camera or the archive"
_RETIRED_NM = "1.2.840.10008.5.1.4.1.1.5"  # Nuclear Medicine Image Storage before 1994
_PREAMBLE_END = 132
_META_LENGTH = b"\x02\x00\x00\x00UL\x04\x00"  # the element (0002,0000)
_LONGEST_META = 4096
_COPIES = 3  # of a data set at the same time, while it is read and its counts are audited
# First groups a DICOM file without preamble can begin with: file meta information, or the data set itself.
_FIRST_GROUPS = {b"\x02\x00", b"\x08\x00", b"\x00\x02", b"\x00\x08"}


class Header:
    """Safe, typed access to a DICOM data set: a malformed value reads as a missing one.

    pydicom converts values when they are first touched and raises whatever the damage provokes; this class
    is the one place where that is caught, so that every reader above deals in present or absent only.
    """

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset

    def _value(self, keyword: str) -> Any:
        try:
            return self.dataset.get(keyword)
        except Exception:  # damage shows as ValueError, TypeError, struct.error, UnicodeError, ...
            return None

    def has(self, keyword: str) -> bool:
        """Say whether the element is present, empty or not."""
        return keyword in self.dataset

    def texts(self, keyword: str) -> tuple[str, ...]:
        """Return the values of a text element, stripped, in upper case; empty when absent."""
        return _texts(self._value(keyword))

    def text(self, keyword: str) -> str:
        """Return the values of a text element as one line in upper case; empty when absent."""
        return " ".join(self.texts(keyword)).strip()

    def numbers(self, keyword: str) -> tuple[float, ...]:
        """Return the finite values of a numeric element; empty when absent or any is not a number."""
        value = self._value(keyword)
        if value is None or isinstance(value, bytes):
            return ()
        values = value if isinstance(value, Iterable) and not isinstance(value, str) else (value,)
        try:
            numbers = tuple(float(item) for item in values)
        except (TypeError, ValueError, OverflowError):
            return ()
        return numbers if all(map(math.isfinite, numbers)) else ()

    def number(self, keyword: str) -> float | None:
        """Return the first value of a numeric element, or None."""
        numbers = self.numbers(keyword)
        return numbers[0] if numbers else None

    def integers(self, keyword: str) -> tuple[int, ...]:
        """Return the values of a numeric element as integers; empty when absent."""
        return tuple(int(number) for number in self.numbers(keyword))

    def integer(self, keyword: str) -> int | None:
        """Return the first value of a numeric element as an integer, or None."""
        number = self.number(keyword)
        return None if number is None else int(number)

    def items(self, keyword: str) -> tuple[Header, ...]:
        """Return the items of a sequence; empty when absent."""
        value = self._value(keyword)
        if not isinstance(value, pydicom.Sequence):
            return ()
        try:
            return tuple(Header(item) for item in value)
        except Exception:
            return ()

    def private(self, creator: str, group: int, element: int) -> Any:
        """Return the raw value of a private element of `creator`, or None."""
        try:
            return self.dataset.private_block(group, creator)[element].value
        except Exception:
            return None

    @property
    def transfer_syntax(self) -> UID | None:
        """The transfer syntax the file states, or None when it has no file meta information."""
        meta = getattr(self.dataset, "file_meta", None)
        syntax = None if meta is None else meta.get("TransferSyntaxUID")
        return None if syntax is None else UID(str(syntax))


@dataclass(frozen=True, slots=True)
class DicomFile:
    """One opened file: where it lies, its hash and size, and its header (pixels not decoded yet)."""

    path: Path
    sha256: str
    size_bytes: int
    header: Header


def find_files(paths: Sequence[Path]) -> tuple[Path, ...]:
    """Return every file named in `paths` or lying in a folder named there, each once, in sorted order.

    Raises
    ------
    InputError
        If a path does not exist, or there is no file at all.
    """
    found: dict[Path, None] = {}
    for path in map(Path, paths):
        if path.is_dir():
            found.update(dict.fromkeys(sorted(_files_under(path))))
        elif path.is_file():
            found[path] = None
        else:
            raise InputError(path.name, "there is no such file or folder", "check the path")
    if not found:
        names = ", ".join(Path(path).name or str(path) for path in paths) or "input"
        raise InputError(names, "holds no file", "name the DICOM files of the study or their folder")
    return tuple(found)


def looks_like_dicom(path: Path) -> bool:
    """Tell by its beginning whether a file is DICOM with a preamble, as cameras and archives write it."""
    try:
        with path.open("rb") as file:
            return file.read(_PREAMBLE_END)[128:] == b"DICM"
    except OSError:
        return False


def open_dicom(path: Path) -> DicomFile:
    """Open one file, with or without preamble, in any transfer syntax; pixels are decoded later.

    Raises
    ------
    InputError
        If the file is empty, unreadable or not DICOM. The subject is the bare file name: the caller masks it.
    """
    try:
        with path.open("rb") as file:
            start = file.read(_PREAMBLE_END)
            if not start:
                raise InputError(path.name, "the file is empty", _AGAIN)
            if start[128:] != b"DICM" and start[:2] not in _FIRST_GROUPS:
                raise InputError(path.name, "this is not a DICOM file", "give the DICOM files of the study")
            data = start + file.read()
    except OSError as error:
        raise InputError(path.name, "the file cannot be read", "check its permissions") from error
    _refuse_bomb(path.name, data)
    try:
        dataset = pydicom.dcmread(BytesIO(data), force=start[128:] != b"DICM")
    except Exception as error:  # any damage to the stream ends here
        raise InputError(path.name, "the DICOM structure is damaged", _AGAIN) from error
    header = Header(dataset)
    if not (header.has("SOPClassUID") or header.has("Modality") or header.has("Rows")):
        raise InputError(path.name, "this is not a DICOM file", "give the DICOM files of the study")
    return DicomFile(path, sha256_of(data), len(data), header)


def classify(header: Header) -> tuple[FileKind, str]:
    """Say what a DICOM file is, and in one phrase why it can not be measured (empty for an image of counts).

    A Secondary Capture with Modality NM and grey pixels passes: archives rewrite genuine NM images so, and
    the counts audit is what tells them from pictures of a screen.
    """
    sop_class = header.text("SOPClassUID")
    modality = header.text("Modality")
    if sop_class == MediaStorageDirectoryStorage:
        return "no image", "it is a DICOMDIR index, not an image"
    if sop_class == SecondaryCaptureImageStorage or modality in ("SC", "OT"):
        samples = header.integer("SamplesPerPixel") or 1
        if modality != "NM" or samples > 1:
            return "screen capture", "it is a picture of a screen, not counts"
        return "image", ""
    if modality != "NM" and (modality or sop_class not in (NuclearMedicineImageStorage, _RETIRED_NM)):
        return "other modality", f"its modality is {modality or 'not stated'}, not nuclear medicine (NM)"
    if (header.integer("SamplesPerPixel") or 1) > 1:
        return "screen capture", "it is a colour picture, not counts"
    return "image", ""


def _refuse_bomb(subject: str, data: bytes) -> None:
    """Refuse a deflated file (PS3.5 A.5) that would take more memory inflated than it may."""
    # The file meta information is never deflated, begins with its own length and names the syntax.
    meta = data[_PREAMBLE_END:]
    if DeflatedExplicitVRLittleEndian.encode() not in meta[:_LONGEST_META]:
        return
    if meta[:8] != _META_LENGTH:
        raise InputError(subject, "the DICOM structure is damaged", _AGAIN)
    length = int.from_bytes(meta[8:12], "little")
    check_deflated(subject, meta[12 + length :], copies=_COPIES)


def _files_under(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))


def _texts(value: Any) -> tuple[str, ...]:
    if value is None or isinstance(value, bytes):
        return ()
    values = value if isinstance(value, Iterable) and not isinstance(value, str) else (value,)
    try:
        return tuple(" ".join(str(item).split()).upper() for item in values)
    except (TypeError, ValueError):
        return ()
