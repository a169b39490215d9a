#include "libs/service/doors.hpp"

#include <gtest/gtest.h>

namespace vigia::service {
namespace {

std::string error_of(const std::string& text) {
  const auto file = ConfigFile::parse(text, "c.yaml");
  EXPECT_TRUE(file.has_value()) << file.error().message;
  read_listen(file->root().child("listen"), "127.0.0.1:1");
  read_server_tls(file->root().child("tls"));
  const auto finished = file->finish();
  return finished ? "" : finished.error().message;
}

TEST(Doors, AListenAddressHasAHostAndAPort) {
  for (const char* good : {"127.0.0.1:8090", "0.0.0.0:0", "localhost:65535", "[::1]:80", ":80"}) {
    EXPECT_EQ(error_of(std::string("listen: \"") + good + "\""), "") << good;
  }
  EXPECT_EQ(error_of("{}"), "") << "the default";
  for (const char* bad : {"0.0.0.0", "25102", "127.0.0.1:", "a:b", "a:65536", "::1", "a:1x"}) {
    EXPECT_EQ(
        error_of(std::string("\nlisten: \"") + bad + "\""),
        std::string("c.yaml:2: listen: \"") + bad + "\" is not host:port, such as 127.0.0.1:8090");
  }
}

TEST(Doors, ACertificateThatIsNotThereIsToldWithItsLine) {
  EXPECT_EQ(error_of("tls:\n  cert_file: /proc/self/maps\n  key_file: /nope/key.pem"),
            "c.yaml:3: tls.key_file: /nope/key.pem cannot be opened: No such file or directory");
  EXPECT_EQ(error_of("tls: {cert_file: /proc/self/maps, key_file: /proc/self/maps}"), "");
}

}  // namespace
}  // namespace vigia::service
