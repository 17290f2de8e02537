# SPDX-License-Identifier: Apache-2.0
set(_tool aarch64-linux-gnu-gcc)
set(_package gcc-aarch64-linux-gnu)
set(_machine -mcpu=cortex-a53 -mgeneral-regs-only -mno-outline-atomics)
list(APPEND _parts runtime/virt)
set(_script ${_sw}/runtime/virt/link.ld)
