#include "libs/tenancy/directory_source.hpp"

#include <atomic>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <mutex>
#include <new>
#include <thread>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "libs/base/fault.hpp"
#include "libs/base/hex.hpp"
#include "libs/base/testing/temporary_folder.hpp"
#include "libs/net/client.hpp"
#include "libs/net/server.hpp"

namespace vigia::tenancy {
namespace {

constexpr std::int64_t kNow = 1'800'000'000'000;
constexpr const char* kWithToken = "customers: [{id: a, tokens: [{token: t, scope: ingest}]}]";
constexpr const char* kWithout = "customers: [{id: a}]";

bool eventually(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (std::chrono::steady_clock::now() < deadline) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return false;
}

void write(const std::string& path, std::string_view text) {
  std::ofstream(path + ".new") << text;
  std::filesystem::rename(path + ".new", path);
}

std::string read_all(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

bool knows(const DirectorySource& source, std::string_view token) {
  const auto directory = source.current();
  return directory && directory->authenticate(token, kNow).has_value();
}

DirectorySettings file_settings(const std::string& path) {
  DirectorySettings settings;
  settings.file = path;
  settings.refresh_interval = std::chrono::milliseconds(10);
  return settings;
}

TEST(DirectorySource, ARevokedTokenGoesWithTheNextLookAtTheFile) {
  const TemporaryFolder folder;
  const std::string path = folder.file("customers.yaml");
  write(path, kWithToken);
  const auto client = net::Client::create({});
  auto source = DirectorySource::start(file_settings(path), *client);
  ASSERT_TRUE(source.has_value()) << source.error().message;
  EXPECT_TRUE(knows(**source, "t"));
  write(path, kWithout);
  EXPECT_TRUE(eventually([&] { return !knows(**source, "t"); }));
}

TEST(DirectorySource, AFileThatTurnsBadKeepsTheLastGoodOne) {
  const TemporaryFolder folder;
  const std::string path = folder.file("customers.yaml");
  write(path, kWithToken);
  const auto client = net::Client::create({});
  auto source = DirectorySource::start(file_settings(path), *client);
  ASSERT_TRUE(source.has_value());
  write(path, "customers: [");
  EXPECT_TRUE(eventually([&] { return (*source)->refresh_failures() > 0; }));
  EXPECT_TRUE(knows(**source, "t"));
  write(path, kWithout);
  EXPECT_TRUE(eventually([&] { return !knows(**source, "t"); }));
}

TEST(DirectorySource, ABadOrMissingFileAtStartIsAnError) {
  const TemporaryFolder folder;
  const auto client = net::Client::create({});
  const auto missing = DirectorySource::start(file_settings(folder.file("none")), *client);
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().code, ErrorCode::kInvalid);
  write(folder.file("bad.yaml"), "customers: 7");
  EXPECT_FALSE(DirectorySource::start(file_settings(folder.file("bad.yaml")), *client).has_value());
}

/// A snapshot as the monitor serves it: behind a token, with an ETag.
class SnapshotHandler final : public net::Handler {
 public:
  void handle(net::Request request, net::Responder responder) override {
    net::Response response;
    const std::lock_guard lock(mutex);
    if (request.headers.get("authorization") != "Bearer internal") {
      response.status = 401;
    } else if (request.headers.get("if-none-match") == etag) {
      response.status = 304;
      ++not_modified;
    } else {
      response.headers.add("etag", etag);
      response.body = body;
    }
    responder.send(std::move(response));
  }
  void put(std::string new_etag, std::string new_body) {
    const std::lock_guard lock(mutex);
    etag = std::move(new_etag);
    body = std::move(new_body);
  }
  std::mutex mutex;
  std::string etag = "\"1\"";
  std::string body = kWithToken;
  std::atomic<int> not_modified{0};
};

std::unique_ptr<net::Server> serve(net::Handler& handler) {
  net::ServerSettings settings;
  settings.name = "snapshot";
  settings.listen = "127.0.0.1:0";
  settings.loops = 1;
  auto server = net::Server::start(settings, handler);
  EXPECT_TRUE(server.has_value()) << server.error().message;
  return std::move(*server);
}

DirectorySettings url_settings(const std::string& address, const std::string& cache) {
  DirectorySettings settings;
  settings.url = "http://" + address + "/internal/snapshot";
  settings.token = "internal";
  settings.cache_file = cache;
  settings.refresh_interval = std::chrono::milliseconds(10);
  return settings;
}

/// A snapshot of the monitor with so many tokens beside `token`'s.
std::string large_snapshot(std::size_t tokens, std::string_view token) {
  std::string text = R"({"customers":[{"id":"a","tokens":[)";
  for (std::size_t i = 0; i < tokens; ++i) {
    text += R"({"token_sha256":")" + sha256_hex(std::to_string(i)) + R"(","scope":"ingest"},)";
  }
  return text + R"({"token_sha256":")" + sha256_hex(token) +
         R"(","scope":"ingest"}]}],"operators":[]})";
}

TEST(DirectorySource, FollowsTheMonitorsSnapshotAndOutlivesIt) {
  const TemporaryFolder folder;
  const std::string cache = folder.file("cache.yaml");
  const auto client = net::Client::create({});
  std::string address;
  {
    SnapshotHandler handler;
    const auto server = serve(handler);
    address = server->address();
    auto source = DirectorySource::start(url_settings(address, cache), *client);
    ASSERT_TRUE(source.has_value());
    EXPECT_TRUE(eventually([&] { return knows(**source, "t"); }));
    EXPECT_TRUE(eventually([&] { return handler.not_modified > 1; }));
    handler.put("\"2\"", large_snapshot(0, "u"));
    EXPECT_TRUE(eventually([&] { return knows(**source, "u") && !knows(**source, "t"); }));
    EXPECT_TRUE(eventually([&] { return std::filesystem::exists(cache); }));
    struct stat status{};
    ASSERT_EQ(::stat(cache.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U);
  }
  // The monitor is gone: a new start goes on from what was kept.
  auto source = DirectorySource::start(url_settings(address, cache), *client);
  ASSERT_TRUE(source.has_value());
  EXPECT_TRUE(eventually([&] { return knows(**source, "u"); }));
  EXPECT_TRUE(eventually([&] { return (*source)->refresh_failures() > 0; }));
}

/// The real client, which throws at the next request once it is told to.
class ThrowingClient final : public net::Client {
 public:
  void throw_once() { throws_ = true; }
  void close() override { client_->close(); }
  std::uint64_t send(net::ClientRequest request,
                     Task<void(Result<net::ClientResponse>)> done) override {
    if (throws_.exchange(false)) throw std::bad_alloc();
    return client_->send(std::move(request), std::move(done));
  }
  void cancel(std::uint64_t request) override { client_->cancel(request); }
  void call(net::ClientRequest request, std::string_view compression,
            Task<void(Result<net::GrpcReply>)> done) override {
    client_->call(std::move(request), compression, std::move(done));
  }

 private:
  std::atomic<bool> throws_{false};
  std::unique_ptr<net::Client> client_ = net::Client::create({});
};

TEST(DirectorySource, AFaultOfARefreshCostsThatRefreshAlone) {
  const TemporaryFolder folder;
  SnapshotHandler handler;
  const auto server = serve(handler);
  ThrowingClient client;
  auto source = DirectorySource::start(url_settings(server->address(), folder.file("c")), client);
  ASSERT_TRUE(source.has_value());
  ASSERT_TRUE(eventually([&] { return knows(**source, "t"); }));
  const std::uint64_t before = fault_count();
  client.throw_once();
  EXPECT_TRUE(eventually([&] { return fault_count() == before + 1; }));
  EXPECT_TRUE(knows(**source, "t"));
  handler.put("\"2\"", large_snapshot(0, "u"));
  EXPECT_TRUE(eventually([&] { return knows(**source, "u") && !knows(**source, "t"); }));
  EXPECT_EQ(fault_count(), before + 1);
}

TEST(DirectorySource, WithoutAMonitorAndACacheNothingIsKnown) {
  const auto client = net::Client::create({});
  auto source = DirectorySource::start(url_settings("127.0.0.1:1", ""), *client);
  ASSERT_TRUE(source.has_value());
  EXPECT_TRUE(eventually([&] { return (*source)->refresh_failures() > 0; }));
  EXPECT_EQ((*source)->current(), nullptr);
}

TEST(DirectorySource, ASnapshotCannotNameTheEnvironment) {
  const TemporaryFolder folder;
  SnapshotHandler handler;
  handler.put("\"1\"", R"({"customers": [{"id": "a", "name": "${env:HOME} $5"}]})");
  const auto server = serve(handler);
  const auto client = net::Client::create({});
  auto source = DirectorySource::start(url_settings(server->address(), ""), *client);
  ASSERT_TRUE(source.has_value());
  EXPECT_TRUE(eventually([&] { return (*source)->current() != nullptr; }));
  EXPECT_EQ((*source)->current()->customers().at(0).name, "${env:HOME} $5");
}

TEST(DirectorySource, ARevocationTakesEffectHoweverLargeTheSnapshotIsA11) {
  SnapshotHandler handler;
  handler.put("\"1\"", large_snapshot(60'000, "revoked"));
  ASSERT_GT(handler.body.size(), 5U << 20U);
  const auto server = serve(handler);
  const auto client = net::Client::create({});
  auto source = DirectorySource::start(url_settings(server->address(), ""), *client);
  ASSERT_TRUE(source.has_value());
  EXPECT_TRUE(eventually([&] { return knows(**source, "revoked") && knows(**source, "59999"); }));
  handler.put("\"2\"", large_snapshot(60'000, "another"));
  EXPECT_TRUE(eventually([&] { return knows(**source, "another"); }));
  EXPECT_FALSE(knows(**source, "revoked"));
  EXPECT_TRUE(knows(**source, "0"));
}

TEST(DirectorySource, ACacheThatCannotBeWrittenIsTriedAgainA14) {
  const TemporaryFolder folder;
  const std::string cache = folder.file("later/cache.json");
  SnapshotHandler handler;
  const auto server = serve(handler);
  const auto client = net::Client::create({});
  auto source = DirectorySource::start(url_settings(server->address(), cache), *client);
  ASSERT_TRUE(source.has_value());
  EXPECT_TRUE(eventually([&] { return (*source)->cache_failures() > 0; }));
  EXPECT_TRUE(knows(**source, "t"));
  EXPECT_EQ((*source)->refresh_failures(), 0U) << "the directory itself is fresh";
  std::filesystem::create_directory(folder.file("later"));
  // The monitor's answers meanwhile are 304: nothing else brings the write about.
  EXPECT_TRUE(eventually([&] { return std::filesystem::exists(cache); }));
}

void make_older(const std::string& path, std::chrono::hours by) {
  std::filesystem::last_write_time(path, std::filesystem::last_write_time(path) - by);
}

TEST(DirectorySource, ACacheIsAsOldAsItIsA14) {
  const TemporaryFolder folder;
  const std::string cache = folder.file("cache.yaml");
  write(cache, large_snapshot(0, "t"));
  make_older(cache, std::chrono::hours(3));
  const auto client = net::Client::create({});
  auto settings = url_settings("127.0.0.1:1", cache);
  {
    auto source = DirectorySource::start(settings, *client);
    ASSERT_TRUE(source.has_value());
    EXPECT_TRUE(knows(**source, "t")) << "max_stale is never by default";
    EXPECT_GE((*source)->age_seconds(), 3 * 3600 - 2);
    EXPECT_TRUE((*source)->is_stale());
  }
  settings.max_stale = std::chrono::hours(2);
  auto source = DirectorySource::start(settings, *client);
  ASSERT_TRUE(source.has_value());
  EXPECT_EQ((*source)->current(), nullptr);
}

/// A snapshot of customers that have one token each, named as they are.
std::string snapshot_of(int revision, int removed, const std::vector<std::string>& customers) {
  std::string text = R"({"database":"d","revision":)" + std::to_string(revision) +
                     R"(,"customers_removed":)" + std::to_string(removed) + R"(,"customers":[)";
  for (const std::string& id : customers) {
    if (id != customers.front()) text += ',';
    text += R"({"id":")" + id + R"(","tokens":[{"token_sha256":")" + sha256_hex(id) +
            R"(","scope":"ingest"}]})";
  }
  return text + R"(],"operators":[]})";
}

/// A monitor, a cache and what reads them.
class Followed : public ::testing::Test {
 protected:
  void start(Duration doubt_max) {
    handler_.put("\"1\"", snapshot_of(5, 0, {"a", "b"}));
    server_ = serve(handler_);
    auto settings = url_settings(server_->address(), folder_.file("cache.json"));
    settings.doubt_max = doubt_max;
    settings_ = settings;
    restart();
    ASSERT_TRUE(eventually([&] { return knows(*source_, "a") && knows(*source_, "b"); }));
    ASSERT_TRUE(eventually([&] { return std::filesystem::exists(settings_.cache_file); }));
  }
  void restart() {
    source_.reset();
    auto started = DirectorySource::start(settings_, *client_);
    ASSERT_TRUE(started.has_value());
    source_ = *std::move(started);
  }
  /// Two more answers have come and were looked at.
  bool is_answered() {
    const int before = handler_.not_modified;
    return eventually([&] { return handler_.not_modified > before + 1; });
  }

  TemporaryFolder folder_;
  SnapshotHandler handler_;
  std::unique_ptr<net::Server> server_;
  std::unique_ptr<net::Client> client_ = net::Client::create({});
  DirectorySettings settings_;
  std::unique_ptr<DirectorySource> source_;
};

TEST_F(Followed, AnEmptySnapshotIsKeptOutOfForceAndCacheF2) {
  start(std::chrono::hours(1));
  handler_.put("\"2\"", snapshot_of(6, 0, {}));
  ASSERT_TRUE(eventually([&] { return source_->is_doubted(); }));
  ASSERT_TRUE(is_answered());
  EXPECT_TRUE(knows(*source_, "a") && knows(*source_, "b"));
  // A restart goes by the cache, and doubts anew.
  restart();
  EXPECT_TRUE(knows(*source_, "a"));
  ASSERT_TRUE(eventually([&] { return source_->is_doubted(); }));
  // The monitor's database is mended.
  handler_.put("\"3\"", snapshot_of(7, 0, {"a", "b", "c"}));
  EXPECT_TRUE(eventually([&] { return knows(*source_, "c"); }));
  EXPECT_FALSE(source_->is_doubted());
}

TEST_F(Followed, AnOlderRevisionIsKeptOutF2) {
  start(std::chrono::hours(1));
  handler_.put("\"2\"", snapshot_of(4, 0, {"a", "b", "revoked-since"}));
  ASSERT_TRUE(eventually([&] { return source_->is_doubted(); }));
  ASSERT_TRUE(is_answered());
  EXPECT_FALSE(knows(*source_, "revoked-since"));
  handler_.put("\"1\"", snapshot_of(5, 0, {"a", "b"}));
  EXPECT_TRUE(eventually([&] { return !source_->is_doubted(); })) << "back at what is in force";
}

TEST_F(Followed, ARemovalThatWasCountedTakesEffectAtOnce) {
  start(std::chrono::hours(1));
  handler_.put("\"2\"", snapshot_of(7, 1, {"a"}));
  EXPECT_TRUE(eventually([&] { return !knows(*source_, "b"); }));
  EXPECT_TRUE(knows(*source_, "a"));
  EXPECT_FALSE(source_->is_doubted());
}

TEST_F(Followed, ADoubtThatNobodyDecidesEnds) {
  start(std::chrono::milliseconds(50));
  handler_.put("\"2\"", snapshot_of(6, 0, {}));
  EXPECT_TRUE(eventually([&] { return !knows(*source_, "a"); }));
  EXPECT_FALSE(source_->is_doubted());
}

TEST_F(Followed, ADocumentWithACustomerTwiceChangesNothingF4) {
  start(std::chrono::hours(1));
  handler_.put("\"2\"", snapshot_of(6, 0, {"a", "b", "a"}));
  EXPECT_TRUE(eventually([&] { return source_->refresh_failures() > 0; }));
  EXPECT_TRUE(knows(*source_, "a") && knows(*source_, "b"));
}

TEST_F(Followed, ADamagedCacheIsNotUsedTheOneBeforeIsF4) {
  start(std::chrono::hours(1));
  handler_.put("\"2\"", snapshot_of(6, 0, {"a", "b", "c"}));
  ASSERT_TRUE(eventually([&] { return knows(*source_, "c"); }));
  ASSERT_TRUE(
      eventually([&] { return std::filesystem::exists(settings_.cache_file + ".previous"); }));
  source_.reset();
  server_.reset();
  std::string text = read_all(settings_.cache_file);
  text[text.find(R"("id":"b")") + 6] ^= 1;  // another customer's tokens would read as "c"
  write(settings_.cache_file, text);
  restart();
  EXPECT_EQ(source_->cache_damages(), 1U);
  EXPECT_TRUE(knows(*source_, "a") && knows(*source_, "b"));
  EXPECT_FALSE(knows(*source_, "c"));
  source_.reset();
  write(settings_.cache_file + ".previous", "");
  restart();
  EXPECT_EQ(source_->current(), nullptr) << "nobody is known, which is not the same as refused";
}

TEST(DirectorySource, PastMaxStaleNobodyIsKnownUntilItIsFreshAgain) {
  const TemporaryFolder folder;
  const std::string path = folder.file("customers.yaml");
  write(path, kWithToken);
  const auto client = net::Client::create({});
  auto settings = file_settings(path);
  settings.max_stale = std::chrono::milliseconds(200);
  auto source = DirectorySource::start(settings, *client);
  ASSERT_TRUE(source.has_value());
  std::filesystem::remove(path);
  EXPECT_TRUE(eventually([&] { return (*source)->current() == nullptr; }));
  write(path, kWithToken);
  EXPECT_TRUE(eventually([&] { return knows(**source, "t"); }));
}

}  // namespace
}  // namespace vigia::tenancy
