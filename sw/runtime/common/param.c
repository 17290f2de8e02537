/* SPDX-License-Identifier: Apache-2.0 */
#include "tandem-sw/param.h"
#include "runtime.h"
#include "tandem-sw/console.h"
#include "tandem-sw/fault.h"
#include "tandem-sw/idm.h"
#include "tandem-sw/machine.h"
#include "tandem-sw/string.h"
#include "tandem-sw/system.h"

#define LINE_SIZE 2048

#define PAGE (MACHINE_SHM_BASE + PARAM_PAGE_OFFSET)
#define PAGE_TEXT (PAGE + 8)

static bool is_blank(char c)
{
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Digits in front of a dot name the participant: -1 for none. Moves *word on. */
static int word_owner(const char **word, const char *end)
{
  const char *at = *word;
  int owner = 0;
  while (at < end && *at >= '0' && *at <= '9')
    owner = owner * 10 + (*at++ - '0');
  if (at == *word || at == end || *at != '.')
    return -1;
  *word = at + 1;
  return owner;
}

static bool find(const char *text, size_t length, int owner, const char *name, char *value,
                 size_t size)
{
  const char *end = text + length;
  size_t name_length = strlen(name);
  while (text < end) {
    while (text < end && is_blank(*text))
      ++text;
    const char *word = text;
    while (text < end && !is_blank(*text))
      ++text;
    if (word_owner(&word, text) != owner || (size_t)(text - word) <= name_length)
      continue;
    if (memcmp(word, name, name_length) || word[name_length] != '=')
      continue;
    word += name_length + 1;
    size_t value_length = (size_t)(text - word);
    if (value_length >= size)
      value_length = size - 1;
    memcpy(value, word, value_length);
    value[value_length] = 0;
    return true;
  }
  return false;
}

static bool find_for_self(const char *text, size_t length, const char *name, char *value,
                          size_t size)
{
  if (idm_info()->present && find(text, length, (int)idm_info()->self, name, value, size))
    return true;
  return find(text, length, -1, name, value, size);
}

const char *runtime_argument_text(void)
{
  uint32_t self = idm_info()->self;
  if (!idm_info()->is_slave || !machine_argument)
    return NULL;
  uint64_t offset = machine_argument - idm_boot_read64(self, TANDEM_IDM_BOOT_RAM_LO);
  bool inside = offset < idm_boot_read64(self, TANDEM_IDM_BOOT_SIZE_LO);
  return inside ? (const char *)machine_argument : NULL;
}

/* A copy, because the program may use the memory that the text lies in. */
const char *param_line(void)
{
  static char copy[LINE_SIZE];
  static bool copied;
  const char *line = copied ? NULL : machine_command_line();
  for (size_t i = 0; line && line[i] && i < LINE_SIZE - 1; ++i)
    copy[i] = line[i];
  copied = true;
  return copy;
}

/* Length of the parameter page's text, 0 without a page; slaves see no such page. */
static size_t page_length(void)
{
  static bool looked;
  static size_t length;
  uint64_t magic, bytes;
  if (!looked && !idm_info()->is_slave && fault_read(PAGE, 4, &magic) &&
      magic == PARAM_PAGE_MAGIC && fault_read(PAGE + 4, 4, &bytes))
    length = bytes > PARAM_PAGE_SIZE - 8 ? PARAM_PAGE_SIZE - 8 : (size_t)bytes;
  looked = true;
  return length;
}

bool param_get(const char *name, char *value, size_t size)
{
  const char *line = param_line();
  if (find_for_self(line, strlen(line), name, value, size))
    return true;
  return find_for_self((const char *)PAGE_TEXT, page_length(), name, value, size);
}

static int digit_value(char c, unsigned base)
{
  int value = -1;
  if (c >= '0' && c <= '9')
    value = c - '0';
  else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
    value = (c | 0x20) - 'a' + 10;
  return value < (int)base ? value : -1;
}

static bool parse_u64(const char *text, uint64_t *value)
{
  unsigned base = 10;
  if (text[0] == '0' && (text[1] | 0x20) == 'x') {
    base = 16;
    text += 2;
  }
  const uint64_t most = base == 16 ? UINT64_MAX / 16 : UINT64_MAX / 10; // a division by constants
  const char *first = text;
  for (*value = 0; digit_value(*text, base) >= 0; ++text) {
    unsigned digit = (unsigned)digit_value(*text, base);
    if (*value > most || *value * base > UINT64_MAX - digit)
      return false;
    *value = *value * base + digit;
  }
  unsigned shift = *text == 'k' ? 10 : *text == 'M' ? 20 : *text == 'G' ? 30 : 0;
  if (text == first || text[shift != 0] || *value > UINT64_MAX >> shift)
    return false;
  *value <<= shift;
  return true;
}

/* A figure of another value than the one that was asked for is worse than none. */
static uint64_t number_or(const char *name, uint64_t fallback, uint64_t most)
{
  static bool refused; /* the end looks at parameters, too */
  char text[32];
  uint64_t value;
  if (!param_get(name, text, sizeof text))
    return fallback;
  if (parse_u64(text, &value) && value <= most)
    return value;
  if (refused)
    return fallback;
  refused = true;
  console_printf("parameter %s=%s is not a number of %u bits\n", name, text,
                 most == UINT32_MAX ? 32 : 64);
  platform_exit(2);
}

uint64_t param_u64(const char *name, uint64_t fallback)
{
  return number_or(name, fallback, UINT64_MAX);
}

uint32_t param_u32(const char *name, uint32_t fallback)
{
  return (uint32_t)number_or(name, fallback, UINT32_MAX);
}

bool param_is(const char *name, const char *value)
{
  char text[64];
  return param_get(name, text, sizeof text) && !strcmp(text, value);
}
