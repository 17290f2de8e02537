/* SPDX-License-Identifier: Apache-2.0 */
/* What a program that does not say otherwise is taken for. Not where it is read: the compiler would
 * take this value for the only one there is. */
#include "tandem-sw/system.h"

__attribute__((weak)) const bool guest_uses_idm = false;
