"""One session for all work: its kept connections are closed with it, so none may be made beside it."""

from __future__ import annotations

import threading

from up42_jobs.plugin.host.connections import Connections
from up42_jobs.plugin.net.cancel import Cancel
from up42_jobs.plugin.net.session import Session
from up42_jobs.tests.servers.worker import Worker

WORKERS = 4


def test_works_that_begin_together_share_one_session(qgis_app: object) -> None:
    made: list[Session] = []
    second = threading.Event()

    def make() -> Session:
        made.append(Session())
        if len(made) > 1:
            second.set()
        second.wait(0.3)  # long enough for another one to come in, if it could
        return made[-1]

    connections = Connections(engine=None, make_session=make)  # type: ignore[arg-type]
    workers = [Worker(lambda: connections.session(Cancel())) for _ in range(WORKERS)]
    for worker in workers:
        worker.result()
    assert len(made) == 1
