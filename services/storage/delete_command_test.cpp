#include "services/storage/delete_command.hpp"

#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <protozero/pbf_writer.hpp>

#include "services/storage/healing/heal_note.hpp"
#include "services/storage/inspect_command.hpp"
#include "services/storage/rolling/rollup_book.hpp"
#include "services/storage/store/rocksdb/customer_removal.hpp"
#include "services/storage/store/rocksdb/index/index_key.hpp"
#include "services/storage/store/rocksdb/kv/rocksdb_rows.hpp"
#include "services/storage/store/rocksdb/kv/rocksdb_store.hpp"
#include "services/storage/testing/service_fixture.hpp"

namespace vigia::storage {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

using Words = std::map<std::string, std::string, std::less<>>;

// Stands in names, values, attributes and texts of the one who goes; the other has his own.
constexpr std::string_view kMark = "mark7Zk1pVw93xTt0LsQ";
constexpr std::string_view kOtherMark = "mark8Yb2rNc64hGg5MdU";
constexpr TimestampMs kHourMs = 3'600'000;

std::string trace_id(char letter) { return std::string(store::kTraceIdBytes, letter); }

class DeleteTest : public ServiceFixture {
 protected:
  struct Said {
    Result<int> code;
    std::string text;
  };
  template <typename Command>
  static Said say(Command command, Words words) {
    testing::internal::CaptureStdout();
    auto code = command(service::CommandWords(std::move(words)));
    std::fflush(stdout);
    return {std::move(code), testing::internal::GetCapturedStdout()};
  }
  static Said remove(const std::string& folder, const std::string& customer, bool is_meant = true) {
    Words words = {{"FOLDER", folder}, {"--customer", customer}};
    if (is_meant) words["--yes"] = "";
    return say(delete_customer, std::move(words));
  }
  static std::string raw_of(const std::string& folder, const std::string& customer) {
    const Said said = say(inspect, {{"FOLDER", folder}, {"--customer", customer}, {"--raw", ""}});
    EXPECT_EQ(said.code, 0);
    return said.text;
  }

  // Rows of every kind: chunks, some of them late, and what is still open; an exemplar, what a
  // metric is said to be, spans and log records.
  void fill(const std::string& customer, const std::string& mark) {
    for (int i = 0; i < 20; ++i) {
      const std::string metric = mark + std::to_string(i);
      ASSERT_EQ(write(series(metric, customer,
                             {{now_ - 40 * kHourMs, 1.0 * i}, {now_ - 9 * kHourMs, 2}, {now_, 3}}))
                    .status,
                204);
      ASSERT_EQ(write(series(metric, customer, {{now_ - 20 * kHourMs, 4}})).status, 204);
    }
    std::string exemplars;
    wire::remote_write::append_exemplar(exemplars, Labels::from({{"trace_id", mark + " exemplar"}}),
                                        {now_, 1});
    const std::string labels = wire::remote_write::encode_labels(
        Labels::from({{"__name__", mark + "0"}, {"customer_id", customer}, {"node_id", "n1"}}));
    std::string message;
    wire::remote_write::append_sample(message, labels, {now_, 3}, exemplars);
    ASSERT_EQ(write(message).headers.get("x-prometheus-remote-write-exemplars-written"), "1");
    std::string metadata;
    protozero::pbf_writer writer(metadata);
    writer.add_string(2, mark + "0");
    writer.add_string(4, mark + " help");
    std::string said;
    protozero::pbf_writer(said).add_message(3, metadata);
    ASSERT_EQ(write(said, customer).status, 204);
    write_logs(customer,
               {store::log_record_of(second_ns(), mark + " text"),
                store::log_record_of(second_ns() + 1, mark + " again")},
               mark + "service");
    net::ClientRequest request;
    request.method = "POST";
    request.url = "/v1/traces";
    request.headers = {{"content-type", "application/x-protobuf"}, {"x-vigia-customer", customer}};
    request.body = store::export_of(
        customer,
        {store::span_of(trace_id(customer.back()), 's', second_ns(), {.name = mark + "name"})},
        {{"service.name", mark + "service"}});
    EXPECT_EQ(send(std::move(request)).status, 200);
  }
  // What the customer is answered, all of it.
  std::string answers(const std::string& customer, std::string_view mark) {
    const std::string range = "start=" + std::to_string(now_ / 1000 - 200'000) +
                              "&end=" + std::to_string(now_ / 1000 + 1);
    return read({{MatchType::kRegex, "__name__", std::string(mark) + ".*"}}, customer) +
           get("/api/v1/series?matcher=__name__=~.%2B", customer).body +
           get("/api/v1/logs?" + range, customer).body +
           get("/api/v1/traces/" + hex_of(trace_id(customer.back())), customer).body +
           get("/api/v1/metadata", customer).body + get("/api/v1/services?" + range, customer).body;
  }
  static std::string hex_of(const std::string& id) {
    std::string hex;
    for (const char letter : id) hex += fmt::format("{:02x}", static_cast<unsigned char>(letter));
    return hex;
  }

  // Files that hold the text, in bytes as they lie or in rows once these are unpacked.
  static std::vector<std::string> places_of(const std::string& folder, std::string_view text) {
    std::vector<std::string> places;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      if (!entry.is_regular_file()) continue;
      const std::string path = entry.path().string();
      std::ifstream file(path, std::ios::binary);
      const std::string bytes(std::istreambuf_iterator<char>(file), {});
      bool is_there = bytes.find(text) != std::string::npos;
      if (path.ends_with(".sst")) {
        const auto read = store::rocksdb::kv::read_table(
            path, [&](const std::string&, std::string_view key, std::string_view value) {
              is_there = is_there || key.find(text) != std::string_view::npos ||
                         value.find(text) != std::string_view::npos;
              return Result<void>();
            });
        EXPECT_TRUE(read.has_value()) << path;
      }
      if (is_there) places.push_back(entry.path().filename().string());
    }
    return places;
  }

  static void note_own_rollups(const std::string& folder,
                               const std::map<CustomerId, rolling::OwnDays>& own) {
    namespace kv = store::rocksdb::kv;
    rolling::RollupNote note;
    note.own = own;
    const auto rows = kv::open_rocksdb({folder}).value();
    ASSERT_TRUE(rows->put({{kv::Family::kDue, std::string(4, '\0') + "note", write_note(note)}},
                          kv::Durability::kNow));
  }
  static void forget_last_number(const std::string& folder) {
    namespace kv = store::rocksdb::kv;
    const std::string key(store::rocksdb::index::index_key::kLastCustomer);
    const auto rows = kv::open_rocksdb({folder}).value();
    ASSERT_TRUE(rows->get(kv::Family::kIndex, key).value().has_value());
    ASSERT_TRUE(
        rows->put({{kv::Family::kIndex, key, "", true}, {kv::Family::kIdentity, key, "", true}},
                  kv::Durability::kNow));
  }

  const std::string& store_folder() const { return settings_.store.rocksdb.directory; }
};

TEST_F(DeleteTest, NothingOfTheCustomerIsLeftInAnyFileAndTheNeighbourHasAll) {
  fill("cliente-a", std::string(kMark));
  fill("cliente-b", std::string(kOtherMark));
  const std::string before = answers("cliente-b", kOtherMark);
  ASSERT_THAT(before, HasSubstr(kOtherMark));
  service_.reset();
  const healing::HealNote note(store_folder(), "http://hot", disk_log::system_files());
  const CustomerId other = CustomerId::parse("cliente-b").value();
  ASSERT_TRUE(note.keep({{CustomerId::parse("cliente-a").value(), 1}, {other, 2}}).has_value());
  const rolling::OwnDays own = {7, {8, 8, 8}};
  note_own_rollups(store_folder(), {{CustomerId::parse("cliente-a").value(), own}, {other, own}});
  ASSERT_THAT(places_of(store_folder(), kMark), Not(IsEmpty()));

  const Said looked = remove(store_folder(), "cliente-a", false);
  EXPECT_EQ(looked.code, 1);
  EXPECT_THAT(looked.text, HasSubstr("before: customer cliente-a (number 1)\n"));
  EXPECT_THAT(looked.text, HasSubstr("  log records: 2 rows"));
  EXPECT_THAT(looked.text, HasSubstr("nothing was deleted"));
  ASSERT_THAT(places_of(store_folder(), kMark), Not(IsEmpty()));

  const Said said = remove(store_folder(), "cliente-a");
  ASSERT_TRUE(said.code.has_value()) << said.code.error().message;
  EXPECT_EQ(said.code, 0) << said.text;
  EXPECT_THAT(said.text, HasSubstr("nothing of customer cliente-a is left"));
  EXPECT_THAT(places_of(store_folder(), kMark), IsEmpty());
  EXPECT_THAT(places_of(store_folder(), "cliente-a"), IsEmpty());
  EXPECT_THAT(places_of(store_folder(), kOtherMark), Not(IsEmpty()));
  EXPECT_EQ(note.load(), (healing::HealedUpTo{{other, 2}})) << "whoever is not in it is new";

  start();
  EXPECT_EQ(answers("cliente-b", kOtherMark), before);
  EXPECT_THAT(answers("cliente-a", kMark), Not(HasSubstr(kMark)));
  // Whoever comes back begins anew.
  fill("cliente-a", "anew");
  EXPECT_THAT(answers("cliente-a", "anew"), HasSubstr("anew0"));
  EXPECT_EQ(answers("cliente-b", kOtherMark), before);
}

TEST_F(DeleteTest, WhoIsNotThereOrHeldOrMisspeltIsToldSo) {
  fill("cliente-a", std::string(kMark));
  const auto error = [this](const std::string& customer) {
    const Said said = remove(store_folder(), customer);
    return said.code ? "" : said.code.error().message;
  };
  EXPECT_THAT(error("cliente-a"), HasSubstr("stop vigia-storage first"));
  service_.reset();
  EXPECT_THAT(error("cliente-x"), HasSubstr("no customer cliente-x"));
  EXPECT_THAT(error("_provider"), HasSubstr("--customer"));
  EXPECT_EQ(remove(store_folder(), "cliente-x", false).code, 0);
  EXPECT_THAT(places_of(store_folder(), kMark), Not(IsEmpty()));
}

// What the folder is at each step is what a kill there leaves.
TEST_F(DeleteTest, AKillAtAnyStepIsGoneOnWith) {
  fill("cliente-a", std::string(kMark));
  fill("cliente-b", std::string(kOtherMark));
  service_.reset();
  // The log is emptied without anybody gone: nobody of that name.
  ASSERT_FALSE(remove(store_folder(), "cliente-x").code.has_value());
  const std::string before = raw_of(store_folder(), "cliente-b");
  ASSERT_THAT(before, HasSubstr(kOtherMark));
  std::vector<std::string> copies;
  const auto customer = CustomerId::parse("cliente-a").value();
  const auto proof =
      store::rocksdb::remove_customer(customer, store_folder(), [&](const std::string& /*what*/) {
        copies.push_back(folder_.path() + "/killed" + std::to_string(copies.size()));
        fs::copy(store_folder(), copies.back(), fs::copy_options::recursive);
      });
  ASSERT_TRUE(proof.has_value()) << proof.error().message;
  EXPECT_THAT(proof->left, IsEmpty());
  EXPECT_FALSE(store::rocksdb::unfinished_removal(store_folder()).has_value());
  ASSERT_GT(copies.size(), 3U);
  for (const std::string& copy : copies) {
    EXPECT_EQ(store::rocksdb::unfinished_removal(copy), customer);
    const Said said = remove(copy, "cliente-a");
    ASSERT_TRUE(said.code.has_value()) << said.code.error().message;
    EXPECT_EQ(said.code, 0) << said.text;
    EXPECT_THAT(places_of(copy, kMark), IsEmpty()) << copy;
    EXPECT_THAT(places_of(copy, "cliente-a"), IsEmpty()) << copy;
    EXPECT_EQ(raw_of(copy, "cliente-b"), before) << copy;
  }
  EXPECT_EQ(raw_of(store_folder(), "cliente-b"), before);
}

TEST_F(DeleteTest, TheNumberOfOneWhoIsGoneIsGivenToNobody) {
  fill("cliente-a", std::string(kMark));
  service_.reset();
  EXPECT_THAT(remove(store_folder(), "cliente-a", false).text, HasSubstr("(number 1)"));
  EXPECT_EQ(remove(store_folder(), "cliente-a").code, 0);
  start();
  fill("cliente-c", std::string(kOtherMark));
  service_.reset();
  EXPECT_THAT(remove(store_folder(), "cliente-c", false).text, HasSubstr("(number 2)"));
}

// Else they come back with the next start, when the proof has long said that nothing is left.
TEST_F(DeleteTest, WhileRowsWaitToBeWrittenBackNothingIsDeleted) {
  fill("cliente-a", std::string(kMark));
  service_.reset();
  ASSERT_FALSE(remove(store_folder(), "cliente-x").code.has_value());  // the log is emptied
  const std::string unsaved = store_folder() + "/quarantine/0001-000012.sst";
  fs::create_directories(store_folder() + "/quarantine");
  std::ofstream(unsaved) << "x";
  const auto customer = CustomerId::parse("cliente-a").value();
  const auto proof =
      store::rocksdb::remove_customer(customer, store_folder(), [](const std::string& /*what*/) {});
  ASSERT_FALSE(proof.has_value());
  EXPECT_EQ(proof.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(proof.error().message, HasSubstr("vigia_storage_unsaved_files"));
  EXPECT_FALSE(store::rocksdb::unfinished_removal(store_folder()).has_value());
  fs::remove(unsaved);
  EXPECT_THAT(raw_of(store_folder(), "cliente-a"), HasSubstr(kMark));
}

// An earlier program gave the number to somebody new: what goes on with the removal leaves his
// alone, and does not say that nothing is left.
TEST_F(DeleteTest, ANumberThatIsSomebodyElsesByNowIsNotForgottenAgain) {
  fill("cliente-a", std::string(kMark));
  service_.reset();
  std::string killed;
  const auto customer = CustomerId::parse("cliente-a").value();
  ASSERT_FALSE(remove(store_folder(), "cliente-x").code.has_value());
  ASSERT_TRUE(
      store::rocksdb::remove_customer(customer, store_folder(), [&](const std::string& what) {
        if (what.find("anew") == std::string::npos) return;  // behind the number's end
        killed = folder_.path() + "/killed";
        fs::copy(store_folder(), killed, fs::copy_options::recursive);
      }));
  ASSERT_NE(killed, "");
  settings_.store.rocksdb.directory = killed;
  forget_last_number(killed);
  start();
  fill("cliente-c", std::string(kOtherMark));
  const std::string before = answers("cliente-c", kOtherMark);
  service_.reset();
  ASSERT_THAT(raw_of(killed, "cliente-c"), HasSubstr(kOtherMark));
  EXPECT_EQ(remove(killed, "cliente-c").code.has_value(), false);  // another's is not done
  const Said said = remove(killed, "cliente-a");
  EXPECT_EQ(said.code, 1) << said.text;
  EXPECT_THAT(said.text, HasSubstr("nothing can be told apart any more"));
  EXPECT_THAT(said.text, Not(HasSubstr("nothing of customer")));
  start();
  EXPECT_EQ(answers("cliente-c", kOtherMark), before);
}

// They hold whole files of everybody's rows: nobody may take them for gone.
TEST_F(DeleteTest, DamagedFilesThatWereSetAsideAreNamed) {
  fill("cliente-a", std::string(kMark));
  service_.reset();
  fs::create_directories(store_folder() + "/quarantine");
  std::ofstream(store_folder() + "/quarantine/0001-000012.sst") << "x";
  std::ofstream(store_folder() + "/quarantine/0001-000012.sst.note") << "vigia quarantine note 1\n";
  std::ofstream(store_folder() + "/wal/segment-0000000000000001.log.damaged") << "x";
  const Said said = remove(store_folder(), "cliente-a");
  EXPECT_EQ(said.code, 1);
  EXPECT_THAT(said.text, HasSubstr("LEFT quarantine/0001-000012.sst: "));
  EXPECT_THAT(said.text, HasSubstr("LEFT wal/segment-0000000000000001.log.damaged: "));
  fs::remove_all(store_folder() + "/quarantine");
  fs::remove(store_folder() + "/wal/segment-0000000000000001.log.damaged");
  EXPECT_EQ(remove(store_folder(), "cliente-a").code, 0);
}

}  // namespace
}  // namespace vigia::storage
