#include "libs/wire/prometheus_api/envelope_scanner.hpp"

#include <utility>

namespace vigia::wire::prometheus_api {
namespace {

// Where the members of an envelope lie, and those of its data.
constexpr std::size_t kMembers = 1;
constexpr std::size_t kDataMembers = 2;
constexpr std::size_t kResults = 3;

}  // namespace

bool EnvelopeScanner::take(std::string_view bytes) {
  if (!is_good_) return false;
  piece_ = bytes;
  is_good_ = walk_.take(bytes) && is_good_;
  const std::uint64_t end = piece_from_ + bytes.size();
  is_good_ = is_good_ && copy(rest_copy_, end, found_.rest, kRestBytesMax);
  // Longer ones are not cut out.
  if (!copy(stats_copy_, end, found_.stats_text, kStatsBytesMax)) is_in_stats_ = false;
  piece_from_ = end;
  return is_good_;
}

Result<ScannedEnvelope> EnvelopeScanner::finish() {
  if (!is_good_ || !walk_.is_whole()) {
    return fail(ErrorCode::kCorrupt, "the answer is not what Prometheus' API gives");
  }
  return std::move(found_);
}

bool EnvelopeScanner::copy(Copy& part, std::uint64_t to, std::string& text, std::size_t bytes_max) {
  if (!part.is_open) return true;
  const std::uint64_t size = to - part.from;
  if (text.size() + size > bytes_max) {
    part.is_open = false;
    return false;
  }
  text += piece_.substr(part.from - piece_from_, size);
  part.from = to;
  return true;
}

void EnvelopeScanner::on_key(std::size_t depth, std::string_view raw) {
  if (depth == kMembers) is_data_key_ = raw == "data";
  if (depth != kDataMembers || !is_in_data_) return;
  is_stats_key_ = raw == "stats";
  is_in_results_ = raw == "result";
}

void EnvelopeScanner::on_begin(std::size_t depth, std::uint64_t at) {
  if (depth == kResults && is_in_results_) ++found_.results;
  if (depth == 0) return begin_root(at);
  if (depth == kMembers && std::exchange(is_data_key_, false)) return begin_data(at);
  if (depth == kDataMembers && std::exchange(is_stats_key_, false) && data_comma_) {
    is_in_stats_ = true;
    stats_.at = *data_comma_;
    found_.stats_text.clear();
    stats_copy_ = {true, at};
  }
}

void EnvelopeScanner::begin_root(std::uint64_t at) {
  if (piece_[at - piece_from_] != '{') is_good_ = false;
  rest_copy_ = {true, at};
}

void EnvelopeScanner::begin_data(std::uint64_t at) {
  // Of two, readers would take the one or the other.
  if (found_.data || !copy(rest_copy_, at, found_.rest, kRestBytesMax)) {
    is_good_ = false;
    return;
  }
  found_.rest += "null";
  rest_copy_.is_open = false;
  found_.data = ByteRange{at, 0};
  is_in_data_ = true;
}

void EnvelopeScanner::on_end(std::size_t depth, std::uint64_t at) {
  if (depth == kMembers && std::exchange(is_in_data_, false)) {
    found_.data->size = at - found_.data->at;
    is_in_results_ = false;
    rest_copy_ = {true, at};
  }
  if (depth == kDataMembers && std::exchange(is_in_stats_, false) &&
      copy(stats_copy_, at, found_.stats_text, kStatsBytesMax)) {
    stats_copy_.is_open = false;
    stats_.size = at - stats_.at;
    found_.stats = stats_;
  }
}

void EnvelopeScanner::on_comma(std::size_t depth, std::uint64_t at) {
  if (depth == kDataMembers && is_in_data_) data_comma_ = at;
}

}  // namespace vigia::wire::prometheus_api
