# SPDX-License-Identifier: Apache-2.0
set(_tool arm-none-eabi-gcc)
set(_package gcc-arm-none-eabi)
set(_machine -mcpu=cortex-a15 -marm -mfloat-abi=soft)
list(APPEND _parts runtime/virt)
set(_script ${_sw}/runtime/virt/link.ld)
