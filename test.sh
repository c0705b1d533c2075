#!/usr/bin/env bash
# The test command: set-up, format check, build with warnings as errors, every test project, every checker.
#   ./test.sh          under 15 minutes on two cores
#   ./test.sh --long   the tests see DEDUP_LONG=1 and take their time (more seeds, more records)
#   ./test.sh --only NAME   only the test project or checker of that name
# A real Kafka is used when KAFKA_BOOTSTRAP_SERVERS or KAFKA_HOME names one; otherwise its tests are skipped and say so.
# The last line is `N passed, N failed` (and `, N skipped` when there are any).
set -euo pipefail
dedup_root="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
. "$dedup_root/scripts/setup.sh"

long=0
only=
while [ $# -gt 0 ]; do
  case $1 in
    --long) long=1 ;;
    --only)
      only=${2:?--only needs a name}
      shift
      ;;
    -h | --help)
      sed -n '2,7s/^# \{0,1\}//p' "$0"
      exit 0
      ;;
    *)
      echo "unknown argument $1; see ./test.sh --help" >&2
      exit 2
      ;;
  esac
  shift
done
if [ "$long" = 1 ]; then export DEDUP_LONG=1; fi

# Those that start brokers or fill all cores by themselves run one after another, after the others, which run two at a time.
alone='Dedup.Kafka.Tests Dedup.Simulation Dedup.Acceptance'
# A hung test must not hang the run; with --long the limit is two hours.
limit_s=$((long ? 7200 : 840))
parallel=2

cd "$dedup_root"
results="$dedup_root/TestResults"
rm -rf "$results"
mkdir -p "$results"
passed=0 failed=0 skipped=0
problems=()

say() { printf '%s\n' "$*"; }

# count NAME PASSED FAILED SKIPPED NOTE
count() {
  passed=$((passed + $2)) failed=$((failed + $3)) skipped=$((skipped + $4))
  local line="$1: $2 passed, $3 failed"
  if [ "$4" -gt 0 ]; then line+=", $4 skipped"; fi
  say "  $line${5:+ ($5)}"
  if [ "$3" -gt 0 ]; then problems+=("$1"); fi
}

finish() {
  if [ ${#problems[@]} -gt 0 ]; then say "failed: ${problems[*]} (logs: TestResults/)"; fi
  local line="$passed passed, $failed failed"
  if [ "$skipped" -gt 0 ]; then line+=", $skipped skipped"; fi
  say "$line"
  exit "$((failed > 0 ? 1 : 0))"
}

check_format() {
  say 'format'
  # The tool is found in its cache without a network; only a machine that never had it restores it.
  if ! dotnet csharpier --version >"$results/format.log" 2>&1 && ! dotnet tool restore >"$results/format.log" 2>&1; then
    cat "$results/format.log"
    count format 0 1 0 'csharpier could not be restored'
  elif dotnet csharpier check . >"$results/format.log" 2>&1; then
    count format 1 0 0
  else
    grep -E '^(Error|Warn)' "$results/format.log" | head -n 40 || tail -n 40 "$results/format.log"
    count format 0 1 0 'run: dotnet csharpier format .'
  fi
}

check_scripts() {
  say 'scripts'
  local file bad=0 good=0
  while IFS= read -r -d '' file; do
    case $(head -n 1 "$file" | tr -d '\0') in
      '#!'*bash*) ;;
      *) continue ;;
    esac
    if bash -n "$file" && grep -q 'set -euo pipefail' "$file"; then good=$((good + 1)); else
      bad=$((bad + 1))
      say "  $file: bash -n fails, or no set -euo pipefail"
    fi
  done < <(git ls-files -z 2>/dev/null || find . -type f -name '*.sh' -print0)
  count scripts "$good" "$bad" 0
}

build() {
  say 'build'
  setup_output_folders
  touch "$setup_state/building"
  if ! dotnet build Dedup.sln -c Release --no-restore -nologo -warnaserror -nodeReuse:false -p:UseSharedCompilation=false >"$results/build.log" 2>&1; then
    grep -E '(error|warning) ' "$results/build.log" | sort -u | head -n 40 || tail -n 40 "$results/build.log"
    count build 0 1 0
    finish
  fi
  setup_built_since "$setup_state/building"
  count build 1 0 0
}

has_tests() { grep -rqE '^\s*\[[^]]*\b(Fact|Theory)\b' --include='*.cs' --exclude-dir=bin --exclude-dir=obj "tests/$1"; }

run_project() {
  local project=$1 code=0 program="tests/$1/bin/Release/net10.0/$1"
  timeout --kill-after=10 "$limit_s" "$program" --no-progress --no-ansi --results-directory "$results/$project" \
    --report-xunit --report-xunit-filename report.xml >"$results/$project.log" 2>&1 </dev/null || code=$?
  echo "$code" >"$results/$project.code"
}

attribute() { sed -n "s/.* $1=\"\([0-9]*\)\".*/\1/p" <<<"$2"; }

report_project() {
  local project=$1 code report assembly p f s e note=
  code=$(cat "$results/$project.code" 2>/dev/null || echo none)
  report="$results/$project/report.xml"
  assembly=$(grep -o -m 1 '<assembly [^>]*>' "$report" 2>/dev/null || true)
  if [ -z "$assembly" ]; then
    tail -n 40 "$results/$project.log" || true
    if [ "$code" = 124 ] || [ "$code" = 137 ]; then note="stopped after $limit_s s"; else note="ended with $code and no report"; fi
    count "$project" 0 1 0 "$note"
    return
  fi
  p=$(attribute passed "$assembly") f=$(attribute failed "$assembly") s=$(attribute skipped "$assembly") e=$(attribute errors "$assembly")
  # Errors are failures outside a test (a fixture, a disposal).
  f=$((${f:-0} + ${e:-0}))
  if [ "$f" -eq 0 ] && [ "$((${p:-0} + ${s:-0}))" -eq 0 ]; then f=1 note='it has tests but ran none'; fi
  if [ "$f" -eq 0 ] && [ "$code" != 0 ]; then f=1 note="ended with $code"; fi
  if [ "${CI:-}" = true ] && [ -n "${KAFKA_HOME:-}" ] && grep -q 'no Kafka' "$report"; then
    f=$((f + 1)) note='broker tests were skipped although KAFKA_HOME is set'
  fi
  if [ "$f" -gt 0 ]; then grep -vE '^\[\+' "$results/$project.log" | tail -n 120; fi
  count "$project" "${p:-0}" "$f" "${s:-0}" "$note"
  if [ "${s:-0}" -gt 0 ]; then
    grep -oE '<reason>(<!\[CDATA\[)?[^]<]*' "$report" | sed -E 's/^<reason>(<!\[CDATA\[)?/    skipped: /' | sort | uniq -c | head -n 5 || true
  fi
}

wanted() { [ -z "$only" ] || [ "$only" = "$1" ]; }

run_projects() {
  say 'tests'
  local folder project light=() heavy=() running=0
  for folder in tests/*/; do
    project=$(basename "$folder")
    if [ ! -f "$folder$project.csproj" ] || ! wanted "$project"; then continue; fi
    if ! has_tests "$project"; then
      say "  $project: no tests yet"
    elif [[ " $alone " == *" $project "* ]]; then heavy+=("$project"); else light+=("$project"); fi
  done
  for project in ${light[@]+"${light[@]}"}; do
    run_project "$project" &
    running=$((running + 1))
    if [ "$running" -ge "$parallel" ]; then
      wait -n || true
      running=$((running - 1))
    fi
  done
  wait
  for project in ${light[@]+"${light[@]}"}; do report_project "$project"; done
  for project in ${heavy[@]+"${heavy[@]}"}; do
    run_project "$project"
    report_project "$project"
  done
}

# A checker is any tests/*/run.sh or docs/vectors/*/run.sh: it runs in its own folder, its exit code counts,
# and where its last line reads `N passed, N failed` (or `…, N skipped`) these numbers do.
run_checkers() {
  local script name code line
  for script in tests/*/run.sh docs/vectors/*/run.sh; do
    [ -f "$script" ] || continue
    name=$(basename "$(dirname "$script")")
    if ! wanted "$name"; then continue; fi
    code=0
    (cd "$(dirname "$script")" && timeout --kill-after=10 "$limit_s" bash ./run.sh) >"$results/$name.log" 2>&1 </dev/null || code=$?
    line=$(tail -n 1 "$results/$name.log" || true)
    if [[ $line =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed(,\ ([0-9]+)\ skipped)?$ ]]; then
      local p=${BASH_REMATCH[1]} f=${BASH_REMATCH[2]} s=${BASH_REMATCH[4]:-0}
      if [ "$code" != 0 ] && [ "$f" -eq 0 ]; then f=1; fi
      if [ "$f" -gt 0 ]; then tail -n 40 "$results/$name.log"; fi
      count "$name" "$p" "$f" "$s"
    elif [ "$code" = 0 ]; then count "$name" 1 0 0; else
      tail -n 40 "$results/$name.log"
      count "$name" 0 1 0 "ended with $code"
    fi
  done
}

setup_lock
setup_prepare
if [ -z "$only" ]; then
  check_format
  check_scripts
fi
build
setup_unlock
run_projects
run_checkers
finish
