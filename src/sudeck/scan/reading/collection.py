"""All files of a study opened and audited; what can not be used is set aside with its reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from warnings import catch_warnings, simplefilter

import pydicom.config

from sudeck.core.errors import InputError
from sudeck.core.flags import Flag
from sudeck.core.privacy import MASK, Redactor
from sudeck.core.record import Record
from sudeck.scan.reading.acquisitions import read_acquisition
from sudeck.scan.reading.dicom import DicomFile, find_files, open_dicom
from sudeck.scan.reading.frames import Acquisition
from sudeck.scan.reading.identity import redactor_of

_DAY_S = 86_400.0
_SAME_CLOCK_S = 60.0


@dataclass(frozen=True, slots=True)
class Skipped(Record):
    """A file, or a part of one, that is not used, and why."""

    label: str
    reason: str

    def __str__(self) -> str:
        return f"{self.label}: {self.reason}"


@dataclass(frozen=True)
class Collection:
    """The acquisitions found, the files set aside, and findings about the whole.

    `paths` tells where the file of each label lies: to match what a person types, never for printing.
    """

    acquisitions: tuple[Acquisition, ...]
    skipped: tuple[Skipped, ...]
    errors: tuple[InputError, ...]
    flags: tuple[Flag, ...]
    redactor: Redactor
    paths: Mapping[str, Path] = field(repr=False)


def collect(paths: Sequence[Path], *, frame_s: float | None = None) -> Collection:
    """Open every file under `paths` and read those that hold planar counts.

    A broken file never stops the others. Copies are used once.

    Raises
    ------
    InputError
        If a path does not exist.
    """
    files: list[DicomFile] = []
    failures: list[tuple[Path, InputError]] = []
    redactor = Redactor()
    found = find_files(paths)
    with catch_warnings(record=True) as remarks, pydicom.config.disable_value_validation():
        # pydicom warns of each irregular element; they are counted per study, never silently dropped.
        simplefilter("always")
        for path in found:
            try:
                file = open_dicom(path)
            except InputError as error:
                failures.append((path, error))
            else:
                files.append(file)
                redactor |= redactor_of(file.header)
        labels = label_files(found, redactor)
        errors: list[InputError] = []
        acquisitions: list[Acquisition] = []
        for file in files:
            try:
                acquisitions.append(read_acquisition(file, labels[file.path], frame_s=frame_s))
            except InputError as error:
                errors.append(error)
    errors += [InputError(labels[path], error.problem, error.remedy) for path, error in failures]
    flags = () if not remarks else (_irregular(len(remarks)),)
    acquisitions, copies = _without_copies(acquisitions)
    skipped = [Skipped(error.subject, f"{error.problem}; {error.remedy}") for error in errors]
    return Collection(
        tuple(acquisitions),
        (*skipped, *copies),
        tuple(errors),
        flags,
        redactor,
        {label: path.absolute() for path, label in labels.items()},
    )


def label_files(paths: Sequence[Path], redactor: Redactor) -> dict[Path, str]:
    """Name each file by its masked name, numbered in the order of the paths where several would be alike.

    A name that lost a part gets the place of the file among all, so that its owner finds it.

    Examples
    --------
    >>> sorted(label_files([Path("a/IM0001"), Path("b/IM0001"), Path("b/pool.dcm")], Redactor()).values())
    ['IM0001 (1)', 'IM0001 (2)', 'pool.dcm']
    >>> label_files([Path("a/dupont.dcm"), Path("a/pool.dcm")], Redactor.from_values(["DUPONT"]))[
    ...     Path("a/dupont.dcm")
    ... ]
    '[removed].dcm (file 1 of 2)'
    """
    masked = {path: redactor.label(path) for path in sorted(paths)}
    for place, (path, label) in enumerate(masked.items(), 1):
        if MASK in label:
            masked[path] = f"{label} (file {place} of {len(masked)})"
    times = Counter(masked.values())
    taken = {label for label, files in times.items() if files == 1}
    labels: dict[Path, str] = {}
    for path, label in masked.items():
        number = 0
        unique = label
        while times[label] > 1 and (number == 0 or unique in taken):
            number += 1
            unique = f"{label} ({number})"
        taken.add(unique)
        labels[path] = unique
    return labels


def _irregular(remarks: int) -> Flag:
    return Flag(
        "dicom-irregular",
        f"The headers break the DICOM standard in {remarks} {'place' if remarks == 1 else 'places'}; "
        "such elements are read as missing.",
        "info",
        value=remarks,
    )


def _without_copies(acquisitions: Sequence[Acquisition]) -> tuple[list[Acquisition], list[Skipped]]:
    """Keep the first of identical files."""
    kept: list[Acquisition] = []
    copies: list[Skipped] = []
    for acquisition in acquisitions:
        original = next((item for item in kept if item.source.sha256 == acquisition.source.sha256), None)
        if original is None:
            kept.append(acquisition)
        else:
            copies.append(Skipped(acquisition.label, f"it is a copy of {original.label}, which is used once"))
    return kept, copies


def refuse_mixtures(acquisitions: Sequence[Acquisition]) -> tuple[Flag, ...]:
    """Refuse files of several patients or studies; two studies around one injection of one patient are one.

    Returns
    -------
    tuple of Flag
        That two studies were taken for one, where they were.

    Raises
    ------
    InputError
        If there are several patients, or several studies that nothing holds together.
    """
    for tokens in (
        {acquisition.patient[0] for acquisition in acquisitions} - {""},
        {acquisition.patient[1] for acquisition in acquisitions} - {""},
    ):
        if len(tokens) > 1:
            raise _mixture(acquisitions, len(tokens), "patients")
    studies = {acquisition.study for acquisition in acquisitions} - {""}
    if len(studies) < 2:
        return ()
    if not _one_injection(acquisitions):
        raise _mixture(acquisitions, len(studies), "studies")
    return (
        Flag(
            "several-studies",
            f"The files carry {len(studies)} study identifiers; they name one patient and one injection, so "
            "they are measured together.",
            "caution",
            value=len(studies),
        ),
    )


def _mixture(acquisitions: Sequence[Acquisition], count: int, what: str) -> InputError:
    return InputError(
        f"{len(acquisitions)} files",
        f"they belong to {count} {what}",
        "give the files of one study of one patient",
    )


def _one_injection(acquisitions: Sequence[Acquisition]) -> bool:
    """Say whether every file names the same patient and, within a minute, the same injection.

    Where only the time of day is recorded, an image of the next day reads it as one of its own day.
    """
    if not all(acquisition.patient[0] for acquisition in acquisitions):
        return False
    times = [acquisition.injected_at for acquisition in acquisitions if acquisition.injected_at is not None]
    if len(times) < len(acquisitions):
        return False
    apart_s = (max(times) - min(times)).total_seconds()
    return any(abs(apart_s - days * _DAY_S) <= _SAME_CLOCK_S for days in (0, 1))
