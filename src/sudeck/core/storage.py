"""Writing results: atomically, as JSON and TSV, so that a killed run never leaves half a file."""

from __future__ import annotations

import json
import math
import os
import re
import secrets
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from sudeck.core.errors import InputError, acts_on_a_screen

_FORMULA: Final = re.compile(r"[=@＝＠]|[+＋－-].")  # the wide ones are signs to a Japanese spreadsheet
# A number, with a unit or an interval behind it; not one that goes on to a sign, a call or another program.
_NUMBER: Final = re.compile(r"[+-]?[\d.,]+([eE][+-]?\d+)?([ %](?!.*(?:[|!=&*^<>@;\"']|[+-]\D|\w\()).*)?")
_DEEPEST: Final = 100  # levels of lists and tables; what people and programs write has ten
_LARGEST_WHOLE: Final = 2**64  # no count or identifier is larger; a float holds it
_TOO_DEEP: Final = "its lists or tables are nested too deep"
LARGEST_TEXT: Final = 64 * 2**20  # bytes of a settings file, a decision or a table; far beyond any real one


def write_text(path: Path, text: str) -> None:
    """Write `text` (UTF-8) so that `path` holds either the old content or all of the new."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, data: bytes) -> None:
    """Write `data` so that `path` holds either the old content or all of the new."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.parent / f".sudeck-{secrets.token_hex(8)}.part"
    try:
        # The mode asked for is everybody's; the system takes away what the user's umask says.
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):  # a full disk does not say for which file; of another, name this one
            error.filename = str(path)
        raise


def to_json(value: object, *, indent: int | None = 2) -> str:
    """Return `value` as strict JSON, indented for people; NaN and infinities become ``null``."""
    return json.dumps(_finite(value), indent=indent, ensure_ascii=False, allow_nan=False) + "\n"


def write_json(path: Path, value: object) -> None:
    """Write `value` as strict JSON, atomically."""
    write_text(path, to_json(value))


def write_tsv(
    path: Path,
    rows: Sequence[Mapping[str, object]],
    *,
    columns: Mapping[str, str],
) -> None:
    """Write rows as a BIDS-style TSV with its JSON sidecar, both atomically.

    Parameters
    ----------
    path : Path
        The ``.tsv`` file; the sidecar is `sidecar_of` it.
    rows : sequence of mappings
        One mapping a row; missing keys and ``None`` become ``n/a``, as BIDS asks.
    columns : mapping of str to str
        Column name to description, in the order of the columns.
    """
    write_text(path, tsv_text(rows, columns))
    write_json(sidecar_of(path), {name: {"Description": text} for name, text in columns.items()})


def tsv_text(rows: Iterable[Mapping[str, object]], columns: Iterable[str]) -> str:
    """Return rows as the text of a TSV, as `write_tsv` writes it."""
    names = list(columns)
    lines = ["\t".join(names)]
    lines += ["\t".join(_cell(row.get(name), name) for name in names) for row in rows]
    return "\n".join(lines) + "\n"


def sidecar_of(path: Path) -> Path:
    """Return the path of a table's JSON sidecar: ``scan.tsv`` has ``scan_columns.json`` beside it."""
    return path.with_name(f"{path.stem}_columns.json")


def _cell(value: object, name: str) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "n/a"
    if isinstance(value, float):
        # Ten digits of a time within a long recording are no longer the time of its sample.
        return f"{value:.10f}".rstrip("0").rstrip(".") if name == "time_s" else f"{value:.10g}"
    return table_text(value) or "n/a"


def table_text(value: object) -> str:
    r"""Return a value as a cell of a table holds it: one line, nothing that acts on a screen or in a sheet.

    Escapes and marks that turn the direction of writing go. A text that a spreadsheet would take for a
    formula gets an apostrophe in front, which spreadsheets do not show.

    Examples
    --------
    >>> table_text("=1+1"), table_text("-3.5"), table_text("a\x1b[31mb")
    ("'=1+1", '-3.5', 'a[31mb')
    """
    text = "".join(letter for letter in str(value) if letter.isspace() or not acts_on_a_screen(letter))
    text = " ".join(text.split())
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def _finite(value: Any) -> Any:
    # The plain and frequent first: whether something is a mapping is slow to ask.
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_finite(item) for item in value]
    if hasattr(value, "tolist"):
        return _finite(value.tolist())
    return value


def read_limited(path: Path, *, subject: str, limit: int = LARGEST_TEXT) -> bytes:
    """Return the bytes of a small file: settings, a decision, a table.

    Raises
    ------
    InputError
        If it can not be read, is no ordinary file (a pipe would wait for ever), or is larger than `limit`.
    """
    try:
        if not path.is_file():
            raise InputError(subject, "it is not a file", "check the path")
        size = path.stat().st_size
        if size > limit:
            raise InputError(
                subject, f"it is {size / 2**20:.0f} MB large; {limit / 2**20:.0f} are read", "check the file"
            )
        return path.read_bytes()
    except OSError as error:
        reason = (error.strerror or "it can not be read").lower()
        raise InputError(subject, f"it can not be read ({reason})", "check the path") from None


def parse_json(data: bytes | str, *, subject: str) -> Any:
    """Return parsed JSON, whatever damage it holds.

    Raises
    ------
    InputError
        If it is no JSON in UTF-8, too deep, or holds a number that is too long.
    """
    try:
        content = json.loads(data if isinstance(data, str) else data.decode("utf-8-sig"))
    except (ValueError, RecursionError, MemoryError):
        raise InputError(subject, "it is not readable JSON", "correct or remove it") from None
    if problem := _excess(content):
        raise InputError(subject, f"it is not readable JSON ({problem})", "correct or remove it")
    return content


def parse_toml(data: bytes, *, subject: str) -> dict[str, Any]:
    """Return parsed TOML, whatever damage it holds.

    Raises
    ------
    InputError
        If it is no TOML in UTF-8, too deep, or holds a number that is too long.
    """
    try:
        content = tomllib.loads(data.decode("utf-8-sig"))
        problem = _excess(content)
        if not problem:
            return content
    except UnicodeDecodeError:
        problem = "it is not UTF-8 text"
    except tomllib.TOMLDecodeError as error:
        problem = f"{str(error)[:1].lower()}{str(error)[1:]}"
    except (ValueError, OverflowError):
        problem = "it holds a number or date that can not be read"
    except (RecursionError, MemoryError):
        problem = _TOO_DEEP
    raise InputError(subject, f"it is not valid TOML ({problem})", "correct that line")


def _excess(content: Any) -> str:
    """Return what in parsed content nothing could work with: what is nested too deep, or huge; else nothing.

    Whatever a parser lets through is walked again by what checks, hashes and writes it, with less room left.
    """
    level = [content]
    for _ in range(_DEEPEST):
        for value in level:
            if isinstance(value, int) and abs(value) > _LARGEST_WHOLE:
                return "it holds a number that is too large"
        level = [
            item
            for value in level
            if isinstance(value, Mapping | list)
            for item in (value.values() if isinstance(value, Mapping) else value)
        ]
        if not level:
            return ""
    return _TOO_DEEP
