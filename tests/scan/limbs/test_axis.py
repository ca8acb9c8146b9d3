"""Which end of a limb is its tip, told from where the field cuts it."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from sudeck.core.errors import InputError
from sudeck.scan.limbs.axis import find_axis
from sudeck.scan.limbs.geometry import Grid

GRID = Grid((128, 64), (2.7, 2.7))


def arm() -> NDArray[np.bool_]:
    """A forearm that goes on beyond the lower edge, a hand above it."""
    mask = np.zeros(GRID.shape, dtype=bool)
    mask[70:, 12:38] = True
    mask[30:70, 6:44] = True
    return mask


def test_the_field_cuts_a_forearm_at_its_body_end() -> None:
    axis = find_axis(arm(), GRID)
    assert axis.cut_proximal
    assert not axis.cut_distal
    assert axis.towards_body[1] == pytest.approx(1.0, abs=0.05)


def test_fingers_cut_by_the_side_of_the_field_do_not_hide_where_the_body_is() -> None:
    mask = arm()
    mask[40:64, :8] = True  # a little finger that leaves the field sideways
    axis = find_axis(mask, GRID)
    assert axis.towards_body[1] == pytest.approx(1.0, abs=0.1)
    assert axis.cut_distal


def test_a_limb_cut_at_both_ends_has_no_tip_to_tell() -> None:
    mask = np.zeros(GRID.shape, dtype=bool)
    mask[:, 12:38] = True
    with pytest.raises(InputError, match="cuts the limb at both ends"):
        find_axis(mask, GRID)
