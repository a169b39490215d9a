#include "libs/cassandra/testing/scripted_driver.hpp"

#include <utility>

#include "libs/base/check.hpp"

namespace vigia::cassandra {
namespace {

struct Texts {
  std::vector<std::string> texts;
  std::vector<RawCell> cells;
};

}  // namespace

Page page_of_texts(const std::vector<std::vector<std::string>>& rows, std::string paging_state) {
  auto held = std::make_unique<Texts>();
  for (const auto& row : rows) held->texts.insert(held->texts.end(), row.begin(), row.end());
  for (const std::string& text : held->texts) {
    held->cells.push_back({reinterpret_cast<const std::uint8_t*>(text.data()),
                           static_cast<std::int32_t>(text.size())});
  }
  const std::span<const RawCell> cells(held->cells);
  const std::size_t columns = rows.empty() ? 0 : rows.front().size();
  PageMemory memory(held.release(), [](void* one) {
    const std::unique_ptr<Texts> owned(static_cast<Texts*>(one));
  });
  return Page(std::move(memory), cells, columns, std::move(paging_state));
}

ScriptedDriver::~ScriptedDriver() { CHECK(waiting_.empty()); }

Result<std::unique_ptr<PreparedStatement>> ScriptedDriver::prepare(const StatementSpec& spec,
                                                                   Duration /*deadline*/) {
  const std::lock_guard lock(mutex_);
  prepared_.push_back(spec);
  return std::make_unique<PreparedStatement>();
}

Result<void> ScriptedDriver::run(std::string_view /*cql*/, Consistency /*consistency*/,
                                 Duration /*deadline*/) {
  return {};
}

void ScriptedDriver::execute(const Execution& request, PageDone done) {
  std::unique_lock lock(mutex_);
  paging_states_.emplace_back(request.paging_state);
  deadlines_.push_back(request.deadline);
  if (answers_.empty()) {
    waiting_.push_back(std::move(done));
    return;
  }
  Result<Page> answer = std::move(answers_.front());
  answers_.pop_front();
  lock.unlock();
  done(std::move(answer));
}

void ScriptedDriver::will_answer(Result<Page> page) {
  const std::lock_guard lock(mutex_);
  answers_.push_back(std::move(page));
}

void ScriptedDriver::answer_oldest(Result<Page> page) {
  std::unique_lock lock(mutex_);
  CHECK(!waiting_.empty());
  const PageDone done = std::move(waiting_.front());
  waiting_.pop_front();
  lock.unlock();
  done(std::move(page));
}

std::size_t ScriptedDriver::waiting() const {
  const std::lock_guard lock(mutex_);
  return waiting_.size();
}

std::vector<std::string> ScriptedDriver::paging_states() const {
  const std::lock_guard lock(mutex_);
  return paging_states_;
}

std::vector<Duration> ScriptedDriver::deadlines() const {
  const std::lock_guard lock(mutex_);
  return deadlines_;
}

std::vector<StatementSpec> ScriptedDriver::prepared() const {
  const std::lock_guard lock(mutex_);
  return prepared_;
}

}  // namespace vigia::cassandra
