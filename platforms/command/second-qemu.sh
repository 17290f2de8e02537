# SPDX-License-Identifier: Apache-2.0
# The second QEMU of the tests. Sourced by ./tandem.

alternative=build/qemu-alternative

# A newer QEMU for the integration tests, unpacked below the build directory. Uses the
# machine's own mirror and keys through an apt tree of its own, so the system stays as it is.
setup_alternative() {
  wanted=$(echo $qemu_alternative_suite $qemu_alternative_packages)
  [ "$(cat "$alternative/suite" 2>/dev/null)" = "$wanted" ] && return 0
  apt=$root/build/apt
  site=$(python3 -B sw/linux/kit/packages.py "$debian_release") || return 1
  rm -rf "$apt" "$alternative"
  mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$apt/debs" "$alternative"
  : >"$apt/status"
  printf 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s %s main\n' \
    "$site" "$qemu_alternative_suite" >"$apt/sources.list"
  cat >"$apt/apt.conf" <<END
Dir::State "$apt";
Dir::State::Lists "$apt/lists";
Dir::State::status "$apt/status";
Dir::Cache "$apt/cache";
Dir::Etc::SourceList "$apt/sources.list";
Dir::Etc::SourceParts "/dev/null";
APT::Sandbox::User "root";
END
  (
    export APT_CONFIG="$apt/apt.conf"
    cd "$apt/debs"
    say "APT_CONFIG=$APT_CONFIG apt-get update && apt-get download" $qemu_alternative_packages
    # shellcheck disable=SC2086
    apt-get update -qq && apt-get download -qq $qemu_alternative_packages
  ) || return 1
  for deb in "$apt"/debs/*.deb; do
    run dpkg -x "$deb" "$alternative" || return 1
  done
  rm -rf "$apt"
  # Unpacked only: what it depends on is there when the installed QEMU needs it, too.
  for program in arm riscv64 x86_64; do
    run "$alternative/usr/bin/qemu-system-$program" --version >&2 || return 1
  done
  printf '%s\n' "$wanted" >"$alternative/suite"
}
