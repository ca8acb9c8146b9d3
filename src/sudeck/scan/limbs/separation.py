"""Tell two limbs apart that stand side by side, touching or not."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sudeck.core.errors import InputError
from sudeck.scan.limbs.turned import refuse_turned

MAX_BRIDGE = 0.6  # of the separating line may run through limb tissue
_CORE = 0.6  # of a limb's greatest depth: its core, deeper than any finger or thumb


def separate(
    smooth: NDArray[np.float64], body: NDArray[np.bool_], subject: str
) -> tuple[NDArray[np.uint8], float]:
    """Say of every pixel to which of two limbs' sides it belongs.

    The cheapest path from top to bottom between the two halves, walking on counts, separates limbs that
    stand apart. Where it must cross tissue the limbs touch, and the cheapest crossing may be a thin part of
    one limb instead of the contact. Then each limb grows from its core through the tissue, the slower the
    fewer counts, and the limbs meet where both have come equally far: at the contact, which lies in a valley.

    Parameters
    ----------
    smooth : ndarray, shape [row, column]
        Smoothed counts.
    body : ndarray of bool, shape [row, column]
        First outline of both limbs.
    subject : str
        How an error names the image.

    Returns
    -------
    territory : ndarray of uint8, shape [row, column]
        1 on the side of the limb at image-left, 2 on the other.
    bridge : float
        Length of the contact as a share of the length of the limbs.

    Raises
    ------
    InputError
        If no two limbs stand side by side.
    """
    path = _path_between(smooth, body, subject)
    territory = np.where(np.arange(smooth.shape[1])[None, :] < path[:, None], 1, 2).astype(np.uint8)
    crossed = body[np.arange(path.size), path]
    bridge = _crossed_share(body, path)
    if bridge > 0:
        refuse_turned(smooth, bridge, _across(smooth, body, subject), subject)
    if bridge > MAX_BRIDGE:
        raise InputError(
            subject,
            "only one limb, or two that overlap, can be seen",
            "both limbs must lie apart or touch in one image",
        )
    if not crossed.any():
        return territory, 0.0
    return _grow(smooth, body, territory), bridge


def _crossed_share(body: NDArray[np.bool_], path: NDArray[np.intp]) -> float:
    """Return the share of the length of the limbs over which a path runs through tissue."""
    return float(body[np.arange(path.size), path][body.any(axis=1)].mean())


def _across(
    smooth: NDArray[np.float64], body: NDArray[np.bool_], subject: str
) -> tuple[NDArray[np.intp], float]:
    """Return the path from left to right, and the share of it that runs through tissue."""
    try:
        path = _path_between(smooth.T, body.T, subject)
    except InputError:
        return np.zeros(smooth.shape[1], dtype=np.intp), 1.0
    return path, _crossed_share(body.T, path)


def _path_between(smooth: NDArray[np.float64], body: NDArray[np.bool_], subject: str) -> NDArray[np.intp]:
    """Return the column in each row of the cheapest path between the centres of the two halves."""
    rows, columns = np.nonzero(body)
    if rows.size < 40:
        raise InputError(
            subject, "no limbs stand out of the background", "check that this image shows both limbs"
        )
    left, right = _two_centres(columns.astype(float))
    first, last = int(np.ceil(left)), int(np.floor(right))
    if last - first < 4:
        raise InputError(
            subject,
            "two limbs side by side cannot be found",
            "both limbs must lie in one image; leave out images of a single limb",
        )
    return first + _cheapest_path(smooth[:, first : last + 1] + 1e-3 * float(smooth.max()))


def _grow(
    smooth: NDArray[np.float64], body: NDArray[np.bool_], territory: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    from scipy import ndimage
    from skimage.graph import MCP_Geometric

    depth = ndimage.distance_transform_edt(body)
    slowness = np.where(body, float(np.median(smooth[body])) / np.maximum(smooth, 1e-9), -1.0)
    reach = []
    for label in (1, 2):
        side = depth * (territory == label)
        core = np.argwhere(side > _CORE * side.max())
        reach.append(MCP_Geometric(slowness).find_costs(core)[0])
    owner = np.where(np.minimum(*reach) < np.inf, np.where(reach[0] <= reach[1], 1, 2), 0)
    # Whatever no core reaches, and all around: the side of the nearest pixel that one does.
    nearest = ndimage.distance_transform_edt(owner == 0, return_distances=False, return_indices=True)
    return np.asarray(owner[tuple(nearest)], dtype=np.uint8)


def _cheapest_path(cost: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the column in each row of the cheapest path down an image, side steps of up to two columns."""
    height, width = cost.shape
    total = np.full((height, width + 4), np.inf)
    total[0, 2:-2] = cost[0]
    step = np.zeros((height, width), dtype=np.intp)
    columns = np.arange(width)
    reach = columns + np.arange(5)[:, None]
    for row in range(1, height):
        options = total[row - 1][reach]
        step[row] = options.argmin(axis=0)
        total[row, 2:-2] = cost[row] + options[step[row], columns]
    path = np.empty(height, dtype=np.intp)
    path[-1] = int(total[-1, 2:-2].argmin())
    for row in range(height - 1, 0, -1):
        path[row - 1] = path[row] + step[row, path[row]] - 2
    return path


def _two_centres(columns: NDArray[np.float64]) -> tuple[float, float]:
    """Split columns in two groups (two means in one dimension) and return their centres."""
    left, right = np.percentile(columns, [10, 90])
    for _ in range(50):
        border = (left + right) / 2
        new_left, new_right = columns[columns <= border].mean(), columns[columns > border].mean()
        if new_left == left and new_right == right:
            break
        left, right = new_left, new_right
    return float(left), float(right)
