"""The figures of delivery beside `curl | tar xz` and UP42's SDK, in one run: `make bench`, docs/performance.md.

Each figure is printed as a line of JSON and kept in build/bench/delivery.jsonl. The bars are those of the project.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Callable, Iterator

import pytest

from up42_jobs.tests.bench import delivery_corpus
from up42_jobs.tests.contract.environments import SDK, NoEnvironment

pytestmark = pytest.mark.bench

HERE = Path(__file__).parent
BUILD = HERE.parents[1] / "build" / "bench"
TMPFS = Path("/dev/shm")
RUNS = 5
MEMORY_RUNS = 3
MB = 1_000_000
KILL_RATE = 100 * MB  # bytes per second: a network slower than the disk


def tell(**line: object) -> None:
    text = json.dumps(line, ensure_ascii=False)
    print(text, flush=True)
    with (BUILD / "delivery.jsonl").open("a") as target:
        target.write(text + "\n")


def first_line(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return (done.stdout or done.stderr).partition("\n")[0]


def describe_machine() -> None:
    import requests
    import urllib3

    cpu = [line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "name" in line]
    tell(
        figure="machine",
        date=time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        cpu=cpu[0] if cpu else platform.machine(),
        cores=os.cpu_count(),
        memory_gb=round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        kernel=platform.release(),
        disk=first_line("stat", "-f", "-c", "%T", str(BUILD)),
        load=[round(load, 1) for load in os.getloadavg()],
        python=platform.python_version(),
        requests=requests.__version__,
        urllib3=urllib3.__version__,
        curl=" ".join(first_line("curl", "--version").split()[:2]),
        tar=first_line("tar", "--version"),
        gzip=first_line("gzip", "--version"),
        runs=RUNS,
    )


class Bench:
    """The corpus, its server, and each of the ways to deliver; all give seconds."""

    def __init__(self, archives: dict[str, Path], port: int):
        self.archives = archives
        self.port = port

    def url(self, name: str, rate: int = 0) -> str:
        return f"http://127.0.0.1:{self.port}/{self.archives[name].name}?rate={rate}"

    def sent(self) -> int:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/sent") as answer:
            return int(answer.read())

    def curl(self, name: str, folder: Path) -> float:
        started = time.perf_counter()
        command = 'curl -s "$1" | tar xz -C "$2"'
        subprocess.run(["sh", "-c", command, "sh", self.url(name), str(folder)], check=True)
        return time.perf_counter() - started

    def ours(self, name: str, folder: Path) -> float:
        return worker(sys.executable, "delivery_worker.py", self.url(name), folder)["seconds"]

    def sdk(self, python: Path) -> Callable[[str, Path], float]:
        return lambda name, folder: worker(str(python), "delivery_sdk_worker.py", self.url(name), folder)["seconds"]


def worker(python: str, script: str, url: str, folder: Path) -> dict[str, float]:
    """Run one of the worker scripts; temporary files go where the outputs go."""
    environment = {**os.environ, "TMPDIR": str(folder)}
    command = [python, str(HERE / script), url, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    if sys.platform != "linux" or shutil.which("curl") is None:
        pytest.skip("The figures of delivery were NOT measured: they need Linux and curl")
    BUILD.mkdir(parents=True, exist_ok=True)
    (BUILD / "delivery.jsonl").write_text("")
    print()
    describe_machine()
    archives = delivery_corpus.make(BUILD)
    for name, path in archives.items():
        tell(figure="archive", name=name, bytes=delivery_corpus.size(path))
        path.read_bytes()  # into the system's cache: nobody's first read is measured
    command = [sys.executable, str(HERE / "delivery_bench_server.py"), str(archives["large"].parent)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    yield Bench(archives, int(server.stdout.readline()))
    server.kill()
    server.wait()
    server.stdout.close()


@pytest.fixture(params=["tmpfs", "disk"])
def place(request) -> Iterator[tuple[str, Path]]:
    parent = TMPFS if request.param == "tmpfs" else BUILD
    if request.param == "tmpfs" and (not TMPFS.is_dir() or shutil.disk_usage(TMPFS).free < 6e9):
        pytest.skip("NOT measured on tmpfs: /dev/shm has less than 6 GB free")
    with tempfile.TemporaryDirectory(dir=parent) as folder:
        yield request.param, Path(folder)


def side_by_side(ways: dict[str, Callable[[str, Path], float]], name: str, place: Path) -> dict[str, list[float]]:
    """Seconds of each way, run by run in turns, so that a busy moment of the machine meets all of them."""
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(RUNS):
        for way, run in ways.items():
            with tempfile.TemporaryDirectory(dir=place) as folder:
                os.sync()  # what others have still to write is not on our account
                seconds[way].append(run(name, Path(folder)))
    return seconds


def tell_ratio(figure: str, where: str, seconds: dict[str, list[float]], other: str, bar: float) -> bool:
    ratio = statistics.median(seconds["ours"]) / statistics.median(seconds[other])
    rounded = {way: [round(second, 2) for second in runs] for way, runs in seconds.items() if way in ("ours", other)}
    met = ratio <= bar
    tell(figure=figure, place=where, ratio=round(ratio, 2), bar=bar, met=met, seconds=rounded, load=os.getloadavg()[0])
    return met


def sdk_python() -> Path:
    try:
        return SDK.python()
    except NoEnvironment as reason:
        tell(figure="1 GB / up42-py 0.34.1", measured=False, why=str(reason))
        return Path()


def test_one_large_archive(bench, place):
    where, folder = place
    ways: dict[str, Callable[[str, Path], float]] = {"curl": bench.curl, "ours": bench.ours}
    python = sdk_python() if where == "tmpfs" else Path()
    if python.name:
        ways["up42-py"] = bench.sdk(python)
    seconds = side_by_side(ways, "large", folder)
    met = [tell_ratio("1 GB / curl | tar xz", where, seconds, "curl", 0.9 if where == "tmpfs" else 1.0)]
    if "up42-py" in ways:
        met.append(tell_ratio("1 GB / up42-py 0.34.1", where, seconds, "up42-py", 0.5))
    assert all(met)
    if where == "tmpfs" and "up42-py" not in ways:
        pytest.skip("UP42's SDK was NOT measured")


def test_many_small_files(bench, place):
    where, folder = place
    seconds = side_by_side({"curl": bench.curl, "ours": bench.ours}, "small", folder)
    assert tell_ratio("10,000 files / curl | tar xz", where, seconds, "curl", 3.0)


@pytest.mark.parametrize("name", ["medium", "twice"])
def test_memory(bench, name):
    peaks = []
    for _ in range(MEMORY_RUNS):
        with tempfile.TemporaryDirectory(dir=BUILD) as folder:
            url = bench.url(name)
            peaks.append(worker(sys.executable, "delivery_worker.py", url, Path(folder))["memory"] / MB)
    size = delivery_corpus.size(bench.archives[name]) / MB
    peak = statistics.median(peaks)
    tell(
        figure="peak memory over idle, MB", archive_mb=round(size), value=round(peak, 1), bar=48, met=peak <= 48,
        runs=[round(each, 1) for each in peaks],
    )  # fmt: skip
    assert peak <= 48


def test_killed_at_half(bench):
    again = []
    size = delivery_corpus.size(bench.archives["medium"])
    for _ in range(RUNS):
        with tempfile.TemporaryDirectory(dir=BUILD) as folder:
            bench.sent()
            url = bench.url("medium", KILL_RATE)
            process = subprocess.Popen([sys.executable, str(HERE / "delivery_worker.py"), url, folder])
            part = Path(folder) / ".up42-bench.part"
            while not part.exists() or part.stat().st_size < size // 2:
                assert process.poll() is None
                time.sleep(0.001)
            process.send_signal(signal.SIGKILL)
            process.wait()
            assert worker(sys.executable, "delivery_worker.py", url, Path(folder))["files"] == 1
            again.append(bench.sent() - size)
    middle = statistics.median(again)
    tell(figure="killed at 50 %: bytes fetched again", value=middle, bar=MB, met=middle <= MB, runs=again)
    assert middle <= MB
