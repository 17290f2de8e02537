/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the platform's windows lie in each machine's physical address space, and which
 * interrupt input the IDM has there. The one place for these numbers: machine.h takes those
 * of its architecture for the guests, the platforms take all of them.
 *
 * They lie where the packaged machines have nothing: below the PCI holes of pc and q35
 * (shared memory) and between them and the I/O APIC (IDM); between the secure memory and the
 * PCI window of virt; in the external RAM and device regions of Armv7-M on mps2-an385.
 */
#ifndef TANDEM_SW_GUEST_MAP_H
#define TANDEM_SW_GUEST_MAP_H

/* _SHM_LIMIT is the most that the low window shows of the shared memory. */

#define GUEST_MAP_X86_64_SHM 0x80000000
#define GUEST_MAP_X86_64_SHM_LIMIT 0x20000000 /* q35: PCI configuration space at 0xb0000000 */
#define GUEST_MAP_X86_64_IDM 0xd0000000
#define GUEST_MAP_X86_64_DEVICES 0xd2100000
#define GUEST_MAP_X86_64_IRQ 5 /* IOAPIC pin, level, active high */

#define GUEST_MAP_VIRT_SHM 0x80000000
#define GUEST_MAP_VIRT_SHM_LIMIT 0x40000000
#define GUEST_MAP_VIRT_IDM 0x0f000000
#define GUEST_MAP_VIRT_DEVICES 0x0a100000
#define GUEST_MAP_VIRT_IRQ 96 /* SPI; the interrupt controller counts it as 32 + 96 */

#define GUEST_MAP_CORTEXM_SHM 0x60000000
#define GUEST_MAP_CORTEXM_SHM_LIMIT 0x40000000
#define GUEST_MAP_CORTEXM_IDM 0xa0000000
#define GUEST_MAP_CORTEXM_DEVICES 0xa2100000
#define GUEST_MAP_CORTEXM_IRQ 29 /* external interrupt of the NVIC */

/* mps2-an505 has RAM at 0x80000000, the rest is where it is on mps2-an385. */
#define GUEST_MAP_CORTEXM33_SHM_LIMIT 0x20000000
#define GUEST_MAP_CORTEXM33_IRQ 120 /* external interrupt of the NVIC */

#define GUEST_MAP_RISCV64_SHM 0xc0000000
#define GUEST_MAP_RISCV64_SHM_LIMIT 0x40000000
#define GUEST_MAP_RISCV64_IDM 0x0f000000
#define GUEST_MAP_RISCV64_DEVICES 0x0a100000
#define GUEST_MAP_RISCV64_IRQ 63           /* source of the PLIC */
#define GUEST_MAP_RISCV64_CLINT 0x02000000 /* software interrupts and timers of all CPUs */

/*
 * _DEVICES is the place of further devices of a platform. On the platform they lie from
 * GUEST_MAP_PLATFORM_DEVICES on, and every machine sees them in this order.
 *
 * virt: between its virtio devices and its bus for added devices (arm), below the PLIC (riscv64).
 * pc and q35: what is not RAM below 4 GiB is open to PCI cards there, as IDM and shared memory are;
 * SeaBIOS places their memory from 0xfec00000 downwards, so that this is reached by cards of more
 * than 700 MiB only, and q35's configuration space ends at 0xc0000000. mps2-an385: in the device
 * region of Armv7-M behind the IDM.
 */
#define GUEST_MAP_PLATFORM_DEVICES 0x0a100000
#define GUEST_MAP_DEVICES_SIZE 0x01f00000

/*
 * The memory of a slave that a master boots: a window of the shared memory at the address at
 * which the machine has RAM, of at most _LIMIT bytes (for x86_64 less the hole of the PC's
 * video memory and firmware). Such a slave sees no other shared memory.
 */
#define GUEST_MAP_X86_64_RAM 0x0
#define GUEST_MAP_X86_64_RAM_LIMIT 0x80000000
#define GUEST_MAP_X86_64_HOLE 0xa0000
#define GUEST_MAP_X86_64_HOLE_END 0x100000
#define GUEST_MAP_VIRT_RAM 0x40000000
#define GUEST_MAP_VIRT_RAM_LIMIT 0x80000000
#define GUEST_MAP_CORTEXM_RAM 0x21000000 /* the PSRAM of mps2-an385 */
#define GUEST_MAP_CORTEXM_RAM_LIMIT 0x1000000

#define GUEST_MAP_CORTEXM33_RAM 0x80000000 /* the PSRAM of mps2-an505 */
#define GUEST_MAP_CORTEXM33_RAM_LIMIT 0x1000000
#define GUEST_MAP_RISCV64_RAM 0x80000000
#define GUEST_MAP_RISCV64_RAM_LIMIT 0x80000000

/* Machines with 64-bit addresses see all of the shared memory here as well. */
#define GUEST_MAP_SHM_HIGH 0x1000000000
#define GUEST_MAP_SHM_HIGH_LIMIT 0x800000000

/* Where in the shared memory the platform puts the bytes of an input file. */
#define GUEST_MAP_INPUT_OFFSET 0x10000

#endif /* TANDEM_SW_GUEST_MAP_H */
