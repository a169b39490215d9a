#include "services/storage/store/cassandra/requests.hpp"

#include <fmt/format.h>

namespace vigia::storage::store::cassandra {

using vigia::cassandra::BoundCells;
using vigia::cassandra::Page;
using vigia::cassandra::PreparedStatement;
using vigia::cassandra::RowReader;
using vigia::cassandra::Session;

Statement Preparation::prepare(std::string_view cql, std::uint32_t page_rows) {
  // A coordinator that hangs gives a write without a time of its own that of its waking up.
  const bool is_timeless =
      cql.starts_with("SELECT ") || cql.find(" USING TIMESTAMP ?") != std::string_view::npos;
  return prepare(cql, page_rows, is_timeless ? Repeated::kAtAnyTime : Repeated::kIfGone);
}

Statement Preparation::prepare_row(std::string_view cql) {
  return prepare(cql, kPageRows, Repeated::kAtAnyTime);
}

Statement Preparation::prepare_once(std::string_view cql) {
  return prepare(cql, kPageRows, Repeated::kNever);
}

Statement Preparation::prepare(std::string_view cql, std::uint32_t page_rows, Repeated repeated) {
  if (!outcome_) return nullptr;
  vigia::cassandra::StatementSpec spec;
  spec.cql = fmt::format(fmt::runtime(cql), keyspace_);
  spec.page_rows = page_rows;
  spec.is_idempotent = repeated != Repeated::kNever;
  if (repeated == Repeated::kAtAnyTime) spec.speculative_after = session_.speculative_after();
  auto prepared = session_.prepare(spec);
  if (prepared) return *std::move(prepared);
  outcome_ = tl::unexpected<Error>(with_context(spec.cql, prepared.error()));
  return nullptr;
}

Result<void> Preparation::outcome() const { return outcome_; }

std::optional<Error> Requests::silence() const {
  const std::lock_guard lock(shared_->mutex);
  return shared_->silence;
}

void Requests::add(const PreparedStatement& statement, const BoundCells& cells) {
  if (auto silence = this->silence()) {
    answers_.push_back(std::make_shared<Result<Page>>(tl::unexpected<Error>(*std::move(silence))));
    return;
  }
  auto answer = std::make_shared<Result<Page>>(fail(ErrorCode::kInternal, "no answer"));
  answers_.push_back(answer);
  {
    const std::lock_guard lock(shared_->mutex);
    ++shared_->left;
  }
  session_.send({statement, cells, owner_, kRequestDeadline},
                [shared = shared_, answer = std::move(answer),
                 until = std::chrono::steady_clock::now() + kRequestDeadline](Result<Page> page) {
                  const std::lock_guard lock(shared->mutex);
                  if (!page) {
                    // Of a place that did not become free the session says another word.
                    const bool is_silence = page.error().code == ErrorCode::kDeadline ||
                                            std::chrono::steady_clock::now() >= until;
                    page.error() = store_error(std::move(page.error()));
                    if (is_silence && !shared->silence) shared->silence = page.error();
                  }
                  *answer = std::move(page);
                  if (--shared->left == 0) shared->came.notify_all();
                });
}

std::vector<Result<Page>> Requests::wait() {
  std::unique_lock lock(shared_->mutex);
  shared_->came.wait(lock, [this] { return shared_->left == 0; });
  std::vector<Result<Page>> pages;
  pages.reserve(answers_.size());
  for (const auto& answer : answers_) pages.push_back(std::move(*answer));
  answers_.clear();
  return pages;
}

Result<void> Requests::wait_for_all() {
  for (Result<Page>& page : wait()) {
    if (!page) return forward(page);
  }
  return {};
}

Error store_error(Error error) {
  if (error.code == ErrorCode::kDeadline) error.code = ErrorCode::kUnavailable;
  return error;
}

Result<Page> ask(Session& session, const PreparedStatement& statement, const BoundCells& cells,
                 std::string_view owner, std::string_view paging_state) {
  auto page = session.fetch({statement, cells, owner, kRequestDeadline, paging_state});
  if (!page) return tl::unexpected<Error>(store_error(std::move(page.error())));
  return page;
}

Result<Page> ask_within(const WorkLimit& limit, Session& session,
                        const vigia::cassandra::Execution& request) {
  constexpr auto kLook = std::chrono::milliseconds(50);
  struct Waiting {  // the driver's thread may tell when nobody waits any more
    std::mutex mutex;
    std::condition_variable came;
    std::optional<Result<Page>> page;
  };
  const auto waiting = std::make_shared<Waiting>();
  session.send(request, [waiting](Result<Page> page) {
    const std::lock_guard lock(waiting->mutex);
    waiting->page = std::move(page);
    waiting->came.notify_all();
  });
  std::unique_lock lock(waiting->mutex);
  while (!waiting->page) {
    if (auto checked = limit.check(); !checked) return forward(checked);
    waiting->came.wait_for(lock, kLook);
  }
  if (!*waiting->page) {
    return tl::unexpected<Error>(store_error(std::move(waiting->page->error())));
  }
  return *std::move(waiting->page);
}

// A page may be empty and not the last one: where rows of it have expired.
Result<std::optional<RowReader>> Rows::next() {
  while (row_ == page_.rows()) {
    if (is_begun_ && page_.paging_state().empty()) return std::optional<RowReader>();
    const std::string state = page_.paging_state();
    auto page =
        limit_ == nullptr
            ? ask(session_, statement_, cells_, owner_, state)
            : ask_within(*limit_, session_, {statement_, cells_, owner_, kRequestDeadline, state});
    if (!page) return forward(page);
    page_ = *std::move(page);
    row_ = 0;
    is_begun_ = true;
  }
  return std::optional<RowReader>(page_.row(row_++));
}

tl::unexpected<Error> malformed_row(std::string_view table) {
  return fail(ErrorCode::kCorrupt, fmt::format("a row of {} cannot be read", table));
}

}  // namespace vigia::storage::store::cassandra
