"""A scan of known truth as if it had been read: for thousands of measurements without a file."""

from __future__ import annotations

import numpy as np

from sudeck.core.vocabulary import SCAN_PHASES
from sudeck.scan.phases.phase_series import BoneScan, PhaseSeries
from sudeck.synthetic.scan.bone_scan import SyntheticBoneScan


def as_bone_scan(scan: SyntheticBoneScan) -> BoneScan:
    """Return a synthetic scan as `sudeck.scan.read_scan` would read its files, its frames 2 s apart."""
    phases = {}
    for name in SCAN_PHASES:
        counts = np.asarray(scan.counts[name], dtype=np.float64)
        counts = counts if counts.ndim == 3 else counts[None]
        spacing = scan.truth.phases[name].spacing_mm
        phases[name] = PhaseSeries(
            name=name,
            counts=counts,
            start_s=2.0 * np.arange(counts.shape[0], dtype=np.float64),
            duration_s=np.full(counts.shape[0], 2.0),
            spacing_mm=(spacing, spacing),
            view=scan.design.seen_from,
            image_left=scan.truth.image_left,
            opposed=None,
            clock="injection",
            sources=(),
        )
    return BoneScan(phases, scan.design.limb, {}, (), (), ())
