/* SPDX-License-Identifier: Apache-2.0 */
/* Inputs of the machines' interrupt controllers on which they have nothing themselves. */
#ifndef INPUTS_H
#define INPUTS_H

/* One that the I/O APIC, the GIC and the NVIC have; above 16 there are no ISA interrupts. */
#define INPUT_LEVEL 20
#define INPUT_EDGE 21

#endif
