#!/bin/sh
# Run one job for each polygon of a layer overnight and collect the outputs in the morning. Needs no display.
#
#   docs/overnight.sh send LAYER WORKFLOW STATE   in the evening: starts the engine, submits as slots free up
#   docs/overnight.sh collect STATE FOLDER        in the morning: fetches the outputs, stops the engine
#
# STATE is a text file that keeps the IDs of the jobs between the two; begin each night with a new one. Settings, by
# the environment: CONNECTION (default: local), MAX_CREDITS (default 0, for all jobs together), PAUSE (seconds between
# looks for a free slot, default 60), WAIT (seconds that `collect` waits for what is not ready, default 0).
# `send` ends when every job is submitted. Run again with the same STATE, it goes on where it was interrupted.
set -eu
export QT_QPA_PLATFORM=offscreen
CONNECTION=${CONNECTION:-local}

# Debian 12: /usr/bin/qgis_process is broken, qgis_process.bin is the program itself.
qgis=$(command -v qgis_process.bin || command -v qgis_process)

run() { # algorithm, inputs: prints what qgis_process prints; ends the script if it fails
    algorithm=$1
    shift
    if ! "$qgis" run "up42jobs:$algorithm" -- "$@" >"$log" 2>&1; then
        cat "$log" >&2
        exit 1
    fi
}

output() { # name: the value of an output of the last run
    sed -n "s/^$1:[[:space:]]*//p" "$log"
}

send() { # layer, workflow, state
    layer=$1 workflow=$2 state=$3
    case $CONNECTION in local | this-computer | practice) run startengine ;; esac
    fids=$(sed -n 's/^left //p' "$state" 2>/dev/null | tail -n 1)
    if [ "$fids" = none ]; then
        echo "All jobs of $state are submitted."
        return
    fi
    while :; do
        run submitjob CONNECTION="$CONNECTION" AOI="$layer" WORKFLOW="$workflow" JOB_TYPE=live_job \
            ONE_JOB_PER_FEATURE=true MAX_CREDITS="${MAX_CREDITS:-0}" FIDS="$fids"
        fids=$(output NOT_SUBMITTED)
        {
            output JOB_IDS | tr ',' '\n' | sed -n 's/^\(..*\)$/job \1/p'
            echo "left ${fids:-none}"
        } >>"$state"
        echo "submitted: $(grep -c '^job ' "$state"); waiting for a free slot: ${fids:-none}"
        [ -n "$fids" ] || break
        sleep "${PAUSE:-60}"
    done
}

collect() { # state, folder
    state=$1 folder=$2
    run collectoutputs CONNECTION="$CONNECTION" WAIT="${WAIT:-0}" OUTPUT_FOLDER="$folder" \
        JOB_IDS="$(sed -n 's/^job //p' "$state" | paste -s -d , -)"
    status=$(output STATUS)
    echo "status: $status"
    case ",$status," in
    *,pending,* | *,queued,* | *,running,* | *,cancelling,* | *,unknown,*)
        echo "Some jobs have not ended: run collect again later." >&2
        exit 3
        ;;
    esac
    case $CONNECTION in local | this-computer | practice) run stopengine ;; esac
}

log=$(mktemp)
trap 'rm -f "$log"' EXIT
case "${1:-} $#" in
"send 4") send "$2" "$3" "$4" ;;
"collect 3") collect "$2" "$3" ;;
*)
    sed -n '2,11s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
