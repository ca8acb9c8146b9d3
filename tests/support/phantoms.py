"""Synthetic studies as series in memory, for tests of the measurement."""

from __future__ import annotations

from typing import Any

import numpy as np

from sudeck.synthetic.scan.bone_scan import BoneScanDesign, SyntheticBoneScan, simulate_bone_scan
from sudeck.truth.in_memory import as_bone_scan

__all__ = ["as_bone_scan", "synthetic"]


def synthetic(seed: int = 1, **chosen: Any) -> SyntheticBoneScan:
    return simulate_bone_scan(BoneScanDesign(**chosen), rng=np.random.default_rng(seed))
