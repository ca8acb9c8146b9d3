"""Where the populations of the circuit stand in the drawing and which way their connections run.

Millimetres in one hemisphere: x counts from the midline outwards, y upwards. The two hemispheres are mirror
images. Layer 2/3 lies above layer 5; fibres between the hemispheres cross in the corpus callosum.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from sudeck.circuit.parameters import Floats

Point = tuple[float, float]
Kind = Literal["excites", "inhibits"]

HALF_WIDTH_MM, HEIGHT_MM = 46.0, 58.0


@dataclass(frozen=True, slots=True)
class DrawnPopulation:
    """A population of cells: pyramidal cells are drawn as triangles, interneurons as circles.

    Attributes
    ----------
    letter : str
        By which the circuit calls it; not shown.
    label : str
        What stands in it, as a neurologist calls it: the layer, or the receptor.
    """

    letter: str
    label: str
    at: Point
    radius: float
    pyramidal: bool


@dataclass(frozen=True, slots=True)
class Connection:
    """A connection within a hemisphere.

    Attributes
    ----------
    source, target : str
        Letters of populations.
    factor : str
        The factor of the circuit that scales it, see `sudeck.mechanism.circuit_fit.factors`.
    kind : {"excites", "inhibits"}
    bend : float
        How far the line bows to its left, in shares of its length.
    """

    source: str
    target: str
    factor: str
    kind: Kind
    bend: float = 0.0


POPULATIONS: Final[dict[str, DrawnPopulation]] = {
    one.letter: one
    for one in (
        DrawnPopulation("E", "2/3", (32.5, 42.5), 4.6, True),
        DrawnPopulation("P", "5", (32.5, 13.5), 5.0, True),
        DrawnPopulation("A", "GABA\nA", (15.0, 29.0), 3.5, False),
        DrawnPopulation("B", "GABA\nB", (15.0, 12.5), 3.5, False),
    )
}
CONNECTIONS: Final = (
    Connection("E", "E", "nmda_pyramids", "excites"),
    Connection("E", "P", "nmda_pyramids", "excites"),
    Connection("E", "A", "nmda_interneurons", "excites", 0.13),
    Connection("E", "B", "nmda_interneurons", "excites", 0.08),
    Connection("A", "E", "gaba_a", "inhibits", 0.13),
    Connection("A", "P", "gaba_a", "inhibits"),
    Connection("A", "B", "gaba_a", "inhibits", 0.16),
    Connection("B", "E", "gaba_b", "inhibits", 0.08),
    Connection("B", "P", "gaba_b", "inhibits"),
    Connection("B", "A", "gaba_b", "inhibits", 0.16),
)
# The callosal fibre of a hemisphere: from E of the other one (negative x) over the midline to a fork, and on
# to A and B, as corners of cubic curves.
TRUNK: Final[tuple[Point, ...]] = ((-28.4, 43.6), (-18.0, 46.5), (-7.0, 38.0), (0.0, 36.6), (4.0, 36.0))
TO_A: Final[tuple[Point, ...]] = ((4.0, 36.0), (8.0, 35.5), (10.2, 34.2), (12.0, 31.9))
TO_B: Final[tuple[Point, ...]] = ((4.0, 36.0), (7.8, 33.0), (4.6, 18.0), (11.0, 14.2))
# Steady drive of B from the callosum: a wave, then an arrow.
TONE_FROM, TONE_TO = (4.6, 4.6), (11.9, 10.0)
# Where the number of a factor stands, beside one of its connections.
LABELS: Final[dict[str, Point]] = {
    "nmda_pyramids": (36.6, 23.5),
    "nmda_interneurons": (26.0, 32.0),
    "gaba_a": (15.6, 38.6),
    "gaba_b": (23.2, 9.8),
    "callosum": (9.3, 22.4),
    "callosal_tone": (13.6, 5.2),
}
# Corners of a closed smooth curve: one hemisphere in a frontal cut, from the fissure over the top.
OUTLINE: Final[tuple[Point, ...]] = (
    (0.9, 41.0), (1.0, 50.0), (3.6, 55.6), (12.0, 57.3), (22.0, 56.6), (31.5, 54.0), (38.8, 48.4),
    (42.6, 40.5), (43.4, 32.5), (42.2, 27.0), (43.4, 20.0), (41.0, 11.0), (34.5, 4.6), (25.0, 2.2),
    (14.0, 2.0), (6.0, 2.6), (2.6, 6.0), (2.2, 14.0), (2.4, 24.0), (2.0, 31.0), (0.9, 33.2),
)  # fmt: skip
# The bridge between the hemispheres, its upper and lower edge.
CALLOSUM: Final[tuple[tuple[Point, ...], tuple[Point, ...]]] = (
    ((-1.4, 41.2), (-0.8, 39.4), (0.8, 39.4), (1.4, 41.2)),
    ((1.4, 32.6), (0.8, 34.2), (-0.8, 34.2), (-1.4, 32.6)),
)
# Strokes that stand for sulci.
SULCI: Final[tuple[tuple[Point, ...], ...]] = (
    ((12.5, 57.2), (12.8, 55.2), (13.8, 53.6), (13.4, 51.8)),
    ((24.2, 56.2), (23.4, 54.4), (24.0, 52.8), (23.0, 51.2)),
    ((42.1, 27.0), (39.0, 26.4), (37.6, 28.0), (35.0, 27.4)),
    ((41.6, 12.4), (40.2, 13.4), (39.8, 14.8), (38.6, 15.4)),
)


def between(connection: Connection, *, gap: float = 0.6) -> Floats:
    """Return the corners of a quadratic curve from the rim of one population to the rim of another.

    Returns
    -------
    array, shape (3, 2)
        Start, corner, end.
    """
    start, end = POPULATIONS[connection.source], POPULATIONS[connection.target]
    first, last = np.array(start.at), np.array(end.at)
    along = last - first
    corner = (first + last) / 2 + connection.bend * np.array([-along[1], along[0]]) * 2
    return np.stack(
        [
            _rim(start, corner, gap),
            corner,
            _rim(end, corner, gap),
        ]
    )


def _rim(population: DrawnPopulation, towards: Floats, gap: float) -> Floats:
    """Return the point of a population's rim that faces another point."""
    at = np.array(population.at)
    direction = (towards - at) / np.hypot(*(towards - at))
    if not population.pyramidal:
        return np.asarray(at + direction * (population.radius + gap))
    # A triangle with the point up: the distance of the side that the direction meets.
    normals = np.array([[np.cos(a), np.sin(a)] for a in np.radians([-90.0, 30.0, 150.0])])
    return np.asarray(at + direction * (population.radius / 2 / (normals @ direction).max() + gap))


def smooth_closed(corners: tuple[Point, ...]) -> tuple[Floats, list[int]]:
    """Return the vertices and codes of a closed path through points (Catmull-Rom as cubic Bézier curves)."""
    from matplotlib.path import Path

    points = np.array(corners)
    before, after = np.roll(points, 1, axis=0), np.roll(points, -1, axis=0)
    tangent = (after - before) / 6
    vertices, codes = [points[0]], [int(Path.MOVETO)]
    for i in range(len(points)):
        j = (i + 1) % len(points)
        vertices += [points[i] + tangent[i], points[j] - tangent[j], points[j]]
        codes += [int(Path.CURVE4)] * 3
    return np.array(vertices), codes
