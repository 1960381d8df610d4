#!/usr/bin/env bash
# Runs fuzz targets for some seconds each, side by side, on their kept corpora; finds go to a scratch folder.
# usage: tests/fuzz/run.sh FOLDER decode:SECONDS schema:SECONDS config:SECONDS   A crash leaves its input beside the target and fails.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
folder=$(realpath "$1")
shift
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# fuzz NAME SECONDS
fuzz() {
    local target=$folder/fuzz_$1 log=$scratch/$1.log kept
    kept=$(find "$here/$1" -type f | wc -l)
    [ "$kept" -gt 0 ] || { echo "fuzz $1: no kept inputs in $here/$1"; return 1; }
    mkdir "$scratch/$1"
    if ! "$target" -dict="$here/$1.dict" -max_total_time="$2" -timeout=10 -rss_limit_mb=4096 -print_final_stats=1 \
        -artifact_prefix="$folder/" "$scratch/$1" "$here/$1" >"$log" 2>&1; then
        tail -40 "$log"
        echo "fuzz $1: FAILED; the input is in $folder, replay: $target <input>"
        return 1
    fi
    grep -E 'stat::number_of_executed_units|DONE' "$log"
    echo "fuzz $1: $kept kept inputs, $2 s, no finding"
}

pids=()
for what in "$@"; do
    fuzz "${what%:*}" "${what#*:}" &
    pids+=($!)
done
failed=0
for pid in "${pids[@]}"; do wait "$pid" || failed=1; done
exit "$failed"
