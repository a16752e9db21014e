# Bare systems of Debian releases, for the scripts that build or test in one; sourced after lib.sh, never run. For root.
# shellcheck shell=bash

[ "$(id -u)" = 0 ] || die 'needs root, for chroots'
command -v debootstrap >/dev/null || die 'needs the package debootstrap'

# mirror_of ARCHIVE: where this machine has the packages of `debian` or `debian-security` from; nothing where it does not say.
mirror_of() { apt-cache policy | grep -oE "https?://[^ ]+/$1 " | head -n 1 | tr -d ' '; }

# make_chroot DIR RELEASE: debootstrap's minbase with git, unless there is one. One that is not whole has no mark and is made anew. `experimental` is
# sid that takes servers from there, and the libraries that come with them.
make_chroot() {
  local dir=$1 release=${2/experimental/sid} mirror security
  [ ! -f "$dir/ready" ] || return 0
  mirror=$(mirror_of debian)
  mirror=${mirror:-http://deb.debian.org/debian}
  security=$(mirror_of debian-security)
  rm -rf "$dir"
  mkdir -p "$dir"
  echo "Making a chroot of $2 ..."
  debootstrap --variant=minbase --include=git,ca-certificates "$release" "$dir" "$mirror" >"$dir.log" 2>&1 || { tail -n 5 "$dir.log" >&2; return 1; }
  {
    echo "deb $mirror $release main"
    [ "$release" = sid ] || echo "deb $mirror $release-updates main"
    [ "$release" = sid ] || [ -z "$security" ] || echo "deb $security $release-security main"
  } >"$dir/etc/apt/sources.list"
  [ "$2" != experimental ] || {
    echo "deb $mirror experimental main" >>"$dir/etc/apt/sources.list"
    printf '%s\n' 'Package: postgresql* libpq* libpg* libecpg*' 'Pin: release a=experimental' 'Pin-Priority: 500' \
      >"$dir/etc/apt/preferences.d/servers"
  }
  cp -r /etc/apt/apt.conf.d/. "$dir/etc/apt/apt.conf.d/"
  # A mirror's copy of an unstable release may be older than its date of expiry.
  echo 'Acquire::Check-Valid-Until "false";' >"$dir/etc/apt/apt.conf.d/90-old-mirror"
  touch "$dir/ready"
}

# copy_checkout DIR: into DIR/src, with what is not committed, but not what was built. All files are new, so that what a former copy became is built again.
copy_checkout() {
  rm -rf "$1/src"
  mkdir -p "$1/src"
  git -C "$root" ls-files -coz --exclude-standard | tar -c -C "$root" --null --ignore-failed-read -T - 2>/dev/null | tar -x -m -C "$1/src" --no-same-owner
}
