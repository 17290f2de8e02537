/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The architecture that a program is compiled for, and its machine: the addresses and interrupt
 * numbers that machine.h describes, and in a few inline functions the instructions that C lacks.
 * One header for each in arch/.
 *
 *   irq_enable(), irq_disable()
 *   irq_save()            disables interrupts; the result is 1 if they were enabled, else 0
 *   wait_for_interrupt()  see irq.h
 *   memory_barrier()      orders all earlier memory and device accesses before all later ones, as
 *                         seen by other processors and devices
 *   cpu_relax()           tells the processor that a loop is polling
 *   cpu_sleep()           until an interrupt is pending
 */
#ifndef TANDEM_SW_ARCHITECTURE_H
#define TANDEM_SW_ARCHITECTURE_H

#if defined(__x86_64__)
#include "tandem-sw/arch/x86_64.h"
#elif defined(__aarch64__)
#include "tandem-sw/arch/aarch64.h"
#elif defined(__arm__) && __ARM_ARCH_PROFILE == 'A'
#include "tandem-sw/arch/arm.h"
#elif defined(__ARM_ARCH_8M_MAIN__)
#include "tandem-sw/arch/cortexm33.h"
#elif defined(__arm__) && __ARM_ARCH_PROFILE == 'M'
#include "tandem-sw/arch/cortexm.h"
#elif defined(__riscv) && __riscv_xlen == 64
#include "tandem-sw/arch/riscv64.h"
#else
#error "no machine for this architecture"
#endif

#endif /* TANDEM_SW_ARCHITECTURE_H */
