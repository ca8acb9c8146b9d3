"""Work over processes: every item once, one dead worker costs one item."""

from __future__ import annotations

import math
import os
import signal
import sys

import pytest

from sudeck.core.errors import InputError, MissingDependencyError
from sudeck.study.measuring.engine import Died, spread, use_one_thread

# Work is a function of the standard library, which every worker can import.
KILL = int(signal.SIGTERM)


def test_every_item_once() -> None:
    assert dict(spread(math.factorial, range(7), jobs=2)) == dict(enumerate((1, 1, 2, 6, 24, 120, 720)))


def test_no_items_no_work() -> None:
    assert list(spread(abs, [], jobs=2)) == []


def test_a_dead_worker_costs_one_item() -> None:
    # Signal 0 does nothing, the other one ends the worker.
    found = dict(spread(signal.raise_signal, [0, 0, 0, KILL, 0, 0], jobs=2))
    assert found == dict.fromkeys((0, 1, 2, 4, 5)) | {3: Died()}


def test_errors_of_the_work_come_through() -> None:
    with pytest.raises(ValueError, match="factorial"):
        list(spread(math.factorial, [3, -1, 4], jobs=1))


def test_workers_have_one_thread_and_we_keep_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    assert dict(spread(os.getenv, ["OMP_NUM_THREADS"], jobs=1)) == {0: "1"}
    assert os.environ["OMP_NUM_THREADS"] == "5"


def test_one_thread_unless_the_user_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    use_one_thread()
    assert (os.environ["OMP_NUM_THREADS"], os.environ["OPENBLAS_NUM_THREADS"]) == ("5", "1")


def test_refusals() -> None:
    with pytest.raises(InputError, match="0 workers"):
        list(spread(abs, [1], jobs=0))


def test_a_cluster_needs_its_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(MissingDependencyError, match=r"sudeck\[cluster\]"):
        list(spread(abs, [1], cluster="tcp://127.0.0.1:1"))


@pytest.mark.filterwarnings("default")  # of Dask's own making
def test_a_cluster_does_the_same_work() -> None:
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None
    ) as cluster:
        found = dict(spread(math.factorial, range(7), cluster=cluster.scheduler_address))
    assert found == dict(enumerate((1, 1, 2, 6, 24, 120, 720)))


def test_a_cluster_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr("sudeck.study.measuring.engine._CONNECT_S", 0.2)
    with pytest.raises(InputError, match="no Dask scheduler answers"):
        list(spread(abs, [1], cluster="tcp://127.0.0.1:9"))
