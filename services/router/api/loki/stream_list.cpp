#include "services/router/api/loki/stream_list.hpp"

#include <algorithm>
#include <utility>

#include "services/router/access/byte_shares.hpp"
#include "services/router/api/loki/log_labels.hpp"

namespace vigia::router::api::loki {
namespace {

// Of a node of a map.
constexpr std::size_t kWindowBytes = 96;
constexpr std::size_t kStreamBytes = 256;
constexpr std::string_view kEnded =
    "the search was ended, it took too long: streams that had lines only before the last ones of "
    "this time may be missing, and counts are of the last ones; ask for a shorter time";
constexpr std::string_view kTooMany =
    "results truncated: there are more than 10,000 streams, and these are of the last lines; name "
    "more of service_name, node_id, environment and level, or ask for a shorter time";

void add_stream(const CustomerId& customer, const CountedStream& from, StreamList& list) {
  // Several of a sender's words may be one level.
  StreamCounts& all = list.streams[stream_labels(customer, from)];
  all.add(from.lines, from.bytes);
  for (const CountedStream::Window& window : from.windows) {
    all.windows[window.number].add(window.lines, window.bytes);
  }
}

std::size_t bytes_of(const StreamList& list) {
  std::size_t bytes = 0;
  for (const auto& [labels, counts] : list.streams) {
    bytes += kStreamBytes + counts.windows.size() * kWindowBytes;
    for (const Label& label : labels) bytes += label.name.size() + label.value.size();
  }
  return bytes;
}

void add_warnings(const std::vector<std::string>& from, StreamList& list) {
  for (const std::string& warning : from) list.warn(warning);
}

}  // namespace

Result<PageEnd> read_streams(const CustomerId& customer, std::string_view json, StreamList& list) {
  auto end = read_counts(json, [&](const CountedStream& stream) -> Result<void> {
    add_stream(customer, stream, list);
    return {};
  });
  if (!end) return forward(end);
  if (!*end) return tl::unexpected<Error>(not_as_it_should());
  add_warnings((*end)->warnings, list);
  return std::move(**end);
}

namespace {

constexpr std::int64_t kStretchNs = std::chrono::nanoseconds(kStretch).count();

/// A part of the time that is asked for.
struct ListedPart {
  LogRange range;
  std::optional<std::uint64_t>
      stretch;  ///< the first of those that it is made of; none: of no whole
};

std::uint64_t stretch_of(std::int64_t ns) { return static_cast<std::uint64_t>(ns / kStretchNs); }
std::int64_t begin_of(std::uint64_t stretch) {
  return static_cast<std::int64_t>(stretch) * kStretchNs;
}

class Listing : public std::enable_shared_from_this<Listing> {
 public:
  Listing(const ListParts& parts, StreamListQuestion question, Task<void(Result<StreamList>)> done)
      : with_(parts),
        question_(std::move(question)),
        done_(std::move(done)),
        deadline_(with_.stores.clock().steady() +
                  std::min<Duration>(question_.timeout, kListTimeMax)),
        held_(with_.stores.shares().hold(question_.customer.text())) {}

  void start() {
    with_.threads.run(question_.payer, [self = shared_from_this()] { self->begin_selector(); });
  }

 private:
  void begin_selector() {
    while (next_ < question_.selectors.size() && !question_.selectors[next_].selects_something) {
      ++next_;
    }
    if (next_ == question_.selectors.size() || is_over_) return done_(std::move(list_));
    const StreamQuery& selector = question_.selectors[next_];
    selector_ = selector.streams + '\n' + selector.severity;
    plan();
    ask_next();
  }

  /// The parts that are to be asked for, the last one first; the others' streams are found.
  void plan() {
    constexpr std::uint64_t kStretchesMax = 600;
    const auto& [start_ns, end_ns] = question_.range;
    const std::int64_t settled_ns = std::min(
        end_ns, with_.stores.clock().wall_ns() - std::chrono::nanoseconds(kStretchSettled).count());
    const std::uint64_t first = stretch_of(start_ns + kStretchNs - 1);
    const std::uint64_t last = settled_ns > start_ns ? stretch_of(settled_ns) : 0;
    parts_ = {{question_.range, std::nullopt}};
    const bool are_few = first > 0 && first < last && last - first <= kStretchesMax;
    if (question_.windows || !has_pages_ || !are_few) return;
    parts_.clear();
    if (start_ns < begin_of(first)) parts_.push_back({{start_ns, begin_of(first)}, std::nullopt});
    add_known(first, last);
    if (begin_of(last) < end_ns) parts_.push_back({{begin_of(last), end_ns}, std::nullopt});
  }

  /// Of the stretches from `first` on and before `last` those at both ends that are known; what
  /// lies between is asked for.
  void add_known(std::uint64_t first, std::uint64_t last) {
    while (first < last && add_known(first)) ++first;
    while (first < last && add_known(last - 1)) --last;
    if (first < last) parts_.push_back({{begin_of(first), begin_of(last)}, first});
  }

  bool add_known(std::uint64_t stretch) {
    const auto known = with_.cache.find(question_.customer.text(), selector_, stretch);
    if (known == nullptr) return false;
    for (const auto& [labels, amounts] : *known) {
      found_.streams[*labels].add(amounts.lines, amounts.bytes);
    }
    return true;
  }

  void ask_next() {
    if (parts_.empty()) return end_selector();
    with_.stores.cold()->fetch(make_ask(),
                               [self = shared_from_this()](Result<net::ClientResponse> answer) {
                                 self->receive(std::move(answer));
                               });
  }

  upstream::Ask make_ask() const {
    const ListedPart& part = parts_.back();
    const LogWalk walk{.customer = question_.customer,
                       .streams = question_.selectors[next_],
                       .range = part.range,
                       .direction = Direction::kBackward,
                       .interest = question_.interest};
    if (!has_pages_) return list_ask(walk, question_.timeout);
    auto windows = question_.windows;
    if (part.stretch) windows = CountWindows{part.range.start_ns - 1, kStretchNs};
    return counts_ask(walk, windows, nullptr, cursor_, question_.timeout);
  }

  /// On a thread of everybody's answers: what is to be done with it is done elsewhere.
  void receive(Result<net::ClientResponse> answer) {
    const std::size_t bytes = answer ? answer->body.size() : 0;
    page_held_.emplace(with_.stores.shares().hold(question_.customer.text()));
    if (!page_held_->grow(bytes)) return done_(tl::unexpected<Error>(no_room()));
    with_.threads.run(question_.payer, [self = shared_from_this(), answer = std::move(answer)] {
      self->take(answer);
    });
  }

  void take(const Result<net::ClientResponse>& answer) {
    if (answer && answer->status == 400 && begins_anew_without_pages()) return ask_next();
    if (!answer || answer->status != 200) {
      return done_(tl::unexpected<Error>(why_no_page(answer)));
    }
    auto end = read_streams(question_.customer, answer->body, found_);
    page_held_.reset();
    if (!end) return done_(tl::unexpected<Error>(upstream::outward(std::move(end.error()))));
    if (!count_bytes()) return done_(tl::unexpected<Error>(no_room()));
    const bool are_too_many = found_.streams.size() + list_.streams.size() > kListStreamsMax;
    if (end->is_cut && !are_too_many && !is_ended(*end)) {
      cursor_ = std::move(end->cursor);
      return ask_next();
    }
    end_part(end->is_cut, end->says_looked_at);
    if (are_too_many) end_with(kTooMany);
    if (end->is_cut && !are_too_many) end_with(kEnded);
    ask_next();
  }

  void end_part(bool is_cut, bool are_windows_told) {
    if (parts_.back().stretch && are_windows_told) keep_stretches(is_cut);
    // Of this part alone.
    if (!question_.windows) {
      for (auto& [labels, counts] : found_.streams) counts.windows.clear();
    }
    cursor_.clear();
    parts_.pop_back();
  }

  void end_with(std::string_view warning) {
    list_.warn(std::string(warning));
    parts_.clear();
    is_over_ = true;
  }

  /// An earlier program lists all in one page, without windows.
  bool begins_anew_without_pages() {
    if (!has_pages_ || question_.windows || !cursor_.empty()) return false;
    has_pages_ = false;
    found_ = {};
    parts_ = {{question_.range, std::nullopt}};
    return true;
  }

  bool is_ended(const PageEnd& end) const {
    return end.cursor.empty() || end.cursor == cursor_ ||
           with_.stores.clock().steady() >= deadline_;
  }

  /// Unless something may be missing. The last lines came first: where the walk was ended all
  /// stretches behind the one that it had come to are whole.
  void keep_stretches(bool is_cut) {
    const ListedPart& part = parts_.back();
    const auto count =
        static_cast<std::uint64_t>((part.range.end_ns - part.range.start_ns) / kStretchNs);
    std::vector<StreamCache::Streams> stretches(count);
    std::uint64_t lowest = is_cut ? count : 0;
    for (const auto& [labels, counts] : found_.streams) {
      const auto shared = std::make_shared<const Labels>(labels);
      for (const auto& [number, amounts] : counts.windows) {
        if (number == 0 || number > count) continue;
        stretches[number - 1].emplace_back(shared, amounts);
        if (is_cut) lowest = std::min(lowest, number);
      }
    }
    if (!found_.warnings.empty()) return;
    stretches.erase(stretches.begin(), stretches.begin() + static_cast<std::ptrdiff_t>(lowest));
    with_.cache.keep(question_.customer.text(), selector_, *part.stretch + lowest,
                     std::move(stretches));
  }

  void end_selector() {
    // What two selectors name is one stream.
    list_.streams.merge(found_.streams);
    add_warnings(found_.warnings, list_);
    found_ = {};
    ++next_;
    begin_selector();
  }

  bool count_bytes() {
    const std::size_t bytes = bytes_of(found_) + bytes_of(list_);
    const bool fits = bytes <= bytes_ || held_.grow(bytes - bytes_);
    bytes_ = std::max(bytes, bytes_);
    return fits;
  }
  static Error no_room() {
    return {ErrorCode::kOverLimit,
            "other answers under way leave no room for this one; ask for a longer step, or a "
            "shorter time",
            std::chrono::seconds(1)};
  }

  const ListParts with_;
  const StreamListQuestion question_;
  const Task<void(Result<StreamList>)> done_;
  const TimePoint deadline_;
  access::ByteShares::HeldBytes held_;                      // for what is found
  std::optional<access::ByteShares::HeldBytes> page_held_;  // for a page that waits or is read
  std::size_t bytes_ = 0;
  std::size_t next_ = 0;
  std::string selector_;           // that is asked for, as the cache knows it
  std::vector<ListedPart> parts_;  // of its time, that are left; the last one is asked for
  std::string cursor_;             // of the page before; "": none
  bool has_pages_ = true;          // storage's lists
  bool is_over_ = false;           // with what there is
  StreamList found_;               // of the selector
  StreamList list_;
};

}  // namespace

void StreamList::warn(const std::string& warning) {
  if (std::find(warnings.begin(), warnings.end(), warning) == warnings.end()) {
    warnings.push_back(warning);
  }
}

void list_streams(const ListParts& parts, StreamListQuestion question,
                  Task<void(Result<StreamList>)> done) {
  std::make_shared<Listing>(parts, std::move(question), std::move(done))->start();
}

}  // namespace vigia::router::api::loki
