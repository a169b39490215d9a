#include "libs/net/basic_auth.hpp"

#include <gtest/gtest.h>

namespace vigia::net {
namespace {

TEST(BasicAuth, ThePasswordWhateverTheUser) {
  EXPECT_EQ(basic_password("Basic dG9rZW46dmdfMQ=="), "vg_1");  // token:vg_1
  EXPECT_EQ(basic_password("bAsIc OnZnXzE6Mg"), "vg_1:2");      // :vg_1:2
  for (const char* wrong : {"", "Basic", "Basic ", "Basic dG9rZW46", "Basic dG9rZW4=", "Basic %%%",
                            "Bearer dG9rZW46dmdfMQ==", "Basic  dG9rZW46dmdfMQ=="}) {
    EXPECT_FALSE(basic_password(wrong).has_value()) << wrong;
  }
}

}  // namespace
}  // namespace vigia::net
