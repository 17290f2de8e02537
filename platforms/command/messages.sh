# SPDX-License-Identifier: Apache-2.0
# How the parts of ./tandem speak, all on standard error. Sourced.

# A command, as it can be typed by hand.
say() { printf '+ %s\n' "$*" >&2; }
run() {
  say "$@"
  "$@"
}
tell() { printf 'tandem: %s\n' "$*" >&2; }
die() {
  tell "$@"
  exit 1
}

# True when one of the words asks for help; those behind -- are not the command's.
wants_help() {
  for word; do
    case $word in
    -h | --help) return 0 ;;
    --) return 1 ;;
    esac
  done
  return 1
}
