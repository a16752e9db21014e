#!/usr/bin/env bash
# Installs the Debian packages that the project needs and that are missing, as root or through sudo.
#   scripts/install-packages.sh build   what a build and `make demo` need (default)
#   scripts/install-packages.sh test    that, and what the test suites and benchmarks need
#   scripts/install-packages.sh peers   as test, and what unpacks the sources of the peers' tests
#   scripts/install-packages.sh fuzz    as test, and clang for fuzzing, which the test suites do without where it is missing
#   scripts/install-packages.sh sanitize    as fuzz, and valgrind
# The server is the newest installed one that has its headers, else the one of this Debian release, or of version PG_MAJOR (`newest`: the newest of
# the package lists); with PG_CONFIG set it is somebody else's, and none is installed. Does nothing, and needs neither root nor a network, when
# everything is there.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

build=(g++ make libboost-dev libicu-dev)
test=("${build[@]}" perl libipc-run-perl libdbi-perl libdbd-pg-perl libgtest-dev libbenchmark-dev)

case ${1:-build} in
build) wanted=("${build[@]}") ;;
test) wanted=("${test[@]}") ;;
peers) wanted=("${test[@]}" bzip2 xz-utils) ;;
fuzz) wanted=("${test[@]}" clang libclang-rt-dev) ;;
sanitize) wanted=("${test[@]}" clang libclang-rt-dev valgrind) ;;
*) die "usage: $0 [build|test|peers|fuzz|sanitize]" ;;
esac

installed() {
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}
available() { apt-cache show "$1" >/dev/null 2>&1; }

# Major version of the server to build for, and of the one that the release's package `postgresql` stands for; nothing where that is not known.
version() { { "$pg_config" --version | sed -n "s/^PostgreSQL \([0-9]*\).*/\1/p"; } 2>/dev/null || true; }
version_of_release() { apt-cache depends postgresql 2>/dev/null | sed -n "s/.*Depends: postgresql-\([0-9]*\)$/\1/p" || true; }
newest_version() { apt-cache pkgnames postgresql-server-dev- | sed -n 's/^postgresql-server-dev-\([0-9]*\)$/\1/p' | sort -n | tail -n 1; }

# Prints what is missing. Not every release has these: one decides how code is laid out, others bring types that can be indexed, the last two scrape
# metrics.
missing() {
  local package packages=("${wanted[@]}") optional=()
  [ -n "${PG_CONFIG:-}" ] || packages+=("postgresql-$1" "postgresql-server-dev-$1")
  [ "${#wanted[@]}" = "${#build[@]}" ] ||
    optional=(clang-format-14 "postgresql-$1-postgis-3" "postgresql-$1-pgvector" prometheus prometheus-postgres-exporter)
  for package in "${packages[@]}"; do installed "$package" || echo "$package"; done
  for package in "${optional[@]}"; do installed "$package" || ! available "$package" || echo "$package"; done
}

server=$(version)
[ -z "$server" ] || [ -n "$(missing "$server")" ] || exit 0

as_root=()
if [ "$(id -u)" != 0 ]; then
  command -v sudo >/dev/null || die "needs root or sudo to install: $(missing "${server:-N}" | tr '\n' ' ')"
  as_root=(sudo)
fi

log=$(mktemp)
apt() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o Dpkg::Use-Pty=0 "$@" >>"$log" 2>&1 && return
  tail -n 40 "$log" >&2
  die "apt-get failed, log in $log"
}
apt update
[ "${PG_MAJOR:-}" != newest ] || PG_MAJOR=$(newest_version)
server=${server:-${PG_MAJOR:-$(version_of_release)}}
[ -n "$server" ] || die "this system's package lists have no package postgresql: install a server with its headers, and name its pg_config in PG_CONFIG"
mapfile -t packages < <(missing "$server")

# Debian's server package creates and starts a cluster of its own; a machine that had no server gets none from us.
snippet=/etc/postgresql-common/createcluster.d/xtree-no-main-cluster.conf
no_main_cluster() {
  "${as_root[@]}" mkdir -p "${snippet%/*}"
  echo 'create_main_cluster = false' | "${as_root[@]}" tee "$snippet" >/dev/null
  trap '"${as_root[@]}" rm -f "$snippet"' EXIT
}
installed "postgresql-$server" || no_main_cluster

# Likewise Prometheus and its exporter would listen from now on: the tests start their own.
policy=/usr/sbin/policy-rc.d
no_services() {
  [ ! -e "$policy" ] || return 0
  printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
  "${as_root[@]}" chmod 755 "$policy"
  trap '"${as_root[@]}" rm -f "$snippet" "$policy"' EXIT
}
services=()
for package in "${packages[@]}"; do
  case $package in prometheus*) services+=("$package") ;; esac
done
[ ${#services[@]} = 0 ] || no_services

echo "Installing ${packages[*]} ..."
apt install -y --no-install-recommends "${packages[@]}"
[ ${#services[@]} = 0 ] || ! command -v systemctl >/dev/null || "${as_root[@]}" systemctl -q disable "${services[@]}" 2>/dev/null || true
rm -f "$log"
