"""Starts the engine: `python -m up42_jobs.plugin.engine --data DIR [--port N] [--stay] [--settings-stdin]
[--rate-limit N]`.

The first line on standard output is JSON with the URL and the keys of both projects. If an engine runs on the data
folder already, the line is that engine's with `"attached": true`, and this process ends with 0. Exit codes: 0 ended
cleanly or attached, 1 could not start (standard error says why), 2 wrong arguments.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sqlite3
import sys
import time
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any, Optional, Sequence

from . import (
    routes_account,
    routes_blocks,
    routes_credits,
    routes_engine,
    routes_jobs,
    routes_outputs,
    routes_webhooks,
    routes_workflows,
)
from .engine import BLOCKS_MODULE, Engine
from .files import make_private_folder
from .instance import Instance
from .keys import KeysError, load_keys, with_environment
from .lease import Life
from .network import NetworkSettingsError
from .routing import Router
from .server import Server
from .signals import end_on_signals
from .store import StoreError

START_SECONDS = 20.0  # for another engine that is about to start or to end on the same folder
RETRY_SECONDS = 0.05
LOG_FILE = "engine.log"
LOG_BYTES = 500_000

ROUTES = [
    *routes_account.ROUTES,
    *routes_blocks.ROUTES,
    *routes_credits.ROUTES,
    *routes_engine.ROUTES,
    *routes_jobs.ROUTES,
    *routes_outputs.ROUTES,
    *routes_webhooks.ROUTES,
    *routes_workflows.ROUTES,
]


class StartError(Exception):
    """The engine can't start; the text says why and what to do."""


def main(arguments: Optional[Sequence[str]] = None, blocks_module: str = BLOCKS_MODULE) -> int:
    """Start or attach; returns the exit code when the engine has ended."""
    options = _options(arguments)
    os.umask(0o077)  # what jobs deliver is their owner's business, too
    try:
        return _run(options, blocks_module)
    except (StartError, KeysError, StoreError, NetworkSettingsError) as e:
        sys.stderr.write(f"{e}\n")
    except (OSError, sqlite3.Error) as e:
        sys.stderr.write(f"The engine can't use {options.data}: {e}\n")
    return 1


def _options(arguments: Optional[Sequence[str]]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m up42_jobs.plugin.engine", description="The local engine.")
    parser.add_argument("--data", required=True, help="the data folder, on a local disk; made if it is not there")
    parser.add_argument("--port", type=int, default=0, help="the port on 127.0.0.1 (default: any that is free)")
    parser.add_argument("--stay", action="store_true", help="live until SIGTERM, with or without a lease")
    parser.add_argument("--settings-stdin", action="store_true", help="read network settings (JSON, one line) first")
    parser.add_argument(
        "--rate-limit", type=_rate, default=0.0, metavar="N", help="requests per second, bursts of 5 N (default: none)"
    )
    return parser.parse_args(arguments)


def _rate(text: str) -> float:
    rate = float(text)
    if not 0 <= rate <= 1_000_000:
        raise ValueError("a rate is a number from 0")
    return rate


def _run(options: argparse.Namespace, blocks_module: str) -> int:
    settings = _read_settings() if options.settings_stdin else None
    data = Path(os.path.abspath(options.data))
    make_private_folder(data)
    instance = Instance(data)
    line = _claim_or_attach(instance, options.stay, settings)
    if line is not None:
        _tell(line)
        return 0
    try:
        _log_to(data / LOG_FILE)
        return _live(data, options, instance, blocks_module, settings)
    finally:
        instance.leave()


def _read_settings() -> Any:
    try:
        return json.loads(sys.stdin.readline())
    except ValueError as e:
        raise StartError("The network settings on standard input must be one line of JSON.") from e


def _claim_or_attach(instance: Instance, stay: bool, settings: Any) -> Optional[str]:
    """Become the engine of the folder (None), or get the first line of the one that is."""
    deadline = time.monotonic() + START_SECONDS
    while not instance.claim():
        line = instance.attach(stay, settings)
        if line is not None:
            return line
        if time.monotonic() > deadline:
            raise StartError("An engine holds this data folder but doesn't answer: end that process, then try again.")
        time.sleep(RETRY_SECONDS)
    return None


def _live(data: Path, options: argparse.Namespace, instance: Instance, blocks_module: str, settings: Any) -> int:
    keys = load_keys(data)
    if options.stay:
        keys = with_environment(keys, os.environ)
    life = Life(options.stay)
    end_on_signals(life)
    engine = Engine(data, keys, life, blocks_module, options.rate_limit)
    if settings is not None:
        engine.network.change(settings)
    try:
        server = Server(options.port, Router(engine, ROUTES).dispatch)
    except OSError as e:
        engine.store.close()
        raise StartError(f"Port {options.port} can't be used ({e.strerror or e}): choose another one.") from e
    server.start()
    engine.start()
    _tell(instance.announce(server.url, keys))
    life.wait()
    server.stop()
    engine.close()
    return 0


def _tell(line: str) -> None:
    """The first line of standard output; no one reading it is no reason to fail."""
    try:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
    except OSError:
        sys.stdout = None  # so that Python doesn't try again at exit


def _log_to(path: Path) -> None:
    """Everything worth telling goes to a small file: no one may be reading our standard error."""
    handler = RotatingFileHandler(path, maxBytes=LOG_BYTES, backupCount=1, encoding="utf-8", delay=True)
    logging.raiseExceptions = False
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO, handlers=[handler])


if __name__ == "__main__":
    sys.exit(main())
