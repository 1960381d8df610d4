#!/usr/bin/env bash
# Runs the decoder's fuzz target for some seconds on the kept corpus, finds going to a scratch folder.
# usage: tests/fuzz/run.sh TARGET SECONDS   A crash leaves its input beside the target and fails.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
target=$(realpath "$1")
seconds=$2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
echo "fuzz: $(find "$here/corpus" -type f | wc -l) kept inputs, $seconds s"
if ! "$target" -dict="$here/json.dict" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=4096 -print_final_stats=1 \
    -artifact_prefix="$(dirname "$target")/" "$scratch" "$here/corpus" >"$scratch.log" 2>&1; then
    tail -40 "$scratch.log"
    echo "fuzz: FAILED; the input is in $(dirname "$target"), replay: $target <input>"
    exit 1
fi
grep -E 'stat::number_of_executed_units|DONE' "$scratch.log" || true
rm -f "$scratch.log"
echo "fuzz: no finding"
