#!/usr/bin/env bash
# The QGIS desktop with the plugin enabled, in a throw-away profile that is removed when QGIS ends.
# The user's own profile is neither read nor written. Arguments go to QGIS (for example a project file).
set -euo pipefail
repository=$(cd "$(dirname "$0")/.." && pwd)
if [ -z "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; then
    echo "make run opens the QGIS desktop and needs a display (DISPLAY is not set). \`make demo\` needs none." >&2
    exit 1
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
profile=$scratch/profiles/default
mkdir -p "$profile/python/plugins" "$profile/QGIS"
ln -s "$repository" "$profile/python/plugins/up42_jobs"
for settings in QGIS3.ini QGIS4.ini; do
    printf '[PythonPlugins]\nup42_jobs=true\n' >"$profile/QGIS/$settings"
done
echo "QGIS with UP42 Jobs, in a throw-away profile: $scratch" >&2
qgis --profiles-path "$scratch" --profile default --nologo --noversioncheck --nocustomization "$@"
