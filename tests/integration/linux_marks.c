/* SPDX-License-Identifier: Apache-2.0 */
/* Marks by a program of a Linux guest: as many rounds as its argument says, or why there are none.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tandem_marks.h>

int main(int argc, char **argv)
{
  int rounds = argc > 1 ? atoi(argv[1]) : 1;

  for (int i = 0; i < rounds; ++i) {
    if (tandem_mark_begin(40) || tandem_mark_value(41, 1000u + (unsigned)i) ||
        tandem_mark_end(40)) {
      printf("no marks: %s\n", strerror(errno));
      return 1;
    }
  }
  return tandem_mark(42) != 0;
}
