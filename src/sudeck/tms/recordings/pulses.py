"""Find the stimuli of a recording: from event channels, markers, a trigger line, or the artefact itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sudeck.core.errors import InputError
from sudeck.core.flags import Flag
from sudeck.tms.signals.artefact_times import artefact_ratio, artefact_times, trigger_times
from sudeck.tms.signals.trials import PulseKind

if TYPE_CHECKING:
    from sudeck.tms.signals.recording import Marker, Recording

# Words that laboratories write on the stimulus line of a magnetic stimulator.
_TMS_WORDS = ("tms", "mag", "coil", "stim", "trig", "ttl", "pulse")
# Keys a person pressed are no stimuli.
_KEYBOARD = ("keyboard", "comment", "textmark")
# Longest interval published for a conditioning pulse of the same or other hemisphere (late LICI, IHI).
MAX_ISI_MS = 320.0
# Two labels that follow each other by the same lag to within this are one stimulus written twice, or a pair.
_SAME_LAG_MS = 1.0
# Markers that keep one lag longer than any pair are still no stimuli of their own: a key, a trial's end.
_LONGEST_LAG_MS = 1500.0
# A marker that names a stimulus lies no further from its artefact.
_NEAR_ARTEFACT_MS = 3.0
# A label with this many markers is no incident.
_OFTEN = 5
# How much sharper than quiet EMG the moment of a marker must be to hold a stimulus artefact.
ARTEFACT_SEEN = 4.0
# As many moments that look like stimuli and have no marker are worth a word.
_UNMARKED, _UNMARKED_SHARE = 3, 1 / 10


@dataclass(frozen=True, slots=True)
class FoundPulse:
    """A stimulus as the recording alone shows it; `time_s` is that of the test (last) pulse.

    `seems` is what its own artefact looks like, where the stimuli of its name do not look alike; `late_s` how
    long after the place that a file of sweeps gives its test pulse came.
    """

    time_s: float
    kind: PulseKind
    isi_ms: float | None
    label: str
    seems: FoundPulse | None = None
    late_s: float = 0.0


@dataclass(frozen=True)
class MarkerGroup:
    """All markers of one channel and label, and how they relate to the artefact.

    Attributes
    ----------
    times_s : tuple of float
    artefact_ratio : float
        Sharpest edge near the markers over that of quiet EMG, median over markers; NaN when unknown.
    artefact_lag_ms : float
        Where that edge lies after the marker.
    role : str
        What the group was taken for: ``"pulse"``, ``"follows ..."``, ``"no stimulus"``.
    """

    channel: str
    label: str
    times_s: tuple[float, ...]
    artefact_ratio: float
    artefact_lag_ms: float
    role: str = "pulse"

    @property
    def name(self) -> str:
        """Label, with its channel where the label alone says nothing."""
        return self.label or self.channel


@dataclass(frozen=True)
class PulseTrain:
    """Every stimulus found, what it was found from, and what was noticed on the way."""

    pulses: tuple[FoundPulse, ...]
    origin: str
    groups: tuple[MarkerGroup, ...] = ()
    flags: tuple[Flag, ...] = ()


def find_pulses(
    recording: Recording,
    *,
    markers: Sequence[str] = (),
    named: Sequence[str] = (),
    pair_within_ms: float = MAX_ISI_MS,
) -> PulseTrain:
    """Find the stimuli of a recording.

    Parameters
    ----------
    recording : Recording
    markers : sequence of str, optional
        Labels or event channels that are stimuli, when a person says so; else the artefact decides.
    named : sequence of str, optional
        Labels that a protocol names as conditions: these are stimuli too, and other markers beside them only
        where they have an artefact of their own.
    pair_within_ms : float
        Stimuli closer than this are one pair.

    Returns
    -------
    PulseTrain
        In order of time.

    Raises
    ------
    InputError
        If there is no stimulus to be found, or `markers` names none.
    """
    groups = marker_groups(recording)
    flags: list[Flag] = []
    if markers:
        # What a person names is a stimulus, even a comment that was typed.
        groups = marker_groups(recording, typed=True)
        wanted = {name.strip().lower() for name in markers}
        chosen = [g for g in groups if {g.label.lower(), g.channel.lower()} & wanted]
        if not chosen:
            there = ", ".join(sorted({group.name for group in groups})) or "none"
            raise InputError(
                recording.source.label,
                f"no marker is called {' or '.join(markers)} (there are: {there})",
                "name one of those under [pulses] markers",
            )
        others = [g for g in groups if g not in chosen]
        groups = (*chosen, *(_with_role(group, "not chosen") for group in others))
    elif named:
        chosen = _named_and_alike(marker_groups(recording, typed=True), named)
        groups = (*chosen, *(_with_role(group, "not named") for group in groups if group not in chosen))
    else:
        groups, flags = _judge(groups, recording.source.label)
        chosen = [group for group in groups if group.role == "pulse"]
    if chosen:
        events = sorted((time, group.name) for group in chosen for time in group.times_s)
        names = " and ".join(dict.fromkeys(group.name for group in chosen))
        flags += [flag for group in chosen if (flag := _delay(group)) is not None]
        known = [time for group in groups for time in group.times_s]
        flags += _unmarked(recording, known, names)
        return PulseTrain(_pair(events, pair_within_ms), f"markers {names}", groups, tuple(flags))
    lines = trigger_times(recording)
    if lines is not None:
        name, times = lines
        flags += _unmarked(recording, times, name)
        return PulseTrain(
            _pair([(t, name) for t in times], pair_within_ms), f"trigger line {name}", groups, tuple(flags)
        )
    comments = [
        group
        for group in marker_groups(recording, typed=True)
        if group.artefact_ratio >= ARTEFACT_SEEN and abs(group.artefact_lag_ms) <= _SAME_LAG_MS
    ]
    if comments and not groups:
        # Comments that stand on artefacts to the millisecond were written by a program.
        events = sorted((time, group.name) for group in comments for time in group.times_s)
        names = " and ".join(dict.fromkeys(group.name for group in comments))
        flags += _unmarked(recording, [time for time, _ in events], names)
        return PulseTrain(_pair(events, pair_within_ms), f"comments {names}", tuple(comments), tuple(flags))
    found = artefact_times(recording)
    if not found:
        raise InputError(
            recording.source.label,
            "no stimulus was found in event channels, markers or the signal",
            "give the times in an events table (--events)",
        )
    flags.append(
        Flag(
            "pulses-from-artefact",
            f"No marker says when the stimuli came; {len(found)} pulses were found by their artefact.",
            "caution",
            value=float(len(found)),
        )
    )
    return PulseTrain(
        _pair([(t, "") for t in found], pair_within_ms), "stimulus artefact", groups, tuple(flags)
    )


def marker_groups(recording: Recording, *, typed: bool = False) -> tuple[MarkerGroup, ...]:
    """Gather markers by channel and label (`typed` ones on request); look for an artefact at each."""
    gathered: dict[tuple[str, str], list[Marker]] = {}
    for marker in recording.markers:
        if typed or not any(word in marker.channel.lower() for word in _KEYBOARD):
            gathered.setdefault((marker.channel, marker.label), []).append(marker)
    groups = []
    for (channel, label), items in gathered.items():
        times = tuple(item.time_s for item in items)
        ratio, lag_ms, _ = artefact_ratio(recording, times)
        groups.append(MarkerGroup(channel, label, times, ratio, lag_ms))
    return tuple(groups)


def _with_role(group: MarkerGroup, role: str) -> MarkerGroup:
    return MarkerGroup(
        group.channel, group.label, group.times_s, group.artefact_ratio, group.artefact_lag_ms, role
    )


def _judge(groups: tuple[MarkerGroup, ...], label: str) -> tuple[tuple[MarkerGroup, ...], list[Flag]]:
    """Tell stimuli from other markers: by the name of the line, by the artefact, by a constant lag."""
    flags: list[Flag] = []
    judged = list(groups)
    channels = {group.channel for group in groups}
    tms_lines = {name for name in channels if any(word in name.lower() for word in _TMS_WORDS)}
    for i, group in enumerate(judged):
        if tms_lines and group.channel not in tms_lines:
            judged[i] = _with_role(group, "no stimulus")
            flags.append(
                Flag(
                    "marker-left-out",
                    f"{len(group.times_s)} markers {group.name} were not taken for magnetic stimuli; "
                    "name them under [pulses] markers if they are.",
                    "info",
                    group.name,
                    value=float(len(group.times_s)),
                )
            )
    pulses = [group for group in judged if group.role == "pulse"]
    seen = [group for group in pulses if group.artefact_ratio >= ARTEFACT_SEEN]
    if not seen:
        return tuple(judged), [*flags, *_untested(pulses, label)]
    for i, group in enumerate(judged):
        if group.role != "pulse" or group in seen:
            continue
        leader = next((other for other in seen if _constant_lag(other, group) is not None), None)
        lag_ms = None if leader is None else _constant_lag(leader, group)
        if leader is None:
            # One marker may follow several, as the end of every TTL pulse does.
            leader = _together(seen)
            lag_ms = _constant_lag(leader, group, within_ms=_LONGEST_LAG_MS)
        if leader is not None and lag_ms is not None:
            judged[i] = _with_role(group, f"follows {leader.name} by {lag_ms:.1f} ms")
            where = "after" if lag_ms > 0 else "before"
            what = (
                f"comes {abs(lag_ms):.1f} ms {where} {leader.name}, where the artefact is; it was not taken"
            )
        elif len(group.times_s) >= _OFTEN and group.channel in {other.channel for other in seen}:
            # A weak stimulus may leave no artefact: what comes often on the same line stays in.
            what = "has no visible artefact; it was taken all the same"
        else:
            judged[i] = _with_role(group, "no stimulus")
            what = "has no stimulus artefact; it was not taken"
        flags.append(
            Flag(
                "marker-not-stimulus" if judged[i].role != "pulse" else "marker-without-artefact",
                f"Marker {group.name} ({len(group.times_s)} times) {what} as stimulus.",
                "caution",
                group.name,
                value=lag_ms,
                unit="ms" if lag_ms is not None else "",
            )
        )
    return tuple(judged), flags


def _untested(groups: list[MarkerGroup], label: str) -> list[Flag]:
    """Judge markers where no artefact is visible: refuse what is either a pair or one written twice."""
    for leader in groups:
        for follower in groups:
            lag_ms = None if leader is follower else _constant_lag(leader, follower)
            if lag_ms is not None and lag_ms > 0:
                raise InputError(
                    label,
                    f"marker {follower.name} always follows {leader.name} by {lag_ms:.1f} ms and no artefact "
                    "tells whether that is a pair or one stimulus marked twice",
                    "name the markers that are stimuli under [pulses] markers in the protocol file",
                )
    if len(groups) < 2:
        return []
    names = ", ".join(group.name for group in groups)
    return [
        Flag(
            "markers-untested",
            f"No stimulus artefact is visible; markers {names} were all taken for stimuli.",
            "caution",
            value=float(len(groups)),
            unit="markers",
        )
    ]


def _named_and_alike(groups: Sequence[MarkerGroup], named: Sequence[str]) -> list[MarkerGroup]:
    """Return the groups that are named, and others of the same line that are stimuli as clearly.

    A protocol may name pairs alone. What always stands beside a named marker belongs to it.
    """
    wanted = {name.strip().lower() for name in named}
    chosen = [group for group in groups if group.label.strip().lower() in wanted]
    if not chosen:
        return []
    together = _together(chosen)
    lines = {group.channel for group in chosen}
    return [
        group
        for group in groups
        if group in chosen
        or (
            group.channel in lines
            and group.artefact_ratio >= ARTEFACT_SEEN
            and abs(group.artefact_lag_ms) <= _NEAR_ARTEFACT_MS
            and _constant_lag(together, group) is None
        )
    ]


def _together(groups: Sequence[MarkerGroup]) -> MarkerGroup:
    """Return the markers of several groups as one."""
    first = groups[0]
    times = tuple(sorted(time for group in groups for time in group.times_s))
    label = " and ".join(dict.fromkeys(group.name for group in groups))
    return MarkerGroup(first.channel, label, times, first.artefact_ratio, first.artefact_lag_ms)


def _constant_lag(
    leader: MarkerGroup, follower: MarkerGroup, *, within_ms: float = MAX_ISI_MS
) -> float | None:
    """Return the lag of `follower` behind `leader` in ms, if nearly every marker keeps to it."""
    first, second = np.asarray(leader.times_s), np.asarray(follower.times_s)
    nearest = np.abs(second[:, None] - first[None, :]).argmin(axis=1)
    lags_ms = 1e3 * (second - first[nearest])
    middle = float(np.median(lags_ms))
    kept = np.abs(lags_ms - middle) <= _SAME_LAG_MS
    if abs(middle) > MAX_ISI_MS and second.size < _OFTEN:
        return None
    return middle if kept.mean() >= 0.9 and abs(middle) <= within_ms else None


def _unmarked(recording: Recording, known_s: Sequence[float], name: str) -> list[Flag]:
    """Flag moments that look like stimuli and have no marker: a line that was unplugged, or stuck."""
    times, known = np.asarray(artefact_times(recording)), np.sort(known_s)
    if not times.size or not known.size:
        return []
    after = np.searchsorted(known, times)
    beside = known[after.clip(0, known.size - 1)], known[(after - 1).clip(0)]
    away_s = np.minimum(np.abs(times - beside[0]), np.abs(times - beside[1]))
    n = len(_pair([(float(t), "") for t in times[away_s > MAX_ISI_MS / 1e3]], MAX_ISI_MS))
    if n < _UNMARKED or n < _UNMARKED_SHARE * known.size:
        return []
    text = (
        f"{n} more moments have the artefact of a stimulus but are far from every marker ({name}); they "
        "were not measured. If they are stimuli, give the time of each in an events table (--events)."
    )
    return [Flag("stimuli-unmarked", text, "caution", name, value=float(n), unit="moments")]


def _delay(group: MarkerGroup) -> Flag | None:
    """Flag markers that are off from the artefact by more than two milliseconds."""
    if not group.artefact_ratio >= ARTEFACT_SEEN or abs(group.artefact_lag_ms) <= 2.0:
        return None
    where = "after" if group.artefact_lag_ms > 0 else "before"
    return Flag(
        "marker-delay",
        f"The artefact peaks {abs(group.artefact_lag_ms):.1f} ms {where} marker {group.name}; "
        "latencies count from the marker unless offset_ms under [pulses] in the protocol file moves it.",
        "caution",
        group.name,
        value=group.artefact_lag_ms,
        limit=2.0,
        unit="ms",
    )


def _pair(events: Sequence[tuple[float, str]], within_ms: float) -> tuple[FoundPulse, ...]:
    """Join stimuli that follow each other closely; a marker alone does not say whether it was a pair."""
    pulses = []
    cluster: list[tuple[float, str]] = []
    for event in [*events, (float("inf"), "")]:
        if cluster and event[0] - cluster[-1][0] > within_ms / 1e3:
            time_s, label = cluster[-1]
            labels = "+".join(dict.fromkeys(name for _, name in cluster if name))
            if len(cluster) == 2:
                isi_ms = round(1e3 * (time_s - cluster[0][0]), 3)
                pulses.append(FoundPulse(time_s, "paired", isi_ms, labels))
            else:
                pulses.append(FoundPulse(time_s, "unknown", None, labels or label))
            cluster = []
        cluster.append(event)
    return tuple(pulses)
