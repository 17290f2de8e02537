# SPDX-License-Identifier: Apache-2.0
#
# Bare-metal guests in a native CMake build, in Tandem's tree and in other people's
# (find_package(Tandem) includes this file): cross compilers are called by custom commands, one for
# each object, with dependency files.
#
#   tandem_guest(NAME ARCH SOURCES file... [OPTIONS option...])
#
# makes ${PROJECT_BINARY_DIR}/guests/ARCH/NAME.elf, target guest-ARCH-NAME, out of these sources, C
# or assembly, and the runtime of ARCH, a folder of sw/runtime: x86_64, arm, ... On cortexm, whose RAM
# lies elsewhere when a master boots it, there is NAME.slave.elf as well. OPTIONS go to the compiler; a
# library may be among the SOURCES. The cross compiler is looked for when the first guest of its
# architecture is asked for: TANDEM_GUEST_CC_ARCH names another one.
#
#   tandem_boot_rom(ARCH SOURCE file)
#
# makes the boot ROM of ARCH beside them, target guest-ARCH-boot_rom, in the format that QEMU's
# machine takes.
#
# What was made for ARCH is listed in the global property TANDEM_GUEST_IMAGES_ARCH, the targets in
# TANDEM_GUEST_TARGETS.

# Sets in the caller what this file needs to know of an architecture. What differs is in
# runtime/ARCH/guest.cmake:
#   _tool, _package  the cross compiler and its Debian package
#   _machine         its options
#   _parts, _script  folders of the runtime, and linker script; both have defaults
#   _slave_script    linker script of NAME.slave.elf, where images of slaves lie elsewhere
#   _without         expression for files of those folders that are left out
#   _rom, _rom_address  file of the boot ROM, raw or ELF, and where it lies
macro(_tandem_guest_tools arch)
  set(_sw ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/..)
  get_filename_component(_sw ${_sw} ABSOLUTE)
  set(_script ${_sw}/runtime/${arch}/link.ld)
  set(_parts runtime/common rpmsg runtime/${arch})
  set(_slave_script)
  set(_rom boot_rom.bin)
  set(_rom_address 0)
  set(_without)
  if(NOT EXISTS ${_sw}/runtime/${arch}/guest.cmake)
    file(GLOB _known RELATIVE ${_sw}/runtime ${_sw}/runtime/*/guest.cmake)
    string(REPLACE "/guest.cmake" "" _known "${_known}")
    list(JOIN _known ", " _known)
    message(FATAL_ERROR "Tandem has no guests for '${arch}'; there are ${_known}.")
  endif()
  include(${_sw}/runtime/${arch}/guest.cmake)
  find_program(TANDEM_GUEST_CC_${arch} ${_tool} DOC "C compiler for bare-metal ${arch} guests")
  if(NOT TANDEM_GUEST_CC_${arch})
    message(FATAL_ERROR
      "The ${arch} guests need ${_tool}: install the Debian package ${_package}.")
  endif()
  set(_compiler ${TANDEM_GUEST_CC_${arch}})
  set(_flags
    ${_machine} -std=gnu11 -O2 -g -ffreestanding -fno-builtin-printf -fno-pic -fno-pie -fno-stack-protector
    -fno-asynchronous-unwind-tables -fno-tree-loop-distribute-patterns -ffunction-sections
    -fdata-sections "-ffile-prefix-map=${PROJECT_BINARY_DIR}=."
    "-ffile-prefix-map=${PROJECT_SOURCE_DIR}/=" "-ffile-prefix-map=${_sw}=sw"
    -I${_sw}/include -I${_sw}/runtime)
  # The headers that are shared with the models lie elsewhere in the source tree.
  if(EXISTS ${_sw}/../tlm-models/guest/include)
    list(APPEND _flags -I${_sw}/../tlm-models/guest/include)
  endif()
  set(_warnings -Wall -Wextra -Wshadow)
  if(DEFINED TANDEM_WARNINGS)
    set(_warnings ${TANDEM_WARNINGS})
  endif()
  set(_link_flags
    -nostdlib -static -no-pie -Wl,--build-id=none -Wl,--gc-sections -Wl,--no-warn-rwx-segments
    -Wl,--fatal-warnings)
  set(_objects ${PROJECT_BINARY_DIR}/guest-objects/${arch})
  set(_images ${PROJECT_BINARY_DIR}/guests/${arch})
endmacro()

# Compiles one source with the architecture's flags and those that follow; the object's path goes
# to `result`.
function(_tandem_guest_object result arch object source)
  _tandem_guest_tools(${arch})
  set(object ${_objects}/${object}.o)
  get_filename_component(folder ${object} DIRECTORY)
  file(MAKE_DIRECTORY ${folder})
  file(RELATIVE_PATH shown ${PROJECT_BINARY_DIR}/guest-objects ${object})
  add_custom_command(
    OUTPUT ${object}
    COMMAND ${_compiler} ${_flags} ${ARGN} -MD -MF ${object}.d -MT ${object} -c ${source}
            -o ${object}
    DEPENDS ${source}
    DEPFILE ${object}.d
    COMMENT "Guest object ${shown}"
    VERBATIM)
  set(${result} ${object} PARENT_SCOPE)
endfunction()

# The runtime's objects are shared by all programs of an architecture in a project; their paths
# go to `result`. Other directories than the first one depend on the target.
function(_tandem_guest_runtime result arch)
  _tandem_guest_tools(${arch})
  set(target guest-${arch}-runtime)
  if(NOT TARGET ${target})
    set(sources)
    foreach(part IN LISTS _parts)
      file(GLOB found CONFIGURE_DEPENDS ${_sw}/${part}/*.c ${_sw}/${part}/*.S)
      list(APPEND sources ${found})
    endforeach()
    if(_without)
      list(FILTER sources EXCLUDE REGEX "${_without}")
    endif()
    set(objects)
    foreach(source IN LISTS sources)
      file(RELATIVE_PATH name ${_sw} ${source})
      _tandem_guest_object(object ${arch} ${name} ${source} ${_warnings})
      list(APPEND objects ${object})
    endforeach()
    add_custom_target(${target} DEPENDS ${objects})
    set_property(TARGET ${target} PROPERTY TANDEM_GUEST_OBJECTS ${objects})
  endif()
  get_property(objects TARGET ${target} PROPERTY TANDEM_GUEST_OBJECTS)
  set(${result} ${objects} PARENT_SCOPE)
endfunction()

# Links objects to an image of the architecture, with further arguments for the linker.
function(_tandem_guest_image image arch)
  cmake_parse_arguments(PARSE_ARGV 2 image "" "SCRIPT" "OBJECTS;FLAGS")
  _tandem_guest_tools(${arch})
  set(script)
  if(image_SCRIPT)
    set(script -T ${image_SCRIPT})
  endif()
  get_filename_component(name ${image} NAME)
  get_filename_component(folder ${image} DIRECTORY)
  file(MAKE_DIRECTORY ${folder})
  add_custom_command(
    OUTPUT ${image}
    COMMAND ${_compiler} ${_machine} ${_link_flags} ${image_FLAGS} ${script} ${image_OBJECTS} -lgcc
            -o ${image}
    DEPENDS ${image_OBJECTS} ${image_SCRIPT}
    COMMENT "Guest image ${arch}/${name}"
    VERBATIM)
endfunction()

# Makes the images a target of `all`.
function(_tandem_guest_target target arch)
  add_custom_target(${target} ALL DEPENDS ${ARGN})
  set_property(GLOBAL APPEND PROPERTY TANDEM_GUEST_IMAGES_${arch} ${ARGN})
  set_property(GLOBAL APPEND PROPERTY TANDEM_GUEST_TARGETS ${target})
endfunction()

function(tandem_guest name arch)
  cmake_parse_arguments(PARSE_ARGV 2 guest "" "" "SOURCES;OPTIONS")
  if(guest_UNPARSED_ARGUMENTS OR NOT guest_SOURCES)
    message(FATAL_ERROR "tandem_guest(${name} ${arch}): give SOURCES file... [OPTIONS option...]")
  endif()
  _tandem_guest_tools(${arch})
  _tandem_guest_runtime(runtime ${arch})
  set(objects)
  foreach(source IN LISTS guest_SOURCES)
    get_filename_component(source ${source} ABSOLUTE)
    if(source MATCHES "\\.[ao]$")
      list(APPEND objects ${source})
      continue()
    endif()
    file(RELATIVE_PATH relative ${CMAKE_CURRENT_SOURCE_DIR} ${source})
    string(REPLACE "../" "up/" relative ${relative})
    _tandem_guest_object(object ${arch} programs/${name}/${relative} ${source}
                         ${_warnings} ${guest_OPTIONS})
    list(APPEND objects ${object})
  endforeach()
  list(APPEND objects ${runtime})
  set(images ${_images}/${name}.elf)
  _tandem_guest_image(${images} ${arch} OBJECTS ${objects} SCRIPT ${_script})
  if(_slave_script)
    list(APPEND images ${_images}/${name}.slave.elf)
    _tandem_guest_image(${_images}/${name}.slave.elf ${arch} OBJECTS ${objects}
                        SCRIPT ${_slave_script})
  endif()
  _tandem_guest_target(guest-${arch}-${name} ${arch} ${images})
  add_dependencies(guest-${arch}-${name} guest-${arch}-runtime)
endfunction()

function(tandem_boot_rom arch)
  cmake_parse_arguments(PARSE_ARGV 1 rom "" "SOURCE" "")
  _tandem_guest_tools(${arch})
  get_filename_component(source ${rom_SOURCE} ABSOLUTE)
  _tandem_guest_object(object ${arch} boot_rom ${source})
  set(linked ${_objects}/boot_rom.elf)
  _tandem_guest_image(${linked} ${arch} OBJECTS ${object} FLAGS -Wl,-Ttext=${_rom_address})
  get_filename_component(format ${_rom} LAST_EXT)
  string(REGEX REPLACE "gcc$" "objcopy" objcopy ${_compiler})
  if(format STREQUAL ".bin")
    set(command ${objcopy} -O binary)
  else()
    set(command ${CMAKE_COMMAND} -E copy)
  endif()
  file(MAKE_DIRECTORY ${_images})
  add_custom_command(
    OUTPUT ${_images}/${_rom}
    COMMAND ${command} ${linked} ${_images}/${_rom}
    DEPENDS ${linked}
    COMMENT "Guest image ${arch}/${_rom}"
    VERBATIM)
  _tandem_guest_target(guest-${arch}-boot_rom ${arch} ${_images}/${_rom})
endfunction()
