"""Where a person states what a file does not say: an option of one scan, a decision or setting of a study."""

from __future__ import annotations

from typing import Final


def stated(options: str, decision: str, *, setting: str = "") -> str:
    """Return a remedy that names the option of `sudeck scan` and the place in a study.

    Examples
    --------
    >>> stated("--frame-seconds 2", "frame-time 2")
    'state it with --frame-seconds 2; in a study with sudeck decide STUDY PATIENT frame-time 2'
    """
    elsewhere = f", or for all patients with {setting} in sudeck.toml" if setting else ""
    return f"state it with {options}; in a study with sudeck decide STUDY PATIENT {decision}{elsewhere}"


SAY_SIDE: Final = stated("--image-left right (or left)", "image-left right")
SAY_VIEW: Final = stated(
    "--image-left right (or left), or with --view anterior (or posterior)",
    "image-left right",
    setting='[scan] view = "anterior"',
)
SAY_PHASE: Final = stated("--phase FILE=tissue (or vascular, bone)", "phase FILE tissue")
SAY_FRAME_TIME: Final = stated("--frame-seconds 2", "frame-time 2")
SAY_INJECTION: Final = stated("--injected-at 2026-01-31T09:00:00", "injection-time 2026-01-31T09:00")
SAY_LIMB: Final = stated("--limb hand or --limb foot", "limb hand")
