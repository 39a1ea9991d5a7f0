"""From a signed URL to proven files on disk: download, unpack, manifest. No Qt, no QGIS."""
