/* SPDX-License-Identifier: Apache-2.0 */
/* CRC-32 as in IEEE 802.3. Start with 0; feed pieces by passing the last result. */
#ifndef TANDEM_SW_CRC32_H
#define TANDEM_SW_CRC32_H

#include <stddef.h>
#include <stdint.h>

uint32_t crc32(uint32_t crc, const void *data, size_t size);

#endif /* TANDEM_SW_CRC32_H */
