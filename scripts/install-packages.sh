#!/usr/bin/env bash
# Installs the Debian packages that the project needs and that are missing, as root or through sudo.
#   scripts/install-packages.sh build   what a build and `make demo` need (default)
#   scripts/install-packages.sh test    that, and what the test suites and benchmarks need
#   scripts/install-packages.sh peers   as test, and what unpacks the sources of the peers' tests
#   scripts/install-packages.sh fuzz    as test, and clang for fuzzing, which the test suites do without where it is missing
#   scripts/install-packages.sh sanitize    as fuzz, and valgrind
# Does nothing, and needs neither root nor a network, when all of them are there.
set -euo pipefail

build=(g++ make libboost-dev postgresql-15 postgresql-server-dev-15)
test=(perl libipc-run-perl libdbi-perl libdbd-pg-perl libgtest-dev libbenchmark-dev
  postgresql-15-postgis-3 clang-format-14)

case ${1:-build} in
build) wanted=("${build[@]}") ;;
test) wanted=("${build[@]}" "${test[@]}") ;;
peers) wanted=("${build[@]}" "${test[@]}" bzip2 xz-utils) ;;
fuzz) wanted=("${build[@]}" "${test[@]}" clang libclang-rt-dev) ;;
sanitize) wanted=("${build[@]}" "${test[@]}" clang libclang-rt-dev valgrind) ;;
*) echo "usage: $0 [build|test|peers|fuzz|sanitize]" >&2; exit 2 ;;
esac

installed() {
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

missing=()
for package in "${wanted[@]}"; do
  installed "$package" || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" != 0 ]; then
  command -v sudo >/dev/null || { echo "$0: needs root or sudo to install: ${missing[*]}" >&2; exit 1; }
  as_root=(sudo)
fi

# Debian's server package creates and starts a cluster of its own; a machine that had no server gets none from us.
snippet=/etc/postgresql-common/createcluster.d/xtree-no-main-cluster.conf
no_main_cluster() {
  "${as_root[@]}" mkdir -p "${snippet%/*}"
  echo 'create_main_cluster = false' | "${as_root[@]}" tee "$snippet" >/dev/null
  trap '"${as_root[@]}" rm -f "$snippet"' EXIT
}
installed postgresql-15 || no_main_cluster

echo "Installing ${missing[*]} ..."
log=$(mktemp)
apt() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o Dpkg::Use-Pty=0 "$@" >>"$log" 2>&1
}
if ! { apt update && apt install -y --no-install-recommends "${missing[@]}"; }; then
  tail -n 40 "$log" >&2
  echo "$0: apt-get failed, log in $log" >&2
  exit 1
fi
rm -f "$log"
