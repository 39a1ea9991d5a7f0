#!/usr/bin/env bash
# Make this machine ready: Debian packages, the virtual environment .venv, the link up42_jobs in it. Only what is
# missing is installed; when nothing is, this costs a fraction of a second. Everything it says goes to stderr,
# because the first line on stdout of `make engine` belongs to the engine.
#   SYSTEM_PYTHON   the Python that QGIS uses, default /usr/bin/python3
set -euo pipefail
cd "$(dirname "$0")/.."
exec 1>&2

python=${SYSTEM_PYTHON:-/usr/bin/python3}
packages=(
    qgis python3-qgis python3-shapely python3-requests python3-numpy # what the plugin runs in
    python3-venv python3-pip                                         # .venv with the test tools
    xvfb xauth xdotool imagemagick fonts-open-sans                   # a display for desktop tests and screenshots
)

say() { printf '== %s\n' "$*"; }
fail() { # $1: what is wrong; the others: more lines
    printf '\n!! %s\n' "$1"
    [ $# = 1 ] || printf '   %s\n' "${@:2}"
    exit 1
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

install_packages() { # $@: names of the missing ones
    local command="apt-get install -y --no-install-recommends $* qgis-plugin-grass-" log=build/setup-apt.log
    if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then
        fail "These packages are missing, and this is not root and has no sudo. As root, run:  $command"
    fi
    say "Installing with apt (1 to 3 minutes for a whole QGIS; details in $log): $*"
    umask 022 # files that packages' scripts make are for everyone, whatever the user's umask
    : >"$log"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 update >>"$log" 2>&1 ||
        say "apt-get update failed in part (see $log); going on with the package lists that are there"
    # qgis-plugin-grass- : leave GRASS out, which apt would take along with qgis
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 \
        install -y --no-install-recommends "$@" qgis-plugin-grass- >>"$log" 2>&1 || {
        tail -n 25 "$log"
        fail "apt could not install what is missing (the whole log: $log). By hand, as root:  $command" \
            "(On Ubuntu, qgis is in 'universe'; with no network, nothing can be installed.)"
    }
}

check_packages() {
    if command -v dpkg-query >/dev/null && command -v apt-get >/dev/null; then
        local installed missing=() name
        installed=$(dpkg-query -W -f='${Package} ${db:Status-Status}\n' "${packages[@]}" 2>/dev/null || true)
        for name in "${packages[@]}"; do
            [[ $'\n'$installed$'\n' == *$'\n'"$name installed"$'\n'* ]] || missing+=("$name")
        done
        [ ${#missing[@]} = 0 ] || (install_packages "${missing[@]}")
        return
    fi
    # Another system: nothing is installed for the user, but what is needed is named.
    local lacking=() command module
    for command in "$python" qgis xvfb-run xauth xdotool import; do
        command -v "$command" >/dev/null || lacking+=("the command $command")
    done
    for module in qgis.core osgeo.gdal numpy shapely requests venv ensurepip; do
        "$python" -c "import $module" 2>/dev/null || lacking+=("the Python module $module in $python")
    done
    [ ${#lacking[@]} = 0 ] || fail "This system has no apt, so please install by its own means (SYSTEM_PYTHON names QGIS's Python):" \
        "${lacking[@]/#/- }" "On Debian and Ubuntu the packages are: ${packages[*]}"
}

make_environment() {
    local version site stamp
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    site=.venv/lib/python$version/site-packages
    stamp=$({ "$python" -V; cat tools/requirements.txt; } | sha256sum)
    if [ "$(cat .venv/setup-stamp 2>/dev/null)" != "$stamp" ]; then
        rm -f .venv/setup-stamp
        if ! .venv/bin/python -m pip --version >/dev/null 2>&1 || [ ! -d "$site" ]; then
            say "Making the virtual environment .venv with $python ($version)"
            rm -rf .venv
            "$python" -m venv --system-site-packages .venv || fail "$python could not make a virtual environment (above)."
        fi
        say "Installing the test tools of tools/requirements.txt into .venv"
        .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-input -r tools/requirements.txt ||
            fail "pip could not install the test tools (above). Is there a network, and a package index that pip reaches?"
        .venv/bin/python -c 'import qgis.core, osgeo.gdal_array, shapely.geometry, requests' ||
            fail "$python finds no whole QGIS (above). Is SYSTEM_PYTHON the Python of your QGIS?"
        printf '%s\n' "$stamp" >.venv/setup-stamp
    fi
    [ "$(readlink "$site/up42_jobs")" = "$PWD" ] || ln -sfn "$PWD" "$site/up42_jobs"
    .venv/bin/python tools/system_packages.py || {
        rm -f .venv/setup-stamp
        fail "Remove .venv and run again; if it stays, take the named copies away (pip's own ones break GDAL and QGIS)."
    }
}

mkdir -p build
if command -v flock >/dev/null; then # two `make` at once must not write into one .venv
    exec 9>build/setup.lock
    flock 9
fi
check_packages
make_environment
