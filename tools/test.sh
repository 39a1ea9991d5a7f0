#!/usr/bin/env bash
# Run one tier of tests: tools/test.sh unit|contract|qgis|desktop|bench [pytest's own arguments]
# Ends with pytest's closing lines and its exit code; a tier that hangs is ended from outside.
set -euo pipefail
cd "$(dirname "$0")/.."
tier=$1
shift

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir -m 700 "$scratch/run"
export XDG_RUNTIME_DIR=$scratch/run LC_ALL=C.UTF-8

pytest=(.venv/bin/python -X faulthandler -m pytest)
without_qt=(-p no:pytest_qgis -p no:pytest-qt) # these tiers have no Qt of their own, and must not get one by accident
limit=(timeout --kill-after=20)                # seconds

printf '\n==== %s ====\n' "tests/$tier"
case $tier in
unit | contract)
    "${limit[@]}" 600 "${pytest[@]}" "${without_qt[@]}" "tests/$tier" "$@"
    ;;
qgis)
    qt=$(.venv/bin/python -c 'from qgis.PyQt.QtCore import QT_VERSION_STR as v; print("pyqt" + v[0])')
    QT_QPA_PLATFORM=offscreen PYTEST_QT_API=$qt "${limit[@]}" 1200 "${pytest[@]}" tests/qgis "$@"
    ;;
desktop) # the tests start the real QGIS themselves; this gives them a display
    "${limit[@]}" 900 tools/xvfb.sh "${pytest[@]}" "${without_qt[@]}" tests/desktop "$@"
    ;;
bench)
    "${limit[@]}" 1800 tools/xvfb.sh "${pytest[@]}" "${without_qt[@]}" -s --timeout=900 tests/bench "$@"
    ;;
*)
    echo "no such tier: $tier" >&2
    exit 2
    ;;
esac
