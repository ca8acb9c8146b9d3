"""`sudeck scan`: measure a three-phase bone scan."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from sudeck.core.errors import InputError
from sudeck.core.vocabulary import Limb, Side

if TYPE_CHECKING:
    from sudeck.scan.measurement import MeasureSettings
    from sudeck.scan.result import ScanResult

MeasuredView = Literal["anterior", "posterior", "palmar", "dorsal", "plantar"]
Paths = Annotated[list[Path], typer.Argument(help="Files and folders; anything in them.", show_default=False)]
LimbOption = Annotated[Limb | None, typer.Option(help="Limb imaged, where the files do not say.")]
ViewOption = Annotated[
    MeasuredView | None, typer.Option(help="View, where the files do not say or say wrong.")
]
ImageLeftOption = Annotated[Side | None, typer.Option(help="Side of the patient that stands at image-left.")]
InjectedOption = Annotated[
    datetime | None,
    typer.Option(
        help="Time of injection.", formats=["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S"]
    ),
]
FrameOption = Annotated[float | None, typer.Option(min=0.001, help="Seconds a frame of the dynamic lasted.")]
PhaseOption = Annotated[
    list[str] | None,
    typer.Option("--phase", metavar="FILE=PHASE", help="Which phase a file is: vascular, tissue or bone."),
]


def scan(
    paths: Paths,
    affected: Annotated[Side, typer.Option(help="Side of the body with CRPS.", show_default=False)],
    limb: LimbOption = None,
    region: Annotated[
        str,
        typer.Option(
            help="Region of the affected limb: whole; wrist, metacarpals, fingers, without-fingers, mcp, "
            "pip, dip; ankle, midfoot, forefoot, mtp."
        ),
    ] = "whole",
    region_file: Annotated[
        Path | None, typer.Option(help="A region drawn by a person on the reference image, as JSON.")
    ] = None,
    mirror_file: Annotated[
        Path | None, typer.Option(help="The counterpart on the healthy limb set by a person, as JSON.")
    ] = None,
    background: Annotated[
        Literal["none", "region"], typer.Option(help="Subtract nothing, or what lies away from both limbs.")
    ] = "none",
    level: Annotated[float, typer.Option(min=0.5, max=0.999, help="Coverage of the intervals.")] = 0.95,
    camera_fwhm: Annotated[
        float | None,
        typer.Option(min=1, max=30, help="Resolution of the camera at the limb, mm.", show_default=False),
    ] = None,
    camera_scatter: Annotated[
        float | None,
        typer.Option(min=0, max=0.6, help="Share of the counts that were scattered.", show_default=False),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for scan.json, scan.tsv and report.html.", show_default=False)
    ] = None,
    view: ViewOption = None,
    image_left: ImageLeftOption = None,
    injected_at: InjectedOption = None,
    frame_seconds: FrameOption = None,
    phase: PhaseOption = None,
    flow_seconds: Annotated[
        float | None,
        typer.Option(min=5, help="Seconds of the flow to measure; else all.", show_default=False),
    ] = None,
) -> None:
    """Measure a three-phase bone scan: VPr, TPr, BPr and their ratios, each with its interval.

    Each is the uptake of the affected side over the healthy side, in the vascular, tissue and bone phase.
    """
    from sudeck.study.measuring.engine import use_one_thread

    use_one_thread()
    from sudeck.report.scan.console import print_scan
    from sudeck.report.scan.page import write_scan
    from sudeck.scan.measurement import MeasureSettings
    from sudeck.scan.ratios.camera_response import CameraResponse
    from sudeck.scan.ratios.drawn_regions import read_region_file
    from sudeck.scan.ratios.set_mirror import read_mirror_file

    if region_file is not None and region != "whole":
        raise InputError("--region", "a region file is given too", "give one of --region and --region-file")
    settings = MeasureSettings(
        region=region,
        drawn=read_region_file(region_file) if region_file else None,
        mirror=read_mirror_file(mirror_file) if mirror_file else None,
        background=background,
        level=level,
        camera=CameraResponse.stated(fwhm_mm=camera_fwhm, scatter_share=camera_scatter),
    )
    result = measure_paths(
        paths,
        affected=affected,
        settings=settings,
        limb=limb,
        view=view,
        image_left=image_left,
        injected_at=injected_at,
        frame_s=frame_seconds,
        phase_of=phase_map(phase or []),
        flow_s=flow_seconds,
    )
    if out:
        write_scan(result, out)
    print_scan(result, written=str(out) if out else "")


def measure_paths(
    paths: list[Path], *, affected: Side, settings: MeasureSettings, **reading: Any
) -> ScanResult:
    """Read files and measure them."""
    from sudeck.scan.measurement import measure_scan
    from sudeck.scan.phases.phase_series import read_scan

    _check_exist(paths)
    return measure_scan(read_scan(paths, **reading), affected=affected, settings=settings)


def phase_map(entries: list[str]) -> dict[str, Any] | None:
    """Return the phase of each file from entries like ``pool.dcm=tissue``."""
    from sudeck.core.vocabulary import SCAN_PHASES

    stated: dict[str, Any] = {}
    for entry in entries:
        name, equals, phase = entry.rpartition("=")
        if not equals or phase not in SCAN_PHASES:
            raise InputError(
                f"--phase {entry}",
                "it does not name a file and a phase",
                "write it as FILE=vascular, tissue or bone",
            )
        if stated.setdefault(name, phase) != phase:
            raise InputError(
                f"--phase {entry}",
                f"another phase, {stated[name]}, is stated for the same file",
                "state one of them",
            )
    return stated or None


def _check_exist(paths: list[Path]) -> None:
    for path in paths:
        if not path.exists():
            raise InputError(path.name, "there is no such file or folder", "check the path")
