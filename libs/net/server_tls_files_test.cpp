// Certificates that are replaced while the server runs.
#include <filesystem>
#include <future>
#include <mutex>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/base/testing/temporary_folder.hpp"
#include "libs/net/testing/server_test_fixture.hpp"

namespace vigia::net {
namespace {

namespace fs = std::filesystem;
using internal::eventually;
using testing::HasSubstr;

class TlsFilesTest : public ServerTest {
 protected:
  TlsFilesTest() {
    replace(first_);
    settings_.tls = TlsServerSettings{cert_, key_};
    settings_.on_tls_read = [this](const Result<std::int64_t>& expires_s) {
      const std::lock_guard lock(mutex_);
      if (expires_s) {
        expires_s_.push_back(*expires_s);
      } else {
        faults_.push_back(expires_s.error().message);
      }
    };
  }
  ~TlsFilesTest() override { server_.reset(); }  // which tells of its files until then

  // As one does who renews: a new file under another name, then renamed.
  void put(const std::string& from, const std::string& to) {
    fs::copy_file(from, to + ".new", fs::copy_options::overwrite_existing);
    fs::rename(to + ".new", to);
  }
  void replace(const TlsServerSettings& pair) {
    put(pair.cert_file, cert_);
    put(pair.key_file, key_);
  }
  // Whose certificate a connection that begins now is shown: "CN = first".
  std::string shown() {
    return internal::run("openssl s_client -connect " + server_->address() +
                         " < /dev/null 2> /dev/null | openssl x509 -noout -subject");
  }
  bool is_shown(const std::string& name) {
    return eventually([&] { return shown().ends_with(name + "\n"); });
  }
  std::size_t reads() {
    const std::lock_guard lock(mutex_);
    return expires_s_.size();
  }
  std::vector<std::string> faults() {
    const std::lock_guard lock(mutex_);
    return faults_;
  }

  const TlsServerSettings first_ = internal::make_client_certificate("first");
  const TlsServerSettings second_ = internal::make_client_certificate("second");
  TemporaryFolder folder_;
  const std::string cert_ = folder_.file("cert.pem");
  const std::string key_ = folder_.file("key.pem");
  ServerSettings settings_ = small_settings();
  std::mutex mutex_;
  std::vector<std::int64_t> expires_s_;
  std::vector<std::string> faults_;
};

TEST_F(TlsFilesTest, NewConnectionsSeeANewPairAndOpenOnesGoOn) {
  std::promise<Responder> asked;
  handler_.on_handle = [&](const Request& request, Responder responder) {
    if (request.path == "/slow") return asked.set_value(std::move(responder));
    responder.send({});
  };
  start(settings_);
  ASSERT_TRUE(is_shown("first"));
  auto slow = std::async(std::launch::async, [&] {
    return internal::run("curl -sS -k -m 30 -w '%{http_code}' https://" + server_->address() +
                         "/slow");
  });
  Responder responder = asked.get_future().get();
  replace(second_);
  EXPECT_TRUE(is_shown("second"));
  responder.send({});
  EXPECT_EQ(slow.get(), "200");
  EXPECT_EQ(reads(), 2U);
  EXPECT_TRUE(faults().empty());
  // Two days from when they were made.
  const std::int64_t now_s = SystemClock().wall_ms() / 1'000;
  EXPECT_NEAR(static_cast<double>(expires_s_.front() - now_s), 2 * 86'400, 3'600);
}

TEST_F(TlsFilesTest, APairThatDoesNotFitLeavesTheOldOneAndIsTold) {
  start(settings_);
  put(second_.cert_file, cert_);  // the key is still that of the first
  EXPECT_TRUE(eventually([&] { return !faults().empty(); }));
  EXPECT_TRUE(shown().ends_with("first\n"));
  ASSERT_EQ(faults().size(), 1U);
  EXPECT_THAT(faults()[0], HasSubstr(key_));
  put(second_.key_file, key_);
  EXPECT_TRUE(is_shown("second"));
  EXPECT_EQ(faults().size(), 1U) << "what cannot be used is told once";
  fs::remove(key_);
  EXPECT_TRUE(eventually([&] { return faults().size() == 2; }));
  EXPECT_TRUE(shown().ends_with("second\n"));
  replace(first_);
  EXPECT_TRUE(is_shown("first"));
}

TEST_F(TlsFilesTest, FilesBehindALinkAreSeenWhenItLeadsElsewhere) {
  for (const auto& [name, pair] : {std::pair("1", first_), {"2", second_}}) {
    fs::create_directory(folder_.file(name));
    fs::copy_file(pair.cert_file, folder_.file(name) + "/cert.pem");
    fs::copy_file(pair.key_file, folder_.file(name) + "/key.pem");
  }
  const std::string link = folder_.file("now");
  fs::create_directory_symlink(folder_.file("1"), link);
  settings_.tls = TlsServerSettings{link + "/cert.pem", link + "/key.pem"};
  start(settings_);
  ASSERT_TRUE(is_shown("first"));
  fs::create_directory_symlink(folder_.file("2"), link + ".new");
  fs::rename(link + ".new", link);
  EXPECT_TRUE(is_shown("second"));
}

TEST_F(TlsFilesTest, WhoSignsClientsCanBeReplacedToo) {
  const std::string authority = folder_.file("ca.pem");
  put(first_.cert_file, authority);
  settings_.tls->client_ca_file = authority;
  start(settings_);
  const auto is_let_in = [&](const TlsServerSettings& client) {
    return internal::run("curl -sS -k -m 20 --cert " + client.cert_file + " --key " +
                         client.key_file + " https://" + server_->address() + "/x") ==
           "GET /x? 1 0";
  };
  EXPECT_TRUE(is_let_in(first_));
  EXPECT_FALSE(is_let_in(second_));
  put(second_.cert_file, authority);
  EXPECT_TRUE(eventually([&] { return is_let_in(second_); }));
  EXPECT_FALSE(is_let_in(first_));
}

TEST_F(TlsFilesTest, AnAuthorityThatIsNotWatchedIsReadWithTheNextPair) {
  const std::string authority = folder_.file("ca.pem");
  put(first_.cert_file, authority);
  settings_.tls->client_ca_file = authority;
  settings_.tls->watches_client_ca = false;
  start(settings_);
  const auto is_let_in = [&](const TlsServerSettings& client) {
    return internal::run("curl -sS -k -m 20 --cert " + client.cert_file + " --key " +
                         client.key_file + " https://" + server_->address() + "/x") ==
           "GET /x? 1 0";
  };
  put(second_.cert_file, authority);
  std::this_thread::sleep_for(3 * settings_.tls->look_interval);
  EXPECT_TRUE(is_let_in(first_));
  replace(second_);
  EXPECT_TRUE(eventually([&] { return is_let_in(second_); }));
  EXPECT_FALSE(is_let_in(first_));
}

// A client that can speak nothing newer is told so in the handshake.
TEST_F(TlsFilesTest, OnlyVersionsBetweenTheTwoAreSpoken) {
  settings_.tls->min_version = TlsVersion::k13;
  std::vector<std::string> whys;
  settings_.on_tls_refused = [&](std::string_view, std::string_view why) {
    const std::lock_guard lock(mutex_);
    whys.emplace_back(why);
  };
  start(settings_);
  const auto ask = [&](const std::string& words) {
    return internal::run("curl -sS -k -m 20 " + words + " https://" + server_->address() + "/x");
  };
  EXPECT_EQ(ask("--tlsv1.3"), "GET /x? 1 0");
  EXPECT_THAT(ask("--tls-max 1.2"), HasSubstr("alert protocol version"));
  const std::lock_guard lock(mutex_);
  EXPECT_THAT(whys, testing::ElementsAre(HasSubstr("unsupported protocol")));
}

}  // namespace
}  // namespace vigia::net
