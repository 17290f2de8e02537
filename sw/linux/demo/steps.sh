# SPDX-License-Identifier: Apache-2.0
# What the masters of the demos have in common.

step() {
  echo "DEMO $*"
}

fail() {
  echo "DEMO failed: $*"
  idmctl end 1 || poweroff -f
  sleep 1000
}

# want TEXT COMMAND...: the command succeeds and prints TEXT.
want() {
  wanted=$1
  shift
  echo "\$ $*"
  got=$("$@" 2>&1) || fail "'$*' ended with status $?: $got"
  echo "$got"
  case $got in
  *"$wanted"*) ;;
  *) fail "'$*' does not say '$wanted'" ;;
  esac
}
