/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Atomic operations on one and two bytes. The architecture has none, and GCC before 14 calls these
 * functions of libatomic, which does not exist without an operating system.
 */
#include <stdbool.h>
#include <stdint.h>

/* Changes the part of the word at `address` that `mask` shows, and returns the whole of the old
 * one. Reads and writes are those of a loop of LR.W and SC.W, so that it is one change to all
 * others. */
#define CHANGE(address, expression)                                                                \
  uint32_t old, new, failed;                                                                       \
  do {                                                                                             \
    __asm__ volatile("lr.w.aqrl %0, %1" : "=r"(old) : "A"(*(address)) : "memory");                 \
    new = (expression);                                                                            \
    __asm__ volatile("sc.w.aqrl %0, %2, %1"                                                        \
                     : "=r"(failed), "+A"(*(address))                                              \
                     : "r"(new)                                                                    \
                     : "memory");                                                                  \
  } while (failed)

/* A value of `type` within its word. */
#define PLACE(type, pointer)                                                                       \
  uint32_t *word = (uint32_t *)((uintptr_t)(pointer) & ~(uintptr_t)3);                             \
  const unsigned shift = ((uintptr_t)(pointer)&3) * 8;                                             \
  const uint32_t mask = (uint32_t)(type)~0u << shift

#define FETCH(name, size, type, result)                                                            \
  type fetch_##name##_##size(volatile void *pointer, type value,                                   \
                             int order) __asm__("__atomic_fetch_" #name "_" #size);                \
  type fetch_##name##_##size(volatile void *pointer, type value, int order)                        \
  {                                                                                                \
    (void)order;                                                                                   \
    PLACE(type, pointer);                                                                          \
    const uint32_t operand = (uint32_t)value << shift;                                             \
    CHANGE(word, (old & ~mask) | ((result)&mask));                                                 \
    return (type)(old >> shift);                                                                   \
  }

#define EXCHANGES(size, type)                                                                      \
  type exchange_##size(volatile void *pointer, type value,                                         \
                       int order) __asm__("__atomic_exchange_" #size);                             \
  type exchange_##size(volatile void *pointer, type value, int order)                              \
  {                                                                                                \
    (void)order;                                                                                   \
    PLACE(type, pointer);                                                                          \
    CHANGE(word, (old & ~mask) | (uint32_t)value << shift);                                        \
    return (type)(old >> shift);                                                                   \
  }                                                                                                \
  bool compare_exchange_##size(volatile void *pointer, void *expected, type value, bool weak,      \
                               int success,                                                        \
                               int failure) __asm__("__atomic_compare_exchange_" #size);           \
  bool compare_exchange_##size(volatile void *pointer, void *expected, type value, bool weak,      \
                               int success, int failure)                                           \
  {                                                                                                \
    (void)weak, (void)success, (void)failure;                                                      \
    PLACE(type, pointer);                                                                          \
    type *const wanted = expected;                                                                 \
    bool same;                                                                                     \
    uint32_t old, failed;                                                                          \
    do {                                                                                           \
      failed = 0;                                                                                  \
      __asm__ volatile("lr.w.aqrl %0, %1" : "=r"(old) : "A"(*word) : "memory");                    \
      same = (type)(old >> shift) == *wanted;                                                      \
      if (same)                                                                                    \
        __asm__ volatile("sc.w.aqrl %0, %2, %1"                                                    \
                         : "=r"(failed), "+A"(*word)                                               \
                         : "r"((old & ~mask) | (uint32_t)value << shift)                           \
                         : "memory");                                                              \
    } while (failed);                                                                              \
    *wanted = (type)(old >> shift);                                                                \
    return same;                                                                                   \
  }

#define ALL(size, type)                                                                            \
  FETCH(add, size, type, old + operand)                                                            \
  FETCH(sub, size, type, old - operand)                                                            \
  FETCH(and, size, type, old &(operand | ~mask))                                                   \
  FETCH(or, size, type, old | operand)                                                             \
  FETCH(xor, size, type, old ^ operand)                                                            \
  EXCHANGES(size, type)

ALL(1, uint8_t)
ALL(2, uint16_t)
