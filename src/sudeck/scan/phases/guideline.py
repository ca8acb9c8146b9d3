"""Times a three-phase bone scan should keep, and which phase of the study an image is by its time and form.

Limits: EANM practice guidelines for bone scintigraphy (Van den Wyngaert et al., Eur J Nucl Med Mol Imaging
2016;43:1723-1738): flow started with the injection in frames of 1 to 2 s, tissue phase 1 to 10 min, delayed
images 2 to 5 h after injection.
"""

from __future__ import annotations

import re

from sudeck.core.flags import Flag
from sudeck.core.vocabulary import ScanPhase

LONGEST_FLOW_FRAME_S = 10.0
LONGEST_FLOW_S = 180.0
FLOW_S = 120.0
_FLOW_START_S = (-60.0, 60.0)
_FLOW_FRAME_S = 3.0
_TISSUE_START_S = (60.0, 600.0)
_BONE_START_S = (2 * 3600.0, 5 * 3600.0)
# Between these two an image is neither pool nor delayed.
_LATEST_TISSUE_S = 1800.0
_EARLIEST_BONE_S = 3600.0
# A 24 h image still has counts; later than that, a date is wrong.
_LATEST_BONE_S = 30 * 3600.0
# Injection and acquisition are noted on two clocks: a flow may seem to start well off the injection.
_FLOW_CLOCK_ERROR_S = 900.0

_PHASE_WORDS: tuple[tuple[ScanPhase, re.Pattern[str]], ...] = (
    ("vascular", re.compile(r"\b(FLOW|PERFUSION|VASCULAR|VASCULAIRE|ANGIO\w*|FLUX)\b")),
    ("tissue", re.compile(r"\b(POOL|BLOODPOOL|TISSUE|TISSULAIRE|EARLY|PR[EÉ]COCES?|BLOOD)\b")),
    (
        "bone",
        re.compile(
            r"\b(DELAY(ED)?|LATE|TARDIFS?|TARDIVES?|OSSEU(X|SE)|SP[AÄ]T|TARD[IÍ]A|[2-5] ?H(RS?|OURS?)?)\b"
        ),
    ),
)


def phase_by_text(text: str) -> ScanPhase | None:
    """Return the one phase a description names, or None when it names none or several.

    Examples
    --------
    >>> phase_by_text("BLOOD POOL FEET"), phase_by_text("PERFUSION+POOL")
    ('tissue', None)
    """
    named = phases_in_text(text)
    return named[0] if len(named) == 1 else None


def phases_in_text(text: str) -> tuple[ScanPhase, ...]:
    """Return every phase a description names, in the order of the study.

    Examples
    --------
    >>> phases_in_text("PERFUSION+POOL")
    ('vascular', 'tissue')
    """
    words = text.replace("_", " ")
    return tuple(phase for phase, pattern in _PHASE_WORDS if pattern.search(words))


def phase_by_form(*, first: bool, frame_s: float, total_s: float, start_s: float | None) -> ScanPhase | None:
    """Return "vascular" for the short quick frames that only a flow has, else the phase by time alone.

    Parameters
    ----------
    first : bool
        Whether these frames begin the acquisition or follow its first two minutes.
    frame_s, total_s : float
        Duration of a frame, and of all of them, s.
    start_s : float or None
        Start after injection, s.
    """
    quick = frame_s <= LONGEST_FLOW_FRAME_S and total_s <= LONGEST_FLOW_S
    if quick and first and (start_s is None or abs(start_s) < _FLOW_CLOCK_ERROR_S):
        return "vascular"
    return None if start_s is None else phase_by_time(start_s)


def phase_by_time(start_s: float) -> ScanPhase | None:
    """Return the phase of an image that starts `start_s` after injection; None between pool and delayed.

    Examples
    --------
    >>> phase_by_time(300), phase_by_time(2700), phase_by_time(3 * 3600)
    ('tissue', None, 'bone')
    """
    if _EARLIEST_BONE_S <= start_s <= _LATEST_BONE_S:
        return "bone"
    return "tissue" if 0 <= start_s < _LATEST_TISSUE_S else None


def timing_flags(phase: ScanPhase, start_s: float, frame_s: float | None) -> tuple[Flag, ...]:
    """Return a flag for each time of a phase that lies outside the guideline, with the numbers."""
    low, high = {"vascular": _FLOW_START_S, "tissue": _TISSUE_START_S, "bone": _BONE_START_S}[phase]
    flags = []
    if not low <= start_s <= high:
        wanted = {
            "vascular": "with the injection",
            "tissue": "1 to 10 min after injection",
            "bone": "2 to 5 h after injection",
        }[phase]
        limit = low if start_s < low else high
        flags.append(
            Flag(
                "phase-time-outside-guideline",
                f"The {phase} phase starts {span(start_s)} after injection; the guideline wants {wanted}.",
                "caution",
                phase,
                start_s,
                limit,
                "s",
            )
        )
    if phase == "vascular" and frame_s is not None and frame_s > _FLOW_FRAME_S:
        flags.append(
            Flag(
                "flow-frames-long",
                f"The frames of the flow last {frame_s:g} s; the guideline wants 1 to 2 s.",
                "caution",
                phase,
                frame_s,
                _FLOW_FRAME_S,
                "s",
            )
        )
    return tuple(flags)


def span(seconds: float) -> str:
    """Return a time span as a person says it.

    Examples
    --------
    >>> span(45), span(1500), span(54300)
    ('45 s', '25.0 min', '15.1 h')
    """
    if abs(seconds) >= 7200:
        return f"{seconds / 3600:.1f} h"
    return f"{seconds / 60:.1f} min" if abs(seconds) >= 120 else f"{seconds:.0f} s"
