#include "services/router/api/loki/tail_queue.hpp"

#include <utility>

#include <fmt/format.h>

namespace vigia::router::api::loki {

std::size_t TailLine::bytes() const { return sizeof(*this) + stream.size() + value.size(); }

TailLine TailQueue::made_of(const AnsweredLine& line) const {
  TailLine made{line.time_ns, stream_object(line, is_by_category_), {}};
  append_value(made.value, line, is_by_category_);
  return made;
}

void TailQueue::push(TailLine line) {
  const std::lock_guard lock(mutex_);
  ++pushed_count_;
  if (line.bytes() > kBytesMax) {
    ++dropped_count_;
    return name_dropped(line.time_ns, std::move(line.stream));
  }
  bytes_ += line.bytes();
  lines_.push_back(std::move(line));
  while (bytes_ > kBytesMax) drop_first();
}

void TailQueue::drop_first() {
  TailLine& first = lines_.front();
  bytes_ -= first.bytes();
  ++dropped_count_;
  name_dropped(first.time_ns, std::move(first.stream));
  lines_.pop_front();
}

void TailQueue::name_dropped(std::int64_t time_ns, std::string stream) {
  // What a line says of itself may be long: its labels are its sender's.
  if (dropped_.size() >= kNamedMax || named_bytes_ + stream.size() > kNamedBytesMax) return;
  named_bytes_ += stream.size();
  dropped_.push_back({time_ns, std::move(stream)});
}

void TailQueue::note_skipped(std::int64_t time_ns) {
  const std::lock_guard lock(mutex_);
  ++dropped_count_;
  name_dropped(time_ns, "{}");
}

std::string TailQueue::take_message() {
  const std::lock_guard lock(mutex_);
  if (lines_.empty() && dropped_.empty()) return {};
  std::string body = "{\"streams\":[";
  append_streams(body);
  body += ']';
  append_dropped(body);
  if (is_by_category_) body += R"(,"encodingFlags":["categorize-labels"])";
  return body += '}';
}

void TailQueue::append_streams(std::string& body) {
  std::string stream;
  while (!lines_.empty() && body.size() < kMessageBytesMax) {
    TailLine& line = lines_.front();
    bytes_ -= line.bytes();
    if (line.stream != stream) {
      body +=
          fmt::format(R"({}{{"stream":{},"values":[)", stream.empty() ? "" : "]},", line.stream);
      stream = std::move(line.stream);
    } else {
      body += ',';
    }
    body += line.value;
    lines_.pop_front();
  }
  if (!stream.empty()) body += "]}";
}

void TailQueue::append_dropped(std::string& body) {
  if (dropped_.empty()) return;
  named_bytes_ = 0;
  body += ",\"dropped_entries\":[";
  bool is_first = true;
  for (const Dropped& each : std::exchange(dropped_, {})) {
    body += fmt::format(R"({}{{"labels":{},"timestamp":"{}"}})",
                        std::exchange(is_first, false) ? "" : ",", each.stream, each.time_ns);
  }
  body += ']';
}

std::uint64_t TailQueue::pushed() const {
  const std::lock_guard lock(mutex_);
  return pushed_count_;
}

std::uint64_t TailQueue::dropped() const {
  const std::lock_guard lock(mutex_);
  return dropped_count_;
}

}  // namespace vigia::router::api::loki
