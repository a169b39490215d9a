#include "services/storage/retention/class_keeper.hpp"

#include <algorithm>
#include <filesystem>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <sys/stat.h>

#include "libs/base/fault.hpp"
#include "libs/service/log.hpp"

namespace vigia::storage::retention {
namespace {

constexpr Duration kLookEach = std::chrono::seconds(1);
constexpr Duration kHold = std::chrono::hours(1);  // as RetentionGuard's
constexpr Duration kYear = std::chrono::hours(24 * 365);

TimestampMs in_ms(Duration duration) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
}

std::string text_of(Duration keep) {
  return keep == Duration(0) ? "for ever" : format_duration(keep);
}

// "raw 400d to 30d, logs 90d to 30d"
std::string difference(const Keeps& own, const Keeps& wanted) {
  std::string text;
  for (const DataKind kind : kKinds) {
    if (!is_longer(own[kind], wanted[kind])) continue;
    text += fmt::format("{}{} {} to {}", text.empty() ? "" : ", ", to_string(kind),
                        text_of(own[kind]), text_of(wanted[kind]));
  }
  return text;
}

// None: there is no such file.
std::optional<FileStamp> stamp_of(const std::string& path) {
  struct stat found{};
  if (::stat(path.c_str(), &found) != 0) return std::nullopt;
  const auto in_ns = [](const timespec& time) {
    return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
  };
  return FileStamp{found.st_dev, found.st_ino, found.st_size, in_ns(found.st_mtim),
                   in_ns(found.st_ctim)};
}

}  // namespace

ClassKeeper::ClassKeeper(ClassSettings settings, Keeps all, std::string state_file,
                         const Clock& clock)
    : settings_(std::move(settings)),
      all_(all),
      state_file_(std::move(state_file)),
      clock_(clock) {}

ClassKeeper::~ClassKeeper() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
    wake_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

Result<void> ClassKeeper::open(std::span<const CustomerId> known) {
  const std::lock_guard lock(work_mutex_);
  if (auto read = read_file(); !read) return read;
  auto own = load_keeps(state_file_);
  if (own) {
    own_ = *std::move(own);
    std::erase_if(own_, [&](const auto& entry) {
      const bool is_known = std::find(known.begin(), known.end(), entry.first) != known.end();
      is_unkept_ = is_unkept_ || (!is_known && !named_.class_of.contains(entry.first));
      return !is_known && !named_.class_of.contains(entry.first);
    });
  } else if (own.error().code != ErrorCode::kCorrupt) {
    return forward(own);
  } else {
    if (auto aside = set_aside(state_file_); !aside) return aside;
    service::log_error(
        "how long customers' data were kept is damaged: all are kept as long as any class says "
        "until a person confirms it, for one customer or by taking the damaged file away",
        {{"error", own.error().message}, {"damaged", damaged_path(state_file_)}});
    take_longest(known);
  }
  decide();
  return {};
}

void ClassKeeper::take_longest(std::span<const CustomerId> known) {
  Keeps longest = all_;
  for (const auto& [name, keeps] : settings_.classes) {
    for (const DataKind kind : kKinds) longest[kind] = longer(longest[kind], keeps[kind]);
  }
  for (const auto& [customer, name] : named_.class_of) own_[customer] = longest;
  for (const CustomerId& customer : known) own_[customer] = longest;
  is_unkept_ = is_changed_ = true;
}

// What is on disk is a guess as long as the damaged file lies beside it, over restarts too.
bool ClassKeeper::is_in_doubt() const {
  std::error_code error;
  return std::filesystem::exists(damaged_path(state_file_), error) || error;
}

void ClassKeeper::start() {
  thread_ = std::thread([this] { run(); });
}

void ClassKeeper::run() {
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, kLookEach, [this] { return is_stopping_; })) {
    lock.unlock();
    contain_faults("storage: classes of retention", [this] { look(); });
    lock.lock();
  }
}

void ClassKeeper::look() {
  const std::lock_guard lock(work_mutex_);
  const auto read = read_file();
  if (!read) ++stats_.file_failures;
  // Said once for each kind of failure, not every second.
  const std::string complaint = read ? "" : read.error().message;
  if (complaint != complaint_ && !complaint.empty()) {
    service::log_warn("the classes of customers are not read, the last ones stay in force",
                      {{"error", complaint}});
  }
  complaint_ = complaint;
  if (!read) {  // the hour is one in which the file has said so, and now it says nothing
    for (auto& [customer, held] : held_) held.since = clock_.steady();
  }
  decide();
}

// work_mutex_ is held, here and in all below that decides.
Result<void> ClassKeeper::read_file() {
  if (settings_.customers_file.empty()) return {};
  // Asked before it is read: what is written meanwhile has another one the next time. But what is
  // written within the same tick of the clock that its times are of, and is as long as before, has
  // not: it is read as long as that may be.
  const auto stamp = stamp_of(settings_.customers_file);
  const TimePoint now = clock_.steady();
  if (stamp != stamp_) {
    stamp_ = stamp;
    stamped_ = now;
  } else if (stamp.has_value() && read_ - stamped_ >= kTickMax) {
    return last_read_;
  }
  auto text = read_customers_file(settings_.customers_file);
  if (!text) {
    stamp_.reset();
    return forward(text);
  }
  read_ = now;
  if (!text_.has_value() || *text != *text_) {
    text_.reset();
    last_read_ = take_text(*text);
    text_ = *std::move(text);
  }
  return last_read_;
}

Result<void> ClassKeeper::take_text(const std::string& text) {
  auto named = parse_customers(text, settings_.customers_file);
  if (!named) return forward(named);
  named_ = *std::move(named);
  stats_.customers.clear();
  stats_.unknown = 0;
  stats_.left_out = named_.left_out;
  std::string problem = named_.first_problem;
  for (const auto& [customer, name] : named_.class_of) {
    if (settings_.classes.contains(name)) {
      ++stats_.customers[name];
      continue;
    }
    ++stats_.unknown;
    if (problem.empty()) {
      problem = fmt::format("customer {} has class \"{}\", which is none", customer.text(), name);
    }
  }
  if (!problem.empty()) {
    service::log_warn(
        "some customers have no class of retention that there is: they are kept as all others are, "
        "and those who were kept longer as they were",
        {{"file", settings_.customers_file},
         {"unknown", fmt::to_string(stats_.unknown)},
         {"left_out", fmt::to_string(stats_.left_out)},
         {"first", problem}});
  }
  return {};
}

void ClassKeeper::decide() {
  is_doubted_ = is_in_doubt();
  std::set<CustomerId> customers;
  for (const auto& [customer, name] : named_.class_of) customers.insert(customer);
  for (const auto& [customer, keeps] : own_) customers.insert(customer);
  for (const CustomerId& customer : customers) decide_on(customer);
  stats_.held = held_.size();
  if (is_unkept_) keep_state();
  publish();
}

ClassKeeper::Wanted ClassKeeper::wanted_of(const CustomerId& customer) const {
  const auto named = named_.class_of.find(customer);
  if (named == named_.class_of.end()) return {all_, false};
  const auto found = settings_.classes.find(named->second);
  return found == settings_.classes.end() ? Wanted{all_, false} : Wanted{found->second, true};
}

void ClassKeeper::decide_on(const CustomerId& customer) {
  const Wanted wanted = wanted_of(customer);
  const auto known = own_.find(customer);
  const Keeps own = known == own_.end() ? all_ : known->second;
  Keeps next = own;
  bool is_shorter = false;
  for (const DataKind kind : kKinds) {
    if (is_longer(own[kind], wanted.keeps[kind])) {
      is_shorter = true;
    } else {
      next[kind] = wanted.keeps[kind];
    }
  }
  if (is_shorter && is_due(customer, wanted, own)) {
    service::log_warn("a customer's data are kept shorter from now on",
                      {{"customer", customer.text()}, {"what", difference(own, wanted.keeps)}});
    next = wanted.keeps;
    is_shorter = false;
  }
  if (!is_shorter) held_.erase(customer);
  if (!is_shorter && !wanted.has_class) {  // as all others: `retention:` counts for him
    if (own_.erase(customer) != 0) is_unkept_ = is_changed_ = true;
    return;
  }
  if (known != own_.end() && known->second == next) return;
  own_[customer] = next;
  is_unkept_ = is_changed_ = true;
}

// Whether it has been so for an hour; it begins anew with whatever else is wanted.
bool ClassKeeper::is_due(const CustomerId& customer, const Wanted& wanted, const Keeps& own) {
  const TimePoint now = clock_.steady();
  const bool is_by_person = !wanted.has_class || is_doubted_;
  const auto held = held_.find(customer);
  if (held != held_.end() && held->second.wanted == wanted.keeps &&
      held->second.is_by_person == is_by_person) {
    return held->second.is_confirmed ||
           (!held->second.is_by_person && now - held->second.since >= kHold);
  }
  held_[customer] = {wanted.keeps, now, is_by_person, false};
  service::log_warn(
      "a customer's data are to be kept shorter: what there is stays for now",
      {{"customer", customer.text()},
       {"what", difference(own, wanted.keeps)},
       {"until", is_by_person ? "a person confirms it" : "the file has said so for an hour"},
       {"next", "if it is right, POST /api/v1/retention/confirm?customer=" + customer.text() +
                    " with the internal token; else set the file right"}});
  return false;
}

// What is not on disk counts all the same, but nothing expires by it: who was made longer and is
// not noted would be as all others after a restart with another file, and who was made shorter
// would be longer again, with days missing.
void ClassKeeper::keep_state() {
  const auto stored = store_keeps(state_file_, own_);
  is_unkept_ = !stored.has_value();
  const bool was_failing = std::exchange(is_store_failing_, !stored.has_value());
  if (stored) {
    if (was_failing) service::log_info("how long customers' data are kept is noted again", {});
    return;
  }
  ++stats_.state_failures;
  if (was_failing) return;
  service::log_error(
      "how long customers' data are kept cannot be noted, trying again: nothing expires meanwhile",
      {{"error", stored.error().message}});
}

// What went out of force is destroyed behind the lock, here and below: it may be large.
void ClassKeeper::publish() {
  std::shared_ptr<const CustomerKeeps> own;
  if (is_changed_) own = std::make_shared<const CustomerKeeps>(own_);
  is_changed_ = false;
  const std::lock_guard lock(mutex_);
  shown_ = stats_;
  is_noted_ = !is_unkept_;
  if (own != nullptr) next_.swap(own);
  if (sweeps_ == 0 && next_ != nullptr) own = let_next_count();
}

// The lock is held. Returns what counted before.
std::shared_ptr<const CustomerKeeps> ClassKeeper::let_next_count() {
  ++changes_;
  return std::exchange(counting_, std::exchange(next_, nullptr));
}

std::shared_ptr<const CustomerKeeps> ClassKeeper::counting() const {
  const std::lock_guard lock(mutex_);
  return counting_;
}

bool ClassKeeper::begin_sweep() {
  const std::lock_guard lock(mutex_);
  if (!is_noted_) return false;
  ++sweeps_;
  return true;
}

void ClassKeeper::end_sweep() {
  std::shared_ptr<const CustomerKeeps> before;
  const std::lock_guard lock(mutex_);
  if (--sweeps_ == 0 && next_ != nullptr) before = let_next_count();
}

Duration ClassKeeper::keep_of(const CustomerId& customer, DataKind kind) const {
  const auto own = counting();
  const auto found = own->find(customer);
  return found == own->end() ? all_[kind] : found->second[kind];
}

Duration ClassKeeper::longest(DataKind kind) const {
  const auto own = counting();
  Duration longest = all_[kind];
  for (const auto& [customer, keeps] : *own) longest = longer(longest, keeps[kind]);
  return longest;
}

Duration ClassKeeper::shortest() const {
  Duration shortest = kYear;
  const auto note = [&](const Keeps& keeps) {
    for (const Duration keep : keeps.times) {
      if (keep != Duration(0)) shortest = std::min(shortest, keep);
    }
  };
  note(all_);
  for (const auto& [name, keeps] : settings_.classes) note(keeps);
  return shortest;
}

Duration ClassKeeper::shortest(DataKind kind) const {
  Duration shortest = all_[kind];
  for (const auto& [name, keeps] : settings_.classes) {
    if (is_longer(shortest, keeps[kind])) shortest = keeps[kind];
  }
  return shortest;
}

std::map<CustomerId, Duration> ClassKeeper::own(DataKind kind) const {
  std::map<CustomerId, Duration> own;
  const auto counting = this->counting();
  for (const auto& [customer, keeps] : *counting) {
    if (keeps[kind] != all_[kind]) own.emplace(customer, keeps[kind]);
  }
  return own;
}

store::ExpiryCuts ClassKeeper::cuts(DataKind kind, TimestampMs now_ms) const {
  const auto cut_of = [&](Duration keep) {
    return keep == Duration(0) ? 0 : std::max<TimestampMs>(now_ms - in_ms(keep), 0);
  };
  store::ExpiryCuts cuts(cut_of(all_[kind]));
  for (const auto& [customer, keep] : own(kind)) cuts.own.emplace(customer, cut_of(keep));
  return cuts;
}

bool ClassKeeper::confirm(const CustomerId& customer) {
  const std::lock_guard lock(work_mutex_);
  const auto held = held_.find(customer);
  if (held == held_.end()) return false;
  held->second.is_confirmed = true;
  decide_on(customer);
  stats_.held = held_.size();
  if (is_unkept_) keep_state();
  publish();
  return true;
}

KeepStats ClassKeeper::stats() const {
  const std::lock_guard lock(mutex_);
  return shown_;
}

}  // namespace vigia::storage::retention
