/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What each supported machine looks like to its guest. The numbers are in guest_map.h and in the
 * headers of arch/.
 *
 *                x86_64        arm, aarch64     cortexm              riscv64
 * QEMU machine   pc, q35       virt (GICv2)     mps2-an385           virt
 * RAM            0             0x40000000       0x20000000           0x80000000
 * image          0x00200000    0x40200000       0 and RAM            0x80000000
 * IDM port       0xd0000000    0x0f000000       0xa0000000           0x0f000000
 * shared memory  0x80000000    0x80000000       0x60000000           0xc0000000
 *   at most      512 MiB       1 GiB            1 GiB                1 GiB
 * high alias     0x1000000000  aarch64 the same none                 0x1000000000
 *   at most      32 GiB                                              32 GiB
 * devices        0xd2100000    0x0a100000       0xa2100000           0x0a100000
 * IDM interrupt  IOAPIC pin 5  SPI 96           NVIC 29              PLIC source 63
 * console        COM1          PL011            CMSDK UART0          16550
 * clock          TSC, 1 ns     CNTVCT, 16 ns    CMSDK TIMER0, 40 ns  time, 100 ns
 *
 * cortexm33 (mps2-an505, always in the secure state) is as cortexm, but for: RAM at 0x80000000,
 * images at 0x10000000 and in RAM, at most 512 MiB of shared memory, NVIC 120, steps of 50 ns.
 *
 * SHM is the shared memory; _LIMIT is the largest size that its low window shows,
 * _HIGH_ stands for the alias that shows all of a larger one. From MACHINE_DEVICES_BASE on are the
 * further devices of a platform.
 *
 * The RAM of a slave that a master boots is at GUEST_MAP_..._RAM; its image lies at the same
 * address, on cortexm at the start of that RAM (NAME.slave.elf).
 *
 * Images, with stacks and all but the buffers of `copy`, stay below 4 MiB of
 * RAM, so that a machine with 8 MiB is large enough.
 */
#ifndef TANDEM_SW_MACHINE_H
#define TANDEM_SW_MACHINE_H

#include "tandem-sw/architecture.h"

#define MACHINE_MAX_CPUS 8

#endif /* TANDEM_SW_MACHINE_H */
