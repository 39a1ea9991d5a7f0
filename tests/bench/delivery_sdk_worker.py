"""The same with UP42's SDK: `python delivery_sdk_worker.py URL FOLDER`, in the SDK's own environment.

Calls what `Job.download_results` calls once it has its URL.
"""

from __future__ import annotations

import json
import sys
import time

from up42.utils import download_from_gcs_unpack

started = time.perf_counter()
files = download_from_gcs_unpack(sys.argv[1], sys.argv[2])
print(json.dumps({"seconds": time.perf_counter() - started, "files": len(files)}))
