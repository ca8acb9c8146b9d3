"""The reference: what is known of a healthy circuit once it shows the targets, as a mixture of normals.

Every fitted circuit contributes itself and the directions in which it could have differed and still shown the
targets: the normal distribution of the linearised fit about it. Two fits of equal quality lie far apart, so
one normal distribution would not do.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

import numpy as np

from sudeck.circuit.circuit_prior import circuits_at, position_of
from sudeck.circuit.parameters import FITTED, Circuit, Floats
from sudeck.circuit.steppers.stimulus import Ints

_FILE: Final = "reference_circuits.json"
# The circuit is far from linear over the whole length of a linearised fit: some of its ends are unstable.
# At this share most draws show the targets.
_SHARE_OF_FIT: Final = 0.4


@dataclass(frozen=True, eq=False)
class Reference:
    """Fitted circuits and how far each could be moved.

    Attributes
    ----------
    centre : array, shape (33, members)
        Positions as in `circuit_prior`.
    factor : array, shape (members, 33, 33)
        Lower Cholesky factor of each member's covariance.
    """

    centre: Floats
    factor: Floats

    @property
    def members(self) -> Circuit:
        """The fitted circuits themselves."""
        return circuits_at(self.centre)

    def place(self, step: Floats, member: Ints) -> Floats:
        """Return positions, shape (33, n), from standard normal steps of that shape about their members."""
        placed = self.centre[:, member]
        for each in np.unique(member):
            of = member == each
            placed[:, of] += self.factor[each] @ step[:, of]
        return np.asarray(placed)

    def draw(self, count: int, rng: np.random.Generator) -> Floats:
        """Draw positions of healthy circuits, shape (33, count)."""
        member: Ints = rng.integers(len(self.factor), size=count)
        return self.place(rng.standard_normal((len(self.centre), count)), member)


def load_reference() -> Circuit:
    """Return the fitted circuits, both hemispheres healthy and equal.

    Made by ``sudeck circuit calibrate`` with its default settings, in about 4 minutes of one core.

    Examples
    --------
    >>> load_reference().n_circuits >= 4
    True
    """
    return load_distribution().members


@cache
def load_distribution() -> Reference:
    """Return the whole reference distribution that comes with Sudeck.

    Examples
    --------
    >>> load_distribution().draw(3, np.random.default_rng(0)).shape
    (33, 3)
    """
    text = files("sudeck.circuit").joinpath(_FILE).read_text("utf-8")
    return read_reference(json.loads(text))


def read_reference(content: dict[str, Any]) -> Reference:
    """Return a reference from the content of a file that ``sudeck circuit calibrate`` wrote."""
    centre = position_of({name: np.array(content["values"][name], float) for name in FITTED})
    size = len(FITTED)
    factor = np.zeros((centre.shape[1], size, size))
    factor[:, *np.tril_indices(size)] = np.array(content["factor"], float)
    return Reference(centre, _SHARE_OF_FIT * factor)
