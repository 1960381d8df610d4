#!/usr/bin/env bash
# The whole of pintail in a quarter of a minute, without Docker or Java: a broker, a producer, the ingest, the checker.
# `make demo` runs it. Files land in metadata/stream.sqlite and data/stream/ of the repository, which it removes first.
#
# With a broker of your own (demo/docker-compose.yml starts Redpanda): BROKERS=localhost:19092 demo/run.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

pintail=${PINTAIL:-build/pintail}
lake=(--lake ducklake:sqlite:metadata/stream.sqlite --data-path data/stream/)
schema='order_id UUID, order_time TIMESTAMPTZ, customer_id VARCHAR, product VARCHAR, quantity INTEGER, unit_price DECIMAL(10,2), region VARCHAR'
topic=orders
work=$(mktemp -d)
pids=()

bold='' plain=''
if [ -t 1 ]; then bold=$'\033[1m' plain=$'\033[0m'; fi
say() { printf '\n%s== %s%s\n' "$bold" "$*" "$plain"; }
finish() {
    local i
    for ((i = ${#pids[@]} - 1; i >= 0; i--)); do # the broker last: the others leave it in order
        kill "${pids[i]}" 2>/dev/null || true
        wait "${pids[i]}" 2>/dev/null || true
    done
    rm -rf "$work"
}
trap finish EXIT

all_alive() {
    local pid
    for pid in "${pids[@]}"; do kill -0 "$pid" 2>/dev/null || return 1; done
}

# wait_for SECONDS COMMAND...: waits until the command succeeds; gives up when one of our processes has ended
wait_for() {
    local tries=$(($1 * 10))
    shift
    until "$@"; do
        tries=$((tries - 1))
        { [ "$tries" -gt 0 ] && all_alive; } || { echo "demo: gave up waiting for: $*" >&2; cat "$work"/*.log >&2; exit 1; }
        sleep 0.1
    done
}

rm -rf metadata/stream.sqlite* data/stream

if [ -z "${BROKERS:-}" ]; then
    say "1. a broker (librdkafka's mock cluster, in memory)"
    # It has a session of its own, so that Ctrl-C does not end it before the others.
    setsid "$pintail" broker --topic "$topic:12" >"$work/address" 2>"$work/broker.log" &
    pids+=($!)
    wait_for 30 test -s "$work/address"
    BROKERS=$(cat "$work/address")
else
    say "1. the broker at $BROKERS"
fi
echo "listening on $BROKERS"

say "2. ingest: topic $topic -> table stream_orders"
echo "pintail ingest --brokers $BROKERS --topic $topic --table stream_orders ${lake[*]} --schema '...'"
"$pintail" ingest --brokers "$BROKERS" --topic "$topic" --table stream_orders "${lake[@]}" --schema "$schema" \
    --flush-interval 2s 2>"$work/ingest.log" &
ingest=$!
pids+=("$ingest")
wait_for 60 grep -q msg=assigned "$work/ingest.log"

say "3. produce: 100,000 orders at full speed, 10 of them broken"
"$pintail" produce --brokers "$BROKERS" --topic "$topic" --rate 0 --count 100000 --seed 1 --broken 10

say "4. produce: 10 orders a second, while the checker looks at the lake"
"$pintail" produce --brokers "$BROKERS" --topic "$topic" --rate 10 --count 50 &
producer=$!
sleep 2.5
"$pintail" check "${lake[@]}" --table stream_orders >"$work/during" || { cat "$work/during"; exit 1; }
echo "while ingest runs: $(grep -m1 rows "$work/during")"
wait "$producer"
everything_read() { "$pintail" check "${lake[@]}" --brokers "$BROKERS" --max-lag 0 >"$work/lag" 2>&1; }
wait_for 60 everything_read

say "5. stop: on SIGTERM ingest commits what is left"
kill -TERM "$ingest"
wait "$ingest"
tail -n 3 "$work/ingest.log"

say "6. pintail check"
"$pintail" check "${lake[@]}" --brokers "$BROKERS"

say "7. the lake keeps the broken records byte for byte; here as text, with \\x.. for other bytes"
"$pintail" sql "${lake[@]}" -c "
    SELECT \"partition\" AS part, \"offset\", error_code, left(error_text, 48) AS error_text,
           right(coalesce(try(decode(value)), replace(value::VARCHAR, '\\x22', '\"')), 64) AS value_ends
    FROM lake.pintail.dead_letters ORDER BY ALL LIMIT 12"

first=$("$pintail" sql "${lake[@]}" --format csv -c "SELECT min(lake_snapshot) AS first FROM lake.pintail.offsets WHERE row_count > 0" | tail -n 1)
say "what to try next"
look="$pintail sql ${lake[0]} ${lake[1]}"
cat <<E2
  $look
      a prompt on the lake
  $look -c "FROM lake.snapshots()"
      time travel: each flush is a snapshot
  $look -c "SELECT count(*) FROM lake.stream_orders AT (VERSION => $first)"
      the table after its first flush
  $pintail sql scripts/01_setup.sql
      the SQL tour, 01 to 04
  $pintail ingest --help
      your own topic
E2
