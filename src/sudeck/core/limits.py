"""How much memory one file may take: asked before a parser is given what it would unpack.

A few megabytes can unpack to gigabytes, by accident or on purpose. Reading one file may take one gigabyte, or
three times the file where that is more; ``SUDECK_MEMORY_GB`` in the environment raises it.
"""

from __future__ import annotations

import os
import zipfile
import zlib
from pathlib import Path
from typing import Final

from sudeck.core.errors import InputError

SETTING: Final = "SUDECK_MEMORY_GB"
_DEFAULT_GB = 1.0
_GB = 2**30
_TIMES_THE_FILE = 3
_PIECE = 2**22
_FAR_TOO_MUCH = 16  # times what is allowed, beyond which nobody asks how much it is


def memory_allowed(file_bytes: int) -> int:
    """Return the bytes of memory that reading a file of that size may take.

    Raises
    ------
    InputError
        If the setting in the environment is no positive number.

    Examples
    --------
    >>> memory_allowed(1000) == 2**30, memory_allowed(2**30) == 3 * 2**30
    (True, True)
    """
    text = os.environ.get(SETTING, "").strip()
    try:
        gigabytes = float(text) if text else _DEFAULT_GB
    except ValueError:
        gigabytes = 0.0
    if not 0 < gigabytes < 1e6:
        raise InputError(SETTING, f"{text!r} is no number of gigabytes", "give one, for example 4")
    return max(int(gigabytes * _GB), _TIMES_THE_FILE * file_bytes)


def check_memory(path: Path, unpacked_bytes: int, *, copies: float) -> None:
    """Refuse a file that would take more memory than it may.

    Parameters
    ----------
    path : Path
    unpacked_bytes : int
        What it holds once unpacked.
    copies : float
        How many times that is in memory while it is read and converted.

    Raises
    ------
    InputError
        If it is too much.
    """
    check_unpacked(path.name, path.stat().st_size, unpacked_bytes, copies=copies)


def check_unpacked(subject: str, packed_bytes: int, unpacked_bytes: int, *, copies: float) -> None:
    """Refuse content that would take more memory than it may; as `check_memory`, of what lies in no file.

    Raises
    ------
    InputError
        If it is too much.
    """
    needed = unpacked_bytes * copies
    if needed > memory_allowed(packed_bytes):
        raise InputError(
            subject,
            f"{packed_bytes / 1e6:.3g} MB on disk would take {needed / _GB:.2g} GB of memory",
            f"if it is what it should be, set {SETTING}={needed / _GB + 1:.0f} in the environment",
        )


def check_archive(path: Path, *, copies: float) -> None:
    """Refuse a zip archive (XLSX, NPZ) that would unpack to more than it may.

    The sizes its directory states are believed: reading stops there, and a wrong one fails its checksum.

    Raises
    ------
    InputError
        If it would.
    zipfile.BadZipFile, and whatever else a damaged archive leads to
        The reader of the format says it in its own words.
    """
    with zipfile.ZipFile(path) as archive:
        unpacked = sum(member.file_size for member in archive.infolist())
    check_memory(path, unpacked, copies=copies)


def check_deflated(subject: str, data: bytes, *, copies: float) -> None:
    """Refuse a deflated stream (RFC 1951) that would inflate to more than it may; nothing of it is kept.

    Raises
    ------
    InputError
        If it would, or the stream is damaged.
    """
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    unpacked, rest = 0, data
    enough = _FAR_TOO_MUCH * memory_allowed(len(data)) / copies
    try:
        while rest and not inflate.eof and unpacked < enough:
            unpacked += len(inflate.decompress(rest, _PIECE))
            rest = inflate.unconsumed_tail
    except zlib.error:
        raise InputError(subject, "its compressed content is damaged", "export it again") from None
    check_unpacked(subject, len(data), unpacked, copies=copies)
