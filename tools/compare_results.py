"""Compare two folders of results value by value: the same study, measured by two sets of libraries.

    python tools/compare_results.py FOLDER OTHER [--limit 1e-9]

Every JSON and TSV file of one folder is held against that of the other. Numbers may differ by `limit` of
their size, everything else not at all; what says when and with what a result was made is left out. The exit
status is 1 if anything differs. `make same-lowest` does it for a small study on the oldest and the newest
libraries.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# Times, versions, and what is made of them.
LEFT_OUT = {
    "seconds", "libraries", "software", "when", "started", "finished", "fingerprint", "provenance", "created",
    "record_sha256",
}  # fmt: skip


def differences(one: Any, other: Any, where: str, limit: float) -> Iterator[str]:
    """Yield every place at which two results differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        for name in sorted({*one, *other} - LEFT_OUT):
            yield from differences(one.get(name), other.get(name), f"{where}/{name}", limit)
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for index, pair in enumerate(zip(one, other, strict=True)):
            yield from differences(*pair, f"{where}[{index}]", limit)
    elif not _same(one, other, limit):
        yield f"{where}: {str(one)[:60]} and {str(other)[:60]}"


def _same(one: Any, other: Any, limit: float) -> bool:
    numbers = [value for value in (one, other) if isinstance(value, int | float)]
    if len(numbers) == 2 and all(map(math.isfinite, numbers)):
        return math.isclose(*numbers, rel_tol=limit, abs_tol=limit * 1e-3)
    return bool(one == other) or (one != one and other != other)


def contents(path: Path) -> Any:
    """Return what a file of results holds, numbers of tables as numbers."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".json":
        return json.loads(text)
    return [[_number(cell) for cell in row] for row in csv.reader(text.splitlines(), delimiter="\t")]


def _number(cell: str) -> float | str:
    try:
        return float(cell)
    except ValueError:
        return cell


def main() -> int:
    """Compare from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("other", type=Path)
    parser.add_argument("--limit", type=float, default=1e-9)
    chosen = parser.parse_args()
    names = {
        path.relative_to(root)
        for root in (chosen.folder, chosen.other)
        for path in root.rglob("*")
        if path.suffix in (".json", ".tsv") and path.name != "run.json"
    }
    found: list[str] = []
    for name in sorted(names):
        paths = [root / name for root in (chosen.folder, chosen.other)]
        missing = [str(path) for path in paths if not path.is_file()]
        found += [f"{path} is missing" for path in missing]
        if not missing:
            found += differences(*map(contents, paths), str(name), chosen.limit)
    print(*found[:40], f"{len(names)} files compared, {len(found)} differences", sep="\n")
    return 1 if found or not names else 0


if __name__ == "__main__":
    sys.exit(main())
