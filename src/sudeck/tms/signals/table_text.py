"""Tables as text files, in any encoding and with any delimiter that programs of laboratories write."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from sudeck.core.errors import InputError


def read_table_file(path: Path) -> list[dict[str, str]]:
    """Read a table of text as records.

    Raises
    ------
    InputError
        If there is no such file, or it is no text.
    """
    try:
        data = path.read_bytes()
    except OSError:
        raise InputError(path.name, "there is no such table", "check the path") from None
    if b"\0" in data and not is_utf16(data):
        raise InputError(path.name, "the table is no text", "save it as UTF-8 TSV")
    return read_table(decode_text(data))


def is_utf16(data: bytes) -> bool:
    """Tell whether bytes begin as UTF-16 text does."""
    return data[:2] in {b"\xff\xfe", b"\xfe\xff"}


def decode_text(data: bytes) -> str:
    """Return text of any encoding that programs of laboratories write: UTF-8, UTF-16, or Windows-1252.

    Examples
    --------
    >>> decode_text("µV".encode("cp1252")), decode_text("µV".encode("utf-16"))
    ('µV', 'µV')
    """
    if is_utf16(data):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if error.start >= len(data) - 3 and error.reason == "unexpected end of data":
            return data.decode("utf-8-sig", "ignore")  # a head that was cut within a letter
        return data.decode("cp1252", "replace")


def read_table(text: str) -> list[dict[str, str]]:
    r"""Split delimited text into records by its header line; tab, semicolon or comma, as the header has it.

    Examples
    --------
    >>> read_table("onset\ttrial_type\n1.5\tSICI\n")
    [{'onset': '1.5', 'trial_type': 'SICI'}]
    """
    lines = text.replace("\0", "").splitlines()
    header = next((line for line in lines if line.strip()), "")
    delimiter = max("\t;,", key=header.count)
    try:
        reader = csv.DictReader(io.StringIO("\n".join(lines)), delimiter=delimiter, restval="", restkey="_")
        return [
            {str(key).strip(): str(value).strip() for key, value in record.items() if key not in {None, "_"}}
            for record in reader
        ]
    except csv.Error:
        return []
