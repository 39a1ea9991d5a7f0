"""Make build/up42_jobs-<version>.zip for plugins.qgis.org; the same tree gives the same bytes on every run.

Taken is what `FOLDERS` and `FILES` name, and of it only kinds of file that the plugin knows; an unknown kind stops
the packaging, so that nothing gets into the zip (or stays out of it) unnoticed.
"""

from __future__ import annotations

import configparser
import re
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOP = "up42_jobs"
FILES = ("__init__.py", "metadata.txt", "LICENSE", "README.md", "CHANGELOG.md")
FOLDERS = ("plugin", "ui", "resources")
KINDS = {".py", ".ui", ".svg", ".png", ".qml", ".qm", ".json", ".geojson", ".md", ".html", ".txt", ".gpkg", ".model3"}
LEFT_OUT = {".ts"}  # sources of translations
LIMIT_BYTES = 25 * 1000 * 1000  # plugins.qgis.org
REQUIRED = (  # by plugins.qgis.org, 2026
    *("name", "description", "version", "qgisMinimumVersion", "author", "email", "about", "tracker", "repository"),
    *("homepage", "qgisMaximumVersion", "hasProcessingProvider", "icon", "license", "tags", "changelog"),
)


class NotFit(Exception):
    """The tree can't be made into a package; the text says why."""


def metadata() -> dict[str, str]:
    """Return the [general] section of metadata.txt, checked for what the plugin site asks of it."""
    parser = configparser.RawConfigParser()
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(ROOT / "metadata.txt", encoding="utf-8")
    values = dict(parser["general"])
    missing = [key for key in REQUIRED if not values.get(key, "").strip()]
    if missing:
        raise NotFit(f"metadata.txt says nothing for {', '.join(missing)}")
    if not re.fullmatch(r"\d+\.\d+\.\d+", values["version"]):
        raise NotFit(f"metadata.txt: version is {values['version']}, but must be MAJOR.MINOR.PATCH")
    if "plugin" in values["name"].lower():
        raise NotFit("metadata.txt: the name must not contain “plugin”")
    if "supportsQt6" in values:
        raise NotFit("metadata.txt: supportsQt6 is deprecated; qgisMaximumVersion says it")
    if not (ROOT / values["icon"]).is_file():
        raise NotFit(f"metadata.txt: there is no icon {values['icon']}")
    return values


def contents() -> list[Path]:
    """Return the files of the package, sorted by their path from the root."""
    chosen = [ROOT / name for name in FILES]
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*"):
            parts = path.relative_to(ROOT).parts
            hidden = any(part.startswith(".") or part == "__pycache__" for part in parts)
            if path.is_dir() or hidden or path.suffix in LEFT_OUT:
                continue
            if path.is_symlink() or path.suffix not in KINDS:
                raise NotFit(f"{'/'.join(parts)} is no kind of file that belongs into the package (KINDS)")
            chosen.append(path)
    absent = [path.name for path in chosen if not path.is_file()]
    if absent:
        raise NotFit(f"missing: {', '.join(absent)}")
    return sorted(chosen, key=lambda path: path.relative_to(ROOT).as_posix())


def write(target: Path, files: list[Path]) -> None:
    """Write the zip. Times, modes and order are fixed: only names and contents count."""
    partial = target.with_suffix(".zip.part")
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in files:
            entry = zipfile.ZipInfo(f"{TOP}/{path.relative_to(ROOT).as_posix()}", date_time=(1980, 1, 1, 0, 0, 0))
            entry.create_system = 3  # Unix, for the mode in external_attr
            entry.external_attr = 0o100644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, path.read_bytes())
    partial.replace(target)


def main() -> int:
    """Make the package and say where it is."""
    try:
        version = metadata()["version"]
        files = contents()
        target = ROOT / "build" / f"{TOP}-{version}.zip"
        target.parent.mkdir(exist_ok=True)
        write(target, files)
        size = target.stat().st_size
        if size > LIMIT_BYTES:
            raise NotFit(f"the package has {size / 1e6:.1f} MB, but plugins.qgis.org takes {LIMIT_BYTES / 1e6:.0f}")
    except NotFit as error:
        print(f"!! No package: {error}.", file=sys.stderr)
        return 1
    print(f"== build/{target.name}: {len(files)} files, {size / 1e3:.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
