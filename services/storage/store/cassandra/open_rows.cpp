#include "services/storage/store/cassandra/open_rows.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "libs/base/fault.hpp"
#include "libs/service/log.hpp"
#include "services/storage/store/patience.hpp"

namespace vigia::storage::store::cassandra {
namespace {

using vigia::cassandra::BoundCells;
using vigia::cassandra::Page;
using vigia::cassandra::RowReader;

// A page is some MiB: rows have some hundred KiB.
constexpr std::uint32_t kBodyRows = 32;
// Taken over at once: rows of small requests by the thousand, of large ones a few.
constexpr std::size_t kTakeBytes = 1U << 20U;
constexpr std::size_t kTakeRows = 4'096;
constexpr int kSignsALease = 6;
constexpr std::int64_t kSecondsAMinute = 60;

std::int64_t bits(std::uint64_t number) { return static_cast<std::int64_t>(number); }
std::int32_t column(OpenSlot slot) { return static_cast<std::int32_t>(slot); }

}  // namespace

/// Rows under way; whoever lets go of it last tells how it went.
struct CassandraOpenRows::Keeping {
  Keeping(CassandraOpenRows& by_rows, LeaseTerm in_term, OpenSlot in_slot, Done done_by_all)
      : owner(by_rows), term(in_term), slot(in_slot), done(std::move(done_by_all)) {
    const std::lock_guard lock(owner.stop_mutex_);
    ++owner.keeping_;
  }
  Keeping(const Keeping&) = delete;
  Keeping& operator=(const Keeping&) = delete;
  ~Keeping() {
    contain_faults("what was told that open samples are kept", [this] { owner.note_done(*this); });
    const std::lock_guard lock(owner.stop_mutex_);
    if (--owner.keeping_ == 0) owner.stop_.notify_all();
  }
  void note(const Error& one) {
    const std::lock_guard lock(mutex);
    if (!error) error = one;
  }

  CassandraOpenRows& owner;
  const LeaseTerm term;
  const OpenSlot slot;
  std::vector<std::string> noting;  ///< customers of whom the slot is noted by this
  std::size_t rows = 0;
  std::mutex mutex;
  std::optional<Error> error;
  bool is_sent = false;
  Done done;
};

CassandraOpenRows::CassandraOpenRows(Key /*key*/, vigia::cassandra::Session& session,
                                     const OpenRowSettings& settings, const Clock& clock)
    : session_(session),
      clock_(clock),
      writer_(bits(settings.writer)),
      lease_(session, clock, settings.number, settings.lease),
      at_each_sign_(settings.at_each_sign),
      first_slot_(static_cast<OpenSlot>(
          std::max<std::int64_t>(clock.wall_ns() / (kSecondsAMinute * 1'000'000'000), 1))) {}

Result<std::unique_ptr<CassandraOpenRows>> CassandraOpenRows::open(
    vigia::cassandra::Session& session, const OpenRowSettings& settings, const Clock& clock) {
  auto rows = std::make_unique<CassandraOpenRows>(Key{}, session, settings, clock);
  if (auto prepared = rows->prepare(settings.keyspace); !prepared) return forward(prepared);
  if (auto beaten = rows->lease_.beat(); !beaten) return forward(beaten);
  rows->signs_ = std::thread([rows = rows.get()] { rows->run(); });
  return rows;
}

CassandraOpenRows::~CassandraOpenRows() {
  {
    const std::lock_guard lock(stop_mutex_);
    is_stopping_ = true;
  }
  stop_.notify_all();
  {
    std::unique_lock lock(stop_mutex_);  // the driver's threads tell this how it went
    stop_.wait(lock, [this] { return keeping_ == 0; });
  }
  if (signs_.joinable()) signs_.join();
}

Result<void> CassandraOpenRows::prepare(const std::string& keyspace) {
  Preparation preparation(session_, keyspace);
  write_ = preparation.prepare_row(
      "INSERT INTO {}.head_rows (customer_id, instance, slot, arrival, writer, body) VALUES (?, ?, "
      "?, ?, ?, ?)");
  note_ = preparation.prepare_row(
      "INSERT INTO {}.head_slots (customer_id, instance, slot) VALUES (?, ?, ?)");
  read_ = preparation.prepare(
      "SELECT body FROM {}.head_rows WHERE customer_id = ? AND instance = ? AND slot = ?",
      kBodyRows);
  read_slots_ =
      preparation.prepare("SELECT slot FROM {}.head_slots WHERE customer_id = ? AND instance = ?");
  read_newest_ = preparation.prepare(
      "SELECT slot FROM {}.head_slots WHERE customer_id = ? AND instance = ? ORDER BY slot DESC "
      "LIMIT 1");
  read_customers_ = preparation.prepare("SELECT customer_id FROM {}.customers");
  forget_slot_ = preparation.prepare(
      "DELETE FROM {}.head_slots WHERE customer_id = ? AND instance = ? AND slot = ?");
  forget_before_ = preparation.prepare(
      "DELETE FROM {}.head_slots WHERE customer_id = ? AND instance = ? AND slot < ?");
  return lease_.prepare(preparation);
}

void CassandraOpenRows::run() {
  std::unique_lock lock(stop_mutex_);
  while (!stop_.wait_for(lock, lease_.length() / kSignsALease, [this] { return is_stopping_; })) {
    lock.unlock();
    contain_faults("storage: a sign of life", [this] { give_sign(); });
    contain_faults("storage: forgetting what is stored", [this] { forget_released(); });
    contain_faults("storage: what other instances keep", [this] { at_each_sign_(); });
    lock.lock();
  }
}

void CassandraOpenRows::give_sign() {
  const bool was_alive = lease_.term().has_value();
  auto beaten = lease_.beat();
  if (beaten) {
    if (!was_alive) service::log_info("the other instances know again that this one lives");
    return;
  }
  if (was_alive && !lease_.term()) {
    service::log_warn(
        "the cluster takes no sign of life of this instance: samples are refused until it does",
        {{"why", beaten.error().message}});
  }
}

/// Two rows of one instance never have the same place: else the second would replace the first.
std::int64_t CassandraOpenRows::next_arrival() {
  const std::int64_t now_us = clock_.wall_ns() / 1000;
  std::int64_t last = arrival_;
  while (!arrival_.compare_exchange_weak(last, std::max(now_us, last + 1))) {
  }
  return std::max(now_us, last + 1);
}

/// The customers of whom nobody has noted yet that there is something in this slot.
std::vector<std::string> CassandraOpenRows::to_note(const LeaseTerm& term, OpenSlot slot,
                                                    const std::vector<OpenRow>& rows) {
  std::set<std::string> missing;
  const std::lock_guard lock(noted_mutex_);
  if (noted_term_ != term) {
    noted_.clear();
    noted_term_ = term;
  }
  for (const OpenRow& row : rows) {
    const auto at = noted_.find(row.customer.text());
    if (at == noted_.end() || !at->second.contains(slot)) missing.emplace(row.customer.text());
  }
  return {missing.begin(), missing.end()};
}

void CassandraOpenRows::note_done(const Keeping& keeping) {
  std::optional<Error> error = keeping.error;
  if (!error && !keeping.is_sent) error = Error{ErrorCode::kUnavailable, "not all sent"};
  // What was kept while the others may have taken this instance for gone they may not have found.
  if (!error && !lease_.holds(keeping.term)) {
    error = Error{ErrorCode::kUnavailable, "the cluster took no sign of life of this storage"};
  }
  if (error) {
    // Whatever the nodes have against a copy, the samples are in this instance's log: a refusal
    // that is final would make their sender drop them.
    error->code = ErrorCode::kUnavailable;
    ++failed_;
    return keeping.done(tl::unexpected<Error>(*error));
  }
  {
    const std::lock_guard lock(noted_mutex_);
    if (noted_term_ == keeping.term) {
      for (const std::string& customer : keeping.noting) noted_[customer].insert(keeping.slot);
    }
  }
  kept_ += keeping.rows;
  keeping.done({});
}

void CassandraOpenRows::keep(OpenSlot slot, std::vector<OpenRow> rows, Done done) {
  const auto term = lease_.term();
  if (!term) {
    ++failed_;
    return done(fail(ErrorCode::kUnavailable, "the cluster takes no sign of life of this storage"));
  }
  const auto keeping = std::make_shared<Keeping>(*this, *term, slot, std::move(done));
  keeping->noting = to_note(*term, slot, rows);
  keeping->rows = rows.size();
  const auto came = [keeping](const Result<Page>& page) {
    if (!page) keeping->note(store_error(page.error()));
  };
  for (const std::string& customer : keeping->noting) {
    BoundCells cells;
    cells.add_text(customer).add_bigint(bits(term->number)).add_int(column(slot));
    session_.send({*note_, cells, customer, kRequestDeadline}, came);
  }
  for (const OpenRow& row : rows) {
    BoundCells cells;
    cells.add_text(row.customer.text()).add_bigint(bits(term->number)).add_int(column(slot));
    cells.add_bigint(next_arrival()).add_bigint(writer_).add_blob(row.body);
    session_.send({*write_, cells, row.customer.text(), kRequestDeadline}, came);
  }
  const std::lock_guard lock(keeping->mutex);
  keeping->is_sent = true;
}

/// Of what was noted since the start what is stored now; once nothing of before the start is open
/// any more, that too, of all customers.
void CassandraOpenRows::forget_released() {
  const OpenSlot before = release_before_;
  const auto term = lease_.term();
  if (!term || before == 0) return;
  std::vector<std::string> whose;
  const bool forgets_all = !is_before_forgotten_ && before > first_slot_;
  if (forgets_all) {
    auto all = customers();
    if (!all) return;  // the next time
    whose = *std::move(all);
  }
  {
    const std::lock_guard lock(noted_mutex_);
    if (noted_term_ != *term) return;
    for (auto& [customer, slots] : noted_) {
      if (slots.empty() || *slots.begin() >= before) continue;
      slots.erase(slots.begin(), slots.lower_bound(before));
      if (!forgets_all) whose.push_back(customer);
    }
    std::erase_if(noted_, [](const auto& one) { return one.second.empty(); });
  }
  // Where one fails its rows end by themselves; until then somebody would read them in vain.
  Requests requests(session_, "");
  for (const std::string& customer : whose) {
    BoundCells cells;
    cells.add_text(customer).add_bigint(bits(term->number)).add_int(column(before));
    requests.add(*forget_before_, cells);
  }
  is_before_forgotten_ =
      requests.wait_for_all().has_value() && (forgets_all || is_before_forgotten_);
}

Result<std::vector<std::string>> CassandraOpenRows::customers() {
  std::vector<std::string> all;
  auto read =
      session_.for_each_row({*read_customers_, {}, "", kRequestDeadline}, [&](RowReader& row) {
        all.emplace_back(row.read_text());
        return true;
      });
  if (!read) return tl::unexpected<Error>(store_error(std::move(read.error())));
  return all;
}

/// 0: nothing is noted.
Result<OpenSlot> CassandraOpenRows::newest_slot(std::uint64_t number) {
  auto all = customers();
  if (!all) return forward(all);
  Requests requests(session_, "");
  for (const std::string& customer : *all) {
    BoundCells cells;
    cells.add_text(customer).add_bigint(bits(number));
    requests.add(*read_newest_, cells);
  }
  OpenSlot newest = 0;
  for (auto& page : requests.wait()) {
    if (!page) return tl::unexpected<Error>(store_error(std::move(page.error())));
    if (page->rows() == 0) continue;
    RowReader row = page->row(0);
    newest = std::max(newest, static_cast<OpenSlot>(row.read_int()));
  }
  return newest;
}

// A log that is not what it was when it was written to cannot say of which copies it is the second
// one: none of them may be let go before all of them have been through this instance again.
Result<void> CassandraOpenRows::replayed(OpenSlot newest, bool is_whole) {
  std::optional<std::uint64_t> left;  // once it is being left the number is another already
  return patiently("the Cassandra cluster, to see what was kept before this start", [&] {
    if (left) return lease_.leave(*left);
    const auto term = lease_.term();
    if (!term) {
      return Result<void>(fail(ErrorCode::kUnavailable, "the cluster takes no sign of life"));
    }
    auto kept = newest_slot(term->number);
    if (!kept) return Result<void>(forward(kept));
    if (*kept == 0 || (is_whole && *kept <= newest)) return Result<void>();
    service::log_warn(
        "the write-ahead log lacks what this instance had open: all of it is taken back from its "
        "copies in the cluster",
        {{"instance", std::to_string(term->number)},
         {"why", is_whole ? "something was kept after the newest that the log holds"
                          : "the log is damaged"}});
    left = term->number;
    return lease_.leave(*left);
  });
}

Result<void> CassandraOpenRows::take_over(const Take& take) {
  auto gone = lease_.claim_gone();
  if (!gone) return forward(gone);
  const auto term = lease_.term();
  if (gone->empty() || !term) return {};
  Result<void> outcome;
  for (const std::uint64_t number : *gone) {
    service::log_warn("an instance is gone; what it had open is taken over",
                      {{"instance", std::to_string(number)}});
    auto taken = take_instance({number, *term, take});
    if (taken) taken = lease_.forget(number);
    if (!taken) {
      if (outcome) outcome = tl::unexpected<Error>(taken.error());
      continue;
    }
    ++taken_over_;
    service::log_info("all that an instance had open is taken over",
                      {{"instance", std::to_string(number)}});
  }
  return outcome;
}

// A slot of each customer in turns: rows end after some hours, and whoever has very many must not
// keep the others' unread until then.
Result<void> CassandraOpenRows::take_instance(const Taking& taking) {
  auto all = customers();
  if (!all) return forward(all);
  Result<void> outcome;
  std::vector<Owed> left;
  for (const std::string& customer : *all) {
    auto found = owed(taking.number, customer);
    if (!found) {
      outcome = tl::unexpected<Error>(found.error());
    } else if (found->has_value()) {
      left.push_back(**std::move(found));
    }
  }
  while (!left.empty()) {
    std::erase_if(left, [&](Owed& one) {
      auto taken = take_slot(taking, one.customer, one.slots.back());
      one.slots.pop_back();
      if (!taken && outcome) outcome = tl::unexpected<Error>(taken.error());
      return !taken || one.slots.empty();
    });
  }
  return outcome;
}

/// Nothing where nothing is noted.
Result<std::optional<CassandraOpenRows::Owed>> CassandraOpenRows::owed(
    std::uint64_t number, const std::string& customer) {
  const bool is_provider = customer == CustomerId::provider().text();
  const auto id = is_provider ? CustomerId::provider() : CustomerId::parse(customer);
  if (!id) return std::optional<Owed>();  // no row of ours
  BoundCells cells;
  cells.add_text(customer).add_bigint(bits(number));
  Owed found{*id, {}};
  auto read =
      session_.for_each_row({*read_slots_, cells, customer, kRequestDeadline}, [&](RowReader& row) {
        found.slots.push_back(row.read_int());
        return true;
      });
  if (!read) return tl::unexpected<Error>(store_error(std::move(read.error())));
  if (found.slots.empty()) return std::optional<Owed>();
  std::reverse(found.slots.begin(), found.slots.end());
  return std::optional<Owed>(std::move(found));
}

Result<void> CassandraOpenRows::take_slot(const Taking& taking, const CustomerId& customer,
                                          std::int32_t slot) {
  if (auto taken = take_rows(taking, customer, slot); !taken) return taken;
  // Whoever is taken for gone forgets nothing: others may be where it was.
  if (!lease_.holds(taking.term)) {
    return fail(ErrorCode::kUnavailable, "this instance's lease is over");
  }
  BoundCells cells;
  cells.add_text(customer.text()).add_bigint(bits(taking.number)).add_int(slot);
  auto forgotten = ask(session_, *forget_slot_, cells, customer.text());
  if (!forgotten) return forward(forgotten);
  return {};
}

Result<void> CassandraOpenRows::take_rows(const Taking& taking, const CustomerId& customer,
                                          std::int32_t slot) {
  BoundCells cells;
  cells.add_text(customer.text()).add_bigint(bits(taking.number)).add_int(slot);
  Rows rows(session_, *read_, cells, customer.text());
  std::vector<std::string> bodies;
  std::size_t bytes = 0;
  for (;;) {
    auto row = rows.next();
    if (!row) return forward(row);
    if (row->has_value()) bytes += bodies.emplace_back((*row)->read_blob()).size();
    if (!row->has_value() || bytes >= kTakeBytes || bodies.size() >= kTakeRows) {
      if (bodies.empty()) return {};
      if (auto taken = taking.take(customer, bodies); !taken) return taken;
      bodies.clear();
      bytes = 0;
    }
    if (!row->has_value()) return {};
  }
}

OpenRowStats CassandraOpenRows::stats() const {
  return {kept_, failed_, taken_over_, lease_.term().has_value()};
}

}  // namespace vigia::storage::store::cassandra
