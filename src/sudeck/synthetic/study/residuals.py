"""Errors over stated errors as they were measured in pixels and volts, for worlds that are drawn as tables.

A table that is drawn with normal errors of just the stated size can only show what is wrong with what is made
of it. Those of ``residuals.json`` were measured in scans and recordings made of the package's own limbs and
people: they are as biased, as wide and as far out as those were, and the three phases of one scan stay
together. ``tools/write_residuals.py`` writes the file from runs of ``sudeck truth --tier files --json``.
"""

from __future__ import annotations

import json
from functools import lru_cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from sudeck.core.vocabulary import PHASE_RATIOS, SCAN_PHASES

FloatArray = NDArray[np.float64]


def of_scans() -> FloatArray:
    """Return the errors of log VPr, TPr and BPr (of the image) over the stated ones, a row a scan.

    Examples
    --------
    >>> of_scans().shape[1]
    3
    """
    return np.column_stack([_read()[PHASE_RATIOS[phase]] for phase in SCAN_PHASES])


def of_measure(measure: str) -> FloatArray:
    """Return the errors of RMT, MEP, SICI or ICF over the stated ones.

    Examples
    --------
    >>> float(of_measure("RMT").std().round(1))
    0.9
    """
    return _read()[measure]


@lru_cache(maxsize=1)
def _read() -> dict[str, FloatArray]:
    text = files("sudeck.synthetic.study").joinpath("residuals.json").read_text(encoding="utf-8")
    return {name: np.array(values) for name, values in json.loads(text)["residuals"].items()}
