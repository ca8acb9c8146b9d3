"""The truth of a synthetic bone scan: ratios, regions, counts and transforms, as exact as can be known."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sudeck.core.vocabulary import PHASE_RATIOS, ScanPhase, Side, opposite


@dataclass(frozen=True)
class RegionTruth:
    """What is true of one named region in one phase.

    The region is the part of the anatomical region that both limbs show in the field, so that the two sides
    are homologous point by point.

    Attributes
    ----------
    uptake_ratio : float
        Emission per unit area, affected over healthy, before blur, scatter and background.
    image_ratio : float
        Expected counts per pixel, affected over healthy, in the noise-free image with all of those: what a
        region without any error and without background correction measures. Where digits are bent unequally,
        means over homologous places by the area of either limb, averaged on the log scale; digits that one
        limb lacks are left out on both.
    expected_counts : mapping of side to float
        Expected counts in the region; for the vascular phase the sum over the flow.
    area_px : mapping of side to float
        Area of the region in pixels, partly covered pixels counted in part.
    coverage : mapping of side to array[row, column]
        Fraction of each pixel that the region covers.
    """

    uptake_ratio: float
    image_ratio: float
    expected_counts: Mapping[Side, float]
    area_px: Mapping[Side, float]
    coverage: Mapping[Side, NDArray[np.float32]]

    @property
    def cramer_rao_log_se(self) -> float:
        """Smallest standard error of the log ratio with the region known: ``sqrt(1/N_a + 1/N_h)``."""
        return math.sqrt(sum(1 / n for n in self.expected_counts.values()))

    def mask(self, side: Side) -> NDArray[np.bool_]:
        """Return the pixels ``[row, column]`` covered at least by half."""
        return np.asarray(self.coverage[side] >= 0.5)

    def polygons(self, side: Side) -> list[NDArray[np.float64]]:
        """Return the outlines ``[n, 2]`` as (x = column, y = row) of pixel centres, the largest piece first.

        A region may fall into pieces, as the fingers do.
        """
        from skimage.measure import find_contours

        framed = np.pad(self.coverage[side].astype(float), 1)
        pieces = find_contours(framed, 0.5)
        return [np.asarray(piece[:, ::-1] - 1.0) for piece in sorted(pieces, key=len, reverse=True)]

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values; the coverage becomes the outline of each side."""
        return {
            "uptake_ratio": self.uptake_ratio,
            "image_ratio": self.image_ratio,
            "expected_counts": dict(self.expected_counts),
            "area_px": dict(self.area_px),
            "cramer_rao_log_se": self.cramer_rao_log_se,
            "polygons_xy_px": {
                side: [piece.round(2) for piece in self.polygons(side)] for side in self.coverage
            },
        }


@dataclass(frozen=True)
class PhaseTruth:
    """What is true of one phase, in the image of the first detector.

    Transforms act on columns ``(x, y, 1)``. Pixel coordinates are (column, row) of pixel centres, from 0;
    millimetres are counted from the centre of the field, x to the right and y down. *Mirrored* means the
    image flipped left to right: x becomes -x, column c becomes ``size - 1 - c``.

    Attributes
    ----------
    regions : mapping of str to RegionTruth
        One for each named region.
    labels : array[row, column] of uint8
        0 outside, 1 the limb at the image left, 2 the limb at the image right.
    to_mirrored_healthy_mm, to_mirrored_healthy_px : array[3, 3]
        Similarity from a point of the affected limb to the homologous point of the healthy limb in the
        mirrored image.
    to_healthy_px : array[3, 3]
        The same to the image as it is; it contains the reflection.
    spacing_mm : float
        Pixel size.
    """

    regions: Mapping[str, RegionTruth]
    labels: NDArray[np.uint8]
    to_mirrored_healthy_mm: NDArray[np.float64]
    to_mirrored_healthy_px: NDArray[np.float64]
    to_healthy_px: NDArray[np.float64]
    spacing_mm: float

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values, without the label image."""
        return {
            "regions": {name: region.to_dict() for name, region in self.regions.items()},
            "to_mirrored_healthy_mm": self.to_mirrored_healthy_mm,
            "to_mirrored_healthy_px": self.to_mirrored_healthy_px,
            "to_healthy_px": self.to_healthy_px,
            "spacing_mm": self.spacing_mm,
        }


@dataclass(frozen=True)
class Truth:
    """Everything known about a synthetic bone scan.

    Attributes
    ----------
    affected : side
        Side with CRPS.
    image_left : side
        Side of the body at the left of the first detector's image.
    region : str
        The region that carries the asymmetry.
    phases : mapping of phase to PhaseTruth
        One each.
    arrival_s : mapping of side to float
        Arrival of the bolus.
    """

    affected: Side
    image_left: Side
    region: str
    phases: Mapping[ScanPhase, PhaseTruth]
    arrival_s: Mapping[Side, float]

    @property
    def healthy(self) -> Side:
        """The side without CRPS."""
        return opposite(self.affected)

    def image_ratios(self, region: str | None = None) -> dict[str, float]:
        """Return VPr, TPr, BPr as an error-free region measures them; the asymmetric region unless named."""
        name = self.region if region is None else region
        return {PHASE_RATIOS[phase]: truth.regions[name].image_ratio for phase, truth in self.phases.items()}

    def uptake_ratios(self, region: str | None = None) -> dict[str, float]:
        """Return VPr, TPr and BPr of the activity itself; the asymmetric region unless named."""
        name = self.region if region is None else region
        return {PHASE_RATIOS[phase]: truth.regions[name].uptake_ratio for phase, truth in self.phases.items()}

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values, without images."""
        return {
            "affected": self.affected,
            "image_left": self.image_left,
            "region": self.region,
            "uptake_ratios": self.uptake_ratios(),
            "image_ratios": self.image_ratios(),
            "arrival_s": dict(self.arrival_s),
            "phases": {phase: truth.to_dict() for phase, truth in self.phases.items()},
        }
