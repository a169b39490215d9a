#include "services/collector/tail_sampling/traces.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "libs/base/random.hpp"

namespace vigia::collector::tail_sampling {
namespace {

/// Traces in memory for each that may wait: a verdict is needed until its record has been passed.
constexpr std::size_t kRoomFactor = 8;
/// Of what one customer holds, so much at a time: who has the most is looked for among all.
constexpr std::size_t kPartAtATime = 16;
/// Verdicts that are looked at and needed still, before the rest waits for the next time.
constexpr std::size_t kSparedAtATime = 1024;
/// And of so many customers.
constexpr std::size_t kStuckMax = 4;

/// Each bit of the word changes half of those of the result (splitmix64's last steps).
std::uint64_t mixed(std::uint64_t word) {
  word = (word ^ (word >> 30U)) * 0xbf58476d1ce4e5b9ULL;
  word = (word ^ (word >> 27U)) * 0x94d049bb133111ebULL;
  return word ^ (word >> 31U);
}

}  // namespace

std::size_t Traces::KeyedHash::operator()(const TraceId& id) const {
  return mixed(mixed(id[0] ^ first) ^ id[1] ^ second);
}

Traces::Traces(const TailSamplingSettings& settings)
    : policies_(settings.policies),
      wait_(settings.decision_wait),
      waiting_max_(settings.num_traces),
      remembered_max_(settings.remembered),
      room_(kRoomFactor * settings.num_traces + settings.remembered),
      hash_{random_u64(), random_u64()} {}

Traces::Customer& Traces::customer_of(const std::string& name, TimePoint now) {
  if (last_ != nullptr && name == last_name_) return *last_;
  auto place = customers_.find(name);
  if (place == customers_.end()) {
    place = customers_.try_emplace(name, hash_, policies_.full_levels(now)).first;
    place->second.unwritten.customer = name;
  }
  last_name_ = name;
  last_ = &place->second;
  return *last_;
}

void Traces::add(const std::string& name, const TraceId& id, const TraceFacts& span,
                 std::uint64_t sequence, TimePoint now) {
  Customer& customer = customer_of(name, now);
  const auto known = customer.traces.find(id);
  if (known == customer.traces.end() && !has_place(customer)) return;
  Trace& trace = known == customer.traces.end() ? remember(customer, id) : known->second;
  trace.last_sequence = std::max(trace.last_sequence, sequence);
  if (trace.state != State::kWaiting) {
    ++customer.counts.late_spans;
    return;
  }
  trace.facts.add(span);
  if (known != customer.traces.end()) return;
  trace.since = now;
  customer.waiting.push_back(id);
  ++waiting_;
  if (waiting_ > waiting_max_) decide_over(now);
}

bool Traces::is_over(const Customer& customer) const {
  const std::size_t free = room_ - std::min(room_, in_memory_);
  const std::size_t own = customer.traces.size();
  return own > 2 * free && own * holders_ >= in_memory_;
}

bool Traces::has_place(const Customer& customer) const {
  return in_memory_ < 2 * room_ && !is_over(customer);
}

/// REQUIRES: the trace is not known.
Traces::Trace& Traces::remember(Customer& customer, const TraceId& id) {
  if (customer.traces.empty()) ++holders_;
  ++in_memory_;
  return customer.traces[id];
}

void Traces::settle(Customer& customer, const TraceId& id, Trace& trace, bool is_kept) {
  trace.state = is_kept ? State::kKept : State::kDropped;
  customer.decided.push_back(id);
  ++decided_;
}

void Traces::decide_oldest(Customer& customer, TimePoint now) {
  const TraceId id = customer.waiting.front();
  customer.waiting.pop_front();
  --waiting_;
  Trace& trace = customer.traces.at(id);
  const bool keeps = is_kept(policies_, id, trace.facts, customer.levels, now);
  settle(customer, id, trace, keeps);
  customer.unwritten.verdicts.push_back({id, keeps});
  ++(keeps ? customer.counts.kept : customer.counts.dropped);
}

void Traces::decide_due(TimePoint now) {
  for (auto& [name, customer] : customers_) {
    while (!customer.waiting.empty() &&
           customer.traces.at(customer.waiting.front()).since + wait_ <= now)
      decide_oldest(customer, now);
  }
}

void Traces::decide_over(TimePoint now) {
  const auto most = std::max_element(
      customers_.begin(), customers_.end(), [](const auto& left, const auto& right) {
        return left.second.waiting.size() < right.second.waiting.size();
      });
  Customer& customer = most->second;
  const std::size_t count = std::max<std::size_t>(1, customer.waiting.size() / kPartAtATime);
  for (std::size_t i = 0; i < count; ++i) decide_oldest(customer, now);
  customer.counts.early += count;
}

bool Traces::decide_alone(const std::string& name, const TraceId& id, const TraceFacts& facts,
                          std::uint64_t sequence, TimePoint now) {
  Customer& customer = customer_of(name, now);
  const bool keeps = is_kept(policies_, id, facts, customer.levels, now);
  ++(keeps ? customer.counts.kept : customer.counts.dropped);
  ++customer.counts.by_record;
  if (!has_place(customer)) return keeps;
  Trace& trace = remember(customer, id);
  trace.last_sequence = sequence;
  settle(customer, id, trace, keeps);
  customer.unwritten.verdicts.push_back({id, keeps});
  return keeps;
}

Traces::State Traces::find(const std::string& name, const TraceId& id) const {
  const Customer* customer = last_;
  if (customer == nullptr || name != last_name_) {
    const auto place = customers_.find(name);
    if (place == customers_.end()) return State::kUnknown;
    customer = &place->second;
  }
  const auto trace = customer->traces.find(id);
  return trace == customer->traces.end() ? State::kUnknown : trace->second.state;
}

namespace {

std::vector<double> level_numbers(const std::vector<RateLevel>& levels) {
  std::vector<double> numbers;
  numbers.reserve(levels.size());
  for (const RateLevel& level : levels) numbers.push_back(level.spans);
  return numbers;
}

}  // namespace

std::vector<VerdictBatch> Traces::take_decided() {
  std::vector<VerdictBatch> batches;
  for (auto& [name, customer] : customers_) {
    if (customer.unwritten.verdicts.empty()) continue;
    customer.unwritten.levels = level_numbers(customer.levels);
    batches.push_back(std::exchange(customer.unwritten, VerdictBatch{name}));
  }
  return batches;
}

std::vector<VerdictBatch> Traces::all_decided() const {
  std::vector<VerdictBatch> batches;
  for (const auto& [name, customer] : customers_) {
    VerdictBatch batch{name, {}, level_numbers(customer.levels)};
    for (const TraceId& id : customer.decided)
      batch.verdicts.push_back({id, customer.traces.at(id).state == State::kKept});
    if (!batch.verdicts.empty() || !batch.levels.empty()) batches.push_back(std::move(batch));
  }
  return batches;
}

void Traces::restore(const VerdictBatch& batch, std::uint64_t sequence, TimePoint now) {
  Customer& customer = customer_of(batch.customer, now);
  // What it had left, and nothing for the time that nobody has measured.
  for (std::size_t i = 0; i < customer.levels.size() && i < batch.levels.size(); ++i)
    customer.levels[i].spans = std::clamp(batch.levels[i], 0.0, customer.levels[i].spans);
  for (const Verdict& verdict : batch.verdicts) {
    const auto known = customer.traces.find(verdict.id);
    const bool is_new = known == customer.traces.end();
    Trace& trace = is_new ? remember(customer, verdict.id) : known->second;
    trace.last_sequence = sequence;
    if (is_new) {
      settle(customer, verdict.id, trace, verdict.is_kept);
    } else {
      // Decided anew after it was forgotten: the later one was acted on last.
      trace.state = verdict.is_kept ? State::kKept : State::kDropped;
    }
  }
}

/// Up to `count` of the customer's oldest verdicts, as far as they are not needed.
std::size_t Traces::forget(Customer& customer, std::size_t count, std::uint64_t passed) {
  std::size_t gone = 0;
  const std::size_t looks_max = std::min(customer.decided.size(), count + kSparedAtATime);
  for (std::size_t looks = 0; gone < count && looks < looks_max; ++looks) {
    const TraceId id = customer.decided.front();
    customer.decided.pop_front();
    const auto trace = customer.traces.find(id);
    if (trace->second.last_sequence > passed) {
      // A trace that goes on for ever must not keep those behind it.
      customer.decided.push_back(id);
      continue;
    }
    customer.traces.erase(trace);
    ++gone;
  }
  decided_ -= gone;
  in_memory_ -= gone;
  if (gone > 0 && customer.traces.empty()) --holders_;
  return gone;
}

void Traces::pass(std::uint64_t sequence) {
  std::set<const Customer*> stuck;
  while (decided_ > remembered_max_ && stuck.size() < kStuckMax) {
    Customer* most = nullptr;
    for (auto& [name, customer] : customers_) {
      if (!stuck.contains(&customer) &&
          (most == nullptr || customer.decided.size() > most->decided.size()))
        most = &customer;
    }
    if (most == nullptr || most->decided.empty()) return;
    const std::size_t count = std::min(
        decided_ - remembered_max_, std::max<std::size_t>(1, most->decided.size() / kPartAtATime));
    if (forget(*most, count, sequence) < count) stuck.insert(most);
  }
}

std::set<std::string> Traces::over_share() const {
  std::set<std::string> over;
  for (const auto& [name, customer] : customers_) {
    if (is_over(customer)) over.insert(name);
  }
  return over;
}

bool Traces::is_over_share(const std::string& name) const {
  const auto place = customers_.find(name);
  return place != customers_.end() && is_over(place->second);
}

TimePoint Traces::oldest(TimePoint now) const {
  for (const auto& [name, customer] : customers_) {
    if (!customer.waiting.empty())
      now = std::min(now, customer.traces.at(customer.waiting.front()).since);
  }
  return now;
}

std::map<std::string, TraceCounts> Traces::counts() const {
  std::map<std::string, TraceCounts> all;
  for (const auto& [name, customer] : customers_) {
    TraceCounts counts = customer.counts;
    counts.waiting = customer.waiting.size();
    counts.in_memory = customer.traces.size();
    all.emplace(name, counts);
  }
  return all;
}

}  // namespace vigia::collector::tail_sampling
