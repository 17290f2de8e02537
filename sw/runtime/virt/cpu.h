/* SPDX-License-Identifier: Apache-2.0 */
/* System registers that the machine `virt` needs, in 32 and 64 bits. */
#ifndef TANDEM_SW_VIRT_CPU_H
#define TANDEM_SW_VIRT_CPU_H

#include <stdint.h>

#ifdef __aarch64__

#define READ_SYSTEM(name, text32, text64)                                                          \
  static inline uint64_t name(void)                                                                \
  {                                                                                                \
    uint64_t value;                                                                                \
    __asm__ volatile("isb; mrs %0, " text64 : "=r"(value)::"memory");                              \
    return value;                                                                                  \
  }
#define WRITE_SYSTEM(name, text32, text64)                                                         \
  static inline void name(uint64_t value)                                                          \
  {                                                                                                \
    __asm__ volatile("msr " text64 ", %0; isb" ::"r"(value) : "memory");                           \
  }
#define READ_SYSTEM_64 READ_SYSTEM
#define WRITE_SYSTEM_64 WRITE_SYSTEM

#else

#define READ_SYSTEM(name, text32, text64)                                                          \
  static inline uint32_t name(void)                                                                \
  {                                                                                                \
    uint32_t value;                                                                                \
    __asm__ volatile("isb; mrc " text32 : "=r"(value)::"memory");                                  \
    return value;                                                                                  \
  }
#define WRITE_SYSTEM(name, text32, text64)                                                         \
  static inline void name(uint32_t value)                                                          \
  {                                                                                                \
    __asm__ volatile("mcr " text32 "; isb" ::"r"(value) : "memory");                               \
  }
#define READ_SYSTEM_64(name, text32, text64)                                                       \
  static inline uint64_t name(void)                                                                \
  {                                                                                                \
    uint64_t value;                                                                                \
    __asm__ volatile("isb; mrrc " text32 : "=r"(value)::"memory");                                 \
    return value;                                                                                  \
  }
#define WRITE_SYSTEM_64(name, text32, text64)                                                      \
  static inline void name(uint64_t value)                                                          \
  {                                                                                                \
    __asm__ volatile("mcrr " text32 "; isb" ::"r"(value) : "memory");                              \
  }

#endif

READ_SYSTEM(cpu_read_frequency, "p15, 0, %0, c14, c0, 0", "cntfrq_el0")
READ_SYSTEM(cpu_read_affinity, "p15, 0, %0, c0, c0, 5", "mpidr_el1")
READ_SYSTEM_64(cpu_read_count, "p15, 1, %Q0, %R0, c14", "cntvct_el0")
WRITE_SYSTEM_64(cpu_write_compare, "p15, 3, %Q0, %R0, c14", "cntv_cval_el0")
WRITE_SYSTEM(cpu_write_timer_control, "p15, 0, %0, c14, c3, 1", "cntv_ctl_el0")

/* Firmware call; QEMU implements PSCI itself. */
static inline long cpu_hypervisor_call(unsigned long function, unsigned long a, unsigned long b,
                                       unsigned long c)
{
#ifdef __aarch64__
  register unsigned long x0 __asm__("x0") = function;
  register unsigned long x1 __asm__("x1") = a;
  register unsigned long x2 __asm__("x2") = b;
  register unsigned long x3 __asm__("x3") = c;
#else
  register unsigned long x0 __asm__("r0") = function;
  register unsigned long x1 __asm__("r1") = a;
  register unsigned long x2 __asm__("r2") = b;
  register unsigned long x3 __asm__("r3") = c;
#endif
  __asm__ volatile("hvc #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)::"memory");
  return (long)x0;
}

#endif /* TANDEM_SW_VIRT_CPU_H */
