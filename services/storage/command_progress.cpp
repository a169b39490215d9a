#include "services/storage/command_progress.hpp"

#include <chrono>
#include <cstdio>
#include <thread>

#include <fmt/format.h>
#include <unistd.h>

namespace vigia::storage {
namespace {

constexpr auto kWaitEach = std::chrono::milliseconds(20);

bool has_terminal() { return isatty(STDERR_FILENO) != 0; }

template <typename Condition>
bool wait_for(const Condition& is_done, Duration longest) {
  const auto end = std::chrono::steady_clock::now() + longest;
  while (!is_done()) {
    if (std::chrono::steady_clock::now() >= end) return false;
    show_progress("waiting until rows of damaged files are written back");
    std::this_thread::sleep_for(kWaitEach);
  }
  return true;
}

}  // namespace

void show_progress(const std::string& what) {
  if (has_terminal()) fmt::print(stderr, "\r\033[K{}", what);
}

void end_progress() {
  if (has_terminal()) fmt::print(stderr, "\r\033[K");
}

bool wait_until_saved(const instance::StoreInstance& store, Duration longest) {
  return wait_for([&] { return store.damage().unsaved_files == 0; }, longest);
}

bool wait_until_whole(const instance::StoreInstance& store, Duration longest) {
  return wait_for([&] { return store.damage().unsaved_files == 0 && !store.lacks_rows_of(""); },
                  longest);
}

}  // namespace vigia::storage
