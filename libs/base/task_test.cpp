#include "libs/base/task.hpp"

#include <array>
#include <memory>
#include <string>
#include <utility>

#include <gtest/gtest.h>

namespace vigia {
namespace {

TEST(Task, CallsWhatOnlyMoves) {
  auto owned = std::make_unique<int>(7);
  const Task<int(int)> task = [owned = std::move(owned)](int more) { return *owned + more; };
  EXPECT_EQ(task(1), 8);
  EXPECT_EQ(task(2), 9);
}

TEST(Task, TakesArgumentsThatOnlyMove) {
  const Task<int(std::unique_ptr<int>)> task = [](std::unique_ptr<int> number) { return *number; };
  EXPECT_EQ(task(std::make_unique<int>(3)), 3);
}

TEST(Task, KeepsTheStateOfItsCallable) {
  const Task<int()> task = [count = 0]() mutable { return ++count; };
  task();
  EXPECT_EQ(task(), 2);
}

TEST(Task, AnEmptyOneSaysSo) {
  EXPECT_FALSE(Task<void()>());
  EXPECT_FALSE(Task<void()>(nullptr));
  EXPECT_FALSE(Task<void()>(std::function<void()>()));
  void (*nothing)() = nullptr;
  EXPECT_FALSE(Task<void()>(nothing));
  EXPECT_TRUE(Task<void()>([] {}));
}

template <std::size_t Bytes>
void expect_let_go_once() {
  const auto witness = std::make_shared<int>(1);
  Task<std::size_t()> first = [witness, load = std::array<char, Bytes>()] { return load.size(); };
  EXPECT_EQ(witness.use_count(), 2);
  Task<std::size_t()> second = std::move(first);
  EXPECT_EQ(witness.use_count(), 2);
  EXPECT_FALSE(first);  // NOLINT(bugprone-use-after-move): what is promised of it
  EXPECT_EQ(second(), Bytes);
  first = std::move(second);
  EXPECT_EQ(first(), Bytes);
  first = nullptr;
  EXPECT_EQ(witness.use_count(), 1);
  EXPECT_FALSE(first);
}

TEST(Task, LetsGoOfSmallCallablesOnce) { expect_let_go_once<1>(); }
TEST(Task, LetsGoOfLargeCallablesOnce) { expect_let_go_once<200>(); }

TEST(Task, AssigningLetsTheOldOneGo) {
  const auto witness = std::make_shared<int>(1);
  Task<void()> task = [witness] {};
  task = [] {};
  EXPECT_EQ(witness.use_count(), 1);
}

TEST(Task, WhatIsLetGoMayLookAtItsTask) {
  struct Looks {
    Task<void()>* task;
    bool* was_empty;
    Looks(Task<void()>* at, bool* told) : task(at), was_empty(told) {}
    Looks(Looks&& other) noexcept
        : task(std::exchange(other.task, nullptr)), was_empty(other.was_empty) {}
    Looks& operator=(Looks&&) = delete;
    Looks(const Looks&) = delete;
    Looks& operator=(const Looks&) = delete;
    ~Looks() {
      if (task != nullptr) *was_empty = !*task;
    }
    void operator()() const {}
  };
  bool was_empty = false;
  Task<void()> task;
  task = Looks(&task, &was_empty);
  task = nullptr;
  EXPECT_TRUE(was_empty);
}

}  // namespace
}  // namespace vigia
