// The whole service over the network, its clients being ours.
#include "services/storage/service.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <future>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <protozero/pbf_writer.hpp>

#include "libs/chunk/chunk_writer.hpp"
#include "libs/otlp/client.hpp"
#include "libs/otlp/paths.hpp"
#include "libs/wire/remote_write/write_request.hpp"
#include "services/storage/testing/memory_instance.hpp"
#include "services/storage/testing/service_fixture.hpp"

namespace vigia::storage {
namespace {

using testing::HasSubstr;
using testing::Not;
namespace remote_write = wire::remote_write;

class ServiceTest : public ServiceFixture {};

TEST_F(ServiceTest, OnlyHealthIsOpenToAll) {
  for (const char* path : {"/health", "/ready"}) {
    net::ClientRequest request;
    request.url = path;
    request.headers.add("authorization", "Bearer wrong");
    EXPECT_EQ(send(std::move(request)).status, 200) << path;
  }
  for (const char* path : {"/api/v1/labels", "/api/v1/write", "/v1/traces", "/nothing"}) {
    net::ClientRequest request;
    request.url = path;
    request.headers.add("authorization", "Bearer wrong");
    EXPECT_EQ(send(std::move(request)).status, 401) << path;
  }
  EXPECT_EQ(get("/nothing").status, 404);
}

// R-RW-6, C48.
TEST_F(ServiceTest, AnEqualRepeatIsWrittenAndAConflictIsNot) {
  const auto first = write(series("m", "cliente-a", {{now_, 1}, {now_ + 1, 2}}), "cliente-a");
  EXPECT_EQ(first.status, 204);
  EXPECT_EQ(first.headers.get("x-prometheus-remote-write-samples-written"), "2");
  const auto repeat = write(series("m", "cliente-a", {{now_, 1}, {now_ + 1, 2}}), "cliente-a");
  EXPECT_EQ(repeat.status, 204);
  EXPECT_EQ(repeat.headers.get("x-prometheus-remote-write-samples-written"), "2");
  const auto conflict = write(series("m", "cliente-a", {{now_, 9}, {now_ + 2, 3}}), "cliente-a");
  EXPECT_EQ(conflict.status, 400);
  EXPECT_EQ(conflict.headers.get("x-prometheus-remote-write-samples-written"), "1");
  EXPECT_THAT(conflict.body, HasSubstr("1 in conflict"));
  EXPECT_THAT(conflict.body, HasSubstr("in conflict: m{} at " + std::to_string(now_)));
}

// R-RW-6, D11.
TEST_F(ServiceTest, RemoteWriteIsTakenInEverySpellingOfTheStandardD11) {
  const std::string of_1 = series("m", "cliente-a", {{now_, 1}});
  const auto status = [this, &of_1](std::string_view type, std::string_view coding,
                                    std::optional<std::string_view> message = {}) {
    net::ClientRequest request;
    request.method = "POST";
    request.url = "/api/v1/write";
    request.headers = {{"content-type", std::string(type)},
                       {"content-encoding", std::string(coding)}};
    request.body = remote_write::compress_request(message.value_or(of_1));
    return send(std::move(request)).status;
  };
  for (const auto* type :
       {"application/x-protobuf", "application/x-protobuf;proto=prometheus.WriteRequest",
        "Application/X-Protobuf; Proto=\"prometheus.WriteRequest\"",
        "application/x-protobuf; charset=utf-8"}) {
    EXPECT_EQ(status(type, "snappy"), 204) << type;
  }
  EXPECT_EQ(status("application/x-protobuf", "Snappy"), 204);
  const auto* form_2 = "Application/x-protobuf ; Proto=io.prometheus.write.v2.Request";
  const std::string_view no_series("\x22\0", 2);  // the symbol ""
  EXPECT_EQ(status(form_2, "snappy", no_series), 204);
  EXPECT_EQ(status(form_2, "snappy"), 400) << "of 1.0 all fields are other ones";
  EXPECT_EQ(status("application/x-protobuf; proto=io.prometheus.write.v3.Request", "snappy"), 415);
  EXPECT_EQ(status("application/json", "snappy"), 415);
  for (const auto* coding : {"br", "gzip", "deflate", "zstd"}) {
    EXPECT_EQ(status("application/x-protobuf", coding), 415) << coding;
  }
  EXPECT_EQ(status("application/x-protobuf", ""), 415);
}

// Of 2.0: samples of series "m" of cliente-a, then a series with a histogram beside a sample, then
// one of another customer.
std::string message_2(const std::vector<Sample>& samples) {
  const std::vector<std::string> symbols{"",          "__name__", "m",  "customer_id",
                                         "cliente-a", "node_id",  "n1", "cliente-b"};
  std::string message;
  protozero::pbf_writer writer(message);
  for (const std::string& symbol : symbols) writer.add_string(4, symbol);
  const auto add = [&](std::uint32_t customer, const std::vector<Sample>& of, bool is_mixed) {
    protozero::pbf_writer one(writer, 5);
    const std::vector<std::uint32_t> references{1, 2, 3, customer, 5, 6};
    one.add_packed_uint32(1, references.begin(), references.end());
    for (const Sample& sample : of) {
      protozero::pbf_writer inner(one, 2);
      inner.add_double(1, sample.value);
      inner.add_int64(2, sample.timestamp_ms);
    }
    if (is_mixed) protozero::pbf_writer(one, 3).add_int64(15, of.front().timestamp_ms);
  };
  add(4, samples, false);
  add(4, {samples.front()}, true);
  add(7, {samples.front()}, false);
  return message;
}

// R-RW-5, R-RW-6.
TEST_F(ServiceTest, RemoteWrite2IsTheSameSeriesAndSaysWhatIsWritten) {
  ASSERT_EQ(write(series("m", "cliente-a", {{now_, 1}}), "cliente-a").status, 204);
  net::ClientRequest request;
  request.method = "POST";
  request.url = "/api/v1/write";
  request.headers = {
      {"content-type", "application/x-protobuf;proto=io.prometheus.write.v2.Request"},
      {"content-encoding", "snappy"},
      {"x-prometheus-remote-write-version", "2.0.0"},
      {"x-vigia-customer", "cliente-a"}};
  request.body = remote_write::compress_request(message_2({{now_, 1}, {now_ + 1, 2}}));
  const auto answer = send(std::move(request));
  EXPECT_EQ(answer.status, 400);
  EXPECT_THAT(answer.body, HasSubstr("3 samples refused, 0 in conflict"));
  EXPECT_THAT(answer.body, HasSubstr("samples and histograms"));
  EXPECT_EQ(answer.headers.get("x-prometheus-remote-write-samples-written"), "2");
  EXPECT_EQ(answer.headers.get("x-prometheus-remote-write-histograms-written"), "0");
  EXPECT_EQ(answer.headers.get("x-prometheus-remote-write-exemplars-written"), "0");
  EXPECT_EQ(service_metric("vigia_storage_samples_repeated_total"), 1);  // so it is one series
  EXPECT_EQ(service_metric("vigia_storage_samples_stored_total"), 2);
}

TEST_F(ServiceTest, ARequestThatUnpacksToMoreThan16MibIsToBeSentInParts) {
  const auto answer = write(std::string(17U << 20U, '\0'), "cliente-a");
  EXPECT_EQ(answer.status, 413);
}

// Case A4: what the collector has acknowledged by its clock is not refused by ours.
TEST_F(ServiceTest, WhatLiesAheadOfThisClockIsStoredAndHoldsNothingUp) {
  for (const char* other : {"cliente-b", "cliente-c"}) {  // whose records say what time it is
    EXPECT_EQ(write(series("m", other, {{now_, 1}}), other).status, 204);
  }
  const auto ahead = write(
      series("m", "cliente-a", {{now_, 1}, {now_ + 360'000, 2}, {now_ + 403LL * 86'400'000, 3}}),
      "cliente-a");
  EXPECT_EQ(ahead.status, 204);
  EXPECT_EQ(ahead.headers.get("x-prometheus-remote-write-samples-written"), "3");
  const auto next = write(series("m", "cliente-a", {{now_ + 1, 4}}), "cliente-a");
  EXPECT_EQ(next.status, 204);
  EXPECT_EQ(service_metric("vigia_storage_samples_late_total"), 2);  // the two ahead, not this one
}

// R-RW-6, D12.
TEST_F(ServiceTest, ForeignAndMalformedAreRefusedAndTheRestStored) {
  const std::string good = series("good", "cliente-a", {{now_, 1}});
  EXPECT_EQ(write(good + series("x", "cliente-b", {{now_, 1}}), "cliente-a").status, 400);
  EXPECT_EQ(write(series("x", "cliente-a", {{253'402'300'800'000, 1}}), "cliente-a").status, 400);
  EXPECT_EQ(write(series("x", "cliente-a", {{-1, 1}}), "cliente-a").status, 400);
  EXPECT_EQ(write(series("x", "NOT AN ID", {{now_, 1}})).status, 400);
  EXPECT_EQ(write("garbage").status, 400);
  EXPECT_THAT(get("/api/v1/label/__name__/values").body, HasSubstr(R"("data":["good"])"));
}

// A7: samples before the retention cost a look into the store each and were kept until the next
// expiry.
TEST_F(ServiceTest, WhatIsOlderThanItsRetentionIsTakenAndNotStored) {
  const TimestampMs old = now_ - 500LL * 86'400'000;
  write(series("new", "cliente-a", {{now_, 1}}), "cliente-a");
  const auto answer = write(series("new", "cliente-a", {{old, 1}, {now_ + 1, 2}}) +
                                series("old", "cliente-a", {{old, 1}}),
                            "cliente-a");
  EXPECT_EQ(answer.status, 204);
  EXPECT_EQ(answer.headers.get("x-prometheus-remote-write-samples-written"), "1");
  EXPECT_THAT(get("/api/v1/label/__name__/values").body, HasSubstr(R"("data":["new"])"));
}

TEST_F(ServiceTest, WhatIsOlderThanLateMaxIsRefusedByNameAndTheRestStored) {
  const TimestampMs old = now_ - 8LL * 86'400'000;
  const std::string old_series = series("old", "cliente-a", {{old, 1}});
  EXPECT_EQ(write(old_series, "cliente-a").status, 204) << "late_max is 0";
  settings_.late_max = std::chrono::hours(24 * 7);
  restart();
  EXPECT_EQ(write(series("first", "cliente-a", {{old, 1}}), "cliente-a").status, 204)
      << "by the clock alone nothing is too old";
  EXPECT_EQ(write(series("new", "cliente-a", {{now_, 1}}), "cliente-a").status, 204);
  const auto answer = write(series("late", "cliente-a", {{old, 1}, {now_ - 86'400'000, 2}}) +
                                series("gone", "cliente-a", {{old, 1}}),
                            "cliente-a");
  EXPECT_EQ(answer.status, 400);
  EXPECT_THAT(answer.body, HasSubstr("2 samples refused, 0 in conflict"));
  EXPECT_THAT(answer.body, HasSubstr("late"));
  EXPECT_THAT(answer.body, HasSubstr("too_old"));
  EXPECT_EQ(answer.headers.get("x-prometheus-remote-write-samples-written"), "1");
  EXPECT_EQ(service_metric("vigia_storage_samples_refused_total{reason=\"too_old\"}"), 2);
  EXPECT_THAT(get("/api/v1/label/__name__/values").body,
              HasSubstr(R"("data":["first","late","new","old"])"));
}

// C14: matchers of a remote read.
TEST_F(ServiceTest, WithoutTheHeaderEachSeriesHasItsOwnOwner) {
  EXPECT_EQ(write(series("up", "cliente-a", {{now_, 1}}) + series("up", "cliente-b", {{now_, 0}}) +
                  series("up", "", {{now_, 1}}))
                .status,
            204);
  const std::string a = read(
      {{MatchType::kEqual, "__name__", "up"}, {MatchType::kEqual, "customer_id", "cliente-a"}});
  EXPECT_THAT(a, HasSubstr("cliente-a"));
  EXPECT_THAT(a, Not(HasSubstr("cliente-b")));
  const std::string all = read({{MatchType::kEqual, "__name__", "up"}});
  EXPECT_THAT(all, HasSubstr("cliente-a"));
  EXPECT_THAT(all, HasSubstr("cliente-b"));
  // The fence of the header is stronger than any matcher.
  for (const auto type : {MatchType::kEqual, MatchType::kRegex}) {
    EXPECT_EQ(read({{type, "customer_id", "cliente-b"}}, "cliente-a"), "");
  }
  EXPECT_THAT(get("/api/v1/series?matcher=__name__%3Dup", "cliente-b").body,
              HasSubstr(R"("data":[{"__name__":"up","customer_id":"cliente-b","node_id":"n1"}])"));
}

TEST_F(ServiceTest, LabelsKnowTheRangeAndTheLimit) {
  constexpr TimestampMs kOldAge = 3 * 86'400'000LL;  // far more than a day: days are told apart
  write(series("old", "cliente-a", {{now_ - kOldAge, 1}}) + series("new", "cliente-a", {{now_, 1}}),
        "cliente-a");
  const std::string recent = "start=" + std::to_string(now_ / 1000 - 60);
  const std::string before = "end=" + std::to_string((now_ - kOldAge) / 1000 + 60);
  for (const char* matcher : {"", "matcher=node_id%3Dn1&"}) {
    const std::string names = std::string("/api/v1/label/__name__/values?") + matcher;
    EXPECT_THAT(get(names + recent).body, HasSubstr(R"("data":["new"])")) << matcher;
    EXPECT_THAT(get(names + before).body, HasSubstr(R"("data":["old"])")) << matcher;
    EXPECT_THAT(get(std::string("/api/v1/labels?") + matcher + "end=86400").body,
                HasSubstr(R"("data":[])"))
        << matcher;
  }
  EXPECT_THAT(get("/api/v1/series?matcher=node_id%3Dn1&" + recent).body, Not(HasSubstr("old")));
  EXPECT_THAT(get("/api/v1/series?matcher=__name__%3Dold&next=1&matcher=__name__%3Dnew").body,
              HasSubstr("old"));
  EXPECT_THAT(get("/api/v1/label/__name__/values?matcher=node_id%3D~n.*&" + recent).body,
              HasSubstr(R"("data":["new"])"));
  EXPECT_THAT(get("/api/v1/labels?limit=1").body, HasSubstr("truncated"));
  EXPECT_THAT(get("/api/v1/labels?customer=cliente-b").body, HasSubstr(R"("data":[])"));
  EXPECT_EQ(get("/api/v1/labels?customer=cliente-b", "cliente-a").status, 400);
  EXPECT_EQ(get("/api/v1/labels?nonsense=1").status, 400);
  EXPECT_EQ(get("/api/v1/series").status, 400);
  EXPECT_EQ(get("/api/v1/series?matcher=a%3D~%5B").status, 400);
}

// C59: pages of any size have each line once, in the order in which it came, or backward.
TEST_F(ServiceTest, LogLinesOfOneTimeComeOnceOverAllPages) {
  std::vector<std::string> wanted;
  std::vector<std::string> records;
  for (std::size_t i = 0; i < 13; ++i) {
    wanted.push_back("line-" + std::to_string(i));
    const store::TimestampNs later = i < 2 ? 0 : i < 11 ? 5 : 6;
    records.push_back(store::log_record_of(second_ns() + later, wanted.back()));
  }
  write_logs("cliente-a", {records.begin(), records.begin() + 7});
  write_logs("cliente-a", {records.begin() + 7, records.end()});
  write_logs("cliente-b", {store::log_record_of(second_ns() + 5, "of another")});
  for (const std::string direction : {"forward", "backward"}) {
    for (const std::string limit : {"1", "2", "4", "12", "13", "99"}) {
      std::vector<std::string> all;
      LogPage page;
      std::size_t pages = 0;
      do {
        const std::string from = page.cursor.empty() ? "" : "&cursor=" + page.cursor;
        page = logs("cliente-a", "direction=" + direction + "&limit=" + limit + from);
        ASSERT_EQ(page.status, 200);
        ASSERT_LE(page.bodies.size(), std::stoul(limit));
        all.insert(all.end(), page.bodies.begin(), page.bodies.end());
      } while (!page.cursor.empty() && ++pages < 20);
      EXPECT_EQ(all, wanted) << direction << " by " << limit;
    }
    std::reverse(wanted.begin(), wanted.end());
  }
}

TEST_F(ServiceTest, AStreamOfLogLinesIsAskedForByItsLabels) {
  write_logs("cliente-a", {store::log_record_of(second_ns(), "of the shop")}, "shop");
  write_logs("cliente-a", {store::log_record_of(second_ns(), "of the bank")}, "bank");
  const auto of = [&](const std::string& query) {
    return logs("cliente-a", "query=" + query).bodies;
  };
  EXPECT_THAT(of("%7Bservice_name%3D%22shop%22%7D"), testing::ElementsAre("of the shop"));
  EXPECT_THAT(of("%7Bservice_name!~%22s.*%22%7D"), testing::ElementsAre("of the bank"));
  EXPECT_EQ(logs("cliente-a", "query=shop").status, 400);
  EXPECT_EQ(logs("cliente-a", "direction=up").status, 400);
}

// With a cursor of another customer, or of the other direction, nothing is answered.
TEST_F(ServiceTest, ACursorIsOfItsCustomer) {
  for (const std::string customer : {"cliente-a", "cliente-b"}) {
    write_logs(customer, {store::log_record_of(second_ns(), customer + " 1"),
                          store::log_record_of(second_ns(), customer + " 2")});
  }
  const std::string cursor = logs("cliente-a", "limit=1").cursor;
  ASSERT_FALSE(cursor.empty());
  EXPECT_EQ(logs("cliente-b", "cursor=" + cursor).status, 400);
  EXPECT_EQ(logs("cliente-a", "direction=backward&cursor=" + cursor).status, 400);
  EXPECT_THAT(logs("cliente-a", "cursor=" + cursor).bodies, testing::ElementsAre("cliente-a 2"));
}

// increase() misses a counter that begins at 1; the provider's rule asks for the state.
TEST_F(ServiceTest, EveryKindOfDamageIsShownBeforeTheFirst) {
  for (const char* what :
       {"table", "table_missing", "wal", "wal_end", "manifest", "current", "mark", "unknown"}) {
    EXPECT_EQ(service_metric(std::string("vigia_storage_damage_total{what=\"") + what + "\"}"), 0)
        << what;
  }
  EXPECT_EQ(service_metric("vigia_storage_damage_recent"), 0);
}

TEST_F(ServiceTest, ATimeThatIsNotInDoubtCannotBeConfirmed) {
  net::ClientRequest request;
  request.method = "POST";
  request.url = "/api/v1/retention/confirm";
  EXPECT_EQ(send(std::move(request)).status, 409);
  EXPECT_EQ(service_metric("vigia_storage_expiry_held"), 0);
  EXPECT_EQ(service_metric("vigia_storage_quarantined_files"), 0);
}

TEST_F(ServiceTest, HowFarBackACustomerIsKeptIsTold) {
  const net::ClientResponse kept = get("/api/v1/retention?customer=cliente-a");
  EXPECT_EQ(kept.status, 200);
  for (const char* key : {"\"made\":1", "\"raw\":", "\"5m\":", "\"1h\":", "\"1d\":"}) {
    EXPECT_NE(kept.body.find(key), std::string::npos) << key << " in " << kept.body;
  }
  EXPECT_EQ(get("/api/v1/retention").status, 400) << "each customer has a class of his own";
}

TEST_F(ServiceTest, WhichStoreItIsIsSaidOnHealthAndStaysSo) {
  const std::string said(get("/health").headers.get(disk_log::kStoreHeader));
  const auto identity = disk_log::parse_store_identity(said);
  ASSERT_TRUE(identity) << said;
  EXPECT_GT(service_metric("vigia_storage_made_seconds{store=\"" + identity->id + "\"}"), 0);
  restart();
  EXPECT_EQ(get("/health").headers.get(disk_log::kStoreHeader), said);
}

TEST_F(ServiceTest, ARestartKeepsEverything) {
  write(series("m", "cliente-a", {{now_, 1}}), "cliente-a");
  restart();
  EXPECT_THAT(read({{MatchType::kEqual, "__name__", "m"}}), HasSubstr("cliente-a"));
  const auto repeat = write(series("m", "cliente-a", {{now_, 1}}), "cliente-a");
  EXPECT_EQ(repeat.status, 204);
}

// The service knows a store by its contract alone: another kind is a row of the table.
TEST_F(ServiceTest, AnyKindOfStoreWillDo) {
  const StoreKind kinds[] = {{"memory",
                              [](const StoreSettings& settings) -> const std::string& {
                                return settings.rocksdb.directory;
                              },
                              [](const StoreSettings&, const Clock&,
                                 std::size_t) -> Result<std::unique_ptr<instance::StoreInstance>> {
                                return std::make_unique<MemoryInstance>();
                              },
                              nullptr}};
  service_.reset();
  settings_.store.rocksdb.directory = folder_.path() + "/memory";
  settings_.store.kind = "memory";
  EXPECT_FALSE(Service::start(settings_).has_value());  // the program has no such row
  auto started = Service::start(settings_, kinds);
  ASSERT_TRUE(started.has_value()) << started.error().message;
  service_ = *std::move(started);
  EXPECT_EQ(write(series("m", "cliente-a", {{now_, 1}}), "cliente-a").status, 204);
  EXPECT_THAT(read({{MatchType::kEqual, "__name__", "m"}}, "cliente-a"), HasSubstr("cliente-a"));
  EXPECT_THAT(read({{MatchType::kEqual, "__name__", "m"}}, "cliente-b"), "");
  EXPECT_EQ(service_metric("vigia_storage_open_series"), 1);
  EXPECT_EQ(service_metric("vigia_storage_writable"), 1);
}

// Refused before the stop, taken by the program that starts now.
TEST_F(ServiceTest, WhatLiesInQuarantineIsAnsweredAfterAStart) {
  write(series("m", "cliente-a", {{now_, 1}}), "cliente-a");
  EXPECT_EQ(service_metric("vigia_storage_chunks_in_quarantine"), 0);
  service_.reset();
  const std::string folder = settings_.store.rocksdb.directory + "/quarantine/chunks";
  const SystemClock clock;
  chunk::ChunkWriter writer;
  writer.append({now_ - 3'600'000, 42});
  quarantine::QuarantinedChunk lost;
  lost.number = {1};
  lost.customer = CustomerId::parse("cliente-a").value();
  lost.row = {{1},
              now_ - 3'600'000,
              now_ - 3'600'000,
              store::kInOrder,
              store::Encoding::kFloats,
              std::string(writer.bytes())};
  {
    quarantine::ChunkQuarantine quarantine({folder}, disk_log::system_files(), clock);
    ASSERT_TRUE(quarantine.keep(lost).has_value());
  }
  start();
  EXPECT_EQ(service_metric("vigia_storage_chunks_in_quarantine"), 0);
  const quarantine::ChunkQuarantine left({folder}, disk_log::system_files(), clock);
  EXPECT_TRUE(left.names().empty());
  EXPECT_THAT(read({{MatchType::kEqual, "__name__", "m"}}, "cliente-a"),
              HasSubstr(std::string(writer.bytes()).substr(2)));
}

// "c1-…" is of the first customer: of whom chunks are missing is told that, and nobody else.
TEST_F(ServiceTest, WhatStaysInQuarantineIsSaidToItsCustomerAlone) {
  write(series("m", "cliente-a", {{now_, 1}}), "cliente-a");
  write(series("m", "cliente-b", {{now_, 1}}), "cliente-b");
  const auto lacks = [this](const std::string& path, const std::string& customer) {
    return std::string(get(path, customer).headers.get("x-vigia-incomplete"));
  };
  EXPECT_EQ(lacks("/api/v1/labels", "cliente-a"), "");
  service_.reset();
  const std::string folder = settings_.store.rocksdb.directory + "/quarantine/chunks";
  std::filesystem::create_directories(folder);
  std::ofstream(folder + "/c1-s1-0-e1-v0-00000000.chunk") << "spoilt";
  start();
  EXPECT_EQ(lacks("/api/v1/labels", "cliente-a"), "quarantine");
  EXPECT_THAT(get("/api/v1/labels", "cliente-a").body, HasSubstr("are set aside"));
  EXPECT_EQ(lacks("/api/v1/labels", "cliente-b"), "");
  EXPECT_THAT(get("/api/v1/labels", "cliente-b").body, Not(HasSubstr("set aside")));
  EXPECT_EQ(lacks("/api/v1/labels", ""), "quarantine") << "of anybody's";
  EXPECT_EQ(lacks("/health", ""), "quarantine");
  EXPECT_EQ(get("/api/v1/traces/1f", "cliente-a").status, 404) << "chunks are of samples";
}

TEST_F(ServiceTest, ASecondCopyOnTheSameFolderIsRefused) {
  const auto second = Service::start(settings_);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(second.error().message, HasSubstr(folder_.path()));
}

// As write_logs of the fixture, by gRPC.
class ServiceGrpcTest : public ServiceTest {
 protected:
  otlp::ExportAnswer export_by_grpc(Signal signal, const std::string& body, net::Headers headers) {
    otlp::ExportClient client({"http://" + service_->address(), otlp::Protocol::kGrpc, "gzip",
                               std::move(headers), std::chrono::seconds(10), std::nullopt},
                              *client_);
    std::promise<otlp::ExportAnswer> answered;
    client.send(signal, body, {}, [&answered](otlp::ExportAnswer answer, std::string_view) {
      answered.set_value(std::move(answer));
    });
    return answered.get_future().get();
  }
  net::Headers of(const std::string& customer) {
    return {{"authorization", "Bearer secret"}, {"x-vigia-customer", customer}};
  }
  std::string body_of(const std::string& customer) {
    return store::export_of(customer, {store::log_record_of(second_ns(), "by gRPC")},
                            {{"service.name", "shop"}});
  }
};

TEST_F(ServiceGrpcTest, LogRecordsAreTakenByGrpc) {
  using Meaning = otlp::ExportAnswer::Meaning;
  const auto taken = export_by_grpc(Signal::kLogs, body_of("cliente-a"), of("cliente-a"));
  EXPECT_EQ(taken.meaning, Meaning::kTaken) << taken.why;
  EXPECT_EQ(taken.why, "") << "no warning";
  EXPECT_EQ(taken.rejected, 0U);
  EXPECT_EQ(logs("cliente-a", "").bodies, std::vector<std::string>{"by gRPC"});
  const auto foreign = export_by_grpc(Signal::kLogs, body_of("cliente-b"), of("cliente-a"));
  EXPECT_EQ(foreign.meaning, Meaning::kRefused);
  EXPECT_THAT(foreign.why, HasSubstr("does not name the request's customer"));
  const auto nobodys =
      export_by_grpc(Signal::kLogs, body_of("cliente-a"), {{"authorization", "Bearer secret"}});
  EXPECT_EQ(nobodys.meaning, Meaning::kRefused);
  EXPECT_THAT(nobodys.why, HasSubstr("X-Vigia-Customer is missing"));
  EXPECT_THAT(logs("cliente-b", "").bodies, testing::IsEmpty());
}

TEST_F(ServiceGrpcTest, WhatIsNotServedOrNotAllowedIsSaidInGrpcsWords) {
  const auto wrong = export_by_grpc(Signal::kTraces, "", {{"authorization", "Bearer wrong"}});
  EXPECT_EQ(wrong.meaning, otlp::ExportAnswer::Meaning::kLater);
  EXPECT_THAT(wrong.why, HasSubstr("the internal token is missing or wrong"));
  const auto metrics = export_by_grpc(Signal::kMetrics, "", of("cliente-a"));
  EXPECT_EQ(metrics.meaning, otlp::ExportAnswer::Meaning::kLater);  // UNIMPLEMENTED
  net::ClientRequest by_http;
  by_http.method = "POST";
  by_http.url = otlp::grpc_path(Signal::kLogs);
  by_http.headers = {{"content-type", "application/x-protobuf"}, {"x-vigia-customer", "cliente-a"}};
  by_http.body = body_of("cliente-a");
  EXPECT_EQ(send(std::move(by_http)).status, 404);
  EXPECT_THAT(logs("cliente-a", "").bodies, testing::IsEmpty());
}

}  // namespace
}  // namespace vigia::storage
