"""The Dask cluster: one on this machine, or a scheduler elsewhere that may vanish and come back."""

from __future__ import annotations

import importlib.util
import logging
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import dask
import distributed
from dask.system import CPU_COUNT

from pyvocsep.corpus.errors import CorpusError
from pyvocsep.corpus.work import ModelPlugin

Connect = Callable[[], distributed.Client]
"""Returns a client of a cluster whose workers have the model."""

PATIENCE_S = 600.0
"""How long a scheduler may be away."""

_ANSWER_S = 10


@contextmanager
def local_cluster(plugin: ModelPlugin, workers: int | None) -> Iterator[Connect]:
    """Run a cluster on this machine: a process with one thread for each worker, by default one per core.

    A worker that dies is replaced. Yields a function that returns its client.
    """
    quiet()
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 1}),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore", UserWarning)
        cluster = distributed.LocalCluster(
            n_workers=workers or CPU_COUNT,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
            silence_logs=logging.CRITICAL,
        )

    def connect() -> distributed.Client:
        client = distributed.Client(cluster, set_as_default=False)
        _bring(plugin, client)
        return client

    try:
        yield connect
    finally:
        with suppress(Exception):  # the work is done, or given up
            cluster.close(timeout=_ANSWER_S)


@contextmanager
def remote_cluster(plugin: ModelPlugin, address: str, patience_s: float = PATIENCE_S) -> Iterator[Connect]:
    """Yield a function that connects to a scheduler, and waits for it where it does not answer.

    It raises CorpusError after `patience_s` without an answer.
    """
    quiet()

    def connect() -> distributed.Client:
        ends = time.monotonic() + patience_s
        while True:
            try:
                client = distributed.Client(address, timeout=_ANSWER_S, set_as_default=False)
                break
            except (OSError, TimeoutError) as error:
                if time.monotonic() > ends:
                    raise CorpusError(
                        f"the scheduler {address} does not answer ({error}); when it does, give the same "
                        "command again"
                    ) from None
                time.sleep(1)
            except (ValueError, ImportError) as error:
                raise CorpusError(f"--scheduler {address}: {error}") from None
        _bring(plugin, client)
        return client

    yield connect


def quiet() -> None:
    """Keep Dask, and asyncio below it, from printing what becomes of a lost cluster's tasks: we say it."""
    for name in ("distributed", "asyncio"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


def dashboard_of(client: distributed.Client) -> str:
    """Return the address of the cluster's dashboard, or how to get one."""
    if client.cluster is not None and importlib.util.find_spec("bokeh") is None:
        return "none (pip install bokeh gives one)"
    return str(client.dashboard_link)


def close(client: distributed.Client) -> None:
    """Let a client go, also one whose scheduler is gone."""
    with suppress(Exception):
        client.close(timeout=1)


def _bring(plugin: ModelPlugin, client: distributed.Client) -> None:
    try:
        client.register_plugin(plugin)
    except (CorpusError, OSError, ValueError, ImportError) as error:
        close(client)
        raise CorpusError(f"a worker cannot load the model: {error}") from error
