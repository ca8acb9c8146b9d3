"""What every test may use: the folder of shared data, where there is one, and a deterministic Hypothesis."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "sudeck", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("sudeck")

SHARED_DATA = Path(__file__).resolve().parents[1].parent / "shared" / "data"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real and truth-known files beside a developer's checkout; skips where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"needs the folder of shared data files beside the checkout ({SHARED_DATA.parent.name}/)")
    return SHARED_DATA


@pytest.fixture(scope="session")
def numba_installed() -> None:
    """Skip where the extra is not installed."""
    pytest.importorskip("numba", reason="needs the extra: pip install 'sudeck[circuit]'")
