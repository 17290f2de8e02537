# SPDX-License-Identifier: Apache-2.0
# What --help prints. Sourced.

# Of one command, or of all of them.
help_of() {
  case $1 in
  setup) cat <<'END' ;;
Usage: ./tandem setup [--linux]

Installs the Debian packages that are missing (packages.conf) to build, test and run everything.
With --linux it also makes the Linux guest kit in build/linux: kernels, modules, initramfs.
END
  build) cat <<'END' ;;
Usage: ./tandem build [CMAKE OPTION...]

Installs what is missing, configures and builds everything into build/release.
END
  test) cat <<'END' ;;
Usage: ./tandem test [CTEST OPTION...]

Builds and runs all tests, on a second QEMU as well, and some of them once more with sanitizers.
With options of ctest (-R boot) only those of the first build that they choose.
END
  races) cat <<'END' ;;
Usage: ./tandem races [CTEST OPTION...]

Builds the models and the bridge with the thread sanitizer and runs their tests, those with QEMU
that concern threads among them; docs/testing.md tells more.
END
  fuzz) cat <<'END' ;;
Usage: ./tandem fuzz [--inputs N] [--jobs N] [SECONDS] [FUZZER...]

Builds the fuzzers with clang and runs each for SECONDS (default 60) or for N inputs, two at a time;
docs/testing.md tells more.
END
  bench) cat <<'END' ;;
Usage: ./tandem bench [--json FILE] [--repeats N] [--only PART,...]
       ./tandem bench --scaling [--instances N,...] [--windows N] [--json FILE] [--repeats N]

Measures the bridge against bare QEMU, each part N times (5), and writes the figures to FILE as JSON.
With --scaling it measures instead what a window costs, in time, memory and threads, with more and more
instances (1,2,4,8,16,32), and says what 4, 16 and 64 cores would make of it. docs/performance.md tells
what the parts and the model are.
END
  package) cat <<'END' ;;
Usage: ./tandem package

Makes the Debian packages for the installed release in build/packages: tandem (platforms, tools,
guests), tandem-dev (headers, CMake package, guest kit, examples) and tandem-linux-src (sources of the
Linux guest kit).
END
  format) cat <<'END' ;;
Usage: ./tandem format [--check]

Runs clang-format over the tree; with --check it only says what differs.
END
  demo) cat <<END ;;
Usage: $tandem demo [--out DIR] [FILE]
       $tandem demo --linux [--out DIR]
       $tandem demo --rpmsg [arm-cortexm | x86-arm] [--out DIR]

The first has an x86_64 master let an Arm slave compute the SHA-256 of FILE. With --linux, an x86_64
Linux boots an Arm slave, twice, and talks to it. With --rpmsg, Linux starts two slaves by remoteproc
and exchanges rpmsg messages. Consoles, statistics and trace.vcd go to DIR, default out/demo,
out/demo-linux, out/demo-rpmsg.
END
  esac
}
