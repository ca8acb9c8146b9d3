"""Hold a study for one process alone, so that two runs or two reviews never write over each other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sudeck.core.errors import InputError
from sudeck.study.folder.layout import StudyFolder


@contextmanager
def held_alone(study: StudyFolder, lock: str, *, taken: str, remedy: str) -> Iterator[None]:
    """Hold a lock of the study; the system lets go when the process ends, however it ends.

    Parameters
    ----------
    study : StudyFolder
    lock : str
        Name of the file of the lock, among the derivatives.
    taken, remedy : str
        What to say where another process holds it.

    Raises
    ------
    InputError
        If another process holds it, or the lock is a link to elsewhere.
    """
    from filelock import FileLock, Timeout

    study.derivatives.mkdir(parents=True, exist_ok=True)
    path = study.derivatives / lock
    if path.is_symlink():
        raise InputError(f"{study.root.name} {lock}", "the lock is a link to elsewhere", "remove the link")
    try:
        with FileLock(path, timeout=0):
            yield
    except Timeout:
        raise InputError(study.root.name, taken, remedy) from None
