#!/bin/sh
# Run one job for each polygon of a layer overnight and collect the outputs in the morning. Needs no display.
#
#   docs/overnight.sh send LAYER WORKFLOW STATE   in the evening: starts the engine, submits as slots free up
#   docs/overnight.sh collect STATE FOLDER        in the morning: fetches the outputs, stops the engine
#
# STATE is a text file that keeps the IDs of the jobs between the two; begin each night with a new one. Settings, by
# the environment: CONNECTION (default: local; empty: the server of UP42_JOBS_URL), MAX_CREDITS (default 0, for all jobs
# together), BUY_AGAIN (default false: what another night has bought is refused), PAUSE (seconds between looks for a free
# slot, default 60), WAIT (seconds that `collect` waits for what is not ready, default 0).
# `send` ends when every job is submitted. Run again with the same STATE, it goes on where it was interrupted; no job is
# sent twice, wherever that was. If it can't know whether a job was made, it stops and says so: look for the job, then
# FORGET=true is your word that there is none.
set -eu
export QT_QPA_PLATFORM=offscreen
CONNECTION=${CONNECTION-local}

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

keep() { # text: writes the state file, whole or not at all
    printf '%s\n' "$1" >"$state.new"
    mv "$state.new" "$state"
}

send() { # layer, workflow, state
    layer=$1 workflow=$2 state=$3
    # The name of the batch is there before the first job is: what was submitted under it is not submitted again.
    [ -s "$state" ] || keep "batch $(date +%Y-%m-%dT%H:%M:%S)-$$"
    batch=$(sed -n 's/^batch //p' "$state")
    if [ -z "$batch" ]; then
        echo "$state is no state file of this script, or of an older one: begin with a new one." >&2
        exit 2
    fi
    if grep -q '^left none$' "$state"; then
        echo "All jobs of $state are submitted."
        return
    fi
    case $CONNECTION in local | this-computer | practice) run startengine ;; esac
    while :; do
        run submitjob CONNECTION="$CONNECTION" AOI="$layer" WORKFLOW="$workflow" JOB_TYPE=live_job \
            ONE_JOB_PER_FEATURE=true MAX_CREDITS="${MAX_CREDITS:-0}" BATCH="$batch" \
            FORGET_UNCONFIRMED="${FORGET:-false}" BUY_AGAIN="${BUY_AGAIN:-false}"
        fids=$(output NOT_SUBMITTED)
        jobs=$(output JOB_IDS | tr ',' '\n' | sed -n 's/^\(..*\)$/job \1/p')
        keep "batch $batch
$jobs
left ${fids:-none}"
        echo "submitted: $(grep -c '^job ' "$state"); waiting for a free slot: ${fids:-none}"
        [ -n "$fids" ] || break
        sleep "${PAUSE:-60}"
    done
}

collect() { # state, folder
    state=$1 folder=$2
    if ! grep -q '^job ' "$state"; then
        echo "No job of $state is known: run send first." >&2
        exit 3
    fi
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
    if ! grep -q '^left none$' "$state"; then
        echo "Not all jobs of $state were submitted: run send again, then collect." >&2
        exit 3
    fi
    case $CONNECTION in local | this-computer | practice) run stopengine ;; esac
}

log=$(mktemp)
trap 'rm -f "$log"' EXIT
case "${1:-} $#" in
"send 4") send "$2" "$3" "$4" ;;
"collect 3") collect "$2" "$3" ;;
*)
    sed -n '2,13s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
