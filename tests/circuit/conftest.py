"""Circuits for the tests."""

from __future__ import annotations

import numpy as np
import pytest

from sudeck.circuit.parameters import Circuit, select
from sudeck.circuit.reference import load_reference


@pytest.fixture(scope="session")
def circuits() -> Circuit:
    """The reference circuits."""
    return load_reference()


@pytest.fixture(scope="session")
def one() -> Circuit:
    """The first reference circuit."""
    return select(load_reference(), np.array([0]))
