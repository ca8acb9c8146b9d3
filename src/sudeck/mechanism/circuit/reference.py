"""The reference circuits that come with the package: several, fitted by `calibration`, none the truth."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any, Final

import numpy as np

from sudeck.mechanism.circuit.parameters import FITTED, Circuit, make_circuits

_FILE: Final = "reference_circuits.json"


def load_reference() -> Circuit:
    """Return the reference circuits, both hemispheres healthy and equal.

    Made by ``sudeck circuit calibrate`` with its default settings, in a few minutes of one core.

    Examples
    --------
    >>> load_reference().n_circuits >= 4
    True
    """
    values = _read()["values"]
    return make_circuits({name: np.array(values[name], float) for name in FITTED})


@cache
def _read() -> dict[str, Any]:
    text = files("sudeck.mechanism.circuit").joinpath(_FILE).read_text("utf-8")
    content: dict[str, Any] = json.loads(text)
    return content
