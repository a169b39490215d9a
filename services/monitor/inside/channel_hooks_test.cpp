// The relay's judgement of answers. The whole way, with Alertmanager and hosts of bad will, is in
// tests/integration/test_channels.py.
#include "services/monitor/inside/channel_hooks.hpp"

#include <gtest/gtest.h>

namespace vigia::monitor {
namespace {

TEST(ChannelHooks, TellAlertmanagerWhetherToTryAgain) {
  for (const int taken : {200, 201, 202, 204, 299}) EXPECT_EQ(passed_status(taken), 200) << taken;
  for (const int later : {429, 500, 502, 503, 504, 599}) {
    EXPECT_EQ(passed_status(later), 503) << later;
  }
  for (const int never : {400, 401, 403, 404, 410, 413, 428, 430, 499}) {
    EXPECT_EQ(passed_status(never), never);
  }
  // Redirections are not followed, and the next try would be redirected too.
  for (const int odd : {0, 100, 199, 300, 301, 302, 307, 308, 399}) {
    EXPECT_EQ(passed_status(odd), 422) << odd;
  }
}

}  // namespace
}  // namespace vigia::monitor
