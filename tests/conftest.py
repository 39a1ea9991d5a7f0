"""For all tiers: hypothesis tries the same examples in every run, so that a red run says something of the change.

`UP42_JOBS_SEEK=1` seeks new ones; what it finds becomes a test of its own, or an `@example`.
"""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("the same in every run", derandomize=True)
if not os.environ.get("UP42_JOBS_SEEK"):
    settings.load_profile("the same in every run")
