"""One delivery to the drawn map, in a process of its own: `python map_worker.py URL FOLDER yes|no` prints seconds.

`yes`: with overviews. It does what the dock does: from the first byte asked for until the map is drawn, then the
overviews, then redraws.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from qgis.core import QgsApplication, QgsMapRendererParallelJob, QgsMapSettings, QgsProject
from qgis.PyQt.QtCore import QSize

SIZE = (1000, 800)  # pixels of the map
REDRAWS = {"yes": 7, "no": 2}


def main(url: str, folder: str, overviews: str) -> None:
    application = QgsApplication([], False)
    application.initQgis()
    from up42_jobs.plugin.delivery.deliver import deliver
    from up42_jobs.plugin.host.collect import prepare
    from up42_jobs.plugin.layers.load import add_job
    from up42_jobs.plugin.layers.overviews import build_overviews
    from up42_jobs.plugin.net.cancel import Cancel
    from up42_jobs.plugin.net.session import Session

    cancel, begun = Cancel(), time.perf_counter()
    delivered = deliver(
        Session(),
        lambda: url,
        Path(folder),
        "Bench",
        lambda _files: {"request": {}, "job": {"id": "bench"}},
        job_id="bench",
        cancel=cancel,
    )
    arrived = time.perf_counter() - begun
    prepared = prepare(delivered.folder, cancel)
    group = add_job(QgsProject.instance(), prepared.info, prepared.scan, prepared.look)
    layers = [node.layer() for node in group.findLayers()]
    settings = QgsMapSettings()
    settings.setLayers(layers)
    settings.setDestinationCrs(layers[0].crs())
    settings.setExtent(layers[0].extent())
    settings.setOutputSize(QSize(*SIZE))
    draw(settings)
    on_map = time.perf_counter() - begun
    if overviews == "yes":
        for layer in layers:
            if build_overviews(Path(layer.source()), cancel):
                layer.dataProvider().reloadData()
    built = time.perf_counter() - begun - on_map
    redraws = [draw(settings) for _ in range(REDRAWS[overviews])]
    beside = sum(path.stat().st_size for path in delivered.folder.glob("*.ovr"))
    print(json.dumps({"arrived": arrived, "on_map": on_map, "built": built, "redraws": redraws, "overviews": beside}))


def draw(settings: QgsMapSettings) -> float:
    begun = time.perf_counter()
    job = QgsMapRendererParallelJob(settings)
    job.start()
    job.waitForFinished()
    assert not job.renderedImage().isNull()
    return time.perf_counter() - begun


if __name__ == "__main__":
    main(*sys.argv[1:])
