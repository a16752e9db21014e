# Shared by the scripts of this directory, demo/ and test/; sourced by bash, never run.
# Sets root (the checkout), build (where it is built: XTREE_BUILD, or build/ in the checkout) and pg_config (PG_CONFIG, or that of the machine's server); defines
# die, server_user, as_server, server_dir, bindir_of.
# shellcheck shell=bash disable=SC2034

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=$(realpath -m "${XTREE_BUILD:-$root/build}")
umask 022

# The newest of Debian's servers whose headers are installed, else whatever the PATH has.
find_pg_config() {
  local found=pg_config candidate
  while read -r candidate; do
    [ ! -f "$("$candidate" --includedir-server)/postgres.h" ] || found=$candidate
  done < <(compgen -G '/usr/lib/postgresql/*/bin/pg_config' | sort -V)
  echo "$found"
}
pg_config=${PG_CONFIG:-$(find_pg_config)}

die() {
  echo "${0##*/}: $*" >&2
  exit 1
}

# PostgreSQL refuses to run as root: root hands its servers to the user postgres, anybody else runs them as themselves.
server_user() {
  if [ "$(id -u)" = 0 ]; then echo postgres; else id -un; fi
}

# as_server COMMAND...: runs a command as the server's user, from a directory that this user may read.
as_server() {
  if [ "$(id -u)" = 0 ]; then
    (cd / && exec runuser -u postgres -- "$@")
  else
    (cd / && exec "$@")
  fi
}

# server_dir NAME: makes a fresh temporary directory that belongs to the server's user, and prints it.
server_dir() {
  local parent=${TMPDIR:-/tmp} dir
  as_server test -x "$parent" || parent=/tmp
  dir=$(mktemp -d "$parent/$1.XXXXXX") || return 1
  chown "$(server_user)" "$dir" && echo "$dir"
}

# bindir_of INSTALLATION: where private-install put the PostgreSQL programs.
bindir_of() {
  echo "$1$("$pg_config" --bindir)"
}
