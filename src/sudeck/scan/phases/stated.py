"""Which phase a person states for which file: names as typed, matched to the files, never to several."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from sudeck.core.errors import InputError
from sudeck.core.vocabulary import ScanPhase
from sudeck.scan.reading.collection import Collection
from sudeck.scan.reading.frames import Acquisition

# By the hash of a file, the phase of the study of each of its DICOM phases; None stands for all of them.
StatedPhases = Mapping[str, Mapping[int | None, ScanPhase]]


def match_stated_phases(phase_of: Mapping[str, ScanPhase], collection: Collection) -> StatedPhases:
    """Match the names a person typed to the files of a study.

    Parameters
    ----------
    phase_of : Mapping[str, ScanPhase]
        Phase by label, by file name, or by path as typed; ``name#2`` is the second DICOM phase of a file.
    collection : Collection
        The files.

    Raises
    ------
    InputError
        If a name fits no file or several, if a file has no such DICOM phase, or if two names state different
        phases for the same frames.
    """
    stated: dict[str, dict[int | None, ScanPhase]] = {}
    for name, phase in phase_of.items():
        shown = collection.redactor.clean(Path(name).name)
        acquisition, part = _find(name, shown, collection)
        of_file = stated.setdefault(acquisition.source.sha256, {})
        if of_file.setdefault(part, phase) != phase:
            raise InputError(
                shown, f"two phases are stated for it, {of_file[part]} and {phase}", "state one of them"
            )
    return stated


def _find(name: str, shown: str, collection: Collection) -> tuple[Acquisition, int | None]:
    """Return the file a name means, and the number of the DICOM phase where the name ends in one."""
    found = _named(name, collection)
    part: int | None = None
    if not found:
        name, _, number = name.rpartition("#")
        found = _named(name, collection) if name and number.isdigit() else []
        part = int(number) if found else None
    if not found:
        raise InputError(
            shown,
            "a phase is stated for it, but no usable file has this name",
            "take the name that sudeck inspect shows, or the path",
        )
    if len(found) > 1:
        labels = ", ".join(item.label for item in found)
        raise InputError(
            shown, f"{len(found)} files have this name", f"name one of them ({labels}) or give its path"
        )
    phases = sorted({frame.phase for frame in found[0].frames})
    if part is not None and part not in phases:
        raise InputError(
            shown,
            f"it has no DICOM phase {part}, only {', '.join(map(str, phases))}",
            "see: sudeck inspect",
        )
    return found[0], part


def _named(name: str, collection: Collection) -> list[Acquisition]:
    """Return the files of a label, or else of a path or the end of one."""
    cleaned = collection.redactor.clean(name)
    by_label = [item for item in collection.acquisitions if item.label in (name, cleaned)]
    if by_label:
        return by_label
    typed = Path(name)
    exact = [item for item in collection.acquisitions if collection.paths[item.label] == typed.absolute()]
    parts = typed.parts
    return exact or [
        item for item in collection.acquisitions if collection.paths[item.label].parts[-len(parts) :] == parts
    ]
