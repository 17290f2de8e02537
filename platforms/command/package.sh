# SPDX-License-Identifier: Apache-2.0
# The Debian packages. Sourced by ./tandem.

# shellcheck disable=SC2086
package() {
  [ $# -eq 0 ] || die "package takes no options, as '$1' is"
  install_missing $demo_packages $tool_packages $package_packages
  configure package
  run cmake --build --preset package >&2
  run cmake --build --preset package --target man-pages >&2
  rm -rf build/packages
  run cpack --config build/package/CPackConfig.cmake -B build/packages >&2
  rm -rf build/packages/_CPack_Packages
  ls build/packages/*.deb
}
