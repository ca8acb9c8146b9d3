"""The truth of a patient as somebody wrote it down: read, and refused in a sentence where it is no truth.

A number that is not known may be left out or null.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sudeck.core.errors import InputError

_SCAN = '{"image_ratios": {"VPr": 1.31}, "uptake_ratios": {"VPr": 1.35}}'
_STIMULATION = '{"pre": {"left": {"RMT": 45.2, "SICI": 0.45}}}'


def read_true_scan(path: Path) -> dict[str, Any]:
    """Read what is true of a scan.

    Parameters
    ----------
    path : Path
        ``<participant>_scan.json``.

    Returns
    -------
    dict
        ``image_ratios`` and ``uptake_ratios`` by name, those that are known; ``design`` as it was given.

    Raises
    ------
    InputError
        If it can not be read, or a ratio is no number above 0.
    """
    given = _mapping(_json(path), path, "it", _SCAN)
    design = given.get("design", {})
    return {
        **{
            key: _numbers(given.get(key, {}), path, f"'{key}'", _SCAN)
            for key in ("image_ratios", "uptake_ratios")
        },
        "design": design if isinstance(design, Mapping) else {},
    }


def read_true_stimulation(path: Path) -> dict[str, dict[str, dict[str, float]]]:
    """Read what is true of stimulation, by visit, hemisphere and measure.

    Parameters
    ----------
    path : Path
        ``<participant>_tms.json``.

    Raises
    ------
    InputError
        If it can not be read, or a measure is no number above 0.
    """
    given = _mapping(_json(path), path, "it", _STIMULATION)
    return {
        visit: {
            side: _numbers(measures, path, f"'{visit}', '{side}'", _STIMULATION)
            for side, measures in _mapping(sides, path, f"'{visit}'", _STIMULATION).items()
        }
        for visit, sides in given.items()
    }


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:  # of the encoding, too
        raise InputError(path.name, "this truth is no readable JSON", "write the file again") from error


def _mapping(given: Any, path: Path, where: str, example: str) -> Mapping[str, Any]:
    if not isinstance(given, Mapping):
        raise InputError(path.name, f"{where} does not hold names with values", f"write it as {example}")
    return given


def _numbers(given: Any, path: Path, where: str, example: str) -> dict[str, float]:
    known = {name: one for name, one in _mapping(given, path, where, example).items() if one is not None}
    for name, one in known.items():
        number = isinstance(one, int | float) and not isinstance(one, bool)
        if not (number and math.isfinite(one) and one > 0):
            raise InputError(
                path.name, f"'{name}' in {where} is no number above 0", "correct it, or leave it out"
            )
    return {name: float(one) for name, one in known.items()}
