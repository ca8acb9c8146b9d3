"""The small JSON file beside bare arrays: what they are, in the words of the protocol file."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from sudeck.core.errors import InputError
from sudeck.core.storage import parse_json, read_limited
from sudeck.tms.signals.events import knows_column

# Where the values that hold for every trial lie among the others; no file has such a name.
STATED: Final = "__stated__"


def sidecar_of(path: Path) -> dict[str, Any]:
    """Return what the JSON file of the same name says, or nothing.

    A sidecar gives any of ``rate_hz``, ``unit``, ``pulse_ms`` or ``pulse_sample``, ``channel`` (or a list
    ``channels``), and columns under the names of an events table: a list has one value a trial, a single
    value holds for all of them::

        {"rate_hz": 3000, "unit": "uV", "pulse_ms": 50, "channel": "FDI", "test_mso": [50, 55, 60],
         "hemisphere": "left", "state": "rest"}

    Raises
    ------
    InputError
        If the file is no JSON object.
    """
    beside = path.with_suffix(".json")
    if not beside.is_file():
        return {}
    try:
        content = parse_json(read_limited(beside, subject=beside.name), subject=beside.name)
    except InputError:
        content = None
    if not isinstance(content, dict):
        raise InputError(beside.name, "the sidecar is no JSON object", "correct the file")
    stated = {
        name: value
        for name, value in content.items()
        if isinstance(value, str | int | float) and not isinstance(value, bool) and knows_column(name)
    }
    return content | {STATED: stated}
