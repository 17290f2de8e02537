/* SPDX-License-Identifier: Apache-2.0 */
/* The few functions of the C library that guests have; usual meanings. */
#ifndef TANDEM_SW_STRING_H
#define TANDEM_SW_STRING_H

#include <stddef.h>

void *memcpy(void *restrict destination, const void *restrict source, size_t size);
void *memmove(void *destination, const void *source, size_t size);
void *memset(void *destination, int byte, size_t size);
int memcmp(const void *left, const void *right, size_t size);
size_t strlen(const char *text);
int strcmp(const char *left, const char *right);
int strncmp(const char *left, const char *right, size_t size);

#endif /* TANDEM_SW_STRING_H */
