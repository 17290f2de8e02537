// SPDX-License-Identifier: Apache-2.0
// Simulations in processes of their own.
#pragma once

#include <cstdio>
#include <functional>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <systemc>
#include <unistd.h>

/// SystemC elaborates once in a process, so each simulation gets a process of its own.
inline void in_a_process(const std::function<void()> &action)
{
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    try {
      action();
    } catch (const sc_core::sc_report &report) {
      ADD_FAILURE() << report.get_msg();
    }
    std::fflush(nullptr);
    _exit(testing::Test::HasFailure() ? 1 : 0);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}
