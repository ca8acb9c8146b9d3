"""Sudeck: bone scans, magnetic stimulation and ketamine in complex regional pain syndrome.

The front door: read and measure a scan or recordings, compare two measurements, open a study and ask who
responds and why. Each name is loaded when it is first used; the rooms behind it are `scan`, `tms`,
`ketamine`, `circuit`, `prediction`, `mechanism`, `synthetic` and `study`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sudeck.core.lazy import lazy_face

if TYPE_CHECKING:
    from sudeck.core.errors import InputError, SudeckError
    from sudeck.core.estimate import Estimate
    from sudeck.core.flags import Flag
    from sudeck.core.provenance import __version__
    from sudeck.scan import measure_scan, read_scan
    from sudeck.study import explain_study, open_study, predict_study, run_study
    from sudeck.tms import compare_results, measure_recordings, read_recordings

__all__ = [
    "Estimate",
    "Flag",
    "InputError",
    "SudeckError",
    "__version__",
    "compare_results",
    "explain_study",
    "measure_recordings",
    "measure_scan",
    "open_study",
    "predict_study",
    "read_recordings",
    "read_scan",
    "run_study",
]

__getattr__, __dir__ = lazy_face(
    __name__,
    scan="read_scan measure_scan",
    tms="read_recordings measure_recordings compare_results",
    study="open_study run_study predict_study explain_study",
    core__estimate="Estimate",
    core__flags="Flag",
    core__errors="InputError SudeckError",
    core__provenance="__version__",
    rooms="scan tms ketamine circuit prediction mechanism synthetic study statistics report core",
)
