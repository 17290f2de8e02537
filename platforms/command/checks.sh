# SPDX-License-Identifier: Apache-2.0
# Tests, measurements, format. Sourced by ./tandem.

# shellcheck disable=SC2086
format() {
  case ${1:-} in
  '') options=-i ;;
  --check) options='--dry-run --Werror' ;;
  *) die "unknown option '$1' of format" ;;
  esac
  command -v "$format_program" >/dev/null ||
    die "the format is defined by $format_program; this Debian may not have it: apt-get install $format_packages"
  say "git ls-files '*.c' '*.cpp' '*.h' | xargs $format_program $options"
  git ls-files '*.c' '*.cpp' '*.h' | xargs "$format_program" $options
}

test_all() {
  setup --linux
  if setup_alternative; then
    build "-DTANDEM_QEMU_ALTERNATIVE=$root/$alternative"
  else
    tell "no second QEMU from $qemu_alternative_suite can be had; the tests run with the installed one only"
    build
  fi
  run ctest --preset "$preset" -j 2 "$@"
  [ $# -eq 0 ] || return 0
  # The models, the bridge and the guests' library once more under the address and
  # undefined-behaviour sanitizers; SystemC's coroutines and the detection of stack use after
  # return exclude each other.
  configure sanitize
  run cmake --build --preset sanitize --target sanitized >&2
  export ASAN_OPTIONS=detect_stack_use_after_return=0
  run ctest --preset sanitize -j 2 -R '^(models|sw)\.|^integration\.(isolation|messages|reproducible)_'
}

bench() {
  build >&2
  run python3 tests/bench/bench.py --build "$build" "$@"
}
