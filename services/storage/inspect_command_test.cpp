#include "services/storage/inspect_command.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>
#include <set>
#include <sstream>

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include "libs/chunk/chunk_writer.hpp"
#include "libs/disk_log/file_system.hpp"
#include "services/storage/keep/raw_lines.hpp"
#include "services/storage/quarantine/chunk_quarantine.hpp"
#include "services/storage/store/rocksdb/kv/rocksdb_store.hpp"
#include "services/storage/store_kinds.hpp"
#include "services/storage/testing/service_fixture.hpp"

namespace vigia::storage {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;
using testing::UnorderedElementsAre;

constexpr TimestampMs kFiveHours = 5 * 3'600'000;

using Words = std::map<std::string, std::string, std::less<>>;

class InspectTest : public ServiceFixture {
 protected:
  const TimestampMs old_ = now_ - kFiveHours;  // a later sample closes the chunk of it
  // As a kill at this moment would leave the folder.
  std::string killed() {
    std::string copy = folder_.path() + "/copy";
    fs::remove_all(copy);
    fs::copy(settings_.store.rocksdb.directory, copy, fs::copy_options::recursive);
    return copy;
  }
  struct Said {
    Result<int> code;
    std::string text;
  };
  static Said look(const std::string& folder, Words words = {}) {
    words["FOLDER"] = folder;
    testing::internal::CaptureStdout();
    auto code = inspect(service::CommandWords(std::move(words)));
    std::fflush(stdout);
    return {std::move(code), testing::internal::GetCapturedStdout()};
  }
  // Without what stands before the labels, a series' number.
  static std::vector<std::string> lines(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) {
      lines.push_back(line.substr(line.find(R"("labels":)")));
    }
    return lines;
  }
  static std::map<std::string, std::string> files(const std::string& folder) {
    std::map<std::string, std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      if (!entry.is_regular_file()) continue;
      std::ifstream file(entry.path(), std::ios::binary);
      files[entry.path().string()] = std::string(std::istreambuf_iterator<char>(file), {});
    }
    return files;
  }
  static std::string line(const std::string& customer, TimestampMs time_ms,
                          const std::string& ending) {
    return R"("labels":{"__name__":"m","customer_id":")" + customer +
           R"(","node_id":"n1"},"time_ms":)" + std::to_string(time_ms) + "," + ending + "}";
  }
};

TEST_F(InspectTest, WhatIsInTheLogAloneAndWhatIsInChunksIsWrittenOut) {
  ASSERT_EQ(write(series("m", "cliente-a", {{old_, 1.5}, {old_ + 1, stale_mark()}}), "").status,
            204);
  const std::string in_log = killed();
  const auto before = files(in_log);
  const Said log = look(in_log, {{"--raw", ""}});
  ASSERT_EQ(log.code, 0);
  EXPECT_THAT(
      lines(log.text),
      UnorderedElementsAre(
          line("cliente-a", old_, R"("value":"1.5","place":"log")"),
          line("cliente-a", old_ + 1, R"("value":"nan","bits":"7ff0000000000002","place":"log")")));
  EXPECT_EQ(files(in_log), before);

  ASSERT_EQ(write(series("m", "cliente-a", {{now_, 2}})).status, 204);  // closes those
  service_.reset();
  const Said chunks = look(settings_.store.rocksdb.directory, {{"--raw", ""}});
  ASSERT_EQ(chunks.code, 0);
  EXPECT_THAT(chunks.text, HasSubstr(R"("value":"1.5","version":0,"place":"chunks"})"));
  EXPECT_THAT(chunks.text, HasSubstr(R"("bits":"7ff0000000000002","version":0,"place":"chunks"})"));
}

TEST_F(InspectTest, CustomerRangeAndSeriesAreHeeded) {
  for (const char* customer : {"cliente-a", "cliente-b"}) {
    const Sample later{now_, 5};  // closes what is before it
    ASSERT_EQ(
        write(series("m", customer, {{old_, 1}, {old_ + 1000, 2}, {old_ + 2000, 3}, later})).status,
        204);
    ASSERT_EQ(write(series("other", customer, {{old_ + 1000, 4}, later})).status, 204);
  }
  service_.reset();
  const auto raw = [&](Words words) {
    words["--raw"] = "";
    words["--customer"] = "cliente-a";
    const std::string all = look(settings_.store.rocksdb.directory, std::move(words)).text;
    EXPECT_THAT(all, Not(HasSubstr("cliente-b")));  // of the log neither
    std::string text;
    std::istringstream stream(all);
    for (std::string line; std::getline(stream, line);) {
      if (line.find("chunks") != std::string::npos) text += line + "\n";
    }
    return text;
  };
  EXPECT_EQ(lines(raw({})).size(), 4U);
  const std::string from = fmt::format("{:.3f}", static_cast<double>(old_ + 1000) / 1000);
  const auto ranged =
      lines(raw({{"--series", R"({__name__=~"m|n"})"}, {"--from", from}, {"--to", from}}));
  EXPECT_THAT(ranged, UnorderedElementsAre(line("cliente-a", old_ + 1000,
                                                R"("value":"2","version":0,"place":"chunks")")));
}

// Open samples of two customers and two series each: they lie in the log alone.
TEST_F(InspectTest, CustomerRangeAndSeriesFenceTheLogToo) {
  for (const char* customer : {"cliente-a", "cliente-b"}) {
    const std::vector<Sample> samples = {{old_, 1}, {old_ + 1000, 2}, {old_ + 2000, 3}};
    ASSERT_EQ(write(series("m", customer, samples) + series("other", customer, samples)).status,
              204);
  }
  const std::string copy = killed();
  const auto raw = [&](Words words) {
    words["--raw"] = "";
    const Said said = look(copy, std::move(words));
    EXPECT_EQ(said.code, 0);
    return lines(said.text);
  };
  const auto of_log = [&](const std::string& customer, int second) {
    return line(customer, old_ + 1000 * second,
                fmt::format(R"("value":"{}","place":"log")", second + 1));
  };
  const std::string m = R"({__name__=~"m|n"})";
  const std::string from = fmt::format("{:.3f}", static_cast<double>(old_ + 1000) / 1000);
  EXPECT_EQ(raw({}).size(), 12U);
  EXPECT_EQ(raw({{"--customer", "cliente-b"}}).size(), 6U);
  EXPECT_THAT(
      raw({{"--customer", "cliente-b"}, {"--series", m}}),
      UnorderedElementsAre(of_log("cliente-b", 0), of_log("cliente-b", 1), of_log("cliente-b", 2)));
  EXPECT_THAT(raw({{"--customer", "cliente-a"}, {"--series", m}, {"--from", from}}),
              UnorderedElementsAre(of_log("cliente-a", 1), of_log("cliente-a", 2)));
  EXPECT_THAT(raw({{"--customer", "cliente-a"}, {"--series", m}, {"--to", from}}),
              UnorderedElementsAre(of_log("cliente-a", 0), of_log("cliente-a", 1)));
  EXPECT_THAT(raw({{"--series", m}, {"--from", from}, {"--to", from}}),
              UnorderedElementsAre(of_log("cliente-a", 1), of_log("cliente-b", 1)));
}

TEST_F(InspectTest, TheSummaryCountsByCustomerAndKind) {
  ASSERT_EQ(
      write(series("m", "cliente-a", {{now_, 1}}) + series("n", "cliente-a", {{now_, 1}})).status,
      204);
  ASSERT_EQ(write(series("m", "cliente-b", {{now_, 1}})).status, 204);
  write_logs("cliente-b",
             {store::log_record_of(second_ns(), "x"), store::log_record_of(second_ns() + 1, "y")});
  const Said said = look(killed());
  ASSERT_EQ(said.code, 0);
  EXPECT_THAT(said.text, HasSubstr("format: vigia cold store 7\nstore: "));
  EXPECT_THAT(said.text, HasSubstr("customers: 2\n"));
  const std::size_t second = said.text.find("customer cliente-b (number 2)\n");
  ASSERT_NE(second, std::string::npos);
  EXPECT_THAT(said.text.substr(0, second), HasSubstr("customer cliente-a (number 1)\n"));
  EXPECT_THAT(said.text.substr(0, second), HasSubstr("  series: 2 rows"));
  EXPECT_THAT(said.text.substr(second), HasSubstr("  log records: 2 rows"));
  EXPECT_THAT(said.text, HasSubstr("  customer cliente-a (number 1): 2 samples of 2 series"));
  const Said one = look(folder_.path() + "/copy", {{"--customer", "cliente-b"}});
  ASSERT_EQ(one.code, 0);
  EXPECT_THAT(one.text, Not(HasSubstr("cliente-a")));
}

TEST_F(InspectTest, WhatCannotBeDoneIsToldClearly) {
  const auto error = [](const std::string& folder, Words words = {}) {
    const Said said = look(folder, std::move(words));
    return said.code ? "" : said.code.error().message;
  };
  EXPECT_THAT(error(settings_.store.rocksdb.directory), HasSubstr("stop vigia-storage first"));
  EXPECT_THAT(error(folder_.path() + "/nothing"), HasSubstr("there is no store in"));
  const std::string copy = killed();
  EXPECT_THAT(error(copy, {{"--customer", "cliente-x"}}), HasSubstr("no customer cliente-x"));
  EXPECT_THAT(error(copy, {{"--raw", ""}, {"--from", "yesterday"}}),
              HasSubstr("--from: yesterday"));
  EXPECT_THAT(error(copy, {{"--raw", ""}, {"--series", "{a=b}"}}), HasSubstr("--series"));
  EXPECT_THAT(error(copy, {{"--to", "1"}}), HasSubstr("--to goes with --raw"));
}

TEST_F(InspectTest, FoldersOfOlderVersionsAreRead) {
  for (const char* version : {"v2", "v3"}) {
    const std::string folder = folder_.path() + "/" + version;
    fs::copy(std::string("tests/golden/cold_store/") + version + "/store", folder,
             fs::copy_options::recursive);
    const auto before = files(folder);
    const Said said = look(folder, {{"--raw", ""}});
    EXPECT_EQ(said.code, 0) << version;
    const bool has_samples = said.text.find(R"("labels":{"__name__":)") != std::string::npos;
    EXPECT_EQ(has_samples, version == std::string("v2"));  // the other one has spans and logs alone
    EXPECT_EQ(look(folder).code, 0) << version;
    EXPECT_EQ(files(folder), before) << version;
  }
}

TEST_F(InspectTest, DamageIsToldWithOne) {
  ASSERT_EQ(write(series("m", "cliente-a", {{now_, 1}})).status, 204);
  const std::string copy = killed();
  for (const auto& entry : fs::directory_iterator(copy + "/wal")) {
    if (entry.path().filename().string().find("segment-") != 0) continue;
    std::fstream file(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(-3, std::ios::end);
    file.put('\x55');
  }
  const Said said = look(copy, {{"--raw", ""}});
  EXPECT_EQ(said.code, 1);
  EXPECT_EQ(said.text, "");
}

// It lies in the log alone: RocksDB would open it up to the damage and say that all is well.
TEST_F(InspectTest, DamageInTheDatabasesOwnLogIsToldWithOne) {
  for (const char* customer : {"cliente-a", "cliente-b", "cliente-c"}) {
    ASSERT_EQ(write(series("m", customer, {{now_, 1}})).status, 204);
  }
  const std::string copy = killed();
  bool is_changed = false;
  for (const auto& [path, bytes] : files(copy)) {
    const std::size_t at = bytes.find("cliente-b");
    if (fs::path(path).parent_path() != copy || !path.ends_with(".log")) continue;
    if (at == std::string::npos) continue;
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(at));
    file.put('C');
    is_changed = true;
  }
  ASSERT_TRUE(is_changed);
  EXPECT_EQ(look(copy).code, 1);
  EXPECT_EQ(look(copy, {{"--raw", ""}}).code, 1);
}

// The log has let go of them: they lie nowhere else.
TEST_F(InspectTest, ChunksInQuarantineAreWrittenOutAndCounted) {
  ASSERT_EQ(write(series("m", "cliente-a", {{now_, 1}})).status, 204);
  const std::string copy = killed();
  chunk::ChunkWriter writer;
  writer.append({old_, 42});
  quarantine::QuarantinedChunk lost;
  lost.number = {1};
  lost.customer = CustomerId::parse("cliente-a").value();
  lost.row = {
      {1}, old_, old_, store::kInOrder, store::Encoding::kFloats, std::string(writer.bytes())};
  const SystemClock clock;
  const std::string folder = copy + "/quarantine/chunks";
  quarantine::ChunkQuarantine quarantine({folder}, disk_log::system_files(), clock);
  ASSERT_TRUE(quarantine.keep(lost).has_value());

  const Said raw = look(copy, {{"--raw", ""}, {"--to", fmt::to_string(old_ / 1000 + 1)}});
  ASSERT_EQ(raw.code, 0);
  EXPECT_THAT(lines(raw.text),
              UnorderedElementsAre(
                  line("cliente-a", old_, R"("value":"42","version":0,"place":"quarantine")")));
  const Said summary = look(copy);
  ASSERT_EQ(summary.code, 0);
  EXPECT_THAT(summary.text, HasSubstr("quarantine: chunks that the store never took\n"
                                      "  customer cliente-a (number 1): 1 chunks"));

  std::ofstream(folder + "/c1-s1-7-e1-v0-00000000.chunk.damaged") << "spoilt";
  EXPECT_EQ(look(copy, {{"--raw", ""}}).code, 1);
  EXPECT_EQ(look(copy).code, 1);
}

TEST_F(InspectTest, FilesThatWereSetAsideAreToldWithOne) {
  ASSERT_EQ(write(series("m", "cliente-a", {{now_, 1}})).status, 204);
  for (const char* name : {"/quarantine/0001-000012.sst", "/wal/segment-0000000001.damaged"}) {
    const std::string copy = killed();
    fs::create_directories(copy + "/quarantine");
    std::ofstream(copy + "/quarantine/0001-000012.sst.note") << "vigia quarantine note 1\n";
    ASSERT_EQ(look(copy).code, 0) << "a note alone is no file of rows";
    std::ofstream(copy + name) << "spoilt";
    EXPECT_EQ(look(copy).code, 1) << name;
    EXPECT_EQ(look(copy, {{"--raw", ""}}).code, 1) << name;
  }
}

// Whatever of the chunks cannot be read, the log is written out all the same.
TEST_F(InspectTest, DamageOfATableIsToldWithOneAndTheLogWrittenOut) {
  ASSERT_EQ(write(series("m", "cliente-a", {{old_, 1}, {now_, 2}})).status, 204);
  service_.reset();
  const std::string& folder = settings_.store.rocksdb.directory;
  std::set<std::string> known;
  for (const auto& [path, bytes] : files(folder)) known.insert(path);
  {
    namespace kv = store::rocksdb::kv;
    auto opened = kv::open_rocksdb({folder});
    ASSERT_TRUE(opened.has_value()) << opened.error().message;
    // Bytes that do not compress, behind all other rows: the middle of the table is theirs.
    std::vector<kv::KeyValue> rows;
    std::mt19937 random(1);
    for (int i = 0; i < 500; ++i) {
      std::string value(320, '\0');
      for (char& byte : value) byte = static_cast<char>(random());
      rows.push_back({kv::Family::kChunks, "\x01" + fmt::format("{:04}", i), value});
    }
    ASSERT_TRUE((*opened)->put(rows, kv::Durability::kNow).has_value());
    ASSERT_TRUE((*opened)->compact().has_value());
  }
  std::string table;
  for (const auto& [path, bytes] : files(folder)) {
    if (!path.ends_with(".sst") || known.contains(path)) continue;
    if (table.empty() || bytes.size() > fs::file_size(table)) table = path;
  }
  ASSERT_GT(fs::file_size(table), 100'000U);
  std::fstream file(table, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(static_cast<std::streamoff>(fs::file_size(table) / 2));
  file.write("spoilt", 6);
  file.close();
  const Said raw = look(folder, {{"--raw", ""}});
  ASSERT_EQ(raw.code, 1);
  EXPECT_THAT(raw.text, HasSubstr(R"("value":"2","place":"log"})"));
  EXPECT_EQ(look(folder).code, 1);
}

TEST_F(InspectTest, AFolderOfALaterVersionIsRefused) {
  service_.reset();
  const std::string& folder = settings_.store.rocksdb.directory;
  {
    namespace kv = store::rocksdb::kv;
    auto opened = kv::open_rocksdb({folder});
    ASSERT_TRUE(opened.has_value()) << opened.error().message;
    const kv::KeyValue later{kv::Family::kIndex, "m/format", "vigia cold store 99"};
    ASSERT_TRUE((*opened)->put({later}, kv::Durability::kNow).has_value());
  }
  const Said said = look(folder);
  ASSERT_FALSE(said.code.has_value());
  EXPECT_EQ(said.code.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(said.code.error().message, HasSubstr("vigia cold store 99"));
}

TEST_F(InspectTest, WhatCannotBeWrittenIsAnErrorInBothModes) {
  ASSERT_EQ(write(series("m", "cliente-a", {{now_, 1}})).status, 204);
  const std::string copy = killed();
  for (const bool is_raw : {false, true}) {
    std::fflush(stdout);
    const int own = dup(STDOUT_FILENO);
    const int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    ASSERT_GE(full, 0);
    dup2(full, STDOUT_FILENO);
    Words words{{"FOLDER", copy}};
    if (is_raw) words["--raw"] = "";
    const auto code = inspect(service::CommandWords(std::move(words)));
    dup2(own, STDOUT_FILENO);
    close(own);
    close(full);
    std::fflush(stdout);
    std::clearerr(stdout);
    ASSERT_FALSE(code.has_value()) << is_raw;
    EXPECT_EQ(code.error().code, ErrorCode::kUnavailable);
  }
}

// In the middle: what comes after it may be written, so that the last flush says that all is well.
TEST_F(InspectTest, ALineThatIsNotWrittenEndsTheWalk) {
  ASSERT_EQ(write(series("m", "cliente-a", {{now_, 1}})).status, 204);
  const auto contents = look_into(killed());
  ASSERT_TRUE(contents.has_value()) << contents.error().message;
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> full(std::fopen("/dev/full", "w"),
                                                             std::fclose);
  ASSERT_NE(full, nullptr);
  ASSERT_EQ(std::setvbuf(full.get(), nullptr, _IONBF, 0), 0);
  const keep::RawWish wish;
  keep::RawLines lines(**contents, wish, full.get(), [](const std::string&) {});
  const auto added = lines.add({{1}, {1}, 0, {{now_, 1}}, {}});
  ASSERT_FALSE(added.has_value());
  EXPECT_EQ(added.error().code, ErrorCode::kUnavailable);
}

// Two customers by turns: each row is of another series than the one before.
TEST_F(InspectTest, LabelsWithoutASecondCopyAreThoseOfTheIndexOrNone) {
  for (const char* customer : {"cliente-a", "cliente-b"}) {
    ASSERT_EQ(write(series("m", customer, {{now_, 1}}) + series("n", customer, {{now_, 2}})).status,
              204);
  }
  service_.reset();
  const std::string& folder = settings_.store.rocksdb.directory;
  using LabelsBySeries = std::map<std::pair<std::uint64_t, std::uint32_t>, std::optional<Labels>>;
  const auto all_labels = [&] {
    const auto contents = look_into(folder);
    LabelsBySeries found;
    for (std::uint64_t series = 1; series <= 5; ++series) {
      for (const std::uint32_t customer : {1U, 2U}) {
        found[{series, customer}] = (*contents)->labels_of({customer}, {series}).value();
      }
    }
    return found;
  };
  const LabelsBySeries before = all_labels();
  {
    namespace kv = store::rocksdb::kv;
    auto opened = kv::open_rocksdb({folder});
    ASSERT_TRUE(opened.has_value()) << opened.error().message;
    ASSERT_TRUE((*opened)->drop_range(kv::Family::kIdentity, "l", "m").has_value());
  }
  EXPECT_EQ(all_labels(), before);
  EXPECT_EQ(std::count_if(before.begin(), before.end(),
                          [](const auto& known) { return known.second.has_value(); }),
            4);
}

}  // namespace
}  // namespace vigia::storage
