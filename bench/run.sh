#!/usr/bin/env bash
# The benchmarks of docs/performance.md. Builds what is missing or older than its sources, starts a broker of its own, prints a table and JSON.
#   bench/run.sh main       the main job against an exactly-once copy on the same transport and against Kafka Streams
#   bench/run.sh recipes    CPU per record of recipes, scope with windows by type, and by-id, against id: key
#   bench/run.sh restore    IDs per second from the changelog after the disk was lost
#   bench/run.sh latency    end to end, at 5,000 records/s
#   bench/run.sh rss        memory of `dedup run` at N IDs with the default settings
#   bench/run.sh store      cost of a look-up and an insert as the store grows (no broker)
#   bench/run.sh identify   cost of the recipes (no broker)
# Options: --records N (200k, 4M; default 4M; IDs for restore and rss)  --partitions N (4)  --rounds N (1)  --json FILE
#          --lanes N (2)  --commit-ms N (100)  --heap-mib N (of the broker, 2048)
#          --only LIST (main: dedup,copy,streams,alloc; latency: dedup,copy,streams; recipes: header,json,content,scope,by-id)
#          --types yes (main: which types the runtime allocates)  --rate N, --seconds N, --warm-up N (latency: 5000, 30, 10)
#          store: --ids N (20M)  --memory-mb N (384)  --buckets N (1)  --directory DIR; identify: part of a recipe's name
# KAFKA_HOME names a Kafka distribution (default ../shared/kafka), KAFKA_STREAMS_PEER the Kafka Streams peer (default ../shared/peers/streams).
set -euo pipefail
bench_dir="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
dedup_root="$(dirname "$bench_dir")"

case ${1:-} in
  main | recipes | restore | latency | rss | store | identify) ;;
  *)
    sed -n '2,15s/^# \{0,1\}//p' "$0"
    case ${1:-} in -h | --help | help) exit 0 ;; *) exit 2 ;; esac
    ;;
esac

. "$dedup_root/scripts/setup.sh"
program="$bench_dir/Dedup.Bench/bin/Release/net10.0/Dedup.Bench"
stamp="$setup_state/bench-built"

bench_is_built() {
  [ -x "$program" ] && [ -f "$stamp" ] &&
    [ -z "$(find "$dedup_root/src" "$bench_dir" "$dedup_root"/Directory.*.props "$dedup_root"/global.json "$dedup_root"/.editorconfig \
      \( -name bin -o -name obj \) -prune -o -type f -newer "$stamp" -print -quit)" ]
}

bench_build() {
  if bench_is_built; then return 0; fi
  setup_say 'building the benchmarks'
  local log="$setup_state/bench.log"
  setup_output_folders
  touch "$stamp.begun"
  if ! (cd "$dedup_root" && dotnet build bench/Dedup.Bench -c Release --no-restore -nologo -nodeReuse:false -p:UseSharedCompilation=false) >"$log" 2>&1; then
    grep -E '(error|warning) ' "$log" | sort -u | head -n 20 >&2 || true
    setup_fail "the build failed (all of it: $log)"
  fi
  mv -f "$stamp.begun" "$stamp"
}

setup_all
setup_lock
bench_build
setup_unlock

export DEDUP_ROOT="$dedup_root"
if [ -z "${KAFKA_HOME:-}" ] && [ -d "$dedup_root/../shared/kafka" ]; then
  KAFKA_HOME="$(cd "$dedup_root/../shared/kafka" && pwd)"
  export KAFKA_HOME
fi
if [ -z "${KAFKA_STREAMS_PEER:-}" ] && [ -d "$dedup_root/../shared/peers/streams" ]; then
  KAFKA_STREAMS_PEER="$(cd "$dedup_root/../shared/peers/streams" && pwd)"
  export KAFKA_STREAMS_PEER
fi
if [ -z "${DOTNET_ROOT:-}" ] && [ -s "$setup_state/dotnet-root" ]; then
  read -r DOTNET_ROOT <"$setup_state/dotnet-root"
  export DOTNET_ROOT
fi
exec "$program" "$@"
