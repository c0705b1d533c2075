#!/usr/bin/env bash
# Everything between a fresh machine with the .NET 10 SDK and a built Dedup. Sourced by ./dedup and ./test.sh; run by itself it builds the program.
# What is already there is not touched: a second run does nothing and needs no network. Messages go to stderr, stdout belongs to the program.
set -euo pipefail

dedup_root="${dedup_root:-$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)}"
setup_state="$dedup_root/.dedup-setup"
librdkafka_version=2.15.1
# The npm package of Confluent's JavaScript client that carries the sources of librdkafka $librdkafka_version.
librdkafka_npm='@confluentinc/kafka-javascript@1.10.1'

setup_say() { printf 'setup: %s\n' "$*" >&2; }

setup_fail() {
  setup_say "$*"
  exit 2
}

# Two first runs at once (a demo beside the tests) would restore and build into the same folders.
setup_lock() {
  mkdir -p "$setup_state"
  if command -v flock >/dev/null; then
    exec 8>"$setup_state/lock"
    flock 8
  fi
}

setup_unlock() { exec 8>&- || true; }

setup_apt() {
  local as_root=()
  if ! command -v apt-get >/dev/null; then
    setup_fail "missing: $* (Debian's names); there is no apt here, please install them and run this again"
  fi
  if [ "$(id -u)" -ne 0 ]; then
    if command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
      as_root=(sudo)
    else
      setup_fail "missing system packages; as root: apt-get install $*"
    fi
  fi
  setup_say "installing system packages: $*"
  local log="$setup_state/apt.log"
  if ! "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@" >"$log" 2>&1 </dev/null; then
    # Package lists are empty in a fresh container and stale on an old machine.
    if ! {
      "${as_root[@]}" apt-get update &&
        "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"
    } >"$log" 2>&1 </dev/null; then
      tail -n 20 "$log" >&2
      setup_fail "apt-get install $* failed (all of it: $log)"
    fi
  fi
}

setup_dotnet() {
  if ! command -v dotnet >/dev/null; then
    setup_fail 'the .NET 10 SDK is missing: install it (package dotnet-sdk-10.0) so that `dotnet` is on the PATH'
  fi
  local version
  if ! version=$(cd "$dedup_root" && dotnet --version 2>/dev/null) || [[ $version != 10.* ]]; then
    setup_fail "a .NET 10 SDK is needed; installed: $(dotnet --list-sdks 2>/dev/null | cut -d' ' -f1 | paste -sd' ' -)"
  fi
  # An apphost looks in the usual places only; an SDK unpacked elsewhere is found through this.
  dirname "$(readlink -f "$(command -v dotnet)")" >"$setup_state/dotnet-root"
}

setup_has_library() {
  local ldconfig=ldconfig
  command -v ldconfig >/dev/null || ldconfig=/sbin/ldconfig
  # Not `grep -q`: it would end before ldconfig has written all, and pipefail would take that for a no.
  "$ldconfig" -p 2>/dev/null | grep -F "$1" >/dev/null
}

setup_rocksdb() {
  if setup_has_library librocksdb.so; then return 0; fi
  local package=librocksdb7.8
  if command -v apt-cache >/dev/null; then
    setup_pick_rocksdb() { apt-cache pkgnames librocksdb 2>/dev/null | grep -E '^librocksdb[0-9.]+(t64)?$' | sort -V | tail -n 1; }
    package=$(setup_pick_rocksdb || true)
    if [ -z "$package" ] && [ "$(id -u)" -eq 0 ]; then
      setup_say 'reading package lists'
      apt-get update >"$setup_state/apt.log" 2>&1 </dev/null || true
      package=$(setup_pick_rocksdb || true)
    fi
    package=${package:-librocksdb7.8}
  fi
  setup_apt "$package"
}

setup_librdkafka() (
  # A subshell, so that the trap and the directory are its own.
  architecture=$(uname -m)
  case $architecture in
    x86_64) rid=linux-x64 ;;
    aarch64) rid=linux-arm64 ;;
    *) setup_fail "no NuGet source has librdkafka.redist $librdkafka_version, and building it for $architecture is not supported" ;;
  esac
  needed=()
  command -v npm >/dev/null || needed+=(npm)
  command -v gcc >/dev/null || needed+=(gcc libc6-dev)
  command -v g++ >/dev/null || needed+=(g++)
  command -v make >/dev/null || needed+=(make)
  [ -e /usr/include/openssl/ssl.h ] || needed+=(libssl-dev)
  [ -e /usr/include/zlib.h ] || needed+=(zlib1g-dev)
  [ -e /usr/include/zstd.h ] || needed+=(libzstd-dev)
  [ -e /usr/include/sasl/sasl.h ] || needed+=(libsasl2-dev)
  if [ ${#needed[@]} -gt 0 ]; then setup_apt "${needed[@]}"; fi

  setup_say "building librdkafka $librdkafka_version, which no NuGet source here has, from $librdkafka_npm (about a minute)"
  log="$setup_state/librdkafka.log"
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  trap 'exit 130' INT TERM
  export work rid dedup_root librdkafka_version librdkafka_npm
  # A shell of its own: inside an `if` bash ignores `set -e`.
  if ! bash -euo pipefail -s >"$log" 2>&1 <<'STEPS'; then
    cd "$work"
    npm pack --silent "$librdkafka_npm" </dev/null
    tar -xzf ./*.tgz
    cd package/deps/librdkafka
    # 2.15.1 → 0x020f01ff: another version under this name would be worse than none.
    hex=$(printf '0x%02x%02x%02xff' ${librdkafka_version//./ })
    grep -E "define +RD_KAFKA_VERSION +$hex" src/rdkafka.h
    # lz4's sources come along; curl serves only OIDC.
    ./configure --disable-lz4-ext --disable-curl </dev/null
    make -j "$(nproc)" -C src librdkafka.so.1 </dev/null
    mkdir -p "$work/pack/runtimes/$rid/native"
    cp -L src/librdkafka.so.1 "$work/pack/runtimes/$rid/native/librdkafka.so"
    strip --strip-unneeded "$work/pack/runtimes/$rid/native/librdkafka.so" || true
    cd "$work/pack"
    # Packed by the SDK itself: zip and python may be missing. Outside the repo, so none of its props apply.
    cat >librdkafka.redist.csproj <<PROJECT
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup>
    <TargetFramework>net10.0</TargetFramework>
    <PackageId>librdkafka.redist</PackageId>
    <Version>$librdkafka_version</Version>
    <Authors>librdkafka</Authors>
    <Description>librdkafka $librdkafka_version built on this machine</Description>
    <IncludeBuildOutput>false</IncludeBuildOutput>
    <SuppressDependenciesWhenPacking>true</SuppressDependenciesWhenPacking>
    <NoWarn>NU5128;NU5127</NoWarn>
  </PropertyGroup>
  <ItemGroup>
    <None Include="runtimes/**" Pack="true" PackagePath="runtimes" />
  </ItemGroup>
</Project>
PROJECT
    # An empty source list: nothing is to be looked up for a project without references.
    echo '<configuration><packageSources><clear /></packageSources></configuration>' >nuget.config
    dotnet pack -nologo -c Release -o "$work/out" -nodeReuse:false -p:UseSharedCompilation=false </dev/null
    mv "$work/out/librdkafka.redist.$librdkafka_version.nupkg" "$dedup_root/packages/"
STEPS
    tail -n 20 "$log" >&2
    setup_fail "librdkafka could not be built (all of it: $log)"
  fi
)

# What a restore depends on, as one word.
setup_restore_key() {
  (cd "$dedup_root" && cat global.json nuget.config Directory.Build.props Directory.Packages.props scripts/setup.sh \
    src/*/*.csproj tests/*/*.csproj bench/*/*.csproj Dedup.sln && ls packages) | sha256sum | cut -d' ' -f1
}

setup_is_restored() {
  local packages="${NUGET_PACKAGES:-${HOME:-/root}/.nuget/packages}" project
  [ -f "$setup_state/restored" ] && [ -d "$packages/librdkafka.redist/$librdkafka_version" ] || return 1
  for project in "$dedup_root"/src/*/ "$dedup_root"/tests/*/*.csproj; do
    [ -f "${project%/*}/obj/project.assets.json" ] || return 1
  done
  [ "$(cat "$setup_state/restored")" = "$(setup_restore_key)" ]
}

setup_restore() {
  if setup_is_restored; then return 0; fi
  setup_say 'restoring NuGet packages'
  local log="$setup_state/restore.log"
  mkdir -p "$dedup_root/packages"
  if ! (cd "$dedup_root" && dotnet restore Dedup.sln -nologo) >"$log" 2>&1; then
    if grep -q 'librdkafka.redist' "$log" && [ ! -e "$dedup_root/packages/librdkafka.redist.$librdkafka_version.nupkg" ]; then
      setup_librdkafka
      setup_say 'restoring NuGet packages again'
    fi
    if ! (cd "$dedup_root" && dotnet restore Dedup.sln -nologo) >"$log" 2>&1; then
      grep -E 'error|warn' "$log" | sort -u | head -n 20 >&2 || true
      setup_fail "the NuGet packages could not be restored (all of it: $log)"
    fi
  fi
  setup_restore_key >"$setup_state/restored"
}

# A build makes these folders anyway; made beforehand they leave the times of the source folders alone (see setup_is_built).
setup_output_folders() {
  local project
  for project in "$dedup_root"/src/*/; do mkdir -p "$project/bin" "$project/obj"; done
}

# setup_built_since FILE: FILE has the time at which a successful Release build began.
setup_built_since() { mv -f "$1" "$setup_state/built"; }

setup_is_built() {
  [ -x "$dedup_root/src/Dedup.Host/bin/Release/net10.0/dedup" ] && [ -f "$setup_state/built" ] || return 1
  # Folders count too: a deleted file shows only in its folder's time.
  [ -z "$(find "$dedup_root/src" "$dedup_root"/Directory.*.props "$dedup_root"/global.json "$dedup_root"/nuget.config "$dedup_root"/.editorconfig \
    \( -name bin -o -name obj \) -prune -o -newer "$setup_state/built" -print -quit)" ]
}

setup_build() {
  if setup_is_built; then return 0; fi
  setup_say 'building Dedup'
  local log="$setup_state/build.log"
  setup_output_folders
  touch "$setup_state/building"
  # Without node reuse and compiler server: nothing may stay behind and hold the caller's pipes.
  if ! (cd "$dedup_root" && dotnet build src/Dedup.Host -c Release --no-restore -nologo -nodeReuse:false -p:UseSharedCompilation=false) >"$log" 2>&1; then
    grep -E 'error|warning' "$log" | sort -u | head -n 20 >&2 || true
    setup_fail "the build failed (all of it: $log)"
  fi
  setup_built_since "$setup_state/building"
}

# Everything a build needs; cheap when it is all there.
setup_prepare() {
  mkdir -p "$setup_state"
  setup_dotnet
  setup_rocksdb
  setup_restore
}

setup_all() {
  setup_lock
  setup_prepare
  setup_build
  setup_unlock
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
  setup_all
  setup_say 'ready: ./dedup --help'
fi
