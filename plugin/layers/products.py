"""Products of many files: DIMAP (Pléiades, SPOT) and SAFE (Sentinel-1, Sentinel-2), described by XML that names files.

Their drivers open whatever the XML names, wherever it lies. So all XML of a product is read first, by GDAL's own parser
(what it sees is what the drivers will see), and every image of it is looked at like one that came alone.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Callable, Iterator

from osgeo import gdal

from .words import tr

DRIVERS = ("SENTINEL2", "SAFE", "DIMAP")
SUFFIXES = (".xml", ".dim", ".safe")
MAX_XML_BYTES = 32 * 1024 * 1024
MAX_FILES = 5000  # of one product; a Sentinel-2 scene has about 120
# Elements and attributes in which the drivers look for names of files: DATA_FILE_PATH, COMPONENT_PATH, IMAGE_FILE,
# IMAGE_FILE_2A, IMAGE_ID, MASK_FILENAME, fileLocation, granuleIdentifier …
_NAMES_A_FILE = re.compile(r"(path|file|filename|file_2a|filelocation|image_id|image_id_2a|identifier|uri)$", re.I)
_LEADS_OUT = re.compile(r"^[/\\]|^[A-Za-z]:|://|/vsi|(^|[/\\])\.\.([/\\]|$)", re.I)


class LeadsOut(Exception):
    """A product's XML names a file outside of the product, or an image of it is none; the text says which."""


def is_product(driver: str) -> bool:
    """True for the drivers of this module."""
    return driver in DRIVERS


def files_of(path: Path) -> list[Path]:
    """All files of the product that `path` describes: those in its folder and below. Raises LeadsOut if too many."""
    files = []
    for file in path.parent.rglob("*"):
        if file.is_file():
            files.append(file)
        if len(files) > MAX_FILES:
            raise LeadsOut(tr("it has more files than any product"))
    return files


def check(path: Path, look_at_image: Callable[[Path], object], never: tuple[str, ...]) -> None:
    """Make sure that opening the product follows nothing that lies outside of it.

    `look_at_image` is called with each file that is no XML; what it raises ends the check. `never`: suffixes of files
    that must not be part of a product. Raises LeadsOut.
    """
    for file in files_of(path):
        if file.suffix.lower() in SUFFIXES:
            _check_xml(file, never)
        else:
            look_at_image(file)


def _check_xml(path: Path, never: tuple[str, ...]) -> None:
    if path.stat().st_size > MAX_XML_BYTES:
        raise LeadsOut(tr("{file} is too large to be looked at").format(file=path.name))
    try:
        tree = gdal.ParseXMLString(path.read_text(encoding="utf-8", errors="replace"))
    except RuntimeError:  # where another plugin has switched GDAL's exceptions on for the whole process
        tree = None
    if tree is None:
        return  # the drivers can't read it either
    for named in _named_files(tree):
        if _LEADS_OUT.search(named) or named.lower().endswith(never):
            raise LeadsOut(
                tr("{file} refers to files outside of the product, which are never followed").format(file=path.name)
            )


def _named_files(node: Any, parent: str = "") -> Iterator[str]:
    """The texts of elements and attributes that name files. A node is [type, name or text, child, child …]."""
    kind, value, children = node[0], node[1], node[2:]
    if kind == gdal.CXT_Text:
        if _NAMES_A_FILE.search(parent):
            yield str(value).strip()
        return
    if kind == gdal.CXT_Attribute:
        is_reference = value.rpartition(":")[2].lower() == "href" and _NAMES_A_FILE.search(parent)
        if is_reference or _NAMES_A_FILE.search(value):
            yield from (str(child[1]).strip() for child in children)
        return
    for child in children:
        yield from _named_files(child, str(value))
