"""Work spread over processes or over a cluster, through the one interface of `concurrent.futures`.

A worker that dies (killed for its memory, a crash inside a library) costs one item, not the run. Workers of
a run that was itself killed end at once: nobody would collect what they do.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from sudeck.core.errors import InputError, MissingDependencyError

Item = TypeVar("Item")
Result = TypeVar("Result")

_AHEAD: Final = 3  # items given out for every worker, so that none waits and finished results do not pile up
_CONNECT_S: Final = 20
# One thread a worker: faster with several workers, and sums are then added in one order whatever the machine.
_ONE_THREAD: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


def use_one_thread() -> None:
    """Let linear algebra use one thread unless the user says otherwise; of use before NumPy is loaded.

    The matrices of a small study are small: threads would wait for each other longer than they work.
    """
    for name in _ONE_THREAD:
        os.environ.setdefault(name, "1")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is.

    Attributes
    ----------
    done, total : int
        Patients to be measured in this run; unchanged ones do not count.
    unchanged : int
        Patients whose inputs did not change.
    seconds_left : float or None
        At the pace so far; None before the first patient is done.
    """

    done: int
    total: int
    unchanged: int
    seconds_left: float | None

    def __str__(self) -> str:
        left = "" if self.seconds_left is None else f", about {self.seconds_left:.0f} s left"
        return f"{self.done} of {self.total} patients measured{left}"


@dataclass(frozen=True, slots=True)
class Died:
    """Stands for the result of an item whose worker died."""


def available_cores() -> int:
    """Return how many cores this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on every platform
        return os.cpu_count() or 1


def spread(
    work: Callable[[Item], Result],
    items: Sequence[Item],
    *,
    jobs: int | None = None,
    cluster: str | None = None,
) -> Iterator[tuple[int, Result | Died]]:
    """Apply `work` to every item and yield each result with the item's index, as they come.

    Parameters
    ----------
    work : callable
        Importable by name; what it raises is raised here.
    items : sequence
    jobs : int, optional
        Worker processes; as many as there are cores unless given. Even one works in a process of its own, so
        that any number computes the same bits.
    cluster : str, optional
        Address of a Dask scheduler, whose workers then do the work; they must see the same files.

    Raises
    ------
    InputError
        If `jobs` is not positive, or the cluster can not be reached.
    MissingDependencyError
        If a cluster is asked for and Dask is not installed.
    """
    if jobs is not None and jobs < 1:
        raise InputError("jobs", f"{jobs} workers can do nothing", "ask for one or more")
    if cluster is not None:
        with _cluster(cluster) as (executor, workers):
            yield from _apply(executor, work, dict(enumerate(items)), workers)
        return
    yield from _in_processes(work, items, min(jobs or available_cores(), max(len(items), 1)))


def _in_processes(
    work: Callable[[Item], Result], items: Sequence[Item], jobs: int
) -> Iterator[tuple[int, Result | Died]]:
    waiting = dict(enumerate(items))
    while waiting:
        try:
            with _pool(min(jobs, len(waiting))) as pool:
                for index, result in _apply(pool, work, waiting, jobs):
                    del waiting[index]
                    yield index, result
        except BrokenProcessPool:
            # The culprit was being worked on, so it is among the first of those not finished: try them alone.
            for index in list(waiting)[: _AHEAD * jobs]:
                try:
                    with _pool(1) as pool:
                        result = pool.submit(work, waiting[index]).result()
                except BrokenProcessPool:
                    del waiting[index]
                    yield index, Died()
                    break
                del waiting[index]
                yield index, result


def _apply(
    executor: Executor, work: Callable[[Item], Result], items: dict[int, Item], workers: int
) -> Iterator[tuple[int, Result]]:
    to_do = iter(list(items.items()))
    running: dict[Future[Result], int] = {}
    try:
        while True:
            for index, item in to_do:
                running[executor.submit(work, item)] = index
                if len(running) >= _AHEAD * workers:
                    break
            if not running:
                return
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in sorted(done, key=running.__getitem__):
                result = future.result()
                yield running.pop(future), result
    finally:
        for future in running:
            future.cancel()


@contextmanager
def _pool(jobs: int) -> Iterator[ProcessPoolExecutor]:
    """Start worker processes afresh (not forked), each with one thread for linear algebra."""
    import multiprocessing

    before = {name: os.environ.get(name) for name in _ONE_THREAD}
    os.environ.update(dict.fromkeys(_ONE_THREAD, "1"))
    try:
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(jobs, mp_context=context, initializer=_end_with_parent) as pool:
            yield pool
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _end_with_parent() -> None:
    """End this worker as soon as its parent is gone; otherwise it would wait for work for ever."""
    from multiprocessing import parent_process
    from multiprocessing.connection import wait as wait_for

    parent = parent_process()
    if parent is None:
        return

    def watch() -> None:
        wait_for([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


@contextmanager
def _cluster(address: str) -> Iterator[tuple[Executor, int]]:
    try:
        from distributed import Client
    except ImportError:
        raise MissingDependencyError("Running on a cluster", "cluster") from None
    try:
        connect: Callable[..., Any] = Client
        client = connect(address, timeout=_CONNECT_S)
    except (OSError, ValueError) as error:
        raise InputError(address, "no Dask scheduler answers there", "check the address") from error
    try:
        workers = sum(client.nthreads().values())
        yield client.get_executor(pure=False), max(workers, 1)
    finally:
        client.close()
