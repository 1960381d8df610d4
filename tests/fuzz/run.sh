#!/usr/bin/env bash
# Runs one fuzz target for some seconds on its kept corpus, finds going to a scratch folder.
# usage: tests/fuzz/run.sh FOLDER decode|schema|config SECONDS   A crash leaves its input beside the target and fails.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
target=$(realpath "$1")/fuzz_$2
seconds=$3
scratch=$(mktemp -d)
trap 'rm -rf "$scratch" "$scratch.log"' EXIT
kept=$(find "$here/$2" -type f | wc -l)
[ "$kept" -gt 0 ] || { echo "fuzz $2: no kept inputs in $here/$2"; exit 1; }
echo "fuzz $2: $kept kept inputs, $seconds s"
if ! "$target" -dict="$here/$2.dict" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=4096 -print_final_stats=1 \
    -artifact_prefix="$(dirname "$target")/" "$scratch" "$here/$2" >"$scratch.log" 2>&1; then
    tail -40 "$scratch.log"
    echo "fuzz $2: FAILED; the input is in $(dirname "$target"), replay: $target <input>"
    exit 1
fi
grep -E 'stat::number_of_executed_units|DONE' "$scratch.log"
echo "fuzz $2: no finding"
