"""The vectors of the frame table: detector, window, phase and time slice of each frame, checked together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sudeck.core.errors import InputError
from sudeck.core.flags import Flag
from sudeck.scan.reading.dicom import Header


@dataclass(frozen=True, slots=True)
class PhaseTiming:
    """Frame time, pause between frames and delay before the phase, s; frames a detector it declares."""

    duration_s: float | None
    pause_s: float
    delay_s: float
    frames: int


def read_vector(header: Header, vector: str, number: str, n_frames: int, subject: str) -> tuple[int, ...]:
    """Return one number a frame from a vector, or from the count it makes needless.

    Raises
    ------
    InputError
        If the vector does not describe the frames there are.
    """
    values = header.integers(vector)
    if len(values) == n_frames and min(values) >= 1:
        return values
    count = header.integer(number) or 1
    if not values and count <= 1:
        return (1,) * n_frames
    if not values and count == n_frames:
        return tuple(range(1, n_frames + 1))
    raise InputError(
        subject,
        f"its {vector} describes {len(values)} frames but there are {n_frames}",
        "export it again from the camera or the archive",
    )


def read_phases(
    header: Header,
    detectors: Sequence[int],
    windows: Sequence[int],
    timings: Sequence[PhaseTiming],
    subject: str,
    flags: list[Flag],
) -> tuple[int, ...]:
    """Return the DICOM phase of each frame; phase vector, declared sizes and time slices witness together.

    Raises
    ------
    InputError
        If they contradict each other and no two of the three agree.
    """
    n_frames = len(detectors)
    vector = header.integers("PhaseVector")
    slices = header.integers("TimeSliceVector")
    usable = len(vector) == n_frames and min(vector) >= 1
    if usable and len(slices) == n_frames:
        usable = stated_slices(header, detectors, windows, vector) is not None
    by_size = _phases_by_size(detectors, windows, timings)
    if usable and (by_size is None or _has_sizes(vector, detectors, windows, timings)):
        return vector
    if by_size is not None and len(set(by_size)) > 1:
        # The time slice starts again at 1 with every phase: an independent witness of where phases begin.
        by_slices = len(slices) == n_frames and slices == count_slices(detectors, windows, by_size)
        if by_slices or not vector:
            flags.append(
                Flag(
                    "phase-vector-repaired",
                    "The phase vector disagrees with the phases the header declares"
                    + (" and with its time slices" if by_slices else "")
                    + "; the declared phases are used.",
                    "serious",
                    subject,
                )
            )
            return by_size
    if not vector and len(timings) == 1:
        return (1,) * n_frames
    raise InputError(
        subject,
        "its phase vector and its phase table contradict each other about which frame belongs to which phase",
        "export it again, or give flow and pool as separate files",
    )


def _phases_by_size(
    detectors: Sequence[int], windows: Sequence[int], timings: Sequence[PhaseTiming]
) -> tuple[int, ...] | None:
    """Lay the declared phase sizes along the frames of each detector and window, if they fit."""
    order = [phase for phase, timing in enumerate(timings, 1) for _ in range(timing.frames)]
    seen: Counter[tuple[int, int]] = Counter()
    phases = []
    for pair in zip(detectors, windows, strict=True):
        if seen[pair] >= len(order):
            return None
        phases.append(order[seen[pair]])
        seen[pair] += 1
    return tuple(phases) if set(seen.values()) == {len(order)} else None


def _has_sizes(
    phases: Sequence[int],
    detectors: Sequence[int],
    windows: Sequence[int],
    timings: Sequence[PhaseTiming],
) -> bool:
    """Say whether each phase has as many frames a detector and window as declared, in whatever order."""
    sizes = Counter(zip(detectors, windows, phases, strict=True))
    pairs = set(zip(detectors, windows, strict=True))
    declared = {
        (*pair, phase): timing.frames
        for pair in pairs
        for phase, timing in enumerate(timings, 1)
        if timing.frames
    }
    return sizes == declared


def count_slices(detectors: Sequence[int], windows: Sequence[int], phases: Sequence[int]) -> tuple[int, ...]:
    """Count the frames of each detector, window and phase from 1 in their order in the file."""
    seen: Counter[tuple[int, int, int]] = Counter()
    slices = []
    for key in zip(detectors, windows, phases, strict=True):
        seen[key] += 1
        slices.append(seen[key])
    return tuple(slices)


def stated_slices(
    header: Header, detectors: Sequence[int], windows: Sequence[int], phases: Sequence[int]
) -> tuple[int, ...] | None:
    """Return the time slices, counted from 1 in each phase, where their vector tells the frames apart.

    Some cameras begin again with each phase, some count on: here only the order matters.
    """
    stated = header.integers("TimeSliceVector")
    if len(stated) != len(phases) or min(stated) < 1:
        return None
    keys = list(zip(detectors, windows, phases, stated, strict=True))
    if len(set(keys)) < len(keys):
        return None
    order = sorted(range(len(keys)), key=keys.__getitem__)
    ranks = count_slices(*([vector[index] for index in order] for vector in (detectors, windows, phases)))
    return tuple(rank for _, rank in sorted(zip(order, ranks, strict=True)))


def sizes_per_detector(timings: Sequence[PhaseTiming], phases: Sequence[int]) -> tuple[PhaseTiming, ...]:
    """Return the phases with their declared sizes a detector; a size that counts all detectors is none."""
    there = Counter(phases)
    return tuple(
        replace(timing, frames=0) if timing.frames == there[phase] else timing
        for phase, timing in enumerate(timings, 1)
    )


def place_slices(
    header: Header, slices: Sequence[int], phases: Sequence[int], timings: Sequence[PhaseTiming]
) -> tuple[int, ...]:
    """Return the time slices with the gaps that the vector has where frames were taken out.

    Parameters
    ----------
    header : Header
        Header of the file.
    slices, phases : sequence of int
        Time slice of each frame, counted from 1 without gaps, and its phase.
    timings : sequence of PhaseTiming
        The phases, with the number of frames each declares.

    Returns
    -------
    tuple of int
        `slices` where the vector tells nothing else, or more than a phase can hold.
    """
    stated = header.integers("TimeSliceVector")
    if len(stated) != len(slices):
        return tuple(slices)
    placed = list(slices)
    before = 0
    for phase, timing in enumerate(timings, 1):
        frames = [index for index, of in enumerate(phases) if of == phase]
        numbers = [stated[index] for index in frames]
        if not numbers:
            before += timing.frames
            continue
        # Without a declared size, missing frames at the beginning cannot be told from another first number.
        offset = (before if min(numbers) > before else 0) if timing.frames else min(numbers) - 1
        there = len({slices[index] for index in frames})
        if max(numbers) - offset <= (timing.frames or 2 * there):
            for index in frames:
                placed[index] = stated[index] - offset
        before += timing.frames or len(set(numbers))
    return tuple(placed)


def absent_frames(
    slices: Sequence[int],
    phases: Sequence[int],
    timings: Sequence[PhaseTiming],
    subject: str,
) -> tuple[Flag, ...]:
    """Flag each phase with fewer frames than it declares or than its time slices span."""
    flags = []
    for phase, timing in enumerate(timings, 1):
        there = {number for number, of in zip(slices, phases, strict=True) if of == phase}
        expected = max(timing.frames, max(there, default=0))
        if len(there) >= expected:
            continue
        flags.append(
            Flag(
                "frames-absent",
                f"{expected - len(there)} of the {expected} frames of DICOM phase {phase} of {subject} are "
                "missing from the file.",
                "caution",
                subject,
                expected - len(there),
                0,
                "frames",
            )
        )
    return tuple(flags)
