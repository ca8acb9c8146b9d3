"""Pixel data to an array of stored values, one plane a frame; compressed files by an optional decoder."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.utils import pixel_array
from pydicom.uid import UID, AllTransferSyntaxes

from sudeck.core.errors import InputError, MissingDependencyError
from sudeck.core.limits import check_unpacked
from sudeck.scan.reading.dicom import Header

_AGAIN = "export it again from the camera or the archive"
_LOSSY = {
    "1.2.840.10008.1.2.4.50",  # JPEG baseline
    "1.2.840.10008.1.2.4.51",  # JPEG extended
    "1.2.840.10008.1.2.4.81",  # JPEG-LS near-lossless
    "1.2.840.10008.1.2.4.112",  # JPEG XL
}
# Syntaxes that may carry either: only the header's own statement "00" makes them lossless.
_EITHER = {
    "1.2.840.10008.1.2.4.91",  # JPEG 2000
    "1.2.840.10008.1.2.4.93",  # JPEG 2000 multi-component
    "1.2.840.10008.1.2.4.203",  # high-throughput JPEG 2000
}
_MAX_VALUES = 2**28  # 268 million pixels: far beyond any planar study, below what would exhaust memory


_COPIES = 3  # of all pixels at the same time, while they are decoded and audited


def refuse_lossy(header: Header, subject: str) -> None:
    """Raise unless the pixels are exactly those the camera wrote, as far as the header tells.

    Raises
    ------
    InputError
        If the transfer syntax loses information, or the header says that an earlier one did.
    """
    syntax = header.transfer_syntax
    stated = header.text("LossyImageCompression")
    if (
        stated == "01"
        or syntax in _LOSSY
        or (syntax in _EITHER and stated != "00")
        or header.text("LossyImageCompressionMethod")
        or header.numbers("LossyImageCompressionRatio")
    ):
        raise InputError(
            subject,
            "the image went through lossy compression, so its pixels are no longer counts",
            "export the original uncompressed or lossless images",
        )


def stored_values(header: Header, subject: str) -> tuple[NDArray[np.number], int]:
    """Decode the pixels.

    Returns
    -------
    values : NDArray [frame, row, column]
        Stored values in native byte order, before any rescaling, never inverted.
    declared : int
        The number of frames the header states, which may exceed the frames there are.

    Raises
    ------
    InputError
        If there are no pixels, they are cut short, in colour, or can not be decoded.
    """
    if header.has("FloatPixelData") or header.has("DoubleFloatPixelData"):
        return _float_values(header, subject)
    if not header.has("PixelData"):
        raise InputError(subject, "the file holds no pixel data", _AGAIN)
    photometric = header.text("PhotometricInterpretation")
    if photometric not in ("MONOCHROME1", "MONOCHROME2", ""):
        raise InputError(
            subject, f"its pixels are {photometric.lower()} colours, not counts", "give the NM image"
        )
    rows, columns, bits = (header.integer(word) or 0 for word in ("Rows", "Columns", "BitsAllocated"))
    declared = header.integer("NumberOfFrames") or 1
    if rows <= 0 or columns <= 0 or bits not in (8, 16, 32) or declared <= 0:
        raise InputError(subject, "the size of the image is not stated or impossible", _AGAIN)
    if rows * columns * declared > _MAX_VALUES:
        raise InputError(subject, f"it states {declared} frames of {rows} x {columns} pixels", _AGAIN)
    data = _pixel_bytes(header, subject)
    check_unpacked(subject, len(data), rows * columns * declared * bits // 8, copies=_COPIES)
    syntax = header.transfer_syntax
    if syntax is not None and syntax in AllTransferSyntaxes and syntax.is_compressed:
        return _decompressed(header, syntax, subject), declared
    return _native_values(header, data, (rows, columns), bits, declared, subject), declared


def _pixel_bytes(header: Header, subject: str) -> bytes:
    """Return what the element of the pixels holds, not decoded."""
    try:
        data = header.dataset.get_item("PixelData").value
    except Exception:  # pydicom raises whatever a damaged element provokes
        data = None
    if not isinstance(data, bytes):
        raise InputError(subject, "the pixel data is damaged", _AGAIN)
    return data


def _native_values(
    header: Header, data: bytes, shape: tuple[int, int], bits: int, declared: int, subject: str
) -> NDArray[np.number]:
    signed = header.integer("PixelRepresentation") == 1
    dtype = np.dtype(
        f"{'>' if header.dataset.original_encoding[1] is False else '<'}{'i' if signed else 'u'}{bits // 8}"
    )
    frame_bytes = shape[0] * shape[1] * dtype.itemsize
    whole = len(data) // frame_bytes
    if whole == 0:
        raise InputError(
            subject, f"the file is cut short at {len(data)} of {frame_bytes} bytes of pixels", _AGAIN
        )
    by_vectors = {len(header.numbers(vector)) for vector in ("DetectorVector", "EnergyWindowVector")}
    frames = whole if whole in by_vectors else declared
    if whole < frames or (whole < declared and len(data) - whole * frame_bytes > 1):
        raise InputError(subject, f"the file is cut short after {whole} of {declared} frames", _AGAIN)
    values = np.frombuffer(data, dtype, count=frames * shape[0] * shape[1]).reshape(frames, *shape)
    return _masked(values.astype(dtype.newbyteorder("="), copy=False), header, bits, signed)


def _masked(values: NDArray[Any], header: Header, bits: int, signed: bool) -> NDArray[Any]:
    """Drop what lies above the stored bits: old files kept overlays there."""
    stored = header.integer("BitsStored") or bits
    if not 0 < stored < bits:
        return values
    shift = bits - stored
    # Left then right: an arithmetic shift for signed values, so the sign bit follows the stored width.
    return (values << shift) >> shift if signed else values & ((1 << stored) - 1)


def _decompressed(header: Header, syntax: UID, subject: str) -> NDArray[np.number]:
    try:
        decoder = get_decoder(syntax)
    except NotImplementedError as error:
        raise InputError(
            subject, f"its compression ({syntax.name}) is not known", "export it uncompressed"
        ) from error
    if not decoder.is_available:
        feature = MissingDependencyError(f"Reading pixels in {syntax.name}", "compressed")
        raise InputError(subject, str(feature).rstrip("."), "or export it uncompressed") from feature
    try:
        values = np.asarray(pixel_array(header.dataset, raw=True))
    except Exception as error:  # decoders raise whatever their C libraries report
        raise InputError(subject, "its compressed pixels cannot be decoded", _AGAIN) from error
    planes = values[np.newaxis] if values.ndim == 2 else values
    if planes.ndim != 3:
        raise InputError(subject, "its pixels are colours, not counts", "give the NM image")
    return np.ascontiguousarray(planes)


def _float_values(header: Header, subject: str) -> tuple[NDArray[np.number], int]:
    rows, columns = header.integer("Rows") or 0, header.integer("Columns") or 0
    declared = header.integer("NumberOfFrames") or 1
    keyword, width = ("FloatPixelData", 4) if header.has("FloatPixelData") else ("DoubleFloatPixelData", 8)
    try:
        data = header.dataset[keyword].value
        big = header.dataset.original_encoding[1] is False
        values = np.frombuffer(data, np.dtype(f"{'>' if big else '<'}f{width}"))
        return values.reshape(declared, rows, columns).astype(np.float64), declared
    except Exception as error:
        raise InputError(subject, "its floating-point pixels are damaged", _AGAIN) from error
