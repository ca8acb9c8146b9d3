"""How a ratio can be had today, for comparison: an ellipse copied across the midline, and SimpleITK."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def ellipse_weights(mask: NDArray[np.bool_]) -> Array:
    """Return the ellipse that has the area and the moments of a limb, as a person would draw it around it."""
    rows, columns = np.nonzero(mask)
    centre = np.array([rows.mean(), columns.mean()])
    spread = np.cov(np.stack([rows, columns]))
    where = np.stack(np.indices(mask.shape), axis=-1) - centre
    distance = np.einsum("...i,ij,...j->...", where, np.linalg.inv(spread), where)
    return (distance <= 4.0).astype(np.float64)


def midline_log_ratio(image: Array, weights: Array) -> tuple[float, float]:
    """Copy a region across the midline of the image; return log ratio and its Poisson standard error."""
    affected, healthy = float((weights * image).sum()), float((weights[:, ::-1] * image).sum())
    if min(affected, healthy) <= 0:
        return math.nan, math.nan
    return math.log(affected / healthy), math.sqrt(1 / affected + 1 / healthy)


def simpleitk_log_ratio(image: Array, weights: Array) -> tuple[float, float]:
    """Register the mirrored image to the image by a similarity (SimpleITK, Mattes mutual information).

    The usual recipe: moments to start, smoothed image pyramid, regular step gradient descent.
    """
    import SimpleITK as sitk  # noqa: N813 (the name its own documentation uses)

    fixed = sitk.GetImageFromArray(image.astype(np.float32))
    moving = sitk.GetImageFromArray(np.ascontiguousarray(image[:, ::-1]).astype(np.float32))
    start = sitk.CenteredTransformInitializer(
        fixed, moving, sitk.Similarity2DTransform(), sitk.CenteredTransformInitializerFilter.MOMENTS
    )
    method: Any = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(32)
    method.SetOptimizerAsRegularStepGradientDescent(1.0, 1e-4, 200)
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetShrinkFactorsPerLevel([4, 2, 1])
    method.SetSmoothingSigmasPerLevel([4, 2, 1])
    method.SetInterpolator(sitk.sitkLinear)
    method.SetInitialTransform(start, inPlace=True)
    method.Execute(fixed, moving)
    mirrored = sitk.GetArrayFromImage(sitk.Resample(moving, fixed, start, sitk.sitkLinear, 0.0)).astype(
        np.float64
    )
    affected, healthy = float((weights * image).sum()), float((weights * mirrored).sum())
    if min(affected, healthy) <= 0:
        return math.nan, math.nan
    return math.log(affected / healthy), math.sqrt(1 / affected + 1 / healthy)
