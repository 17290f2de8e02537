// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <systemc>

#ifdef __SANITIZE_ADDRESS__
#include <pthread.h>
#include <sanitizer/common_interface_defs.h>

namespace
{

/// SystemC tells the sanitizer of the stack of each process that it switches to, but not of the
/// main one when it returns there. The search for leaks would read the stack of the last process
/// in place of it, which may be unmapped by then.
void announce_main_stack()
{
  pthread_attr_t attributes;
  void *bottom = nullptr, *fake = nullptr;
  std::size_t size = 0;
  if (pthread_getattr_np(pthread_self(), &attributes) != 0)
    return;
  pthread_attr_getstack(&attributes, &bottom, &size);
  pthread_attr_destroy(&attributes);
  __sanitizer_start_switch_fiber(&fake, bottom, size);
  __sanitizer_finish_switch_fiber(fake, nullptr, nullptr);
}

} // namespace
#else
static void announce_main_stack() {}
#endif

int sc_main(int argc, char *argv[])
{
  testing::InitGoogleTest(&argc, argv);
  const int status = RUN_ALL_TESTS();
  announce_main_stack();
  return status;
}
