# SPDX-License-Identifier: Apache-2.0
set(_tool x86_64-linux-gnu-gcc)
set(_package gcc-x86-64-linux-gnu)
set(_machine -m64 -mno-red-zone -mgeneral-regs-only -fcf-protection=none)
set(_without "/fault_access\\.c$")
set(_rom_address 0xf0000)
