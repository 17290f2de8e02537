# SPDX-License-Identifier: Apache-2.0
#
# Bare-metal guests in a native CMake build: cross compilers are called by
# custom commands, one for each object, with dependency files.
#
#   tandem_guest(NAME ARCH SOURCES file...)
#
# builds ${PROJECT_BINARY_DIR}/guests/ARCH/NAME.elf out of these sources and the
# runtime of ARCH (x86_64, arm, aarch64, cortexm), and installs it to
# share/tandem/guests/ARCH. All guests belong to the target `guests`. On cortexm, whose
# RAM lies elsewhere when a master boots it, there is NAME.slave.elf as well.
#
#   tandem_boot_rom(ARCH SOURCE file)
#
# builds and installs the boot ROM of ARCH beside them, in the format that QEMU's machine
# takes.

set(TANDEM_GUEST_ARCHS x86_64 arm aarch64 cortexm)
set(_guest_runtime ${CMAKE_CURRENT_SOURCE_DIR}/runtime)

set(_guest_tool_x86_64 x86_64-linux-gnu-gcc)
set(_guest_tool_arm arm-none-eabi-gcc)
set(_guest_tool_aarch64 aarch64-linux-gnu-gcc)
set(_guest_tool_cortexm arm-none-eabi-gcc)
set(_guest_package_x86_64 gcc-x86-64-linux-gnu)
set(_guest_package_arm gcc-arm-none-eabi)
set(_guest_package_aarch64 gcc-aarch64-linux-gnu)
set(_guest_package_cortexm gcc-arm-none-eabi)

set(_guest_flags_x86_64 -m64 -mno-red-zone -mgeneral-regs-only -fcf-protection=none)
set(_guest_flags_arm -mcpu=cortex-a15 -marm -mfloat-abi=soft)
set(_guest_flags_aarch64 -mcpu=cortex-a53 -mgeneral-regs-only -mno-outline-atomics)
set(_guest_flags_cortexm -mcpu=cortex-m3 -mthumb)

set(_guest_flags
  -std=gnu11 -O2 -g -ffreestanding -fno-builtin-printf -fno-pic -fno-pie -fno-stack-protector
  -fno-asynchronous-unwind-tables -fno-tree-loop-distribute-patterns -ffunction-sections
  -fdata-sections "-ffile-prefix-map=${PROJECT_SOURCE_DIR}/="
  "-ffile-prefix-map=${PROJECT_BINARY_DIR}=." ${TANDEM_WARNINGS})
set(_guest_includes
  -I${CMAKE_CURRENT_SOURCE_DIR}/include -I${_guest_runtime}
  -I${PROJECT_SOURCE_DIR}/tlm-models/include)
set(_guest_link_flags
  -nostdlib -static -no-pie -Wl,--build-id=none -Wl,--gc-sections -Wl,--no-warn-rwx-segments
  -Wl,--fatal-warnings)

file(GLOB _guest_common CONFIGURE_DEPENDS
     ${_guest_runtime}/common/*.c ${CMAKE_CURRENT_SOURCE_DIR}/rpmsg/*.c)
foreach(part x86_64 arm aarch64 cortexm virt)
  file(GLOB _guest_part_${part} CONFIGURE_DEPENDS
       ${_guest_runtime}/${part}/*.c ${_guest_runtime}/${part}/*.S)
endforeach()
set(_guest_sources_x86_64 ${_guest_part_x86_64})
set(_guest_sources_arm ${_guest_part_arm} ${_guest_part_virt})
set(_guest_sources_aarch64 ${_guest_part_aarch64} ${_guest_part_virt})
set(_guest_sources_cortexm ${_guest_part_cortexm})
set(_guest_script_x86_64 ${_guest_runtime}/x86_64/link.ld)
set(_guest_script_arm ${_guest_runtime}/virt/link.ld)
set(_guest_script_aarch64 ${_guest_runtime}/virt/link.ld)
set(_guest_script_cortexm ${_guest_runtime}/cortexm/link.ld)
set(_guest_slave_script_cortexm ${_guest_runtime}/cortexm/slave.ld)

set(_guest_rom_x86_64 boot_rom.bin)
set(_guest_rom_arm boot_rom.bin)
set(_guest_rom_aarch64 boot_rom.bin)
set(_guest_rom_cortexm boot_rom.elf)
set(_guest_rom_address_x86_64 0xf0000)
set(_guest_rom_address_arm 0)
set(_guest_rom_address_aarch64 0)
set(_guest_rom_address_cortexm 0)

foreach(arch IN LISTS TANDEM_GUEST_ARCHS)
  find_program(TANDEM_GUEST_CC_${arch} ${_guest_tool_${arch}}
               DOC "C compiler for bare-metal ${arch} guests")
  if(NOT TANDEM_GUEST_CC_${arch})
    message(FATAL_ERROR "The ${arch} guests need ${_guest_tool_${arch}}: install the Debian "
            "package ${_guest_package_${arch}}, or configure with -DTANDEM_GUESTS=OFF.")
  endif()
endforeach()

# Compiles one source for one architecture; the object's path goes to `result`.
function(_tandem_guest_object result arch source)
  file(RELATIVE_PATH relative ${CMAKE_CURRENT_SOURCE_DIR} ${source})
  set(object ${CMAKE_CURRENT_BINARY_DIR}/objects/${arch}/${relative}.o)
  get_filename_component(folder ${object} DIRECTORY)
  file(MAKE_DIRECTORY ${folder})
  add_custom_command(
    OUTPUT ${object}
    COMMAND ${TANDEM_GUEST_CC_${arch}} ${_guest_flags} ${_guest_flags_${arch}} ${_guest_includes}
            -MD -MF ${object}.d -MT ${object} -c ${source} -o ${object}
    DEPENDS ${source}
    DEPFILE ${object}.d
    COMMENT "Guest object ${arch}/${relative}"
    VERBATIM)
  set(${result} ${object} PARENT_SCOPE)
endfunction()

# The runtime's objects are shared by all programs of an architecture.
foreach(arch IN LISTS TANDEM_GUEST_ARCHS)
  set(_guest_objects_${arch})
  set(sources ${_guest_common} ${_guest_sources_${arch}})
  if(arch STREQUAL "x86_64")
    list(FILTER sources EXCLUDE REGEX "/fault_access\\.c$")
  endif()
  foreach(source IN LISTS sources)
    _tandem_guest_object(object ${arch} ${source})
    list(APPEND _guest_objects_${arch} ${object})
  endforeach()
endforeach()

# Makes a file of guests/ARCH part of `guests` and of the installation.
function(_tandem_guest_installed arch file)
  set_property(GLOBAL APPEND PROPERTY TANDEM_GUEST_IMAGES ${file})
  install(FILES ${file} DESTINATION ${CMAKE_INSTALL_DATADIR}/tandem/guests/${arch})
endfunction()

# Links objects to an image of the architecture, with further arguments for the linker.
function(_tandem_guest_image image arch)
  cmake_parse_arguments(PARSE_ARGV 2 image "" "SCRIPT" "OBJECTS;FLAGS")
  set(script)
  if(image_SCRIPT)
    set(script -T ${image_SCRIPT})
  endif()
  get_filename_component(name ${image} NAME)
  get_filename_component(folder ${image} DIRECTORY)
  file(MAKE_DIRECTORY ${folder})
  add_custom_command(
    OUTPUT ${image}
    COMMAND ${TANDEM_GUEST_CC_${arch}} ${_guest_flags_${arch}} ${_guest_link_flags}
            ${image_FLAGS} ${script} ${image_OBJECTS} -lgcc -o ${image}
    DEPENDS ${image_OBJECTS} ${image_SCRIPT}
    COMMENT "Guest image ${arch}/${name}"
    VERBATIM)
endfunction()

function(tandem_guest name arch)
  cmake_parse_arguments(PARSE_ARGV 2 guest "" "" "SOURCES")
  set(objects)
  foreach(source IN LISTS guest_SOURCES)
    get_filename_component(source ${source} ABSOLUTE)
    _tandem_guest_object(object ${arch} ${source})
    list(APPEND objects ${object})
  endforeach()
  list(APPEND objects ${_guest_objects_${arch}})
  set(image ${PROJECT_BINARY_DIR}/guests/${arch}/${name})
  _tandem_guest_image(${image}.elf ${arch} OBJECTS ${objects} SCRIPT ${_guest_script_${arch}})
  _tandem_guest_installed(${arch} ${image}.elf)
  if(_guest_slave_script_${arch})
    _tandem_guest_image(${image}.slave.elf ${arch} OBJECTS ${objects}
                        SCRIPT ${_guest_slave_script_${arch}})
    _tandem_guest_installed(${arch} ${image}.slave.elf)
  endif()
endfunction()

function(tandem_boot_rom arch)
  cmake_parse_arguments(PARSE_ARGV 1 rom "" "SOURCE" "")
  get_filename_component(source ${rom_SOURCE} ABSOLUTE)
  _tandem_guest_object(object ${arch} ${source})
  set(linked ${CMAKE_CURRENT_BINARY_DIR}/objects/${arch}/boot_rom.elf)
  set(rom ${PROJECT_BINARY_DIR}/guests/${arch}/${_guest_rom_${arch}})
  _tandem_guest_image(${linked} ${arch} OBJECTS ${object}
                      FLAGS -Wl,-Ttext=${_guest_rom_address_${arch}})
  get_filename_component(format ${rom} LAST_EXT)
  string(REGEX REPLACE "gcc$" "objcopy" objcopy ${TANDEM_GUEST_CC_${arch}})
  if(format STREQUAL ".bin")
    set(command ${objcopy} -O binary)
  else()
    set(command ${CMAKE_COMMAND} -E copy)
  endif()
  add_custom_command(
    OUTPUT ${rom}
    COMMAND ${command} ${linked} ${rom}
    DEPENDS ${linked}
    COMMENT "Guest image ${arch}/${_guest_rom_${arch}}"
    VERBATIM)
  _tandem_guest_installed(${arch} ${rom})
endfunction()
