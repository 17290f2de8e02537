/* SPDX-License-Identifier: Apache-2.0 */
#include "tandem-sw/text.h"
#include "tandem-sw/string.h"

void text_append(char *text, size_t size, const char *more)
{
  size_t length = strlen(text), add = strlen(more);
  if (add > size - 1 - length)
    add = size - 1 - length;
  memcpy(text + length, more, add);
  text[length + add] = 0;
}

void text_append_number(char *text, size_t size, uint64_t number)
{
  char digits[24] = "";
  char *at = digits + sizeof digits - 1;
  do {
    *--at = (char)('0' + number % 10);
    number /= 10;
  } while (number);
  text_append(text, size, at);
}

const char *text_behind(const char *text, const char *word)
{
  size_t length = strlen(word);
  if (strncmp(text, word, length) || (text[length] && text[length] != ' '))
    return NULL;
  return text[length] ? text + length + 1 : text + length;
}

uint64_t text_number(const char **text)
{
  uint64_t number = 0;
  for (; **text >= '0' && **text <= '9'; ++*text)
    number = number * 10 + (uint64_t)(**text - '0');
  while (**text == ' ')
    ++*text;
  return number;
}
