"""Where a result came from: the software, the settings, and the hashes of the files."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

from sudeck.core.record import Record

__version__ = "0.1.0"
SOFTWARE: Final = f"sudeck {__version__}"

# Libraries whose version may change a number.
LIBRARIES: Final = ("numpy", "scipy", "pandas", "scikit-image", "pydicom")


@dataclass(frozen=True, slots=True)
class SourceFile(Record):
    """A file a result rests on. `label` is its name with identifying words masked; the hash is the proof."""

    label: str
    sha256: str
    size_bytes: int


@cache
def library_versions() -> Mapping[str, str]:
    """Return the version of each library that results may depend on; empty where one is absent."""
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = ""
    return found


@dataclass(frozen=True, slots=True)
class Provenance:
    """Everything needed to make a result again.

    `created` is the only field that differs between two identical runs; comparisons of results leave it out.
    """

    sources: Sequence[SourceFile]
    settings: Mapping[str, Any]
    version: str = __version__
    python: str = field(default_factory=platform.python_version)
    libraries: Mapping[str, str] = field(default_factory=library_versions)
    created: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values."""
        return {
            "software": "sudeck",
            "version": self.version,
            "python": self.python,
            "libraries": dict(self.libraries),
            "created": self.created,
            "settings": dict(self.settings),
            "sources": [source.to_dict() for source in self.sources],
        }


def sha256_of(data: bytes) -> str:
    """Return the SHA-256 of `data` in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def fingerprint_of(values: Mapping[str, Any]) -> str:
    """Return the hash of plain values that stands for everything an answer or a record rests on.

    It is kept beside the answer: two of one fingerprint rest on the same inputs, and need not be made again.
    The order of the keys is no part of it, that of a list is. What is kept today must have the same
    fingerprint tomorrow, so nothing here may change.

    Examples
    --------
    >>> fingerprint_of({"seed": 1, "level": 0.95}) == fingerprint_of({"level": 0.95, "seed": 1})
    True
    """
    return sha256_of(json.dumps(values, sort_keys=True).encode())


def sha256_of_file(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal, read in blocks."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
