"""Where the local engine keeps its data: in the profile, unless that is on a network share."""

from __future__ import annotations

import ctypes
import os
import stat
from pathlib import Path

from qgis.core import QgsApplication
from qgis.PyQt.QtCore import QStandardPaths, QStorageInfo

ENVIRONMENT = "UP42_JOBS_ENGINE_DATA"
_DRIVE_REMOTE = 4  # GetDriveTypeW
_NETWORK_FILE_SYSTEMS = (
    *("nfs", "nfs4", "cifs", "smb", "smb2", "smb3", "smbfs", "afpfs", "afs", "9p", "ncpfs", "webdav", "davfs"),
    *("fuse.sshfs", "fuse.davfs", "fuse.glusterfs", "ceph", "glusterfs", "lustre", "beegfs", "gpfs"),
)


def default_data_folder() -> Path:
    """The engine's data folder: the environment's, else the profile's, else the first place on a local disk.

    SQLite's locks don't work on network shares, and a server's administrator need not see what is on this computer.
    """
    given = os.environ.get(ENVIRONMENT)
    if given:
        return Path(os.path.abspath(os.path.expanduser(given)))
    places = [Path(QgsApplication.qgisSettingsDirPath()) / "up42_jobs" / "engine"]
    local_data = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.GenericDataLocation)
    places.append(Path(local_data) / "up42_jobs" / "engine")
    if os.name == "posix":
        places.append(Path("/", "var", "tmp", f"up42_jobs-{os.getuid()}", "engine"))
    local = (place for place in places if not is_on_network_share(place) and _is_ours(place.parent))
    return next(local, places[0])


def is_on_network_share(path: Path) -> bool:
    """True where the nearest folder that is there is on another computer's disk."""
    while not path.exists() and path != path.parent:
        path = path.parent
    if os.name == "nt":
        text = os.path.abspath(path)
        drive = ctypes.windll.kernel32.GetDriveTypeW  # type: ignore[attr-defined]
        return text.startswith("\\\\") or drive(os.path.splitdrive(text)[0] + "\\") == _DRIVE_REMOTE
    kind = bytes(QStorageInfo(str(path)).fileSystemType()).decode("ascii", "replace").lower()
    return kind in _NETWORK_FILE_SYSTEMS


def _is_ours(folder: Path) -> bool:
    """False for a folder that someone else has put there, or may write to: keys will lie in it."""
    if os.name != "posix":
        return True
    try:
        state = os.lstat(folder)
    except OSError:
        return True  # it will be made by us
    return stat.S_ISDIR(state.st_mode) and state.st_uid == os.getuid() and not state.st_mode & 0o022
