/* SPDX-License-Identifier: Apache-2.0 */
/* Boot ROM for cortexm33: as that of cortexm, in the SSRAM of `mps2-an505` that it starts in. */
#define SSRAM_END 0x10400000
#include "cortexm.S"
