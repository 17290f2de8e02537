/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guest's own clock and one-shot timer; neither uses the IDM.
 *
 * The clock counts nanoseconds from an arbitrary start in steps of 1 ns
 * (x86_64), 16 ns (arm, aarch64), 40 ns (cortexm), 50 ns (cortexm33) or 100 ns (riscv64). On x86_64
 * it takes the TSC for a 1 GHz counter, which it is when QEMU counts instructions and not
 * otherwise.
 */
#ifndef TANDEM_SW_TIME_H
#define TANDEM_SW_TIME_H

#include <stdbool.h>
#include <stdint.h>

uint64_t now_ns(void);

/* Passes time in a loop that reads the clock; interrupts are served. */
void delay_ns(uint64_t ns);

/* Passes time asleep by timer_after(); interrupts are served and do not end it. */
void sleep_ns(uint64_t ns);

/* Raises the timer interrupt once, not earlier than `ns` from now. A new call
 * replaces an earlier one. Belongs to the primary CPU. */
void timer_after(uint64_t ns);
void timer_cancel(void);

/* Whether the interrupt of the last timer_after() has been taken. */
bool timer_fired(void);

#endif /* TANDEM_SW_TIME_H */
