/* SPDX-License-Identifier: Apache-2.0 */
/* Puts text together in a buffer; what does not fit is cut off. */
#ifndef TANDEM_SW_TEXT_H
#define TANDEM_SW_TEXT_H

#include <stddef.h>
#include <stdint.h>

/* `text` is a string in a buffer of `size` bytes, and stays one. */
void text_append(char *text, size_t size, const char *more);
void text_append_number(char *text, size_t size, uint64_t number); /* decimal */

/* What comes behind "WORD " or "WORD" at the start of a string; NULL when it starts otherwise. */
const char *text_behind(const char *text, const char *word);

/* The decimal number at the start of *text, 0 when there is none; moves *text behind it and the
 * blanks that follow. */
uint64_t text_number(const char **text);

#endif /* TANDEM_SW_TEXT_H */
