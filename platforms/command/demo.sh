# SPDX-License-Identifier: Apache-2.0
# The demos. Sourced; who does has set
#   programs     the directory of the platforms' executables
#   input        the file that is hashed when none is named
#   build        the directory of the build, or the prefix of the installation
#   linux        the directory of the sources for Linux guests, sw/linux
# and has need_demo NAME, which sees to it that what demo NAME runs is there: offload, linux,
# rpmsg-x86-arm, rpmsg-arm-cortexm.

demo() {
  case ${1:-} in
  --linux)
    shift
    demo_linux "$@"
    ;;
  --rpmsg)
    shift
    demo_rpmsg "$@"
    ;;
  *) demo_offload "$@" ;;
  esac
}

demo_linux() {
  out=out/demo-linux
  if [ "${1:-}" = --out ]; then
    [ $# -gt 1 ] || die "--out needs a directory"
    out=$2
    shift 2
  fi
  [ $# -eq 0 ] || die "unknown option '$1' of demo --linux"
  need_demo linux
  run "$linux/demo/run" --build "$build" --out "$out"
}

demo_rpmsg() {
  out=out/demo-rpmsg
  platform=arm-cortexm
  while [ $# -gt 0 ]; do
    case $1 in
    --out)
      [ $# -gt 1 ] || die "--out needs a directory"
      out=$2
      shift 2
      ;;
    arm-cortexm | x86-arm)
      platform=$1
      shift
      ;;
    *) die "unknown option or platform '$1' of demo --rpmsg; there are arm-cortexm and x86-arm" ;;
    esac
  done
  need_demo "rpmsg-$platform"
  run "$linux/demo/rpmsg" --build "$build" --out "$out" --platform "$platform"
}

demo_offload() {
  out=out/demo
  file=$input
  while [ $# -gt 0 ]; do
    case $1 in
    --out)
      [ $# -gt 1 ] || die "--out needs a directory"
      out=$2
      shift 2
      ;;
    --) shift ;;
    -*) die "unknown option '$1' of demo" ;;
    *)
      file=$1
      shift
      ;;
    esac
  done
  [ -f "$file" ] && [ -r "$file" ] || die "the file '$file' cannot be read"
  need_demo offload
  # Room for the file behind the first 64 KiB, at least 64 MiB.
  size=$(stat -L -c %s "$file")
  mib=$(((size + 65536 + 1048575) / 1048576))
  [ "$mib" -ge 64 ] || mib=64
  status=0
  run "$programs/x86-arm" --input "$file" --out "$out" --shared-memory "${mib}M" || status=$?
  [ "$status" = 0 ] || die "the demo failed with status $status"
  wanted=$(sha256sum <"$file" | cut -d ' ' -f 1)
  got=$(tr -d '\r' <"$out/master.log" | sed -n 's/^sha256 //p')
  printf 'sha256 %s\n' "$got"
  [ "$got" = "$wanted" ] || die "sha256sum says $wanted: the guests are wrong"
  printf 'sha256sum says the same. Trace: %s  statistics: %s  consoles: %s\n' \
    "$out/trace.vcd" "$out/stats.json" "$out/master.log $out/slave0.log"
}
