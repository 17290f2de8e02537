# SPDX-License-Identifier: Apache-2.0
set(_tool riscv64-unknown-elf-gcc)
set(_package gcc-riscv64-unknown-elf)
# By the specification 2.2, CSRs belong to the basic instructions; newer names find no libgcc.
# RAM begins at 0x80000000, which is out of reach for the code model medlow.
set(_machine -march=rv64imac -misa-spec=2.2 -mabi=lp64 -mcmodel=medany)
set(_rom boot_rom.elf)
set(_rom_address 0x20000000)
