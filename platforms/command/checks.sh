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

# Tests at a time: most wait for a process now and then.
tests_at_a_time() {
  echo $(($(nproc) + 2))
}

test_all() {
  setup --linux
  if setup_alternative; then
    build "-DTANDEM_QEMU_ALTERNATIVE=$root/$alternative"
  else
    tell "no second QEMU from $qemu_alternative_suite can be had; the tests run with the installed one only"
    build
  fi
  run ctest --preset "$preset" -j "$(tests_at_a_time)" "$@"
  [ $# -eq 0 ] || return 0
  # The models, the bridge and the guests' library once more under the address and
  # undefined-behaviour sanitizers; SystemC's coroutines and the detection of stack use after
  # return exclude each other. Queues in equilibrium take long, and reach nothing that others do not.
  configure sanitize
  run cmake --build --preset sanitize --target sanitized >&2
  export ASAN_OPTIONS=detect_stack_use_after_return=0
  run ctest --preset sanitize -j "$(tests_at_a_time)" -E poisson -R '^(models|sw)\.|^integration\.(isolation|messages|reproducible)_'
}

# The models and the bridge, with real QEMU processes, under the thread sanitizer. Its runtime may
# not find room where the host spreads addresses widely, hence setarch.
races() {
  setup
  build_guests
  configure tsan -DTANDEM_TESTS=ON
  run cmake --build --preset tsan --target raced >&2
  fixed=
  ! setarch "$(uname -m)" -R true 2>/dev/null || fixed="setarch $(uname -m) -R"
  # Of the tests with QEMU those in which threads meet: processes that come and go, free mode, stops
  # from outside, consoles, replayed logs. Queues in equilibrium have one thread and take long,
  # and the sanitizer keeps account of 8128 coroutines at most.
  if [ $# -eq 0 ]; then
    set -- -E 'poisson|threads_of_an_interconnect_that_waits' -R '^(models|platforms|sanitizers)\.|^integration\.(boot_(killed_arm|many_boots)|fake_adapter_ends|interactive_session|killed_(ctrl_c_in_free|either|free)|machines_free_mode$|messages_(serial|two)|monitor_answers_while_it_sleeps|realtime_interrupted|traffic_replay_through_the_bus)'
  fi
  # shellcheck disable=SC2086
  run $fixed ctest --preset tsan -j "$(tests_at_a_time)" "$@"
}

# Each for a minute, two at a time. Compilers warn of different things, and clang is not the measure.
# shellcheck disable=SC2086
fuzz() {
  setup
  install_missing $fuzz_packages
  run tests/fuzz/run "$@"
}

bench() {
  # Options that are wrong are refused before anything is built, where there is Python already.
  ! command -v python3 >/dev/null || python3 tests/bench/bench.py --check "$@" || exit
  build >&2
  run python3 tests/bench/bench.py --build "$build" "$@"
}
