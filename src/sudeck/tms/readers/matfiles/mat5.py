"""MAT-files of version 5 to 7, parsed by ourselves: SciPy crashes the whole process on some damaged files.

Written from the public description "MAT-File Format". A file is a list of elements; each begins with a tag
of type and size. Matrices hold elements for flags, dimensions, name and content, in that order.
"""

from __future__ import annotations

import math
import struct
import zlib
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

HEADER_BYTES: Final = 128
# Type codes of elements.
_INT8, _INT32, _UINT32, _MATRIX, _COMPRESSED = 1, 5, 6, 14, 15
_NUMBER_TYPES = {
    1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8",
}  # fmt: skip
_TEXT_CODECS = {1: "latin-1", 2: "latin-1", 4: "utf-16", 16: "utf-8", 17: "utf-16", 18: "utf-32"}
# Classes of matrices.
_CELL, _STRUCT, _OBJECT, _CHAR, _SPARSE, _OPAQUE = 1, 2, 3, 4, 5, 17
_NUMERIC = range(6, 16)
_MAX_DEPTH = 16
# No matrix has more elements; damaged dimensions must not fill the memory.
_MAX_ELEMENTS = 2**31


class TooLarge(Exception):  # noqa: N818 - internal, turned into an InputError by its caller
    """The variables unpack to more than they may."""


class Damaged(ValueError):  # noqa: N818 - internal, turned into an InputError by its caller
    """The file contradicts its own format."""


@dataclass(frozen=True, slots=True)
class Unread:
    """A variable of a class that is not read here: a table or another object, a sparse matrix."""

    is_object: bool


def parse(data: bytes, *, most_bytes: int = _MAX_ELEMENTS) -> dict[str, Any]:
    """Return the variables of a file by name.

    Parameters
    ----------
    data : bytes
        The whole file.
    most_bytes : int
        What all its compressed variables may unpack to.

    Returns
    -------
    dict
        Numeric arrays in MATLAB's order of axes, ``str`` or a list of them for text, ``dict`` for a struct,
        ``list`` for cells and struct arrays, `Unread` for objects and sparse matrices.

    Raises
    ------
    Damaged
        If a size, type or count is impossible, or a checksum is wrong.
    TooLarge
        If compressed variables unpack to more than `most_bytes`.
    """
    if len(data) < HEADER_BYTES:
        raise Damaged("the header is cut off")
    mark = data[126:128]
    if mark not in {b"IM", b"MI"}:
        raise Damaged("the byte order is not marked")
    return _Parser("<" if mark == b"IM" else ">").file(memoryview(data), most_bytes)


class _Parser:
    """Parse with one byte order; every method takes the bytes it may look at, and no more."""

    def __init__(self, order: str) -> None:
        self.order = order
        self.word = struct.Struct(f"{order}I")
        self.tag = struct.Struct(f"{order}II")

    def file(self, data: memoryview, most_bytes: int) -> dict[str, Any]:
        variables: dict[str, Any] = {}
        at = HEADER_BYTES
        while at + 8 <= len(data):
            kind, content, at = self.element(data, at)
            if kind == _COMPRESSED:
                unpacked = _unpacked(content, most_bytes)
                most_bytes -= len(unpacked)
                kind, content, _ = self.element(unpacked, 0)
            if kind == _MATRIX and len(content):
                name, value = self.matrix(content, 0)
                # The subsystem that holds the content of objects has no name.
                if name:
                    variables[name] = value
        if at != len(data):
            raise Damaged("bytes are left over")
        return variables

    def element(self, data: memoryview, at: int) -> tuple[int, memoryview, int]:
        """Return type and content of the element at `at`, and where the next one begins."""
        if at + 8 > len(data):
            raise Damaged("a tag is cut off")
        first, size = self.tag.unpack_from(data, at)
        if first >> 16:  # small element: size and type in one word, content in the next
            kind, size = first & 0xFFFF, first >> 16
            if size > 4:
                raise Damaged("a small element is too large")
            return kind, data[at + 4 : at + 4 + size], at + 8
        end = at + 8 + size
        if end > len(data):
            raise Damaged("an element reaches beyond its container")
        padded = end if first == _COMPRESSED else min(end + -size % 8, len(data))
        return first, data[at + 8 : end], padded

    def matrix(self, data: memoryview, depth: int) -> tuple[str, Any]:
        """Return name and value of a matrix."""
        if depth > _MAX_DEPTH:
            raise Damaged("structures are nested too deeply")
        kind, flags, at = self.element(data, 0)
        if kind != _UINT32 or len(flags) < 8:
            raise Damaged("a matrix has no flags")
        word = self.word.unpack_from(flags)[0]
        matrix_class = word & 0xFF
        if matrix_class == _OPAQUE:
            kind, name, at = self.element(data, at)
            return bytes(name).decode("latin-1"), Unread(is_object=True)
        kind, raw_shape, at = self.element(data, at)
        if kind != _INT32 or len(raw_shape) < 8:
            raise Damaged("a matrix has no dimensions")
        shape = struct.unpack(f"{self.order}{len(raw_shape) // 4}i", raw_shape[: len(raw_shape) // 4 * 4])
        if min(shape) < 0 or math.prod(shape) > _MAX_ELEMENTS:
            raise Damaged("a dimension is impossible")
        kind, raw_name, at = self.element(data, at)
        if kind != _INT8:
            raise Damaged("a matrix has no name")
        name_text = bytes(raw_name).decode("latin-1")
        rest = data[at:]
        if matrix_class in _NUMERIC:
            return name_text, self.numbers(rest, shape)
        if matrix_class == _CHAR:
            return name_text, self.text(rest, shape)
        if matrix_class == _CELL:
            return name_text, self.members(rest, math.prod(shape), depth)[0]
        if matrix_class in {_STRUCT, _OBJECT}:
            return name_text, self.struct(rest, shape, depth, has_class_name=matrix_class == _OBJECT)
        return name_text, Unread(is_object=matrix_class != _SPARSE)

    def numbers(self, data: memoryview, shape: tuple[int, ...]) -> Any:
        """Return a numeric array; of complex numbers the real part, since EMG has no other."""
        kind, content, _ = self.element(data, 0)
        if kind not in _NUMBER_TYPES:
            raise Damaged(f"numbers have the unknown type {kind}")
        dtype = np.dtype(self.order + _NUMBER_TYPES[kind])
        if len(content) != math.prod(shape) * dtype.itemsize:
            raise Damaged("numbers do not fill their matrix")
        array = np.frombuffer(content, dtype).reshape(shape, order="F")
        return array.astype(dtype.newbyteorder("="))

    def text(self, data: memoryview, shape: tuple[int, ...]) -> str | list[str]:
        """Return one text, or a list of the rows of a text matrix."""
        if math.prod(shape) == 0:
            return ""
        kind, content, _ = self.element(data, 0)
        if kind not in _TEXT_CODECS:
            raise Damaged(f"text has the unknown type {kind}")
        codec = _TEXT_CODECS[kind] + {"<": "-le", ">": "-be"}[self.order] * (kind in {4, 17, 18})
        characters = bytes(content).decode(codec, "replace")
        if len(shape) < 2 or shape[0] == 1:
            return characters.strip()
        # Columns are stored one after the other: every n-th character belongs to a row.
        return [characters[row :: shape[0]].strip() for row in range(min(shape[0], len(characters)))]

    def members(self, data: memoryview, count: int, depth: int) -> tuple[list[Any], memoryview]:
        """Return so many matrices that follow one another, and what is left of the bytes."""
        values = []
        at = 0
        if count * 8 > len(data):
            raise Damaged("a container counts more members than fit into it")
        for _ in range(count):
            kind, content, at = self.element(data, at)
            if kind != _MATRIX:
                raise Damaged("a member of a container is no matrix")
            values.append(self.matrix(content, depth + 1)[1] if len(content) else np.zeros((0, 0)))
        return values, data[at:]

    def struct(self, data: memoryview, shape: tuple[int, ...], depth: int, *, has_class_name: bool) -> Any:
        """Return one dict, or a list of them for an array of structs."""
        at = 0
        if has_class_name:
            _, _, at = self.element(data, at)
        kind, raw_length, at = self.element(data, at)
        if kind != _INT32 or len(raw_length) != 4:
            raise Damaged("a struct has no field names")
        length = self.word.unpack_from(raw_length)[0]
        _, raw_names, at = self.element(data, at)
        if not 0 < length <= 256 or len(raw_names) % length:
            raise Damaged("the field names of a struct are damaged")
        names = [
            bytes(raw_names[i : i + length]).split(b"\0")[0].decode("latin-1")
            for i in range(0, len(raw_names), length)
        ]
        count = math.prod(shape)
        values, _ = self.members(data[at:], count * len(names), depth)
        n = len(names)
        items = [dict(zip(names, values[i * n : (i + 1) * n], strict=True)) for i in range(count)]
        return items[0] if count == 1 else items


def _unpacked(content: memoryview, most_bytes: int) -> memoryview:
    """Return an unpacked element; its checksum tells damage."""
    try:
        worker = zlib.decompressobj()
        unpacked = worker.decompress(content, max(1, most_bytes))
    except zlib.error as error:
        raise Damaged("a compressed variable is damaged") from error
    if len(unpacked) >= max(1, most_bytes) and not worker.eof:
        raise TooLarge
    if not worker.eof:
        raise Damaged("a compressed variable is cut off")
    return memoryview(unpacked)
