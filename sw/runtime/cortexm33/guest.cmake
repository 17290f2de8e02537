# SPDX-License-Identifier: Apache-2.0
set(_tool arm-none-eabi-gcc)
set(_package gcc-arm-none-eabi)
set(_machine -mcpu=cortex-m33+nodsp -mfloat-abi=soft -mthumb)
list(APPEND _parts runtime/cortexm)
set(_slave_script ${_sw}/runtime/cortexm33/slave.ld)
set(_rom boot_rom.elf)
set(_rom_address 0x10000000)
