"""Circuits for the tests; tests of a fast stepper skip where its library is absent."""

from __future__ import annotations

import numpy as np
import pytest

from sudeck.mechanism.circuit.parameters import Circuit, select
from sudeck.mechanism.circuit.reference import load_reference


@pytest.fixture(scope="session")
def circuits() -> Circuit:
    """The reference circuits."""
    return load_reference()


@pytest.fixture(scope="session")
def one() -> Circuit:
    """The first reference circuit."""
    return select(load_reference(), np.array([0]))


@pytest.fixture(scope="session")
def jax_installed() -> None:
    """Skip where the extra is not installed."""
    pytest.importorskip("jax", reason="needs the extra: pip install 'sudeck[circuit]'")


@pytest.fixture(scope="session")
def numba_installed() -> None:
    """Skip where the extra is not installed."""
    pytest.importorskip("numba", reason="needs the extra: pip install 'sudeck[circuit]'")
