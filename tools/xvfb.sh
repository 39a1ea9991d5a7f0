#!/usr/bin/env bash
# Run a command on a display of its own: tools/xvfb.sh COMMAND…
# -dpi 96, or clicks miss (QGIS 3.40 and later scale by the display's dpi). Not by exec: where xvfb-run is process 1
# (a container), Xvfb never tells it that it is ready, and both wait for ever.
set -u
unset WAYLAND_DISPLAY QT_QPA_PLATFORM
xvfb-run -a -s '-screen 0 1600x1000x24 -dpi 96 +extension GLX' "$@"
exit $?
