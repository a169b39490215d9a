#include "libs/service/doors.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace vigia::service {
namespace {

std::string error_of(const std::string& text) {
  const auto file = ConfigFile::parse(text, "c.yaml");
  EXPECT_TRUE(file.has_value()) << file.error().message;
  read_listen(file->root().child("listen"), "127.0.0.1:1");
  read_server_tls(file->root().child("tls"));
  read_client_tls(file->root().child("client"));
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

TEST(Doors, AUrlIsReadWithoutItsLastSlashes) {
  struct Case {
    const char* text;
    bool is_required;
    const char* url;
    const char* error;
  };
  const Case cases[] = {
      {"url: http://a:1//", true, "http://a:1", ""},
      {"url: https://a/b/", false, "https://a/b", ""},
      {"{}", false, "", ""},
      {"{}", true, "", "is required"},
      {"url: ftp://a", false, "ftp://a", "must begin with http:// or https://"},
      {"url: a:1", true, "a:1", "must begin with http:// or https://"},
  };
  for (const Case& one : cases) {
    const auto file = ConfigFile::parse(one.text, "c.yaml");
    ASSERT_TRUE(file.has_value()) << file.error().message;
    EXPECT_EQ(read_url(file->root().child("url"), one.is_required), one.url) << one.text;
    const auto finished = file->finish();
    const std::string error = finished ? "" : finished.error().message;
    EXPECT_EQ(error.empty(), std::string_view(one.error).empty()) << one.text << ": " << error;
    EXPECT_NE(error.find(one.error), std::string::npos) << error;
  }
}

TEST(Doors, AClientsCertificateAndItsKeyGoTogether) {
  EXPECT_EQ(error_of("client: {ca_file: /proc/self/maps}"), "");
  EXPECT_EQ(error_of("client: {cert_file: /proc/self/maps, key_file: /proc/self/maps}"), "");
  EXPECT_EQ(error_of("client: {cert_file: /proc/self/maps}"),
            "c.yaml:1: client: cert_file and key_file go together");
}

TEST(Doors, ACertificateThatIsNotThereIsToldWithItsLine) {
  EXPECT_EQ(error_of("tls:\n  cert_file: /proc/self/maps\n  key_file: /nope/key.pem"),
            "c.yaml:3: tls.key_file: /nope/key.pem cannot be opened: No such file or directory");
  EXPECT_EQ(error_of("tls: {cert_file: /proc/self/maps, key_file: /proc/self/maps}"), "");
  EXPECT_EQ(error_of("tls:\n  cert_file: /proc/self/maps\n  key_file: /proc/self/maps\n"
                     "  client_ca_file: /nope/ca.pem"),
            "c.yaml:4: tls.client_ca_file: /nope/ca.pem cannot be opened: No such file or "
            "directory");
}

// Keys as the OpenTelemetry Collector has them.
TEST(Doors, VersionsOfTlsAndHowItsFilesAreWatchedHaveKeys) {
  const auto read = [](const std::string& keys) {
    const auto file = ConfigFile::parse(
        "tls: {cert_file: /proc/self/maps, key_file: /proc/self/maps" + keys + "}", "c.yaml");
    auto tls = read_server_tls(file->root().child("tls"));
    if (const auto finished = file->finish(); !finished) return finished.error().message;
    return fmt::format("{} {} {} {}", static_cast<int>(tls->min_version),
                       static_cast<int>(tls->max_version), tls->watches_client_ca,
                       tls->look_interval / std::chrono::seconds(1));
  };
  EXPECT_EQ(read(""), "0 1 true 1");
  EXPECT_EQ(read(", min_version: \"1.3\", reload_interval: 1h, client_ca_file_reload: false"),
            "1 1 false 3600");
  EXPECT_EQ(read(", max_version: \"1.2\""), "0 0 true 1");
  EXPECT_EQ(read(", min_version: \"1.1\""),
            "c.yaml:1: tls.min_version: must be \"1.2\" or \"1.3\": older TLS is not spoken");
  EXPECT_EQ(read(", min_version: \"1.3\", max_version: \"1.2\""),
            "c.yaml:1: tls.max_version: is below min_version");
  EXPECT_EQ(read(", reload_interval: 10ms"),
            "c.yaml:1: tls.reload_interval: must be from 1s to 24h");
}

}  // namespace
}  // namespace vigia::service
