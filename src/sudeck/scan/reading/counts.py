"""The counts audit: whether the pixels are exactly the counts the camera registered."""

from __future__ import annotations

from dataclasses import dataclass
from math import isclose
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sudeck.core.errors import InputError
from sudeck.core.flags import Flag
from sudeck.scan.reading.count_noise import noise_flags, refuse_clipped
from sudeck.scan.reading.dicom import Header

# Nothing a camera does changes the sum by this much without a rescaling; lossy JPEG 2000 loses 1.9 %.
SUM_TOLERANCE = 1e-3
_ORIGINALS = "export the original images from the camera, not processed copies"
_PLATEAU_PIXELS = 5
_STEADY = 4
_STEADY_SPREAD = 1.25
_STEP = 3.0
_FULL_SCALES = tuple(2**bits - 1 for bits in range(8, 33))


@dataclass(frozen=True, slots=True)
class CountsAudit:
    """What the audit found: the counts themselves, their sum, what the header claims, and the findings.

    Attributes
    ----------
    counts : NDArray [frame, row, column]
        Counts, rescaled where the header's sum proves that they must be.
    total : float
        Sum over all pixels of all frames.
    stated : float or None
        ``CountsAccumulated`` of the header; None when absent or zero.
    flags : tuple of Flag
        Findings that do not forbid counting.
    """

    counts: NDArray[Any]
    total: float
    stated: float | None
    flags: tuple[Flag, ...]


def audit_counts(values: NDArray[Any], header: Header, subject: str) -> CountsAudit:
    """Audit stored pixel values against everything the header says of them.

    Parameters
    ----------
    values : NDArray [frame, row, column]
        Stored values.
    header : Header
        Header of the same file.
    subject : str
        How to name the file in a message.

    Raises
    ------
    InputError
        If the pixels are negative, fractional, saturated, clipped, empty, rescaled in an unknown way, or if
        their sum contradicts ``CountsAccumulated`` by more than 0.1 %; or if the image is derived, a
        secondary capture or has burned-in annotation and no sum proves that its counts are untouched.
    """
    _refuse_impossible(values, header, subject)
    flags: list[Flag] = []
    stated = header.number("CountsAccumulated") or None
    if stated is not None and stated <= 0:
        stated = None
    stored_sum = float(values.sum(dtype=np.float64))
    counts, total = _rescaled(values, stored_sum, stated, header, subject, flags)
    proven = _sum_agrees(counts, total, stated, header, subject, flags)
    _refuse_processed(header, proven, subject, flags)
    if not proven:
        _refuse_multiples(counts, subject)
        flags.append(
            Flag(
                "counts-not-proven",
                "The header states no sum of counts to check the pixels against.",
                "info",
                subject,
            )
        )
    flags += noise_flags(counts, subject)
    if header.text("PhotometricInterpretation") == "MONOCHROME1":
        flags.append(
            Flag(
                "display-inverted",
                "The file asks for an inverted display; its counts are read as stored.",
                "info",
                subject,
            )
        )
    corrected = set(header.texts("CorrectedImage")) & {"DECY", "ATTN", "SCAT", "DTIM"}
    if corrected:
        flags.append(
            Flag(
                "corrected-image",
                f"The camera corrected the counts ({', '.join(sorted(corrected))}), "
                "so that their noise is not exactly that of counts.",
                "caution",
                subject,
            )
        )
    return CountsAudit(counts, total, stated, tuple(flags))


def _refuse_impossible(values: NDArray[Any], header: Header, subject: str) -> None:
    if values.dtype.kind == "f":
        if not np.isfinite(values).all() or (values != np.round(values)).any():
            raise InputError(subject, "its pixels are fractions, not counts", _ORIGINALS)
        ceiling = None
    else:
        ceiling = np.iinfo(values.dtype).max
    lowest, highest = values.min(), values.max()
    if lowest < 0:
        raise InputError(
            subject, f"it holds negative pixels (down to {int(lowest)}), so it is not counts", _ORIGINALS
        )
    if highest == 0:
        raise InputError(subject, "the image is empty: every pixel is zero", "acquire or export it again")
    bits = header.integer("BitsStored") or 0
    signed = header.integer("PixelRepresentation") == 1
    full_scales = {ceiling, 2**15 - 1, 2**16 - 1, 2 ** (bits - signed) - 1 if bits > signed else None}
    at_top = int(np.count_nonzero(values == highest))
    if highest in full_scales or (highest in _FULL_SCALES and at_top >= _PLATEAU_PIXELS):
        raise InputError(
            subject,
            f"{at_top} {'pixel is' if at_top == 1 else 'pixels are'} saturated at {int(highest)}",
            "export the original images with more bits a pixel",
        )
    refuse_clipped(values, subject)


def _rescaled(
    values: NDArray[Any],
    stored_sum: float,
    stated: float | None,
    header: Header,
    subject: str,
    flags: list[Flag],
) -> tuple[NDArray[Any], float]:
    """Apply the rescale slope only where the header's sum proves that it restores counts."""
    slope, intercept = header.number("RescaleSlope"), header.number("RescaleIntercept")
    if slope is None:
        pixel_scale = header.private("GEMS_GENIE_1", 0x0011, 0x3B)
        slope = pixel_scale if isinstance(pixel_scale, float) and pixel_scale > 0 else 1.0
    intercept = 0.0 if intercept is None else intercept
    if slope == 1 and intercept == 0:
        return values, stored_sum
    what = f"a rescaling (slope {slope:g}, intercept {intercept:g})"
    if stated is not None and isclose(stored_sum, stated, rel_tol=SUM_TOLERANCE):
        flags.append(
            Flag(
                "rescale-ignored",
                f"The header states {what}, but the stored pixels already add up to the {stated:.0f} counts "
                "it states; they are used as stored.",
                "caution",
                subject,
                slope,
            )
        )
        return values, stored_sum
    rescaled_sum = stored_sum * slope + intercept * values.size
    if (
        stated is not None
        and slope > 0
        and intercept == 0
        and isclose(rescaled_sum, stated, rel_tol=SUM_TOLERANCE)
    ):
        flags.append(
            Flag(
                "rescaled",
                f"The stored pixels were multiplied by {slope:g}, which restores the {stated:.0f} counts "
                "the header states; each pixel is rounded to that step.",
                "caution",
                subject,
                slope,
            )
        )
        return values.astype(np.float64) * slope, rescaled_sum
    raise InputError(subject, f"the header states {what} and no sum of counts confirms it", _ORIGINALS)


def _sum_agrees(
    counts: NDArray[Any], total: float, stated: float | None, header: Header, subject: str, flags: list[Flag]
) -> bool:
    """Return True when the header's sum proves the counts, False when it states none; raise otherwise."""
    if stated is None:
        return False
    # Some cameras state the sum of one detector, not of the file.
    of_detector = np.array(header.integers("DetectorVector"))
    sums = [total]
    if len(of_detector) == len(counts):
        frame_sums = counts.sum(axis=(1, 2), dtype=np.float64)
        sums += [float(frame_sums[of_detector == detector].sum()) for detector in np.unique(of_detector)]
    closest = min(sums, key=lambda value: abs(value - stated))
    difference = closest / stated - 1
    if abs(difference) > SUM_TOLERANCE:
        raise InputError(
            subject,
            f"its pixels add up to {total:.0f} but the camera registered {stated:.0f} counts "
            f"({100 * (total / stated - 1):+.1f} %), so it was cropped or altered",
            _ORIGINALS,
        )
    if difference != 0:
        flags.append(
            Flag(
                "counts-disagree",
                f"The pixels add up to {closest:.0f}, the header states {stated:.0f} counts.",
                "caution",
                subject,
                100 * difference,
                100 * SUM_TOLERANCE,
                "%",
            )
        )
    return True


def _refuse_processed(header: Header, proven: bool, subject: str, flags: list[Flag]) -> None:
    image_type = header.texts("ImageType")
    findings = []
    if "DERIVED" in image_type[:1]:
        findings.append("derived from another image")
    if "SECONDARY" in image_type[1:2]:
        findings.append("a secondary image")
    if header.text("SOPClassUID") == "1.2.840.10008.5.1.4.1.1.7":
        findings.append("a secondary capture")
    if header.text("BurnedInAnnotation") == "YES":
        findings.append("marked as having annotation burned in")
    if not findings:
        return
    what = " and ".join(findings)
    if not proven:
        raise InputError(
            subject,
            f"it is {what}, and no stated sum of counts proves that its pixels are untouched",
            _ORIGINALS,
        )
    flags.append(
        Flag(
            "counts-proven-by-sum",
            f"The image is {what}; it is used because its pixels add up to the counts the camera registered.",
            "caution",
            subject,
        )
    )


def _refuse_multiples(counts: NDArray[Any], subject: str) -> None:
    """Refuse pixels that are all multiples of one number: counts that were scaled up and rounded."""
    step = int(np.gcd.reduce(counts.astype(np.int64, copy=False), axis=None))
    if step > 1:
        raise InputError(
            subject, f"every pixel is a multiple of {step}, so the counts were rescaled", _ORIGINALS
        )


def find_rate_step(rates: NDArray[np.float64]) -> tuple[int, float] | None:
    """Return where a count rate jumps from one steady level to another, and how many-fold; None if nowhere.

    Blood does not do that; a frame time that changes and is not stated does.

    Parameters
    ----------
    rates : NDArray [frame]
        Counts a second of each frame of one detector, in the order of time.

    Returns
    -------
    (int, float) or None
        Number of the last frame before the first such step, from 1, and the level after over that before.
    """
    for frame in range(_STEADY, len(rates) - _STEADY + 1):
        before, after = rates[frame - _STEADY : frame], rates[frame : frame + _STEADY]
        if before.min() <= 0:
            continue
        step = float(after.mean() / before.mean())
        steady = max(before.max() / before.min(), after.max() / max(after.min(), 1e-9)) < _STEADY_SPREAD
        if steady and not 1 / _STEP < step < _STEP:
            return frame, step
    return None


def rate_step_flags(rates: NDArray[np.float64], subject: str) -> tuple[Flag, ...]:
    """Flag a dynamic whose count rate jumps; see `find_rate_step`.

    Parameters
    ----------
    rates : NDArray [frame]
        Counts a second of each frame of one detector, in the order of time.
    subject : str
        How to name the file.
    """
    found = find_rate_step(rates)
    if found is None:
        return ()
    frame, step = found
    return (
        Flag(
            "count-rate-step",
            f"The count rate changes {step:.1f}-fold between frames {frame} and {frame + 1}; "
            "their frame times are probably not the same as stated.",
            "serious",
            subject,
            step,
            _STEP,
        ),
    )
