"""Build the frame table of a file from its vectors, repaired only where two witnesses outvote one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from sudeck.core.errors import InputError
from sudeck.core.flags import Flag
from sudeck.scan.reading.dicom import Header
from sudeck.scan.reading.frame_vectors import (
    PhaseTiming,
    absent_frames,
    count_slices,
    place_slices,
    read_phases,
    read_vector,
    sizes_per_detector,
    stated_slices,
)
from sudeck.scan.reading.frames import Frame, ImageKind, View

_SHORTEST_DYNAMIC_S = 0.1
_SHORTEST_STATIC_S = 2.0
_LONGEST_DYNAMIC_S = 600.0
_LONGEST_STATIC_S = 7200.0
_SAME_STEP = 0.01  # of a step, for what a camera rounds


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
    detectors = read_vector(header, "DetectorVector", "NumberOfDetectors", n_frames, subject)
    windows = read_vector(header, "EnergyWindowVector", "NumberOfEnergyWindows", n_frames, subject)
    if kind != "dynamic":
        return _static_table(header, detectors, windows, views, subject, flags), tuple(flags)
    timings = _timings(header, frame_s, subject, n_frames, flags)
    phases = read_phases(header, detectors, windows, timings, subject, flags)
    slices = count_slices(detectors, windows, phases)
    if len(set(zip(detectors, windows, strict=True))) > 1:
        timings = sizes_per_detector(timings, phases)
    in_order = stated_slices(header, detectors, windows, phases)
    if in_order is not None:
        slices = place_slices(header, in_order, phases, timings)
    flags += absent_frames(slices, phases, timings, subject)
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
    return tuple(frames), tuple(dict.fromkeys(flags))


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
    header: Header, frame_s: float | None, subject: str, n_frames: int, flags: list[Flag]
) -> tuple[PhaseTiming, ...]:
    """Read the frame time of each DICOM phase, in the order of the phases."""
    items = header.items("PhaseInformationSequence")
    stated = [
        PhaseTiming(
            _seconds(item, "ActualFrameDuration") or None,
            _seconds(item, "PauseBetweenFrames") or 0.0,
            _seconds(item, "PhaseDelay") or 0.0,
            item.integer("NumberOfFramesInPhase") or 0,
        )
        for item in items
    ]
    stated = stated or _by_vector(header, n_frames, subject) or _by_groups(header, n_frames, subject)
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
        # Without a table one time stands for the frames of every phase that the vector tells apart.
        vector = header.integers("PhaseVector")
        phases = max(vector) if len(vector) == n_frames and 1 <= max(vector) <= n_frames else 1
        stated = [PhaseTiming(duration, 0.0, 0.0, 0)] * phases
    durations = [timing.duration_s for timing in stated if timing.duration_s is not None]
    scale = 1.0
    if durations and max(durations) < _SHORTEST_DYNAMIC_S and frame_s is None:
        flags.append(_seconds_flag(max(durations), subject))
        scale = 1000.0
    return tuple(_settled(timing, scale, frame_s, len(items) <= 1, subject, flags) for timing in stated)


def _by_vector(header: Header, n_frames: int, subject: str) -> list[PhaseTiming]:
    """Read the frame time from FrameTimeVector: the steps from each frame to the next, the first of them 0.

    Raises
    ------
    InputError
        If the steps differ: one phase of frames has one frame time.
    """
    vector = header.numbers("FrameTimeVector")
    steps = sorted(vector[1:])
    if len(vector) != n_frames or n_frames < 2 or header.integers("PhaseVector"):
        return []
    if steps[0] <= 0 or steps[-1] > (1 + _SAME_STEP) * steps[0]:
        raise InputError(
            subject,
            f"its frames are {steps[0] / 1000:g} to {steps[-1] / 1000:g} s apart by FrameTimeVector, so that "
            "no one frame time holds for all",
            "export it with its phase table, or give flow and pool as separate files",
        )
    return [PhaseTiming(steps[len(steps) // 2] / 1000, 0.0, 0.0, n_frames)]


def _by_groups(header: Header, n_frames: int, subject: str) -> list[PhaseTiming]:
    """Read the frame time from the functional groups of an enhanced multi-frame file, one for all frames.

    Raises
    ------
    InputError
        If the durations differ.
    """
    durations = [
        content.number("FrameAcquisitionDuration") or 0.0
        for word in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")
        for group in header.items(word)
        for content in group.items("FrameContentSequence")[:1]
    ]
    if not durations or min(durations) <= 0 or header.integers("PhaseVector"):
        return []
    if max(durations) > (1 + _SAME_STEP) * min(durations):
        raise InputError(
            subject,
            f"its frames last {min(durations) / 1000:g} to {max(durations) / 1000:g} s each",
            "export it with its phase table, or give flow and pool as separate files",
        )
    return [PhaseTiming(durations[0] / 1000, 0.0, 0.0, n_frames)]


def _settled(
    timing: PhaseTiming, scale: float, frame_s: float | None, alone: bool, subject: str, flags: list[Flag]
) -> PhaseTiming:
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
    return PhaseTiming(duration, timing.pause_s * scale, timing.delay_s * scale, timing.frames)


def _phase_starts(
    timings: Sequence[PhaseTiming], phases: Sequence[int], slices: Sequence[int]
) -> dict[int, float]:
    """Return the start of each phase, s; phases after one of unknown duration have no known start."""
    starts: dict[int, float] = {}
    now = 0.0
    for phase, timing in enumerate(timings, 1):
        now += max(timing.delay_s, 0.0)
        starts[phase] = now
        if timing.duration_s is None:
            break
        last = max((number for number, of in zip(slices, phases, strict=True) if of == phase), default=0)
        frames = max(last, timing.frames)
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
