#include "services/storage/identity/store_guard.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/base/clock.hpp"
#include "libs/base/testing/temporary_folder.hpp"

namespace vigia::storage::identity {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr TimestampMs kNow = 1'764'349'999'000;

class StoreGuardTest : public testing::Test {
 protected:
  StoreGuardTest() {
    settings_.directory = folder_.path() + "/store";
    settings_.known_file = "";
  }
  StoreGuard guard() const { return {settings_, disk_log::system_files(), clock_}; }
  void make_database() const {
    fs::create_directories(settings_.directory);
    std::ofstream(settings_.directory + "/CURRENT") << "MANIFEST-000001\n";
  }
  /// As a start does.
  std::optional<disk_log::StoreIdentity> start(TimestampMs now_ms = kNow) const {
    StoreGuard one = guard();
    const auto checked = one.check();
    EXPECT_TRUE(checked) << checked.error().message;
    make_database();
    return one.settle(now_ms);
  }
  std::string refusal() const {
    const auto checked = guard().check();
    if (checked) return "";
    EXPECT_EQ(checked.error().code, ErrorCode::kUnavailable);
    return checked.error().message;
  }
  void empty_directory() const {
    fs::remove_all(settings_.directory);
    fs::create_directories(settings_.directory + "/lost+found");
  }
  std::string known() const { return folder_.path() + "/store.known"; }
  void forget(const std::string& path) const {
    fs::remove(path);
    fs::remove(path + ".copy");
  }

  const TemporaryFolder folder_;
  ManualClock clock_{kNow * 1'000'000};
  StoreGuardSettings settings_;
};

TEST_F(StoreGuardTest, AStoreIsMadeOnceAndStaysTheSame) {
  const auto made = start();
  ASSERT_TRUE(made);
  EXPECT_EQ(made->made_ms, kNow);
  EXPECT_TRUE(fs::exists(settings_.directory + "/vigia-store-id.copy"));
  EXPECT_TRUE(fs::exists(known()));
  EXPECT_EQ(start(kNow + 1), made);
}

TEST_F(StoreGuardTest, AnEmptyDirectoryInItsPlaceIsRefused) {
  const auto made = start();
  empty_directory();
  EXPECT_THAT(refusal(), testing::AllOf(HasSubstr(made->id), HasSubstr("mounted"),
                                        HasSubstr("delete " + known())));
  fs::remove_all(settings_.directory);
  EXPECT_THAT(refusal(), HasSubstr(made->id)) << "nor is one that is missing made";
  EXPECT_FALSE(fs::exists(settings_.directory));
  forget(known());  // a person says so
  EXPECT_NE(start(kNow + 1)->id, made->id);
}

TEST_F(StoreGuardTest, OfADamagedNoteItIsKnownThatThereWasAStore) {
  start();
  empty_directory();
  for (const char* ending : {"", ".copy"}) std::ofstream(known() + ending) << "x";
  EXPECT_THAT(refusal(), HasSubstr("(unreadable)"));
}

TEST_F(StoreGuardTest, ItsFilesGoneAndItsIdThereIsRefusedToo) {
  const auto made = start();
  fs::remove(settings_.directory + "/CURRENT");
  forget(known());
  EXPECT_THAT(refusal(), HasSubstr(made->id));
}

TEST_F(StoreGuardTest, AnotherStoreInItsPlaceIsRefused) {
  const auto first = start();
  fs::rename(settings_.directory, settings_.directory + "-1");
  forget(known());
  const auto second = start();
  fs::rename(settings_.directory, settings_.directory + "-2");
  fs::rename(settings_.directory + "-1", settings_.directory);
  EXPECT_THAT(refusal(), testing::AllOf(HasSubstr(first->id), HasSubstr(second->id)));
  forget(known());
  EXPECT_EQ(start(), first);
}

TEST_F(StoreGuardTest, NeverMeansNever) {
  settings_.may_create = false;
  EXPECT_THAT(refusal(), HasSubstr("store.create is never"));
  make_database();
  EXPECT_TRUE(start());
}

TEST_F(StoreGuardTest, TheNoteOutsideMendsTheFilesInside) {
  const auto made = start();
  for (const char* ending : {"", ".copy"}) {
    std::ofstream(settings_.directory + "/vigia-store-id" + ending) << "x";
  }
  EXPECT_EQ(start(kNow + 1), made);
}

// It was stamped with the id of the store that was known, and answered in its place.
TEST_F(StoreGuardTest, AFolderThatDoesNotSayWhichStoreItIsIsNotTakenForTheKnownOne) {
  const auto made = start();
  forget(settings_.directory + "/vigia-store-id");
  EXPECT_THAT(refusal(), testing::AllOf(HasSubstr(made->id), HasSubstr("not whole")));
  fs::copy(known(), settings_.directory + "/vigia-store-id");  // as the message says
  EXPECT_EQ(start(kNow + 1), made);
}

// A backup that came while it was waited for was opened when its first table was there; the
// database was begun anew and all that came after deleted.
TEST_F(StoreGuardTest, WhatIsCopiedBackWhileItWaitsIsOpenedWhenItStandsStill) {
  const auto made = start();
  fs::rename(settings_.directory, settings_.directory + "-backup");
  StoreGuard waiting = guard();
  EXPECT_FALSE(waiting.check());
  fs::create_directories(settings_.directory + "/wal");
  const auto write = [this](const std::string& name, const std::string& content) {
    std::ofstream(settings_.directory + "/" + name) << content;
    clock_.advance(StoreGuard::kStill / 2);
  };
  write("000010.sst", "x");
  EXPECT_FALSE(waiting.check());
  fs::copy(settings_.directory + "-backup/vigia-store-id", settings_.directory);
  EXPECT_THAT(waiting.check().error().message, HasSubstr("it has no CURRENT"));
  clock_.advance(StoreGuard::kStill);
  EXPECT_FALSE(waiting.check());
  write("CURRENT", "MANIFEST-000001\n");
  EXPECT_THAT(waiting.check().error().message, HasSubstr("it changes"));
  write("wal/1.log", "x");
  EXPECT_FALSE(waiting.check());
  write("wal/1.log", "xx");
  EXPECT_FALSE(waiting.check());
  clock_.advance(StoreGuard::kStill);
  EXPECT_TRUE(waiting.check());
  EXPECT_EQ(waiting.settle(kNow + 1), made);
  EXPECT_TRUE(guard().check()) << "who did not wait opens it at once";
}

// The way to make a restored folder another store on purpose.
TEST_F(StoreGuardTest, WithoutAnyOfTheFilesItGetsAnotherIdentity) {
  const auto made = start();
  forget(settings_.directory + "/vigia-store-id");
  forget(known());
  const auto renewed = start(kNow + 5);
  EXPECT_NE(renewed->id, made->id);
  EXPECT_EQ(renewed->made_ms, 0) << "what it holds is older";
}

TEST_F(StoreGuardTest, ANoteThatCannotBeWrittenStopsNobody) {
  settings_.known_file = "/proc/vigia/known";
  const auto made = start();
  ASSERT_TRUE(made);
  EXPECT_EQ(start(kNow + 1), made);
}

TEST_F(StoreGuardTest, SlashesBehindTheDirectoryAreNoPartOfItsName) {
  settings_.directory += "//";
  ASSERT_TRUE(start());
  EXPECT_TRUE(fs::exists(known()));
}

}  // namespace
}  // namespace vigia::storage::identity
