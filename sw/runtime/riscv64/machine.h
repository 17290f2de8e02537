/* SPDX-License-Identifier: Apache-2.0 */
/* Between the two source files of riscv64. */
#ifndef TANDEM_SW_RISCV64_MACHINE_H
#define TANDEM_SW_RISCV64_MACHINE_H

/* The PLIC has an interrupt for this CPU. */
void riscv_external_interrupt(void);

#endif /* TANDEM_SW_RISCV64_MACHINE_H */
