/* SPDX-License-Identifier: Apache-2.0 */
/* Between the two source files of cortexm. */
#ifndef TANDEM_SW_CORTEXM_MACHINE_H
#define TANDEM_SW_CORTEXM_MACHINE_H

/* TIMER0 has wrapped around. */
void cortexm_clock_interrupt(void);

#endif /* TANDEM_SW_CORTEXM_MACHINE_H */
