"""Who runs a job: the Platform protocol and the platforms behind it. No Qt, no QGIS."""
