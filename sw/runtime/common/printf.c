/* SPDX-License-Identifier: Apache-2.0 */
#include "tandem-sw/console.h"
#include "tandem-sw/string.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct format {
  unsigned width;
  bool zeros;
  bool left;
  unsigned longs; /* how many l */
};

void console_puts(const char *text)
{
  while (*text)
    console_putc(*text++);
}

static int pad(char c, unsigned count)
{
  for (unsigned i = 0; i < count; ++i)
    console_putc(c);
  return (int)count;
}

static int put_field(const struct format *format, const char *sign, const char *text)
{
  unsigned length = (unsigned)(strlen(sign) + strlen(text));
  unsigned fill = format->width > length ? format->width - length : 0;
  if (!format->left && !format->zeros)
    pad(' ', fill);
  console_puts(sign);
  if (!format->left && format->zeros)
    pad('0', fill);
  console_puts(text);
  if (format->left)
    pad(' ', fill);
  return (int)(length + fill);
}

static int put_number(const struct format *format, const char *sign, uint64_t value, unsigned base,
                      bool capitals)
{
  char digits[24];
  char *first = digits + sizeof digits - 1;
  const char *alphabet = capitals ? "0123456789ABCDEF" : "0123456789abcdef";
  *first = 0;
  do {
    *--first = alphabet[value % base];
    value /= base;
  } while (value);
  return put_field(format, sign, first);
}

static uint64_t next_unsigned(const struct format *format, va_list *arguments)
{
  if (format->longs >= 2)
    return va_arg(*arguments, unsigned long long);
  return format->longs ? va_arg(*arguments, unsigned long) : va_arg(*arguments, unsigned);
}

static int64_t next_signed(const struct format *format, va_list *arguments)
{
  if (format->longs >= 2)
    return va_arg(*arguments, long long);
  return format->longs ? va_arg(*arguments, long) : va_arg(*arguments, int);
}

static const char *parse_format(const char *text, struct format *format)
{
  memset(format, 0, sizeof *format);
  for (; *text == '0' || *text == '-'; ++text) {
    format->zeros |= *text == '0';
    format->left |= *text == '-';
  }
  for (; *text >= '0' && *text <= '9'; ++text)
    format->width = format->width * 10 + (unsigned)(*text - '0');
  for (; *text == 'l' || *text == 'z'; ++text)
    ++format->longs;
  return text;
}

static int put_conversion(char kind, struct format *format, va_list *arguments)
{
  char one[2] = {0, 0};
  int64_t value;
  switch (kind) {
  case 'c':
    one[0] = (char)va_arg(*arguments, int);
    return put_field(format, "", one);
  case 's': {
    const char *text = va_arg(*arguments, const char *);
    return put_field(format, "", text ? text : "(null)");
  }
  case 'd':
  case 'i':
    value = next_signed(format, arguments);
    return put_number(format, value < 0 ? "-" : "",
                      value < 0 ? 0 - (uint64_t)value : (uint64_t)value, 10, false);
  case 'u':
    return put_number(format, "", next_unsigned(format, arguments), 10, false);
  case 'x':
  case 'X':
    return put_number(format, "", next_unsigned(format, arguments), 16, kind == 'X');
  case 'p':
    return put_number(format, "0x", (uintptr_t)va_arg(*arguments, void *), 16, false);
  default:
    one[0] = kind;
    return (kind == '%' ? 0 : pad('%', 1)) + put_field(format, "", one);
  }
}

int console_vprintf(const char *format, va_list arguments)
{
  int written = 0;
  va_list rest;
  va_copy(rest, arguments);
  for (; *format; ++format) {
    struct format conversion;
    if (*format != '%') {
      console_putc(*format);
      ++written;
      continue;
    }
    format = parse_format(format + 1, &conversion);
    if (!*format)
      break;
    written += put_conversion(*format, &conversion, &rest);
  }
  va_end(rest);
  return written;
}

int console_printf(const char *format, ...)
{
  va_list arguments;
  va_start(arguments, format);
  int written = console_vprintf(format, arguments);
  va_end(arguments);
  return written;
}
