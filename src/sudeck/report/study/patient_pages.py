"""What a run of a study writes beside the numbers: a page of each result, a thumbnail of each scan."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from sudeck.core.vocabulary import SCAN_PHASES
from sudeck.report.kit.palette import AFFECTED_COLOUR

if TYPE_CHECKING:
    from sudeck.scan.result import PhaseMeasurement, ScanResult
    from sudeck.tms.result import TmsResult

SCAN_PAGE, SCAN_THUMBNAIL, TMS_PAGE = "scan.html", "scan.png", "tms.html"
MECHANISM_PAGE: Final = "mechanism.html"  # of the study, and in each patient's folder of that patient
TREATMENT_PAGE: Final = "ketamine.html"
_HEIGHT_PX: Final = 84
_GAP_PX, _BAR_PX = 4, 3
_TOP_PERCENTILE: Final = 99.7  # as on the page of the scan
_GREYS: Final = 48  # as many as an eye tells apart at this size; keeps the page of a study small


def present(result: ScanResult | TmsResult) -> Mapping[str, bytes]:
    """Return the files that open one result: its page, and for a scan a thumbnail."""
    from sudeck.report.scan.page import scan_report
    from sudeck.report.tms.page import tms_report
    from sudeck.scan.result import ScanResult

    if not isinstance(result, ScanResult):
        return {TMS_PAGE: tms_report(result).encode()}
    return {SCAN_PAGE: scan_report(result).encode(), SCAN_THUMBNAIL: scan_thumbnail(result)}


def scan_thumbnail(result: ScanResult) -> bytes:
    """Draw the measured phases side by side as a small PNG; the bar at the foot is under the affected limb.

    Returns
    -------
    bytes
        The same for the same result.
    """
    from PIL import Image

    phases = [result.phases[name] for name in SCAN_PHASES if name in result.phases]
    panels = [_panel(phase, phases) for phase in phases]
    gap = np.full((_HEIGHT_PX, _GAP_PX, 3), 255, dtype=np.uint8)
    row = [part for panel in panels for part in (gap, panel)][1:]
    png = BytesIO()
    sheet = Image.fromarray(np.concatenate(row, axis=1)).quantize(_GREYS + 2, dither=Image.Dither.NONE)
    sheet.save(png, "PNG", optimize=True)
    return png.getvalue()


def _panel(phase: PhaseMeasurement, phases: list[PhaseMeasurement]) -> NDArray[np.uint8]:
    from PIL import Image

    from sudeck.report.scan.phase_svg import window_of

    pose = phase.pose
    window = window_of(phase, phases)
    shown = pose.image[window.rows, window.columns]
    top = max(float(np.percentile(pose.image[pose.limbs.labels > 0], _TOP_PERCENTILE)), 1.0)
    level = np.round((1 - np.clip(shown / top, 0.0, 1.0)) * _GREYS) / _GREYS
    row_mm, column_mm = pose.grid.spacing_mm
    height = _HEIGHT_PX - _BAR_PX
    width = max(round(height * shown.shape[1] * column_mm / (shown.shape[0] * row_mm)), 8)
    grey = Image.fromarray((255 * level).astype(np.uint8)).resize((width, height), Image.Resampling.BOX)
    panel = np.full((_HEIGHT_PX, width, 3), 255, dtype=np.uint8)
    panel[:height] = np.asarray(grey)[..., None]
    half = slice(0, width // 2) if pose.affected_label == 1 else slice(width - width // 2, width)
    panel[height:, half] = tuple(bytes.fromhex(AFFECTED_COLOUR.removeprefix("#")))
    return panel
