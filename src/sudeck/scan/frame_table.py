"""Build the frame table of a file from its vectors, repaired only where two witnesses outvote one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sudeck.core.errors import InputError
from sudeck.core.flags import Flag
from sudeck.scan.dicom import Header
from sudeck.scan.frames import Frame, ImageKind, View

_SHORTEST_DYNAMIC_S = 0.1
_SHORTEST_STATIC_S = 2.0
_LONGEST_DYNAMIC_S = 600.0
_LONGEST_STATIC_S = 7200.0


@dataclass(frozen=True, slots=True)
class _PhaseTiming:
    """Frame time, pause between frames and delay before the phase, s; frames a detector it declares."""

    duration_s: float | None
    pause_s: float
    delay_s: float
    frames: int


def build_frame_table(
    header: Header,
    kind: ImageKind,
    n_frames: int,
    views: Mapping[int, View],
    *,
    subject: str,
    frame_s: float | None = None,
) -> tuple[tuple[Frame, ...], tuple[Flag, ...]]:
    """Return one row a frame, and what had to be repaired or assumed.

    Parameters
    ----------
    header : Header
        Header of the file.
    kind : {"dynamic", "static", "whole body"}
        Kind of image.
    n_frames : int
        Planes of counts there are.
    views : Mapping[int, View]
        View of each detector, where known.
    subject : str
        How to name the file in a message.
    frame_s : float, optional
        Duration of every frame of a dynamic as a person states it; fills in for one that is missing or
        impossible, and replaces the header's in a dynamic of a single DICOM phase.

    Raises
    ------
    InputError
        If the vectors do not tell the frames apart, or contradict the rest of the header.
    """
    flags: list[Flag] = []
    detectors = _vector(header, "DetectorVector", "NumberOfDetectors", n_frames, subject)
    windows = _vector(header, "EnergyWindowVector", "NumberOfEnergyWindows", n_frames, subject)
    if kind != "dynamic":
        return _static_table(header, detectors, windows, views, subject, flags), tuple(flags)
    timings = _timings(header, frame_s, subject, flags)
    phases = _phases(header, detectors, windows, timings, subject, flags)
    slices = _stated_slices(header, detectors, windows, phases) or _time_slices(detectors, windows, phases)
    starts = _phase_starts(timings, phases, slices)
    frames = []
    for index, (detector, window, phase, time_slice) in enumerate(
        zip(detectors, windows, phases, slices, strict=True)
    ):
        timing = timings[phase - 1] if phase <= len(timings) else None
        start = starts.get(phase)
        if timing is None or timing.duration_s is None or start is None:
            start_s = duration_s = None
        else:
            duration_s = timing.duration_s
            start_s = start + (time_slice - 1) * (duration_s + timing.pause_s)
        view = views.get(detector, "unknown")
        frames.append(Frame(index, detector, phase, time_slice, window, start_s, duration_s, view))
    return tuple(frames), tuple(flags)


def _vector(header: Header, vector: str, number: str, n_frames: int, subject: str) -> tuple[int, ...]:
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


def _static_table(
    header: Header,
    detectors: Sequence[int],
    windows: Sequence[int],
    views: Mapping[int, View],
    subject: str,
    flags: list[Flag],
) -> tuple[Frame, ...]:
    repeated = [pair for pair, times in Counter(zip(detectors, windows, strict=True)).items() if times > 1]
    if repeated:
        raise InputError(
            subject,
            f"it holds several images of detector {repeated[0][0]} and nothing says how they differ",
            "export each image as a file of its own",
        )
    milliseconds = header.number("ActualFrameDuration")
    duration_s = None if milliseconds is None or milliseconds <= 0 else milliseconds / 1000
    if (
        duration_s is not None
        and duration_s < _SHORTEST_STATIC_S
        and 2 <= duration_s * 1000 <= _LONGEST_STATIC_S
    ):
        flags.append(_seconds_flag(duration_s, subject))
        duration_s *= 1000
    elif duration_s is not None and duration_s > _LONGEST_STATIC_S:
        duration_s = None
    if duration_s is None:
        flags.append(
            Flag(
                "duration-missing",
                "The duration of the image is not stated or impossible; ratios within it do not need it.",
                "caution",
                subject,
            )
        )
    return tuple(
        Frame(index, detector, 1, 1, window, 0.0, duration_s, views.get(detector, "unknown"))
        for index, (detector, window) in enumerate(zip(detectors, windows, strict=True))
    )


def _timings(
    header: Header, frame_s: float | None, subject: str, flags: list[Flag]
) -> tuple[_PhaseTiming, ...]:
    """Read the frame time of each DICOM phase, in the order of the phases."""
    items = header.items("PhaseInformationSequence")
    stated = [
        _PhaseTiming(
            _seconds(item, "ActualFrameDuration") or None,
            _seconds(item, "PauseBetweenFrames") or 0.0,
            _seconds(item, "PhaseDelay") or 0.0,
            item.integer("NumberOfFramesInPhase") or 0,
        )
        for item in items
    ]
    if not stated:
        duration = _seconds(header, "ActualFrameDuration") or _seconds(header, "FrameTime") or None
        if duration is not None:
            flags.append(
                Flag(
                    "frame-time-assumed",
                    f"No frame times are stated by phase; {duration:g} s, stated for the file, stand in.",
                    "caution",
                    subject,
                    duration,
                    unit="s",
                )
            )
        stated = [_PhaseTiming(duration, 0.0, 0.0, 0)]
    durations = [timing.duration_s for timing in stated if timing.duration_s is not None]
    scale = 1.0
    if durations and max(durations) < _SHORTEST_DYNAMIC_S and frame_s is None:
        flags.append(_seconds_flag(max(durations), subject))
        scale = 1000.0
    return tuple(_settled(timing, scale, frame_s, len(stated) == 1, subject, flags) for timing in stated)


def _settled(
    timing: _PhaseTiming, scale: float, frame_s: float | None, alone: bool, subject: str, flags: list[Flag]
) -> _PhaseTiming:
    duration = None if timing.duration_s is None else timing.duration_s * scale
    if duration is not None and not _SHORTEST_DYNAMIC_S <= duration <= _LONGEST_DYNAMIC_S:
        duration = None
    if frame_s is not None and duration != frame_s and (duration is None or alone):
        before = "no usable time" if duration is None else f"{duration:g} s"
        flags.append(
            Flag(
                "frame-time-stated",
                f"Each frame lasts {frame_s:g} s as stated by a person; the header gives {before}.",
                "info",
                subject,
                frame_s,
                unit="s",
            )
        )
        duration = frame_s
    return _PhaseTiming(duration, timing.pause_s * scale, timing.delay_s * scale, timing.frames)


def _phases(
    header: Header,
    detectors: Sequence[int],
    windows: Sequence[int],
    timings: Sequence[_PhaseTiming],
    subject: str,
    flags: list[Flag],
) -> tuple[int, ...]:
    """Return the DICOM phase of each frame; phase vector, declared sizes and time slices witness together."""
    n_frames = len(detectors)
    vector = header.integers("PhaseVector")
    slices = header.integers("TimeSliceVector")
    usable = len(vector) == n_frames and min(vector) >= 1
    if usable and len(slices) == n_frames:
        usable = _stated_slices(header, detectors, windows, vector) is not None
    by_size = _phases_by_size(detectors, windows, timings)
    if usable and (by_size is None or _has_sizes(vector, detectors, windows, timings)):
        return vector
    if by_size is not None and len(set(by_size)) > 1:
        # The time slice starts again at 1 with every phase: an independent witness of where phases begin.
        by_slices = len(slices) == n_frames and slices == _time_slices(detectors, windows, by_size)
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
    detectors: Sequence[int], windows: Sequence[int], timings: Sequence[_PhaseTiming]
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
    timings: Sequence[_PhaseTiming],
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


def _time_slices(detectors: Sequence[int], windows: Sequence[int], phases: Sequence[int]) -> tuple[int, ...]:
    """Count the frames of each detector, window and phase from 1 in their order in the file."""
    seen: Counter[tuple[int, int, int]] = Counter()
    slices = []
    for key in zip(detectors, windows, phases, strict=True):
        seen[key] += 1
        slices.append(seen[key])
    return tuple(slices)


def _stated_slices(
    header: Header, detectors: Sequence[int], windows: Sequence[int], phases: Sequence[int]
) -> tuple[int, ...] | None:
    """Return the time slices, counted from 1 in each phase, where their vector tells the frames apart.

    Some cameras begin again with each phase, some count on: only the order matters.
    """
    stated = header.integers("TimeSliceVector")
    if len(stated) != len(phases) or min(stated) < 1:
        return None
    keys = list(zip(detectors, windows, phases, stated, strict=True))
    if len(set(keys)) < len(keys):
        return None
    order = sorted(range(len(keys)), key=keys.__getitem__)
    ranks = _time_slices(*([vector[index] for index in order] for vector in (detectors, windows, phases)))
    return tuple(rank for _, rank in sorted(zip(order, ranks, strict=True)))


def _phase_starts(
    timings: Sequence[_PhaseTiming], phases: Sequence[int], slices: Sequence[int]
) -> dict[int, float]:
    """Return the start of each phase, s; phases after one of unknown duration have no known start."""
    starts: dict[int, float] = {}
    now = 0.0
    for phase, timing in enumerate(timings, 1):
        now += max(timing.delay_s, 0.0)
        starts[phase] = now
        if timing.duration_s is None:
            break
        frames = max((number for number, of in zip(slices, phases, strict=True) if of == phase), default=0)
        now += frames * (timing.duration_s + timing.pause_s)
    return starts


def _seconds(header: Header, keyword: str) -> float | None:
    milliseconds = header.number(keyword)
    return None if milliseconds is None or milliseconds < 0 else milliseconds / 1000


def _seconds_flag(duration_s: float, subject: str) -> Flag:
    return Flag(
        "frame-time-in-seconds",
        f"A frame time of {1000 * duration_s:g} ms is not possible here; "
        "it was written in seconds and is read so.",
        "serious",
        subject,
        duration_s,
        unit="s",
    )
