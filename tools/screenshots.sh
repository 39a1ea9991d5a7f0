#!/usr/bin/env bash
# The dock in its main states, light and dark, at two widths, into build/screenshots; needs no display.
set -euo pipefail
cd "$(dirname "$0")/.."
timeout --kill-after=20 900 tools/xvfb.sh .venv/bin/python tests/desktop/take_screenshots.py
