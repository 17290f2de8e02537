# SPDX-License-Identifier: Apache-2.0
set(_tool arm-none-eabi-gcc)
set(_package gcc-arm-none-eabi)
set(_machine -mcpu=cortex-m3 -mthumb)
set(_slave_script ${_sw}/runtime/cortexm/slave.ld)
set(_rom boot_rom.elf)
