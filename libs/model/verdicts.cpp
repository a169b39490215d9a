#include "libs/model/verdicts.hpp"

#include "libs/base/bytes.hpp"
#include "libs/base/check.hpp"

namespace vigia {
namespace {

// A body is at most 64 MiB and an item at least two bytes.
constexpr std::uint64_t kItemsMax = 1ULL << 25U;

}  // namespace

std::string_view to_string(RejectReason reason) {
  switch (reason) {
    case RejectReason::kNone:
      return "none";
    case RejectReason::kForeign:
      return "foreign";
    case RejectReason::kNoCustomer:
      return "no_customer";
    case RejectReason::kReserved:
      return "reserved";
    case RejectReason::kOverLimit:
      return "over_limit";
    case RejectReason::kUntranslatable:
      return "untranslatable";
    case RejectReason::kTemporality:
      return "temporality";
    case RejectReason::kFuture:
      return "future";
    case RejectReason::kInvalid:
      return "invalid";
    case RejectReason::kLabelValueBytes:
      return "label_value_bytes";
    case RejectReason::kLabelsPerSeries:
      return "labels_per_series";
    case RejectReason::kAttributes:
      return "attributes";
    case RejectReason::kResourceBytes:
      return "resource_bytes";
    case RejectReason::kExpandedBytes:
      return "expanded_bytes";
    case RejectReason::kDeltaStreams:
      return "delta_streams";
    case RejectReason::kRepeated:
      return "repeated";
  }
  return "invalid";
}

void Verdicts::reject(std::uint32_t item, RejectReason reason) {
  CHECK(reason != RejectReason::kNone);
  // Refusals come in no order and one item may get a second, which then counts: so the counts
  // follow each change, and the list is as long as its last refusal, not as the body.
  if (item >= items_) items_ = item + 1;
  if (item >= reasons_.size()) reasons_.resize(item + 1, 0);
  const auto before = reasons_[item];
  if (before == 0) {
    ++rejected_;
  } else {
    --by_reason_[before];
  }
  reasons_[item] = static_cast<std::uint8_t>(reason);
  ++by_reason_[static_cast<std::size_t>(reason)];
}

std::uint32_t Verdicts::rejected_for(RejectReason reason) const {
  return reason == RejectReason::kNone ? accepted() : by_reason_[static_cast<std::size_t>(reason)];
}

std::string Verdicts::encode() const {
  std::string out;
  append_varint(out, items_);
  std::size_t end = reasons_.size();
  // Nearly every body has nothing refused: its verdicts are the count alone, two bytes.
  while (end > 0 && reasons_[end - 1] == 0) --end;
  for (std::size_t begin = 0; begin < end;) {
    std::size_t next = begin + 1;
    while (next < end && reasons_[next] == reasons_[begin]) ++next;
    append_varint(out, next - begin);
    out.push_back(static_cast<char>(reasons_[begin]));
    begin = next;
  }
  return out;
}

Result<Verdicts> Verdicts::decode(std::string_view bytes) {
  ByteReader reader(bytes);
  const auto items = reader.read_varint();
  if (!reader.ok() || items > kItemsMax) {
    return fail(ErrorCode::kCorrupt, "verdicts: bad item count");
  }
  Verdicts verdicts(static_cast<std::uint32_t>(items));
  std::uint64_t item = 0;
  while (reader.ok() && !reader.rest().empty()) {
    const auto run = reader.read_varint();
    if (reader.ok() && run == 0) return verdicts;  // the rest is something else
    const auto reason = reader.read_u8();
    // A run beyond the items would make the loop below as long as a damaged number says.
    if (!reader.ok() || run == 0 || run > items - item || reason >= kRejectReasonCount) {
      return fail(ErrorCode::kCorrupt, "verdicts: bad run");
    }
    if (reason != 0) {
      for (std::uint64_t i = item; i < item + run; ++i) {
        verdicts.reject(static_cast<std::uint32_t>(i), static_cast<RejectReason>(reason));
      }
    }
    item += run;
  }
  if (!reader.ok()) return fail(ErrorCode::kCorrupt, "verdicts: cut off");
  return verdicts;
}

std::string Verdicts::encode_before(std::string_view more) const {
  std::string out = encode();
  out.push_back('\0');  // no run is of no items
  out += more;
  return out;
}

std::string_view Verdicts::behind(std::string_view bytes) {
  ByteReader reader(bytes);
  (void)reader.read_varint();
  while (reader.ok() && !reader.rest().empty()) {
    if (reader.read_varint() == 0) return reader.ok() ? reader.rest() : std::string_view{};
    (void)reader.read_u8();
  }
  return {};
}

}  // namespace vigia
