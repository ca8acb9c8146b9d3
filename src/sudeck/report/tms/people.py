"""Recordings of many people: each measured by itself, in parallel, and one table over all of them."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sudeck.core.errors import InputError, SudeckError
from sudeck.core.flags import Flag
from sudeck.core.provenance import Provenance
from sudeck.core.storage import write_tsv
from sudeck.report.tms.page import write_tms
from sudeck.study.measuring.engine import Died, available_cores, spread
from sudeck.tms.measurement import TmsSettings, measure_recordings
from sudeck.tms.measures_table import MEASURE_COLUMNS, MEASURES_NAME, measures_rows
from sudeck.tms.recordings.companions import own_companions, refuse_unnamed
from sudeck.tms.recordings.recording_files import recordings_in
from sudeck.tms.recordings.whose import person_and_visit
from sudeck.tms.result import TmsResult

if TYPE_CHECKING:
    from sudeck.core.vocabulary import Side

# Fewer people are measured before further processes have started.
_WORTH_PROCESSES: Final = 4
_MOST_NAMED: Final = 3


@dataclass(frozen=True)
class _Work:
    """The recordings of one person, and how they are measured; `folder` is where the results go."""

    paths: tuple[Path, ...]
    settings: TmsSettings
    reading: Mapping[str, Any]
    folder: Path | None
    affected: Mapping[str, Side]


@dataclass(frozen=True)
class _Refusal:
    """Why nothing of one person was measured: the first reason, and those of the other files."""

    first: InputError
    others: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


def by_person(paths: Sequence[Path], participant: str = "") -> dict[str, list[Path]]:
    """Return recordings by the person that their names and folders state; all together where one is named."""
    people: dict[str, list[Path]] = {}
    for path in recordings_in(paths):
        people.setdefault(participant or person_and_visit(path.absolute())[0], []).append(path)
    return people


def measure_people(
    paths: Sequence[Path],
    *,
    settings: TmsSettings,
    out: Path | None = None,
    jobs: int | None = None,
    affected: Mapping[str, Side] | None = None,
    progress: Callable[[int, int, float | None], None] | None = None,
    **reading: Any,
) -> TmsResult:
    """Measure recordings, those of each person by themselves, and write what is wanted.

    Parameters
    ----------
    paths : sequence of Path
        Recordings and folders of them.
    settings : TmsSettings
    out : Path, optional
        Folder of the results: tms.json, trials.tsv, report.html and measures.tsv; where there are several
        people, those of each in a folder of its own too.
    jobs : int, optional
        Processes; as many as there are cores unless given, and one for a few people.
    affected : Mapping of str to {"left", "right"}, optional
        Affected side of the body of each person, for measures.tsv.
    progress : callable, optional
        Told how many people are done, of how many, and the seconds left.
    **reading
        As in `sudeck.tms.measurement.measure_recordings`.

    Returns
    -------
    TmsResult
        Of all people; where there are several, without the sweeps, which the page of each shows.

    Raises
    ------
    InputError
        If nothing can be measured.
    """
    people = by_person(paths, reading.get("participant", ""))
    sides = affected or {}
    if len(people) < 2 or reading.get("decisions") is not None:
        # Decisions may be about any of the recordings: all of them are needed to say which.
        result = measure_recordings(paths, settings=settings, **reading)
        if out is not None:
            _write(result, out, sides)
        return result
    paths = [path for own in people.values() for path in own]
    for name in ("events", "protocol"):
        refuse_unnamed(reading.get(name), paths)
    work = [
        _Work(
            tuple(own),
            settings,
            reading | {name: own_companions(reading.get(name), own) for name in ("events", "protocol")},
            None if out is None else out / _folder_name(person),
            sides,
        )
        for person, own in people.items()
    ]
    done = _all_done(work, jobs, progress)
    results = [one for one in done if isinstance(one, TmsResult)]
    refused = [one for one in done if isinstance(one, _Refusal)]
    if not results:
        for text in (*refused[0].others, *(text for one in refused[1:] for text in _texts(one))):
            refused[0].first.add_note(text)
        raise refused[0].first
    result = _joined(results, refused)
    if out is not None:
        _write(result, out, sides)
    return result


def _all_done(
    work: Sequence[_Work], jobs: int | None, progress: Callable[[int, int, float | None], None] | None
) -> list[TmsResult | _Refusal]:
    done: dict[int, TmsResult | _Refusal] = {}
    if jobs is None:
        jobs = available_cores() if len(work) >= _WORTH_PROCESSES else 1
    began = time.monotonic()
    several = min(jobs, len(work)) > 1
    for index, one in spread(_measure, work, jobs=jobs) if several else enumerate(map(_measure, work)):
        done[index] = _lost(work[index]) if isinstance(one, Died) else one
        if progress is not None:
            pace = (time.monotonic() - began) / len(done)
            progress(len(done), len(work), pace * (len(work) - len(done)))
    return [done[index] for index in range(len(work))]


def _measure(work: _Work) -> TmsResult | _Refusal:
    """Measure one person and write the results. The sweeps stay behind: a page of all draws none."""
    try:
        result = measure_recordings(work.paths, settings=work.settings, **work.reading)
    except SudeckError as error:
        # Notes, the reasons of the other files, do not travel between processes by themselves.
        notes = tuple(getattr(error, "__notes__", ()))
        names = tuple(path.name for path in work.paths)
        if isinstance(error, InputError):
            return _Refusal(InputError(error.subject, error.problem, error.remedy), notes, names)
        missing = InputError(work.paths[0].name, str(error).rstrip("."), "install what is missing")
        return _Refusal(missing, notes, names)
    if work.folder is not None:
        _write(result, work.folder, work.affected)
    return replace(result, sweeps=())


def _lost(work: _Work) -> _Refusal:
    name = work.paths[0].name
    return _Refusal(InputError(name, "the process that measured it died", "try it alone, with --jobs 1"))


def _texts(refusal: _Refusal) -> tuple[str, ...]:
    """Return the reasons in the order of the files."""

    def place(text: str) -> int:
        return next((i for i, name in enumerate(refusal.files) if text.startswith(name)), len(refusal.files))

    return tuple(sorted((str(refusal.first), *refusal.others), key=place))


def _joined(results: Sequence[TmsResult], refused: Sequence[_Refusal]) -> TmsResult:
    sources = {source.sha256: source for one in results for source in one.provenance.sources}
    first = results[0].provenance
    flags = [
        Flag("recording-refused", text, "serious", text.partition(": ")[0])
        for one in refused
        for text in _texts(one)
    ]
    return TmsResult(
        groups=tuple(group for one in results for group in one.groups),
        estimates_without_flagged=tuple(item for one in results for item in one.estimates_without_flagged),
        trials=tuple(trial for one in results for trial in one.trials),
        sweeps=(),
        flags=(*flags, *_one_file_twice(results), *(flag for one in results for flag in _placed(one))),
        provenance=Provenance(tuple(sources.values()), first.settings, first.version),
        reporting=results[0].reporting,
    )


def _placed(result: TmsResult) -> list[Flag]:
    """Say of which recording a trial is, where a person has one recording and its flags do not say."""
    places = {f"{trial.file} {trial.channel}".strip() for trial in result.trials}
    if len(places) > 1:
        return list(result.flags)
    return [
        replace(flag, subject=f"{place} {flag.subject}") if flag.subject.startswith("trial ") else flag
        for place in places
        for flag in result.flags
    ]


def _one_file_twice(results: Sequence[TmsResult]) -> list[Flag]:
    """Flag files of several people that are the same to the byte."""
    seen: dict[str, list[str]] = {}
    for one in results:
        for source in one.provenance.sources:
            seen.setdefault(source.sha256, []).append(source.label)
    flags = []
    for labels in seen.values():
        if len(labels) > 1:
            names = ", ".join(list(dict.fromkeys(labels))[:_MOST_NAMED])
            text = (
                f"One file was given for {len(labels)} people ({names}"
                f"{' …' if len(labels) > _MOST_NAMED else ''}): somebody has the recording of another."
            )
            flags.append(Flag("duplicate-recording", text, "serious", labels[0], float(len(labels))))
    return flags


def _write(result: TmsResult, folder: Path, affected: Mapping[str, Side]) -> None:
    write_tms(result, folder)
    rows = measures_rows(result.estimates, affected=affected)
    write_tsv(folder / MEASURES_NAME, rows, columns=MEASURE_COLUMNS)


def _folder_name(person: str) -> str:
    return re.sub(r"[^0-9A-Za-z-]+", "-", person) or "not-stated"
