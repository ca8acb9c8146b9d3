"""Writing results: atomically, as JSON and TSV, so that a killed run never leaves half a file."""

from __future__ import annotations

import json
import math
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def write_text(path: Path, text: str) -> None:
    """Write `text` (UTF-8) so that `path` holds either the old content or all of the new."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, data: bytes) -> None:
    """Write `data` so that `path` holds either the old content or all of the new."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".sudeck-", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def to_json(value: object) -> str:
    """Return `value` as indented, strict JSON; NaN and infinities become ``null``."""
    return json.dumps(_finite(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


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
    lines = ["\t".join(columns)]
    lines += ["\t".join(_cell(row.get(name)) for name in columns) for row in rows]
    write_text(path, "\n".join(lines) + "\n")
    write_json(sidecar_of(path), {name: {"Description": text} for name, text in columns.items()})


def sidecar_of(path: Path) -> Path:
    """Return the path of a table's JSON sidecar: ``scan.tsv`` has ``scan_columns.json`` beside it."""
    return path.with_name(f"{path.stem}_columns.json")


def _cell(value: object) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "n/a"
    if isinstance(value, float):
        return f"{value:.10g}"
    return " ".join(str(value).split()) or "n/a"


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_finite(item) for item in value]
    if hasattr(value, "tolist"):
        return _finite(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
