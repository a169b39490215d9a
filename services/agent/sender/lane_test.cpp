// The sender against a real server on loopback that answers as told.
#include "services/agent/sender/lane.hpp"

#include <deque>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "libs/model/customer_signal.hpp"
#include "libs/net/compression.hpp"
#include "libs/net/server.hpp"
#include "libs/net/status.hpp"
#include "services/agent/buffer/buffer.hpp"
#include "services/agent/telemetry/otlp_writer.hpp"

namespace vigia::agent::sender {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds kPatience{20};

/// Requests are one letter per record: what merging and halving does can be read off. A letter is
/// written as an unknown field, so that the bodies are valid requests.
std::string record_of(char letter) { return std::string("\x7a\x01") + letter; }

std::string letters_of(const std::string& body) {
  std::string letters;
  for (std::size_t index = 2; index < body.size(); index += 3) letters += body[index];
  return letters;
}

/// Takes every request, unless told otherwise.
class Collector final : public net::Handler {
 public:
  void handle(net::Request request, net::Responder responder) override {
    const std::lock_guard lock(mutex_);
    authorization_ = request.headers.get("authorization");
    const std::string letters = letters_of(request.body);
    if (letters.empty()) return responder.send({});  // the probe
    if (status_ != 0) {
      net::Response response;
      response.status = status_;
      response.headers.add("location", "http://127.0.0.1:1/");
      response.headers.add("content-type", content_type_);
      response.body = "<html>no collector</html>";
      ++refused_;
      changed_.notify_all();
      return responder.send(std::move(response));
    }
    if (!answers_.empty()) {
      const Error error = answers_.front();
      answers_.pop_front();
      ++refused_;
      changed_.notify_all();
      return responder.send(net::otlp_error(request, error));
    }
    if (letters.find(poison_) != std::string::npos) {
      return responder.send(net::otlp_error(request, {ErrorCode::kInvalid, "poison"}));
    }
    taken_.push_back(letters);
    changed_.notify_all();
    net::Response response;
    response.headers.add("content-type", "application/x-protobuf");
    response.body = response_body_;
    responder.send(std::move(response));
  }
  void answer_once(Error error) {
    const std::lock_guard lock(mutex_);
    answers_.push_back(std::move(error));
  }
  /// Answers with this until 0, as what stands between or another server would.
  void set_status(int status, std::string content_type = "text/plain") {
    const std::lock_guard lock(mutex_);
    status_ = status;
    content_type_ = std::move(content_type);
  }
  void set_poison(char letter) {
    const std::lock_guard lock(mutex_);
    poison_ = letter;
  }
  void set_response(std::string body) {
    const std::lock_guard lock(mutex_);
    response_body_ = std::move(body);
  }
  /// All letters taken, once there are that many.
  std::string wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kPatience, [&] { return joined().size() >= count; });
    return joined();
  }
  bool wait_for_refusals(int count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kPatience, [&] { return refused_ >= count; });
  }
  std::string authorization() {
    const std::lock_guard lock(mutex_);
    return authorization_;
  }

 private:
  std::string joined() const {
    std::string all;
    for (const std::string& letters : taken_) all += letters;
    return all;
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Error> answers_;
  std::vector<std::string> taken_;
  std::string authorization_;
  std::string response_body_;
  char poison_ = '!';
  int status_ = 0;
  std::string content_type_;
  int refused_ = 0;
};

class LaneTest : public testing::TestWithParam<otlp::Protocol> {
 protected:
  void SetUp() override {
    std::filesystem::remove_all(folder_);
    open_buffer();
    start_server("127.0.0.1:0");
  }
  void TearDown() override {
    lane_.reset();
    client_->close();  // as the agent does: what still comes finds no link any more
    buffer_.reset();
    if (server_) server_->stop(clock_.steady() + seconds(5));
    std::filesystem::remove_all(folder_);
  }
  void open_buffer() {
    buffer_.reset();
    auto opened = buffer::Buffer::open({folder_.string(), 8U << 20U, std::chrono::hours(24)},
                                       *CustomerId::parse("cliente-a"), clock_);
    ASSERT_TRUE(opened) << opened.error().message;
    buffer_ = *std::move(opened);
  }
  void start_server(const std::string& listen) {
    net::ServerSettings settings;
    settings.name = "test collector";
    settings.listen = listen;
    settings.loops = 1;
    auto started = net::Server::start(settings, collector_);
    ASSERT_TRUE(started) << started.error().message;
    server_ = *std::move(started);
    address_ = server_->address();
  }
  void stop_server() {
    server_->stop(clock_.steady() + seconds(5));
    server_.reset();
  }
  void start_lane() {
    CollectorSettings settings;
    settings.endpoint = "http://" + address_;
    settings.protocol = GetParam();
    settings.token = "secret";
    settings.timeout = seconds(5);
    link_ = std::make_unique<CollectorLink>(settings, *client_, status_.clock_offset());
    lane_ = std::make_unique<Lane>(
        Signal::kMetrics, Lane::Parts{buffer_->cursor(Signal::kMetrics), *link_, refused_, status_,
                                      *CustomerId::parse("cliente-a")});
  }
  /// As a process that is stopped and started again.
  void restart_lane() {
    lane_->request_stop();
    EXPECT_TRUE(lane_->wait_until_ended(clock_.steady() + kPatience));
    lane_.reset();
    open_buffer();
    start_lane();
  }
  void write(const std::string& letters) {
    for (const char letter : letters) {
      ASSERT_TRUE(buffer_->append_and_wait(Signal::kMetrics, record_of(letter), 1));
    }
  }
  template <typename Condition>
  bool eventually(Condition condition) {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (!condition()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      std::this_thread::sleep_for(milliseconds(5));
    }
    return true;
  }
  SignalCounts counts() const { return status_.counts(Signal::kMetrics); }

  const std::filesystem::path folder_ =
      std::filesystem::path(testing::TempDir()) / ("vigia-lane-" + std::to_string(::getpid()));
  SystemClock clock_;
  Collector collector_;
  std::unique_ptr<net::Server> server_;
  std::string address_;
  std::unique_ptr<net::Client> client_ = net::Client::create({});
  SenderStatus status_{clock_};
  RefusedStore refused_{(folder_ / "refused").string(), clock_};
  std::unique_ptr<buffer::Buffer> buffer_;
  std::unique_ptr<CollectorLink> link_;
  std::unique_ptr<Lane> lane_;
};

TEST_P(LaneTest, RecordsArriveInOrderWithTheToken) {
  write("abc");
  start_lane();
  write("d");
  EXPECT_EQ(collector_.wait_for(4), "abcd");
  EXPECT_EQ(collector_.authorization(), "Bearer secret");
  EXPECT_TRUE(eventually([&] { return counts().sent_items == 4; }));
  EXPECT_TRUE(status_.is_reachable());
  restart_lane();
  write("e");
  EXPECT_EQ(collector_.wait_for(5), "abcde");  // what was acknowledged does not come again
}

TEST_P(LaneTest, ARecordThatNamesNobodyIsDamageAndTheOthersGo) {
  buffer_.reset();
  {
    disk_log::DiskLogSettings settings;
    settings.directory = folder_.string();
    settings.cursors = {{.name = "metrics"}, {.name = "traces"}, {.name = "logs"}};
    auto log = *disk_log::DiskLog::open(settings, clock_);
    for (const disk_log::RecordTag& tag :
         {disk_log::RecordTag{.owner = "Not an id", .kind = kept_number(Signal::kMetrics)},
          disk_log::RecordTag{.owner = "cliente-a", .kind = 9}})
      ASSERT_TRUE(log->append_and_wait(
          {{.tag = tag, .items = 3, .received_ms = clock_.wall_ms()}, record_of('x')}));
  }
  open_buffer();
  write("ab");
  start_lane();
  EXPECT_EQ(collector_.wait_for(2), "ab");
  EXPECT_TRUE(eventually([&] { return counts().sent_items == 2; }));
  EXPECT_EQ(counts().refused_items, 0U);
  EXPECT_EQ(buffer_->stats().damaged_records, 2U);
  EXPECT_TRUE(buffer_->stats().is_damage_recent);
  EXPECT_EQ(buffer_->cursor(Signal::kMetrics).lost(), 2U);
  // Of one the signal is known, and so whose count it is.
  EXPECT_EQ(buffer_->stats().dropped.at("damaged"), 3U);
}

TEST_P(LaneTest, PassingFaultsAndRefusedTokensAreTriedAgain) {
  collector_.answer_once({ErrorCode::kUnauthenticated, "who?"});
  collector_.answer_once({ErrorCode::kUnavailable, "busy", milliseconds(1)});
  write("ab");
  start_lane();
  EXPECT_TRUE(collector_.wait_for_refusals(1));
  EXPECT_TRUE(eventually([&] { return !status_.is_reachable(); }));
  EXPECT_EQ(collector_.wait_for(2), "ab");
  EXPECT_TRUE(eventually([&] { return status_.is_reachable(); }));
  EXPECT_EQ(counts().refused_items, 0U);
}

TEST_P(LaneTest, AWrongPathOrProxyLosesNothing) {
  collector_.answer_once({ErrorCode::kNotFound, "no such path"});
  write("ab");
  start_lane();
  EXPECT_EQ(collector_.wait_for(2), "ab");
  EXPECT_EQ(counts().refused_items, 0U);
}

TEST_P(LaneTest, ARefusedCustomerIsToldAndNothingIsLost) {
  collector_.answer_once({ErrorCode::kForbidden, "customer.id names another customer"});
  write("ab");
  start_lane();
  EXPECT_TRUE(collector_.wait_for_refusals(1));
  EXPECT_TRUE(eventually([&] { return !status_.is_reachable(); }));
  EXPECT_THAT(status_.failure(), testing::HasSubstr("customer.id names another customer"));
  EXPECT_EQ(collector_.wait_for(2), "ab");
  EXPECT_EQ(counts().refused_items, 0U);
}

TEST_P(LaneTest, WhatSpeaksOfTheSetUpIsKept) {
  if (GetParam() == otlp::Protocol::kGrpc) return;  // our server makes gRPC codes of these statuses
  start_lane();
  for (const int status :
       {301, 302, 307, 308, 401, 402, 403, 404, 410, 415, 421, 429, 431, 502, 503, 504, 511}) {
    collector_.set_status(status);
    const auto answer = link_->deliver(Signal::kMetrics, record_of('a'));
    EXPECT_EQ(answer.meaning, otlp::ExportAnswer::Meaning::kLater) << status << ' ' << answer.why;
  }
}

TEST_P(LaneTest, AWebPageIsNoAcknowledgement) {
  if (GetParam() == otlp::Protocol::kGrpc) return;  // without trailers no answer there counts
  collector_.set_status(200, "text/html; charset=utf-8");
  write("ab");
  start_lane();
  EXPECT_TRUE(collector_.wait_for_refusals(1));
  EXPECT_TRUE(eventually([&] { return !status_.is_reachable(); }));
  collector_.set_status(0);
  EXPECT_EQ(collector_.wait_for(2), "ab");
  EXPECT_TRUE(eventually([&] { return counts().sent_items == 2; }));
}

TEST_P(LaneTest, WhatWasKeptForAnotherCustomerIsNeverSentAndHoldsNothingUp) {
  write("ab");
  buffer_.reset();
  auto opened = buffer::Buffer::open({folder_.string(), 8U << 20U, std::chrono::hours(24)},
                                     *CustomerId::parse("cliente-z"), clock_);
  ASSERT_TRUE(opened);
  buffer_ = *std::move(opened);
  write("xy");
  open_buffer();
  write("c");
  start_lane();
  EXPECT_EQ(collector_.wait_for(3), "abc");
  EXPECT_TRUE(eventually([&] { return counts().refused_items == 2; }));
  EXPECT_THAT(status_.recent_refusal(), testing::HasSubstr("cliente-z"));
}

TEST_P(LaneTest, AnswersTellTheClocksApart) {
  start_lane();
  EXPECT_TRUE(eventually([&] { return status_.clock_offset().seconds().has_value(); }));
  EXPECT_LT(std::abs(*status_.clock_offset().seconds()), 5);
}

TEST_P(LaneTest, OneBadRecordIsSetAsideAndSpoilsNoOther) {
  collector_.set_poison('d');
  write("abcdefg");
  start_lane();
  EXPECT_EQ(collector_.wait_for(6), "abcefg");
  EXPECT_TRUE(eventually([&] { return counts().refused_items == 1; }));
  EXPECT_TRUE(eventually([&] { return counts().sent_items == 6; }));
  EXPECT_THAT(status_.recent_refusal(), testing::HasSubstr("poison"));
  std::vector<std::string> kept;
  for (const auto& entry : std::filesystem::directory_iterator(folder_ / "refused")) {
    if (entry.path().extension() != ".otlp") continue;
    std::ifstream file(entry.path(), std::ios::binary);
    kept.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  EXPECT_THAT(kept, testing::ElementsAre(record_of('d')));
}

/// Has a fault that some requests bring to light: `times` of them.
class FaultyClient final : public net::Client {
 public:
  FaultyClient(char letter, int times) : letter_(letter), times_(times) {}
  void close() override { sound_->close(); }
  std::uint64_t send(net::ClientRequest request,
                     Task<void(Result<net::ClientResponse>)> done) override {
    stumble(request);
    return sound_->send(std::move(request), std::move(done));
  }
  void cancel(std::uint64_t request) override { sound_->cancel(request); }
  void call(net::ClientRequest request, std::string_view compression,
            Task<void(Result<net::GrpcReply>)> done) override {
    stumble(request);
    sound_->call(std::move(request), compression, std::move(done));
  }

 private:
  void stumble(const net::ClientRequest& request) {
    const auto plain = net::decompress("gzip", request.body, 1U << 20U);
    const std::string letters = letters_of(plain ? *plain : request.body);
    if (letters.find(letter_) != std::string::npos && times_-- > 0)
      throw std::out_of_range("not foreseen");
  }
  const char letter_;
  std::atomic<int> times_;
  std::unique_ptr<net::Client> sound_ = net::Client::create({});
};

TEST_P(LaneTest, AFaultOfOursThatPassesLosesNothing) {
  client_ = std::make_unique<FaultyClient>('d', 3);
  write("abcdefg");
  start_lane();
  EXPECT_EQ(collector_.wait_for(7), "abcdefg");
  EXPECT_TRUE(eventually([&] { return counts().sent_items == 7; }));
  EXPECT_EQ(counts().refused_items, 0U);
}

TEST_P(LaneTest, AFaultOfOursThatStaysCostsTheRecordThatBringsItToLight) {
  client_ = std::make_unique<FaultyClient>('d', 1'000'000);
  write("abcdefg");
  start_lane();
  EXPECT_EQ(collector_.wait_for(6), "abcefg");
  EXPECT_TRUE(eventually([&] { return counts().refused_items == 1; }));
  EXPECT_THAT(status_.recent_refusal(), testing::HasSubstr("fault of the agent"));
}

// C30.
TEST_P(LaneTest, WhatIsNotTakenStaysForTheNextStart) {
  stop_server();
  write("abc");
  start_lane();
  EXPECT_TRUE(eventually([&] { return status_.failure() != "no answer of the collector yet"; }));
  start_server(address_);
  restart_lane();
  EXPECT_EQ(collector_.wait_for(3), "abc");
}

// R-EXP-4.
TEST_P(LaneTest, PartialSuccessIsCountedAndNotSentAgain) {
  collector_.set_response(std::string("\x0a\x02\x08\x01"));  // one data point rejected
  write("ab");
  start_lane();
  EXPECT_TRUE(eventually([&] { return counts().rejected_items > 0; }));
  EXPECT_TRUE(eventually([&] { return counts().sent_items + counts().rejected_items == 2; }));
  restart_lane();
  write("c");
  EXPECT_EQ(collector_.wait_for(3), "abc");
}

TEST_P(LaneTest, StopDoesNotWaitForACollectorThatDoesNotAnswer) {
  collector_.answer_once({ErrorCode::kUnavailable, "busy", std::chrono::minutes(5)});
  write("a");
  start_lane();
  EXPECT_TRUE(collector_.wait_for_refusals(1));
  lane_->request_stop();
  EXPECT_TRUE(lane_->wait_until_ended(clock_.steady() + seconds(5)));
}

INSTANTIATE_TEST_SUITE_P(Protocols, LaneTest,
                         testing::Values(otlp::Protocol::kGrpc, otlp::Protocol::kHttp),
                         [](const auto& protocol) {
                           return protocol.param == otlp::Protocol::kGrpc ? "Grpc" : "Http";
                         });

}  // namespace
}  // namespace vigia::agent::sender
