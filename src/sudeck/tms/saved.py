"""Results read back from the tms.json that `TmsResult.write` wrote."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sudeck.core.errors import InputError
from sudeck.core.estimate import Estimate, Scale
from sudeck.core.storage import parse_json, read_limited
from sudeck.tms.measures.measured import Measured


def read_measures(path: Path) -> tuple[Measured, ...]:
    """Read the estimates of a tms.json, or of the one in a folder.

    Raises
    ------
    InputError
        If there is none, or it is not what Sudeck writes.

    Notes
    -----
    Bounds that the file holds as null were infinite; on the log scale the lower one was zero.
    """
    file = path / "tms.json" if path.is_dir() else path
    if not file.exists():
        raise InputError(path.name, "no tms.json is there", "run `sudeck tms` with --out first")
    try:
        content = parse_json(read_limited(file, subject=path.name), subject=path.name)
        return tuple(_measured(entry) for entry in content["estimates"])
    except (InputError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise InputError(
            path.name, "it is no tms.json as Sudeck writes it", "measure the recording again with --out"
        ) from error


def is_saved_result(path: Path) -> bool:
    """Tell whether a path is a tms.json, or a folder that holds one."""
    return path.suffix.lower() == ".json" or (path / "tms.json").is_file()


def _measured(entry: Mapping[str, Any]) -> Measured:
    value = float(entry["value"])
    low, high = entry["low"], entry["high"]
    scale: Scale = "log" if entry.get("scale") == "log" else "linear"
    lowest = 0.0 if scale == "log" else -math.inf
    estimate = Estimate(
        str(entry["measure"]),
        value,
        lowest if low is None else float(low),
        math.inf if high is None else float(high),
        level=float(entry["level"]),
        unit=str(entry.get("unit") or ""),
        method=str(entry.get("method") or ""),
        n=None if entry.get("n") is None else float(entry["n"]),
        n_unit=str(entry.get("n_unit") or ""),
        scale=scale,
        se=None if entry.get("se") is None else float(entry["se"]),
    )
    return Measured(
        str(entry["measure"]),
        entry.get("hemisphere"),
        str(entry["muscle"]),
        estimate,
        isi_ms=None if entry.get("isi_ms") is None else float(entry["isi_ms"]),
        intensity=str(entry.get("intensity") or ""),
        conditioning=str(entry.get("conditioning") or ""),
        visit=str(entry.get("visit") or ""),
        participant=str(entry.get("participant") or ""),
        muscle_side=entry.get("muscle_side"),
        channel=str(entry.get("channel") or ""),
        file=str(entry.get("file") or ""),
    )
