// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <systemc>
#include <tandem/time_domain.h>

using namespace tandem;

TEST(time_domain, nanoseconds_there_and_back)
{
  EXPECT_EQ(from_ns(1500), sc_core::sc_time(1.5, sc_core::SC_US));
  EXPECT_EQ(to_ns(from_ns(123456789012345)), 123456789012345u);
  EXPECT_EQ(to_ns(sc_core::sc_time(1999, sc_core::SC_PS)), 1u);
}

TEST(time_domain, nanoseconds_that_no_time_reaches)
{
  const std::uint64_t most = to_ns(sc_core::sc_max_time());
  EXPECT_LT(from_ns(most), sc_core::sc_max_time());
  EXPECT_EQ(from_ns(most + 1), sc_core::sc_max_time());
  EXPECT_EQ(from_ns(UINT64_MAX), sc_core::sc_max_time());
}
