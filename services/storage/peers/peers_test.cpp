// Several services on one store answer alike, over the network.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "libs/chunk/chunk_reader.hpp"
#include "services/storage/peers/open_message.hpp"
#include "services/storage/peers/testing/sharing_instance.hpp"
#include "services/storage/read/testing/read_frames.hpp"
#include "services/storage/testing/service_fixture.hpp"

namespace vigia::storage::peers {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

using Values = std::vector<std::pair<TimestampMs, double>>;
using Running = std::unique_ptr<Service>;

constexpr TimestampMs kHourMs = 3'600'000;
constexpr auto kDeadline = std::chrono::seconds(30);

// Takes connections, and never says anything.
class SilentPort {
 public:
  SilentPort() : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* at = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(socket_, at, size), 0);
    EXPECT_EQ(::listen(socket_, 16), 0);
    EXPECT_EQ(::getsockname(socket_, at, &size), 0);
    url_ = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  }
  SilentPort(const SilentPort&) = delete;
  SilentPort& operator=(const SilentPort&) = delete;
  ~SilentPort() { ::close(socket_); }
  const std::string& url() const { return url_; }

 private:
  int socket_;
  std::string url_;
};

class PeersTest : public ServiceFixture {
 protected:
  PeersTest() {
    service_.reset();
    shared_ = std::make_shared<SharedStore>();
  }
  ~PeersTest() override { shared_.reset(); }

  Running start(const std::string& name, std::vector<std::string> peers = {}) {
    static constexpr StoreKind kKinds[] = {
        {"shared",
         [](const StoreSettings& settings) -> const std::string& {
           return settings.rocksdb.directory;
         },
         [](const StoreSettings&, const Clock&,
            std::size_t) -> Result<std::unique_ptr<instance::StoreInstance>> {
           return std::make_unique<SharingInstance>(shared_);
         },
         nullptr}};
    Settings settings = settings_;
    settings.store.kind = "shared";
    settings.store.rocksdb.directory = folder_.path() + "/" + name;
    settings.peers.urls = std::move(peers);
    settings.peers.patience = patience_;
    for (retention::RollupKeep* keep :
         {&settings.retention.rollup_5m, &settings.retention.rollup_1h,
          &settings.retention.rollup_1d}) {
      keep->is_made = false;  // a book of them is one instance's
    }
    auto service = Service::start(settings, kKinds);
    EXPECT_TRUE(service.has_value()) << service.error().message;
    return *std::move(service);
  }
  static std::string url_of(const Running& one) { return "http://" + one->address(); }
  /// What of the fixture asks `service_`, asks that one.
  template <typename What>
  auto at(Running& one, const What& what) {
    std::swap(service_, one);
    auto answer = what();
    std::swap(service_, one);
    return answer;
  }
  void write_to(Running& one, const std::string& metric, const std::vector<Sample>& samples,
                const std::string& customer = "cliente-a") {
    const auto answer = at(one, [&] { return write(series(metric, customer, samples), customer); });
    EXPECT_EQ(answer.status, 204) << answer.body;
  }
  net::ClientResponse ask(Running& one, std::vector<Matcher> matchers,
                          const std::string& customer) {
    net::ClientRequest request;
    request.method = "POST";
    request.url = "/api/v1/read";
    request.headers = {{"content-type", "application/x-protobuf"}, {"content-encoding", "snappy"}};
    if (!customer.empty()) request.headers.add("x-vigia-customer", customer);
    request.body = wire::remote_read::encode_read_request(
        {{from_ms_, INT64_MAX, std::move(matchers)}},
        {wire::remote_read::ResponseType::kStreamedXorChunks});
    return at(one, [&] { return send(std::move(request)); });
  }
  // Of all series, as the answer has them: nothing is sorted or made one here. Answers in samples
  // are read by tests/integration/test_cassandra_peers.py: our own client reads no snappy.
  Values values_at(Running& one, std::vector<Matcher> matchers,
                   const std::string& customer = "cliente-a") {
    const auto answer = ask(one, std::move(matchers), customer);
    EXPECT_EQ(answer.status, 200) << answer.body;
    incomplete_ = answer.headers.get("x-vigia-incomplete");
    Values values;
    for (const read::Frame& frame : read::read_frames(answer.body)) {
      for (const read::FrameChunk& piece : frame.chunks) {
        const auto samples = chunk::read_samples(piece.data).value();
        for (const Sample& sample : samples) values.emplace_back(sample.timestamp_ms, sample.value);
      }
    }
    return values;
  }
  Values values_at(Running& one, const std::string& metric,
                   const std::string& customer = "cliente-a") {
    return values_at(one, {{MatchType::kEqual, "__name__", metric}}, customer);
  }
  void await(Running& one, const std::string& incomplete) {
    const auto deadline = std::chrono::steady_clock::now() + kDeadline;
    do {
      (void)values_at(one, "m");
      ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "not \"" << incomplete << "\"";
    } while (incomplete_ != incomplete);
  }
  store::SharingNumber number_of(std::size_t started) const {
    return shared_->numbers().at(started);
  }

  static inline std::shared_ptr<SharedStore> shared_;
  TimestampMs from_ms_ = 0;                       // of what is asked for
  std::string incomplete_;                        // of the last answer
  Duration patience_ = std::chrono::seconds(60);  // on a loaded machine, too
};

TEST_F(PeersTest, WhatAnotherHasOpenIsReadAsItsOwn) {
  Running b = start("b");
  Running a = start("a", {url_of(b)});
  write_to(b, "m", {{now_, 1}, {now_ + 1'000, 2}});
  write_to(a, "m", {{now_ + 2'000, 3}});
  const auto all = ElementsAre(Pair(now_, 1), Pair(now_ + 1'000, 2), Pair(now_ + 2'000, 3));
  EXPECT_THAT(values_at(a, "m"), all);
  EXPECT_EQ(incomplete_, "");
  await(b, "peers");  // it is asked and asks nobody
  EXPECT_THAT(values_at(b, "m"), ElementsAre(Pair(now_, 1), Pair(now_ + 1'000, 2)));
}

TEST_F(PeersTest, OpenClosedAndLateOnesAreThereOnce) {
  Running b = start("b");
  Running a = start("a", {url_of(b)});
  Values wanted;
  const TimestampMs begin = now_ - 30 * kHourMs;
  for (int i = 0; i < 600; ++i) {  // ten hours: all but the last are in closed chunks
    if (i % 50 == 7) continue;
    write_to(b, "m", {{begin + i * 60'000, i * 1.0}});
  }
  for (int i = 7; i < 600; i += 50) write_to(b, "m", {{begin + i * 60'000, i * 1.0}});
  for (int i = 0; i < 600; ++i) wanted.emplace_back(begin + i * 60'000, i);
  EXPECT_EQ(values_at(a, "m"), wanted);
  EXPECT_EQ(values_at(a, "m"), values_at(b, "m"));
}

TEST_F(PeersTest, OfTwoValuesTheSameOneStaysWhoeverIsAsked) {
  Running a = start("a");
  Running b = start("b", {url_of(a)});
  Running c = start("c", {url_of(b), url_of(a)});
  write_to(a, "m", {{now_, 1}, {now_ + 1'000, 7}});
  write_to(b, "m", {{now_, 1}, {now_ + 1'000, 8}, {now_ + 2'000, 9}});
  const Values of_b = values_at(b, "m");
  EXPECT_EQ(of_b.size(), 3U);
  EXPECT_EQ(values_at(c, "m"), of_b);
  Running d = start("d", {url_of(a), url_of(b), url_of(c)});
  EXPECT_EQ(values_at(d, "m"), of_b);
  EXPECT_EQ(incomplete_, "");
}

TEST_F(PeersTest, ACustomerSeesHisOwnAlone) {
  Running b = start("b");
  Running a = start("a", {url_of(b)});
  write_to(b, "m", {{now_, 1}}, "cliente-a");
  write_to(b, "m", {{now_, 2}}, "cliente-b");
  EXPECT_THAT(values_at(a, "m", "cliente-a"), ElementsAre(Pair(now_, 1)));
  EXPECT_THAT(values_at(a, "m", "cliente-b"), ElementsAre(Pair(now_, 2)));
  EXPECT_THAT(values_at(a, "m", ""), ElementsAre(Pair(now_, 1), Pair(now_, 2)));
  EXPECT_THAT(values_at(a, "m", "cliente-c"), IsEmpty());
}

TEST_F(PeersTest, TheProvidersOwnAreReadToo) {
  Running b = start("b");
  Running a = start("a", {url_of(b)});
  const std::string labels = wire::remote_write::encode_labels(Labels::from({{"__name__", "m"}}));
  std::string message;
  wire::remote_write::append_sample(message, labels, {now_, 1});
  EXPECT_EQ(at(b, [&] { return write(message); }).status, 204);
  EXPECT_THAT(values_at(a, "m", ""), ElementsAre(Pair(now_, 1)));
}

// Whatever ids somebody names.
TEST_F(PeersTest, IdsOfAnotherCustomerGiveNothing) {
  Running b = start("b");
  write_to(b, "m", {{now_, 1}}, "cliente-a");
  const auto customer = CustomerId::parse("cliente-a").value();
  const store::SeriesQuery all{{}, {0, UINT32_MAX}};
  const store::WorkLimit unlimited;
  const auto cursor = shared_->cold().catalog().select(customer, all, unlimited);
  const auto found = cursor->next().value();
  ASSERT_EQ(found.size(), 1U);
  const std::vector<store::SeriesId> ids = {found[0].id};
  const read::OpenQuestion question{ids, 0, INT64_MAX};
  const auto rows_for = [&](const std::string& who) {
    net::ClientRequest request;
    request.method = "POST";
    request.url = std::string(kOpenPath);
    request.headers.add("content-type", kOpenContentType);
    if (!who.empty()) request.headers.add("x-vigia-customer", who);
    request.body = encode_question(question);
    const auto answer = at(b, [&] { return send(std::move(request)); });
    if (answer.status != 200) return answer.status;
    return static_cast<int>(parse_answer(answer.body, question).value().rows.size());
  };
  EXPECT_EQ(rows_for("cliente-a"), 1);
  EXPECT_EQ(rows_for("cliente-b"), 0);
  EXPECT_EQ(rows_for("_provider"), 0);
  EXPECT_EQ(rows_for(""), 400);
}

TEST_F(PeersTest, WindowsAreMadeOfWhatAnotherHasOpen) {
  Running b = start("b");
  Running a = start("a", {url_of(b)});
  const TimestampMs hour = now_ / kHourMs * kHourMs - 3 * kHourMs;
  write_to(b, "m", {{hour + 1'000, 1}, {hour + 2'000, 2}});
  write_to(a, "m", {{hour + 3'000, 4}});
  const std::vector<Matcher> asked = {{MatchType::kEqual, "__name__", "m"},
                                      {MatchType::kEqual, "__rollup__", "1h:sum"}};
  from_ms_ = hour;
  EXPECT_THAT(values_at(a, asked), ElementsAre(Pair(hour + kHourMs - 1, 7)));
}

TEST_F(PeersTest, WhoIsGoneIsMissedUntilItIsTakenOver) {
  Running b = start("b");
  Running a = start("a", {url_of(b)});
  write_to(b, "m", {{now_, 1}});
  write_to(a, "m", {{now_ + 1'000, 2}});
  EXPECT_EQ(values_at(a, "m").size(), 2U);
  b.reset();
  EXPECT_THAT(values_at(a, "m"), ElementsAre(Pair(now_ + 1'000, 2)));
  EXPECT_EQ(incomplete_, "peers");
  EXPECT_EQ(at(a, [&] { return get("/health"); }).headers.get("x-vigia-incomplete"), "peers");
  shared_->forget(number_of(0));
  await(a, "");
  EXPECT_EQ(at(a, [&] { return get("/health"); }).headers.get("x-vigia-incomplete"), "");
}

TEST_F(PeersTest, WhoIsNamedByNobodyIsMissed) {
  Running b = start("b");
  Running a = start("a");
  write_to(b, "m", {{now_, 1}});
  EXPECT_THAT(values_at(a, "m"), IsEmpty());
  EXPECT_EQ(incomplete_, "peers");
}

TEST_F(PeersTest, WhoComesBackIsAskedAgain) {
  Running b = start("b");
  const std::string listened = b->address();
  Running a = start("a", {url_of(b)});
  b.reset();
  write_to(a, "m", {{now_, 2}});
  await(a, "peers");
  settings_.listen = listened;
  b = start("another folder");
  write_to(b, "m", {{now_ + 1'000, 1}});
  await(a, "peers");
  shared_->forget(number_of(0));  // of the first one
  await(a, "");
  EXPECT_THAT(values_at(a, "m"), ElementsAre(Pair(now_, 2), Pair(now_ + 1'000, 1)));
}

// It is not waited for a second time.
TEST_F(PeersTest, WhoSaysNothingIsAskedNoMoreByReads) {
  const SilentPort silent;
  patience_ = std::chrono::milliseconds(200);
  shared_->add(4711);
  Running a = start("a", {silent.url()});
  write_to(a, "m", {{now_, 1}});
  const auto failures = [&] {
    return at(a, [&] {
      return service_metric("vigia_storage_peer_failures_total{peer=\"" + silent.url() + "\"}");
    });
  };
  EXPECT_GE(failures(), 1);
  constexpr int kReads = 200;
  const double before = failures();
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < kReads; ++i) {
    EXPECT_THAT(values_at(a, "m"), ElementsAre(Pair(now_, 1)));
    EXPECT_EQ(incomplete_, "peers");
  }
  // Looks alone have failed meanwhile, of which there is one a second at most.
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  EXPECT_LE(failures() - before, took.count() + 2);
}

// Looks are slow here, as another one says nothing at all: reads do not wait for one.
TEST_F(PeersTest, WhoTakesNoConnectionIsAskedNoMoreByReads) {
  const SilentPort silent;
  patience_ = std::chrono::milliseconds(500);
  Running b = start("b");
  const std::string url = url_of(b);
  Running a = start("a", {url, silent.url()});
  write_to(a, "m", {{now_, 1}});
  b.reset();
  const auto failures = [&] {
    return at(a, [&] {
      return service_metric("vigia_storage_peer_failures_total{peer=\"" + url + "\"}");
    });
  };
  constexpr int kReads = 200;
  const double before = failures();
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < kReads; ++i) {
    EXPECT_THAT(values_at(a, "m"), ElementsAre(Pair(now_, 1)));
    EXPECT_EQ(incomplete_, "peers");
  }
  // By one read, and by looks, none of which takes less than the patience.
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  EXPECT_LE(failures() - before, 1 + took / patience_ + 2);
}

// It has begun, and nobody who looks each second can know.
TEST_F(PeersTest, WhoBeginsBehindAnAddressThatDoesNotAnswerIsMissedAtOnce) {
  const SilentPort silent;
  patience_ = std::chrono::milliseconds(200);
  Running a = start("a", {silent.url()});
  write_to(a, "m", {{now_, 1}});
  for (store::SharingNumber number = 1; number <= 20; ++number) {
    EXPECT_EQ(values_at(a, "m").size(), 1U);
    EXPECT_EQ(incomplete_, "");
    shared_->add(number);
    EXPECT_EQ(values_at(a, "m").size(), 1U);
    EXPECT_EQ(incomplete_, "peers");
    shared_->forget(number);
  }
}

TEST_F(PeersTest, ItsOwnAddressAmongThemIsNobody) {
  Running b = start("b");
  settings_.listen = b->address();
  b.reset();
  shared_->forget(number_of(0));
  b = start("another folder", {"http://" + settings_.listen});
  write_to(b, "m", {{now_, 1}});
  EXPECT_THAT(values_at(b, "m"), ElementsAre(Pair(now_, 1)));
  EXPECT_EQ(incomplete_, "");
}

}  // namespace
}  // namespace vigia::storage::peers
