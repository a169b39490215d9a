#include "services/storage/store/cassandra/instance_signs.hpp"

#include <algorithm>
#include <chrono>
#include <thread>

#include <fmt/format.h>

namespace vigia::storage::store::cassandra {
namespace {

constexpr auto kLook = std::chrono::milliseconds(500);

}  // namespace

Result<void> InstanceSigns::prepare(Preparation& preparation) {
  read_ = preparation.prepare("SELECT instance, beat, taken_by FROM {}.instances");
  return preparation.outcome();
}

// A row that cannot be read may be of one that lives, and ends by itself.
Result<InstanceSigns::ByNumber> InstanceSigns::read() {
  ByNumber all;
  bool is_whole = true;
  auto read = session_.for_each_row({*read_, {}, "", kRequestDeadline},
                                    [&](vigia::cassandra::RowReader& row) {
                                      const std::int64_t number = row.read_bigint();
                                      Row one;
                                      one.beat = row.read_bigint();
                                      one.taken_by = row.read_bigint();
                                      is_whole = is_whole && row.ok();
                                      all[number] = one;
                                      return true;
                                    });
  if (!read) return tl::unexpected<Error>(store_error(std::move(read.error())));
  if (!is_whole) return malformed_row("instances");
  return all;
}

// A row that has ended is no sign.
std::vector<std::int64_t> InstanceSigns::signs_in(const ByNumber& now) const {
  std::vector<std::int64_t> numbers;
  for (const auto& [number, row] : now) {
    const auto before = seen_.find(number);
    if (before == seen_.end() || before->second != row) numbers.push_back(number);
  }
  return numbers;
}

Result<void> InstanceSigns::expect_none(Duration lease,
                                        const std::function<void(Duration left)>& told) {
  auto first = read();
  if (!first) return forward(first);
  seen_ = *std::move(first);
  const bool may_live = std::any_of(
      seen_.begin(), seen_.end(), [](const auto& one) { return one.second.taken_by != one.first; });
  const auto until = std::chrono::steady_clock::now() + lease;
  while (may_live) {
    auto now = read();
    if (!now) return forward(now);
    if (const auto signs = signs_in(*now); !signs.empty()) {
      return fail(ErrorCode::kUnavailable,
                  fmt::format("the instance of number {} lives: stop every vigia-storage that "
                              "shares the keyspace first",
                              signs.front()));
    }
    const auto time = std::chrono::steady_clock::now();
    if (time >= until) break;
    told(until - time);
    std::this_thread::sleep_for(std::min<Duration>(kLook, until - time));
  }
  return {};
}

Result<std::vector<std::int64_t>> InstanceSigns::since() {
  auto now = read();
  if (!now) return forward(now);
  return signs_in(*now);
}

}  // namespace vigia::storage::store::cassandra
