"""Synthetic studies for the tests: true changes, patients who differ, and a known error of every measure."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

Study = tuple[pd.DataFrame, pd.DataFrame]

COLUMNS = ["participant_id", "visit", "hemisphere", "measure", "value", "log_se"]
# Log changes of the published pattern, and a typical size of each measure.
PATTERN = {
    ("RMT", "pain"): 0.0,
    ("RMT", "other"): 0.0,
    ("MEP", "pain"): 0.0,
    ("MEP", "other"): 0.0,
    ("SICI", "pain"): -0.4,
    ("SICI", "other"): 0.0,
    ("ICF", "pain"): -0.3,
    ("ICF", "other"): -0.3,
}
LEVEL = {"RMT": 48.0, "MEP": 1.0, "SICI": 0.8, "ICF": 1.5}
SPREAD = {"RMT": 0.03, "MEP": 0.1, "SICI": 0.15, "ICF": 0.15}
ERROR = {"RMT": 0.02, "MEP": 0.12, "SICI": 0.15, "ICF": 0.15}


@pytest.fixture(scope="session")
def draw_study() -> Callable[..., Study]:
    """The generator of synthetic studies: `draw_study(seed, patients=19, effect=1.0, missing=0.0)`."""
    return _draw_study


def _draw_study(
    seed: int,
    *,
    patients: int = 19,
    effect: float = 1.0,
    missing: float = 0.0,
    measures: tuple[str, ...] = tuple(LEVEL),
) -> Study:
    """Return measures and patients; relief goes with the fall of SICI (pain side) and of ICF (other side)."""
    rng = np.random.default_rng(seed)
    rows = []
    relief = rng.normal(0, 0.5, patients)
    for (measure, side), change in PATTERN.items():
        if measure not in measures:
            continue
        for i in range(patients):
            own = rng.normal(np.log(LEVEL[measure]), 0.2)
            if (measure, side) == ("SICI", "other"):  # as the pain side will be after treatment
                own += PATTERN["SICI", "pain"]
            deviation = rng.normal(0, SPREAD[measure])
            if (measure, side) in {("SICI", "pain"), ("ICF", "other")}:
                relief[i] -= effect * deviation / SPREAD[measure]
            for visit in ("pre", "post"):
                true = own + (effect * change + deviation if visit == "post" else 0.0)
                if rng.random() >= missing:
                    value = np.exp(true + rng.normal(0, ERROR[measure]))
                    rows.append((f"p{i:02d}", visit, side, measure, value, ERROR[measure]))
    table = pd.DataFrame(rows, columns=COLUMNS)
    people = pd.DataFrame({"participant_id": [f"p{i:02d}" for i in range(patients)], "relief": relief})
    return table, people
