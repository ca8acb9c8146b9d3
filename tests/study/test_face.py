"""The face of the study room: every name is there, and nothing is loaded before it is asked for."""

from __future__ import annotations

import subprocess
import sys

import sudeck.study


def test_every_name_of_the_face_is_there() -> None:
    assert all(getattr(sudeck.study, name) is not None for name in sudeck.study.__all__)
    assert dir(sudeck.study) == sorted(sudeck.study.__all__)


def test_the_face_loads_nothing() -> None:
    code = (
        "import sys, sudeck.study; print([m for m in ('pandas', 'pydicom', 'skimage') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).stdout.strip() == b"[]"
