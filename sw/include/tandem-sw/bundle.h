/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Several images in one input file for the platform: a header, then the files one
 * after the other, each at a multiple of 16 bytes; little-endian.
 * tests/integration/bundle.py writes it.
 */
#ifndef TANDEM_SW_BUNDLE_H
#define TANDEM_SW_BUNDLE_H

#include <stdint.h>

#define BUNDLE_MAGIC 0x4c444e42 /* "BNDL" */
#define BUNDLE_IMAGES 8

struct bundle {
  uint32_t magic;
  uint32_t count;
  struct bundle_image {
    char name[24];   /* of the program; ends with a zero */
    uint32_t offset; /* from the start of the bundle */
    uint32_t size;
  } images[BUNDLE_IMAGES];
};

#endif /* TANDEM_SW_BUNDLE_H */
