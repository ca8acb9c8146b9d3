"""What measuring a scan gives: six ratios, and everything needed to open them down to the pixels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sudeck.core.estimate import Estimate
from sudeck.core.flags import Flag
from sudeck.core.provenance import Provenance
from sudeck.core.published import PUBLISHED_RATIOS
from sudeck.core.vocabulary import Limb, ScanPhase, Side
from sudeck.scan.drivers import drivers
from sudeck.scan.limbs.geometry import Points
from sudeck.scan.limbs.poses import PhasePose
from sudeck.scan.phases.guideline import span
from sudeck.scan.phases.phase_series import PhaseSeries
from sudeck.scan.ratios.curves import TimeActivityCurve
from sudeck.scan.ratios.joint_regions import REGION_SOURCES, RegionSource
from sudeck.scan.ratios.set_mirror import describe_mirror
from sudeck.scan.ratios.uptake import RegionUptake
from sudeck.scan.reading.collection import Skipped


@dataclass(frozen=True)
class CutoffVerdict:
    """Whether a ratio of ratios exceeds its published cut-off, and how surely.

    Attributes
    ----------
    name : str
        The ratio.
    cutoff : float
        Relief was more frequent above it (strictly).
    exceeded : bool
    probability : float
        That the true ratio exceeds the cut-off, given the measurement error of this scan alone.
    """

    name: str
    cutoff: float
    exceeded: bool
    probability: float

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values."""
        return {"cutoff": self.cutoff, "exceeded": self.exceeded, "probability": self.probability}


@dataclass(frozen=True)
class PhaseMeasurement:
    """One phase, measured.

    Attributes
    ----------
    phase : {"vascular", "tissue", "bone"}
    pose : PhasePose
        Image, limbs and transforms.
    affected, healthy : RegionUptake
        Counts, area and pixel weights of both regions.
    affected_points, healthy_points : ndarray, shape [n, 2]
        Sample points of both regions on this image, in mm.
    uptake : mapping of str to Estimate
        Mean counts per pixel (and second, where the duration is known) of ``"affected"`` and ``"healthy"``.
    background_per_pixel : float
        Subtracted from both; 0 under the rule ``"none"``.
    duration_s : float or None
        Seconds the phase lasted.
    start_s : float
        Seconds after injection (or after the start of the acquisition) at which it began.
    clock : str
        What `start_s` counts from.
    geometric_mean : bool
        Whether both detectors of an opposed pair went into the ratio.
    curves : tuple of TimeActivityCurve
        Affected and healthy, for a dynamic phase.
    """

    phase: ScanPhase
    pose: PhasePose
    affected: RegionUptake
    healthy: RegionUptake
    affected_points: Points
    healthy_points: Points
    uptake: Mapping[str, Estimate]
    background_per_pixel: float
    duration_s: float | None
    start_s: float
    clock: str
    geometric_mean: bool
    curves: tuple[TimeActivityCurve, ...]

    def region_weights(self) -> NDArray[np.float64]:
        """Return the share of every pixel in either region, shape [row, column]."""
        return self.affected.weights + self.healthy.weights

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values, without the pixels."""
        return {
            "counts_in_image": float(self.pose.image.sum()),
            "matrix": list(self.pose.grid.shape),
            "spacing_mm": list(self.pose.grid.spacing_mm),
            "view": self.pose.view,
            "start_s": self.start_s,
            "clock": self.clock,
            "duration_s": self.duration_s,
            "geometric_mean": self.geometric_mean,
            "background_per_pixel": self.background_per_pixel,
            "uptake": {side: estimate.to_dict() for side, estimate in self.uptake.items()},
            "regions": {
                side: {"counts": region.counts, "area_px": region.area_px}
                for side, region in (("affected", self.affected), ("healthy", self.healthy))
            },
            "mirror": {
                **self.pose.mirror.to_dict(),
                "as_set": describe_mirror(
                    self.pose.mirror.transform, self.pose.mirror.centre_mm, self.pose.grid
                ),
            },
            "from_reference": self.pose.from_reference.to_dict(),
            "curves": [curve.to_dict() for curve in self.curves],
        }


@dataclass(frozen=True)
class OtherDelayed:
    """BPr of a delayed image of another time, laid over the flow and the pool as the bone phase is.

    Attributes
    ----------
    start_s : float
        Seconds after injection (or after the start of the flow) at which it began.
    clock : str
        What `start_s` counts from.
    files : tuple of str
        Masked names of its files.
    estimates, uptake_estimates : mapping of str to Estimate
        ``BPr`` of the counts in this image, and of uptake per area.
    refused, uptake_refused : mapping of str to str
        Why either could not be had.
    flags : tuple of Flag
        Findings about this image alone.
    measurement : PhaseMeasurement or None
        Everything that opens the number.
    """

    start_s: float
    clock: str
    files: tuple[str, ...]
    estimates: Mapping[str, Estimate]
    uptake_estimates: Mapping[str, Estimate]
    refused: Mapping[str, str]
    uptake_refused: Mapping[str, str]
    flags: tuple[Flag, ...]
    measurement: PhaseMeasurement | None

    @property
    def time(self) -> str:
        """Its time as a person says it, ``24.0 h``."""
        return span(self.start_s)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values."""
        return {
            "time": self.time,
            "start_s": self.start_s,
            "clock": self.clock,
            "files": list(self.files),
            "estimates": {name: estimate.to_dict() for name, estimate in self.estimates.items()},
            "uptake_estimates": {name: one.to_dict() for name, one in self.uptake_estimates.items()},
            "refused": dict(self.refused),
            "uptake_refused": dict(self.uptake_refused),
            "flags": [flag.to_dict() for flag in self.flags],
            "phase": self.measurement.to_dict() if self.measurement else None,
        }


@dataclass(frozen=True)
class ScanResult:
    """A measured three-phase bone scan.

    Attributes
    ----------
    estimates : mapping of str to Estimate
        ``VPr``, ``TPr``, ``BPr`` and their ratios, as far as they could be had: of the counts in the image,
        as the publication measured them and its cut-offs are for.
    refused : mapping of str to str
        For each of the six that could not, why.
    phases : mapping of phase to PhaseMeasurement
    reference : phase
        The phase on which limbs and region were found.
    affected : {"left", "right"}
    limb : {"hand", "foot"} or None
    region : str
        Name of the region.
    flags, skipped, provenance
        Findings, files left out and why, and how to make the result again.
    uptake_estimates : mapping of str to Estimate
        The same of uptake per area, with blur, scatter and background of the image taken out.
    uptake_refused : mapping of str to str
        Why an image ratio has no such counterpart.
    unmeasured : mapping of phase to PhaseSeries
        Phases that were read but not measured, so that a reader can see why.
    other_delayed : tuple of OtherDelayed
        BPr of delayed images of other times, beside the six ratios.
    """

    estimates: Mapping[str, Estimate]
    refused: Mapping[str, str]
    phases: Mapping[ScanPhase, PhaseMeasurement]
    reference: ScanPhase
    affected: Side
    limb: Limb | None
    region: str
    flags: tuple[Flag, ...]
    skipped: tuple[Skipped, ...]
    provenance: Provenance = field(repr=False)
    uptake_estimates: Mapping[str, Estimate] = field(default_factory=dict)
    uptake_refused: Mapping[str, str] = field(default_factory=dict)
    unmeasured: Mapping[ScanPhase, PhaseSeries] = field(default_factory=dict, repr=False)
    other_delayed: tuple[OtherDelayed, ...] = ()

    @property
    def region_source(self) -> RegionSource | None:
        """Where a region like this one was published; None for the others and for one drawn by a person."""
        drawn = self.provenance.settings.get("drawn") is not None
        return None if drawn else REGION_SOURCES.get(self.region)

    def verdicts(self) -> Mapping[str, CutoffVerdict]:
        """Hold each ratio of ratios against its published cut-off; none while a serious flag stands."""
        found: dict[str, CutoffVerdict] = {}
        if any(flag.severity == "serious" for flag in self.flags):
            return found
        for name, published in PUBLISHED_RATIOS.items():
            estimate = self.estimates.get(name)
            if estimate is not None:
                exceeded = estimate.value > published.cutoff
                probability = estimate.probability_above(published.cutoff)
                found[name] = CutoffVerdict(name, published.cutoff, exceeded, probability)
        return found

    def __str__(self) -> str:
        lines = [f"Affected side {self.affected}, region {self.region}"]
        lines += [str(estimate) for estimate in self.estimates.values()]
        lines += [f"{name}: not measured. {reason}" for name, reason in self.refused.items()]
        for other in self.other_delayed:
            lines += [str(estimate) for estimate in other.estimates.values()]
            lines += [f"{name} at {other.time}: not measured. {why}" for name, why in other.refused.items()]
        lines += [str(flag) for flag in self.flags]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows = "".join(f"<li>{estimate._repr_html_()}</li>" for estimate in self.estimates.values())
        return f"<ul>{rows}</ul>"

    def to_dict(self) -> dict[str, Any]:
        """Return the contract of ``scan.json`` as plain JSON-ready values."""
        return {
            "estimates": {name: estimate.to_dict() for name, estimate in self.estimates.items()},
            "uptake_estimates": {
                name: estimate.to_dict() for name, estimate in self.uptake_estimates.items()
            },
            "uptake_refused": dict(self.uptake_refused),
            "refused": dict(self.refused),
            "drivers": drivers(self.estimates, self.uptake_estimates),
            "published_cutoffs": {name: verdict.to_dict() for name, verdict in self.verdicts().items()},
            "affected": self.affected,
            "limb": self.limb,
            "region": self.region,
            "region_source": self.region_source.to_dict() if self.region_source else None,
            "reference": self.reference,
            "phases": {name: phase.to_dict() for name, phase in self.phases.items()},
            "other_delayed": [other.to_dict() for other in self.other_delayed],
            "flags": [flag.to_dict() for flag in self.flags],
            "skipped": [{"file": skip.label, "reason": skip.reason} for skip in self.skipped],
            "provenance": self.provenance.to_dict(),
        }
