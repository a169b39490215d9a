#include "libs/service/command.hpp"

#include <fstream>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/base/testing/temporary_folder.hpp"

namespace vigia::service {
namespace {

using testing::HasSubstr;

Result<int> look(const CommandWords& words) {
  const auto file = words.config();
  if (!file) return forward(file);
  const std::string word = file->root().child("word").text();
  if (auto read = file->finish(); !read) return forward(read);
  if (word == "broken") return fail(ErrorCode::kUnavailable, "it could\nnot be done");
  return word == "found" ? 1 : 0;
}

// Says what it was told.
Result<int> repeat(const CommandWords& words) {
  return fail(ErrorCode::kUnavailable, words.text("FOLDER") + "|" + words.text("--customer") + "|" +
                                           (words.has("--customer") ? "customer " : "") +
                                           (words.has("--raw") ? "raw" : ""));
}

constexpr CommandOption kLookOptions[] = {kConfigOption};
constexpr CommandOption kRepeatOptions[] = {{"FOLDER", "", "Where it lies", true},
                                            {"--customer", "ID", "Of one alone"},
                                            {"--raw", "", "All of it"}};
constexpr ProgramCommand kCommands[] = {
    {"look", "Looks at it.", kLookOptions, look},
    {"repeat", "Repeats it.", kRepeatOptions, repeat, "What is repeated is said twice."}};

class CommandTest : public testing::Test {
 protected:
  std::optional<int> run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "vigia-example");
    std::vector<char*> pointers;
    for (std::string& argument : arguments) pointers.push_back(argument.data());
    testing::internal::CaptureStderr();
    const auto code =
        run_command(static_cast<int>(pointers.size()), pointers.data(), "vigia-example", kCommands);
    errors_ = testing::internal::GetCapturedStderr();
    return code;
  }
  std::string config(const std::string& word) {
    const std::string path = folder_.path() + "/" + word + ".yaml";
    std::ofstream(path) << "word: " << word << "\n";
    return path;
  }

  TemporaryFolder folder_;
  std::string errors_;
};

TEST_F(CommandTest, ItsCodeIsTheProgramsAndWhatCouldNotBeDoneIs2) {
  EXPECT_EQ(run({"look", "--config", config("fine")}), 0);
  EXPECT_EQ(run({"look", "--config", config("found")}), 1);
  EXPECT_EQ(errors_, "");
  EXPECT_EQ(run({"look", "--config", config("broken")}), 2);
  EXPECT_EQ(errors_, "it could not be done\n");
}

TEST_F(CommandTest, WhatIsNoCommandIsTheServices) {
  EXPECT_EQ(run({}), std::nullopt);
  EXPECT_EQ(run({"--config", config("fine")}), std::nullopt);
  EXPECT_EQ(run({"listen"}), std::nullopt);
}

TEST_F(CommandTest, BadFlagsAndConfigurationsAreToldWith2) {
  EXPECT_EQ(run({"look"}), 2);
  EXPECT_THAT(errors_, HasSubstr("--config is required"));
  EXPECT_EQ(run({"look", "--config", folder_.path() + "/nothing.yaml"}), 2);
  EXPECT_THAT(errors_, HasSubstr("nothing.yaml"));
  EXPECT_EQ(run({"look", "--config", config("fine"), "--more"}), 2);
}

TEST_F(CommandTest, WordsAndFlagsAreToldAndWhatWasNotSaidIsNotThere) {
  EXPECT_EQ(run({"repeat", "/folder", "--customer", "a", "--raw"}), 2);
  EXPECT_EQ(errors_, "/folder|a|customer raw\n");
  EXPECT_EQ(run({"repeat", "/folder"}), 2);
  EXPECT_EQ(errors_, "/folder||\n");
  EXPECT_EQ(run({"repeat", "/folder", "--customer="}), 2);
  EXPECT_EQ(run({"repeat"}), 2);
  EXPECT_THAT(errors_, HasSubstr("FOLDER is required"));
  EXPECT_EQ(run({"repeat", "/folder", "/another"}), 2);
  EXPECT_THAT(errors_, HasSubstr("/another"));
}

TEST_F(CommandTest, ItsOwnHelpHasItsDetails) {
  testing::internal::CaptureStdout();
  EXPECT_EQ(run({"repeat", "--help"}), 0);
  const std::string help = testing::internal::GetCapturedStdout();
  EXPECT_THAT(help, HasSubstr("--customer ID"));
  EXPECT_THAT(help, HasSubstr("said twice"));
}

TEST_F(CommandTest, TheHelpNamesEach) {
  EXPECT_THAT(commands_help("vigia-example", kCommands),
              HasSubstr("vigia-example look --config FILE   Looks at it."));
  EXPECT_THAT(commands_help("vigia-example", kCommands),
              HasSubstr("vigia-example repeat FOLDER [--customer ID] [--raw]   Repeats it."));
}

}  // namespace
}  // namespace vigia::service
