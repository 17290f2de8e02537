/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A guest program's frame: what it defines, and how it ends.
 *
 * Programs print "RESULT key value" lines for scripts. Statuses: 0 good, 1 a
 * check failed, 2 wrong parameters, 255 an unexpected fault.
 */
#ifndef TANDEM_SW_SYSTEM_H
#define TANDEM_SW_SYSTEM_H

#include <stdbool.h>
#include <stdint.h>

/* Defined by the program. guest_main() runs on the primary CPU with interrupts
 * enabled; what it returns goes to platform_exit(). */
extern const char guest_name[];
int guest_main(void);

/* A program that uses the IDM defines it as true: then the runtime looks for the IDM at start,
 * takes the parameters of its own participant only ("1.n=5") and those of a slave that a master
 * boots, and platform_exit() ends the simulation. Without it the addresses of the IDM are not
 * touched. */
extern const bool guest_uses_idm;

/* Stops this CPU for ever, interrupts off. */
__attribute__((noreturn)) void halt(void);

/* Prints "EXIT status" and asks the platform, through the IDM, to end the whole
 * simulation with this status. With the parameter exit=0 it only halts, so that
 * other guests go on. Without an IDM, or in a program that does not use it, it powers the machine
 * off. */
__attribute__((noreturn)) void platform_exit(int status);

/* The machine's own way; cortexm has none and halts. */
__attribute__((noreturn)) void power_off(void);

/* Asks for a reset of the machine. */
__attribute__((noreturn)) void machine_reset(void);

/* Starts another CPU, which calls function(argument) with interrupts disabled
 * and halts when it returns. False when there is no such CPU or no such facility. */
bool cpu_start(unsigned cpu, void (*function)(void *argument), void *argument);

/* Index of the calling CPU, 0 for the primary. */
unsigned cpu_index(void);

#endif /* TANDEM_SW_SYSTEM_H */
