#include "libs/wire/prometheus_api/envelope.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include <simdjson.h>

namespace vigia::wire::prometheus_api {
namespace {

namespace ondemand = simdjson::ondemand;

// Exceptions are the shortest way through simdjson's on-demand values; they end in read().
std::string_view raw_value(ondemand::value value) {
  switch (value.type()) {
    case ondemand::json_type::array: {
      ondemand::array array = value.get_array();
      return array.raw_json();
    }
    case ondemand::json_type::object: {
      ondemand::object object = value.get_object();
      return object.raw_json();
    }
    default:
      return value.raw_json_token();
  }
}

std::vector<std::string> texts(ondemand::value value) {
  std::vector<std::string> found;
  for (ondemand::value item : value.get_array()) {
    found.emplace_back(std::string_view(item.get_string()));
  }
  return found;
}

/// `stats` as a JSON text.
std::optional<std::uint64_t> peak_of(const std::string& stats) {
  try {
    ondemand::parser parser;
    const simdjson::padded_string padded(stats);
    ondemand::document document = parser.iterate(padded);
    return document["samples"]["peakSamples"].get_uint64();
  } catch (const simdjson::simdjson_error&) {
    return std::nullopt;
  }
}

/// The data of an answer that holds nothing else, found without reading it: of all fields only
/// "data" is an object, so whatever ends in "}}" has no field behind it. That is nearly every
/// answer, and the large ones.
std::optional<std::pair<std::size_t, std::size_t>> plain_data(std::string_view body) {
  constexpr std::size_t kBegin = Envelope::kPlainStart.size();
  if (!body.starts_with(Envelope::kPlainStart) || !body.ends_with("}}") || body[kBegin] != '{') {
    return std::nullopt;
  }
  return std::pair{kBegin, body.size() - kBegin - 1};
}

}  // namespace

std::optional<std::string> Envelope::take_plain() && {
  const bool is_plain = !is_stored() && is_success_ && data_at_ == kPlainStart.size() &&
                        body_.size() == data_at_ + data_size_ + 1 && body_.starts_with(kPlainStart);
  if (!is_plain) return std::nullopt;
  body_.pop_back();
  data_at_ = data_size_ = 0;
  return std::move(body_);
}

std::vector<ByteRange> Envelope::stored_data() const {
  if (!is_stored() || !scanned_.data) return {};
  const ByteRange& data = *scanned_.data;
  if (!is_stats_cut_) return {data};
  const ByteRange& cut = *scanned_.stats;
  return {{data.at, cut.at - data.at}, {cut.end(), data.end() - cut.end()}};
}

std::uint64_t Envelope::data_size() const {
  if (!is_stored()) return data_size_;
  const std::uint64_t cut = is_stats_cut_ ? scanned_.stats->size : 0;
  return scanned_.data ? scanned_.data->size - cut : 0;
}

std::optional<std::uint64_t> Envelope::peak_samples(bool cut) {
  if (!is_stored()) return peak_samples_here(cut);
  if (!scanned_.stats || is_stats_cut_) return std::nullopt;
  const auto peak = peak_of(scanned_.stats_text);
  is_stats_cut_ = cut && peak;
  return peak;
}

std::optional<std::uint64_t> Envelope::peak_samples_here(bool cut) {
  // In no text of the data: there a quotation mark has a backslash before it.
  constexpr std::string_view kKey = ",\"stats\":";
  const std::string_view all = data();
  if (!all.ends_with("}}")) return std::nullopt;
  const std::size_t from = all.size() - std::min(all.size(), EnvelopeScanner::kStatsBytesMax);
  const std::size_t at = all.substr(from).rfind(kKey);
  if (at == std::string_view::npos) return std::nullopt;
  const std::size_t begin = from + at + kKey.size();
  const std::string stats(all.substr(begin, all.size() - begin - 1));
  const auto peak = peak_of(stats);
  if (cut && peak) {
    const std::size_t size = kKey.size() + stats.size();
    body_.erase(data_at_ + from + at, size);
    data_size_ -= size;
  }
  return peak;
}

Result<Envelope> Envelope::read_stored(ScannedEnvelope scanned,
                                       std::shared_ptr<const StoredBytes> bytes) {
  auto envelope = read(std::move(scanned.rest));
  if (!envelope) return envelope;
  envelope->stored_ = std::move(bytes);
  envelope->scanned_ = std::move(scanned);
  return envelope;
}

Result<Envelope> Envelope::read(std::string body) {
  Envelope envelope;
  envelope.body_ = std::move(body);
  std::string& text = envelope.body_;
  if (const auto plain = plain_data(text)) {
    envelope.is_success_ = true;
    std::tie(envelope.data_at_, envelope.data_size_) = *plain;
    return envelope;
  }
  const std::size_t size = text.size();
  text.reserve(size + simdjson::SIMDJSON_PADDING);
  bool has_status = false;
  try {
    ondemand::parser parser;
    const simdjson::padded_string_view padded(text.data(), size, text.capacity());
    ondemand::document document = parser.iterate(padded);
    for (auto field : document.get_object()) {
      const std::string_view key = field.unescaped_key();
      ondemand::value value = field.value();
      if (key == "status") {
        has_status = true;
        envelope.is_success_ = std::string_view(value.get_string()) == "success";
      } else if (key == "data") {
        const std::string_view data = raw_value(value);
        envelope.data_at_ = static_cast<std::size_t>(data.data() - text.data());
        envelope.data_size_ = data.size();
      } else if (key == "errorType") {
        envelope.error_type_ = std::string_view(value.get_string());
      } else if (key == "error") {
        envelope.error_ = std::string_view(value.get_string());
      } else if (key == "warnings") {
        envelope.warnings_ = texts(value);
      } else if (key == "infos") {
        envelope.infos_ = texts(value);
      }
    }
  } catch (const simdjson::simdjson_error&) {
    has_status = false;
  }
  if (!has_status) return fail(ErrorCode::kCorrupt, "the answer is not what Prometheus' API gives");
  return envelope;
}

}  // namespace vigia::wire::prometheus_api
