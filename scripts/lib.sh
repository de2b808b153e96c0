# scripts/lib.sh: what the scripts share; sourced, not run.
# SPDX-License-Identifier: BSL-1.0
#
# Sets ROOT (the checkout) and PYTHON, and defines
#   need_packages SECTION...   installs what is missing of these sections of scripts/packages
#   configure FOLDER COMPILER OPTION...   a build folder, configured anew only where it has to be
#   fail MESSAGE               ends the script with one sentence

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export ROOT
me=$(basename "$0")

fail() {
  printf '%s: %s\n' "$me" "$*" >&2
  exit 1
}

# Prints the packages of the given sections of scripts/packages.
packages_of() {
  awk -v wanted=" $* " '
    { sub(/#.*/, ""); gsub(/[ \t]/, "") }
    /^\[.*\]$/ { section = substr($0, 2, length($0) - 2); next }
    $0 != "" && index(wanted, " " section " ") { print }
  ' "$ROOT/scripts/packages"
}

need_packages() {
  local wanted missing
  wanted=$(packages_of "$@")
  if ! command -v dpkg-query >/dev/null; then
    printf '%s: not a Debian system; these packages must be there by other names: %s\n' \
      "$me" "$(echo $wanted)" >&2
    return 0
  fi
  missing=$(comm -23 <(sort -u <<<"$wanted") \
    <(dpkg-query -W -f='${db:Status-Abbrev}${Package}\n' $wanted 2>/dev/null |
      sed -n 's/^.i *//p' | sort -u))
  [ -n "$missing" ] || return 0
  missing=$(echo $missing)
  local as=
  if [ "$(id -u)" != 0 ]; then
    if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
      as='sudo -n'
    else
      fail "these Debian packages are missing: $missing" \
        "and only root can install them. Run as root: apt-get install $missing"
    fi
  fi
  local log status=0
  log=$(mktemp)
  printf '%s: installing %s\n' "$me" "$missing"
  {
    $as apt-get update -qq &&
      $as env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends \
        -o DPkg::Lock::Timeout=600 -o Acquire::Retries=3 $missing
  } >"$log" 2>&1 </dev/null || status=$?
  if [ "$status" != 0 ]; then
    tail -n 20 "$log" >&2
    rm -f "$log"
    fail "apt-get could not install: $missing"
  fi
  rm -f "$log"
}

# ccache finds objects of another clone of the project: paths are relative to the checkout.
export CCACHE_BASEDIR=$ROOT CCACHE_NOHASHDIR=1
# The interpreter of the system: a wrapper found first on PATH costs 0.1 s a start.
PYTHON=/usr/bin/python3
[ -x "$PYTHON" ] || PYTHON=python3
export PYTHON

configure() {
  local folder=$1 compiler=$2 wanted files log=$1.log
  shift 2
  if command -v ccache >/dev/null; then compiler="ccache $compiler"; fi
  wanted="$compiler $* $ROOT"
  files=$("$PYTHON" "$ROOT/tests/support/discover.py" all)
  mkdir -p "$folder"
  if [ "$(cat "$folder/options.txt" 2>/dev/null)" != "$wanted" ]; then
    rm -rf "$folder"
    CXX=$compiler meson setup "$folder" "$ROOT" "$@" >"$log" 2>&1 </dev/null ||
      { tail -n 30 "$log" >&2; fail "meson failed, see $log"; }
  elif [ "$(cat "$folder/files.txt" 2>/dev/null)" != "$files" ]; then
    meson setup --reconfigure "$folder" "$ROOT" >"$log" 2>&1 </dev/null ||
      { tail -n 30 "$log" >&2; fail "meson failed, see $log"; }
  fi
  printf '%s\n' "$wanted" >"$folder/options.txt"
  printf '%s\n' "$files" >"$folder/files.txt"
}
