/* SPDX-License-Identifier: Apache-2.0 */
/* boot_report by another name, to tell two images apart that are booted in turn. */
#define NAME "boot_second"
#include "boot_report.c"
