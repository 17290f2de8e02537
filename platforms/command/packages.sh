# SPDX-License-Identifier: Apache-2.0
# Installs Debian packages: says first what comes, then where it is; what apt says goes to a log,
# which is shown when it fails. Sourced; who does has set packages_log, the file.

missing_packages() {
  for package; do
    status=$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null || true)
    [ "$status" = "install ok installed" ] || printf '%s ' "$package"
  done
}

# Installs those of the packages that are missing; needs root only then.
install_missing() {
  command -v dpkg-query >/dev/null || die "this is not a Debian system; packages.conf lists what is needed"
  missing=$(missing_packages "$@")
  [ -n "$missing" ] || return 0
  install="apt-get install -y --no-install-recommends $missing"
  [ "$(id -u)" = 0 ] ||
    die "packages are missing; as root, run: apt-get update && $install"
  mkdir -p "$(dirname "$packages_log")"
  : >"$packages_log"
  export DEBIAN_FRONTEND=noninteractive
  say "apt-get update && $install"
  apt-get update -q </dev/null >>"$packages_log" 2>&1 || packages_failed "apt-get update"
  # shellcheck disable=SC2086
  announce_packages $missing
  # shellcheck disable=SC2086
  install_with_progress $install || packages_failed "$install"
}

packages_failed() {
  cat "$packages_log" >&2
  die "'$*' has failed; the lines above are $packages_log"
}

# "120 packages come: 250 MB to fetch, 1100 MB on disk, about 3 min", by apt's own summary. The
# minutes are for 10 MB fetched and 20 MB unpacked in a second.
announce_packages() {
  LC_ALL=C apt-get install --assume-no -q --no-install-recommends "$@" </dev/null 2>&1 |
    awk '
      function mb(number, unit) {
        gsub(",", "", number)
        return number * (unit == "GB" ? 1000 : unit == "kB" ? 0.001 : unit == "B" ? 0.000001 : 1)
      }
      / newly installed/ {
        for (i = 2; i < NF; i++) if ($i == "newly") packages = $(i - 1)
      }
      /^Need to get / { split($4 " " $5, part, /[\/ ]/); fetch = mb(part[1], part[2]) }
      /^After this operation, / { disk = mb($4, $5) }
      END {
        if (!packages) exit
        minutes = int((fetch / 10 + disk / 20) / 60) + 1
        printf "tandem: %d packages come: %.0f MB to fetch, %.0f MB on disk, about %d min\n",
               packages, fetch, disk, minutes
      }' >&2
}

# Runs the apt-get command and shows its progress: on a terminal in one line, else every tenth.
install_with_progress() {
  {
    status=0
    "$@" -q -o APT::Status-Fd=3 -o Dpkg::Use-Pty=0 3>&1 </dev/null >>"$packages_log" 2>&1 ||
      status=$?
    printf 'end:%d\n' "$status"
  } | show_progress
}

# Reads apt's status lines, KIND:WHAT:PERCENT:TEXT, where WHAT may have a colon (libc6:amd64), and
# at the end "end:STATUS", which it returns.
show_progress() {
  shown=
  while IFS=: read -r kind second third fourth _; do
    case $kind in
    dlstatus) doing="fetching packages" ;;
    pmstatus) doing="installing packages" ;;
    end)
      [ ! -t 2 ] || printf '\r\033[K' >&2
      return "$second"
      ;;
    *) continue ;;
    esac
    percent=$third
    case $third in
    [0-9]*.*) ;;
    *) percent=$fourth ;;
    esac
    percent=${percent%%.*}
    if [ -t 2 ]; then
      printf '\r\033[Ktandem: %s: %s %%' "$doing" "$percent" >&2
    elif [ "$shown" != "$doing ${percent%?}" ]; then
      shown="$doing ${percent%?}"
      tell "$doing: $percent %"
    fi
  done
  return 1
}
