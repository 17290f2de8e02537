/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text on the machine's first serial port. Output is polled and complete when
 * the call returns; a newline is sent as CR LF. Input is polled too.
 */
#ifndef TANDEM_SW_CONSOLE_H
#define TANDEM_SW_CONSOLE_H

#include <stdarg.h>

void console_init(void);
void console_putc(char c);
void console_puts(const char *text); /* as given, no newline added */

/* The next character that was typed, as it arrived; -1 when there is none. */
int console_getc(void);

/* %c %s %d %i %u %x %X %p %%, with l, ll or z, a minimum width, `-` and zero
 * padding. Anything else is printed as it stands. Returns characters written. */
int console_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));
int console_vprintf(const char *format, va_list arguments);

#define printf console_printf

#endif /* TANDEM_SW_CONSOLE_H */
