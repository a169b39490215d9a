#include "services/storage/keep/checkpoints.hpp"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>

#include "services/storage/inspect_command.hpp"
#include "services/storage/store/rocksdb/rocksdb_instance.hpp"
#include "services/storage/testing/service_fixture.hpp"

namespace vigia::storage::keep {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

class CheckpointsTest : public ServiceFixture {
 protected:
  net::ClientResponse ask(const std::string& customer = "", const std::string& query = "") {
    net::ClientRequest request;
    request.method = "POST";
    request.url = "/api/v1/checkpoint" + query;
    if (!customer.empty()) request.headers.add("x-vigia-customer", customer);
    return send(std::move(request));
  }
  std::string made() {
    const auto answer = ask();
    EXPECT_EQ(answer.status, 200) << answer.body;
    const std::string before = R"("name":")";
    const std::size_t at = answer.body.find(before) + before.size();
    return answer.body.substr(at, answer.body.find('"', at) - at);
  }
  std::string folder() const { return settings_.store.rocksdb.directory + ".checkpoints"; }
  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder())) {
      names.push_back(entry.path().filename().string());
    }
    std::sort(names.begin(), names.end());
    return names;
  }
  void use_folder() {
    settings_.checkpoints = {folder(), 3};
    restart();
  }
};

TEST_F(CheckpointsTest, ItOpensByItselfAndHoldsWhatWasAcknowledgedAndNothingThatCameLater) {
  use_folder();
  const TimestampMs old = now_ - 5 * 3'600'000;
  ASSERT_EQ(write(series("closed", "cliente-a", {{old, 1}, {now_, 2}})).status, 204);
  write_logs("cliente-b", {store::log_record_of(second_ns(), "kept text")});
  const std::string name = made();
  ASSERT_EQ(write(series("later", "cliente-a", {{now_, 3}})).status, 204);
  // On the copy, the store that it was made of still running.
  const std::string own = settings_.store.rocksdb.directory;
  const auto running = std::move(service_);
  settings_.store.rocksdb.directory = folder() + "/" + name;
  settings_.checkpoints.directory = folder_.path() + "/others";
  start();
  EXPECT_THAT(get("/api/v1/label/__name__/values", "cliente-a").body, HasSubstr(R"(["closed"])"));
  EXPECT_EQ(read({{MatchType::kEqual, "__name__", "closed"}}).find("closed") != std::string::npos,
            true);
  EXPECT_THAT(logs("cliente-b", "").bodies, ElementsAre("kept text"));
  EXPECT_EQ(service_metric("vigia_storage_log_damaged_records_total"), 0);
  EXPECT_EQ(service_metric("vigia_storage_samples_replayed_total"), 2);
  // What it takes is its own.
  ASSERT_EQ(write(series("of_the_copy", "cliente-a", {{now_, 4}})).status, 204);
  service_.reset();
  const auto checked =
      store::rocksdb::RocksDbInstance::check(settings_.store.rocksdb, [](const auto&, auto) {});
  ASSERT_TRUE(checked.has_value());
  EXPECT_THAT(checked->faults, SizeIs(0));
}

TEST_F(CheckpointsTest, TheOldestGoAndWhatIsNotOursStays) {
  use_folder();
  fs::create_directories(folder() + "/mine");
  fs::create_directories(folder() + "/20200101T000000Z.new/wal");
  std::vector<std::string> made_names;
  for (int i = 0; i < 5; ++i) made_names.push_back(made());
  EXPECT_THAT(names(), ElementsAre(made_names[2], made_names[3], made_names[4], "mine"));
}

// Without it the guess of how long customers were kept would be taken for what was.
TEST_F(CheckpointsTest, ItSaysThatARetentionWasDamaged) {
  use_folder();
  const std::string name = "/vigia-retention-customers.damaged";
  std::ofstream(settings_.store.rocksdb.directory + name) << "damaged";
  EXPECT_TRUE(fs::exists(folder() + "/" + made() + name));
}

TEST_F(CheckpointsTest, NoCustomerGetsOne) {
  use_folder();
  EXPECT_EQ(ask("cliente-a").status, 403);
  EXPECT_EQ(ask("", "?customer=cliente-a").status, 403);
  EXPECT_FALSE(fs::exists(folder()));
}

TEST_F(CheckpointsTest, WhereItCannotBeMadeNothingOfItIsLeft) {
  use_folder();
  std::ofstream(folder()) << "a file stands where the folder would be";
  EXPECT_EQ(ask().status, 503);
  fs::remove(folder());
  EXPECT_THAT(made(), HasSubstr("Z"));
}

}  // namespace
}  // namespace vigia::storage::keep
