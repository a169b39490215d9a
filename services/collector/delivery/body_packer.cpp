#include "services/collector/delivery/body_packer.hpp"

#include <fmt/format.h>

#include "libs/series/public_otlp.hpp"
#include "services/collector/bodies/accepted_items.hpp"
#include "services/collector/bodies/item_cutter.hpp"

namespace vigia::collector::delivery {
namespace {

Result<Verdicts> verdicts_of(const OtlpRecord& record) {
  if (record.verdicts.empty()) return Verdicts(record.items);
  return Verdicts::decode(record.verdicts);
}

/// Puts what any receiver reads behind the message; returns how many items have no form there.
Result<std::uint32_t> append_public(std::string& message, Signal signal, std::string_view body) {
  // What came by remote write stands in a form of our own.
  if (signal != Signal::kMetrics || !series::has_own_form(body)) {
    message += body;
    return 0U;
  }
  const auto made = series::to_public_otlp(body);
  if (!made) return forward(made);
  message += made->body;
  return made->left_out;
}

/// What is small enough goes as it is, the rest is cut.
class BodyPacker final : public Packer {
 public:
  explicit BodyPacker(std::uint32_t unit_items_max) : unit_items_max_(unit_items_max) {}

  Result<Packed> pack(std::uint32_t index, const OtlpRecord& record, Place from,
                      std::size_t bytes_max, Parcel& parcel) override {
    const std::uint32_t accepted = record.items - record.rejected;
    // As it was acknowledged, without a walk over it: most bodies are so, and a copy is all they
    // cost.
    const bool is_small = accepted <= unit_items_max_ && record.body.size() <= kUnitBytesMax;
    if (!is_small) return pack_cut(index, record, from, bytes_max, parcel);
    if (from == Place{} && parcel.message.size() >= bytes_max && !parcel.units.empty())
      return Packed{from, 0};
    const Unit unit{
        .begin = parcel.message.size(), .record = index, .item = Unit::kBody, .items = accepted};
    Result<std::string> kept = std::string();
    if (record.rejected > 0) {
      auto verdicts = verdicts_of(record);
      if (!verdicts) return forward(verdicts);
      kept = bodies::accepted_items(parcel.signal, record.body, *verdicts);
      if (!kept) return forward(kept);
    }
    const auto lost = append_public(parcel.message, parcel.signal,
                                    record.rejected > 0 ? std::string_view(*kept) : record.body);
    if (!lost) return forward(lost);
    parcel.units.push_back(unit);
    parcel.units.back().items -= *lost;
    return Packed{std::nullopt, accepted, *lost};
  }
  std::string describe(std::string_view unit) const override {
    return fmt::format("an OTLP request of {} bytes", unit.size());
  }
  std::optional<Parcel> split(const Parcel& parcel, std::size_t unit) const override {
    const Unit& whole = parcel.units[unit];
    if (whole.items < 2) return std::nullopt;
    Parcel parts{.customer = parcel.customer, .signal = parcel.signal, .stage = parcel.stage};
    const bodies::CutLimits limits{(whole.items + 1) / 2, parcel.run(unit, unit + 1).size()};
    auto cut = bodies::cut_items({parcel.signal, parcel.run(unit, unit + 1), Verdicts(whole.items)},
                                 limits, [&](std::string&& message, std::uint32_t items) {
                                   parts.units.push_back({.begin = parts.message.size(),
                                                          .record = whole.record,
                                                          .item = whole.item,
                                                          .items = items});
                                   parts.message += message;
                                   return true;
                                 });
    // Parts that do not add up to the whole would lose items silently: it stays one, refused or
    // taken.
    if (!cut || parts.items() != whole.items) return std::nullopt;
    return parts;
  }

 private:
  Result<Packed> pack_cut(std::uint32_t index, const OtlpRecord& record, Place from,
                          std::size_t bytes_max, Parcel& parcel) const {
    auto verdicts = verdicts_of(record);
    if (!verdicts) return forward(verdicts);
    Packed packed;
    auto next = bodies::cut_items(
        {parcel.signal, record.body, *verdicts, from.item}, {unit_items_max_, kUnitBytesMax},
        [&](std::string&& message, std::uint32_t items) {
          const std::size_t begin = parcel.message.size();
          // It was read as it was cut, so it can be read here.
          const auto lost = append_public(parcel.message, parcel.signal, message).value_or(0);
          parcel.units.push_back(
              {.begin = begin, .record = index, .item = Unit::kBody, .items = items - lost});
          packed.items += items;
          packed.lost += lost;
          return parcel.message.size() < bytes_max && parcel.units.size() < kUnitsMax;
        });
    if (!next) return forward(next);
    if (*next) packed.next = Place{**next, 0};
    return packed;
  }

  const std::uint32_t unit_items_max_;
};

}  // namespace

std::unique_ptr<Packer> make_body_packer(std::uint32_t unit_items_max) {
  return std::make_unique<BodyPacker>(unit_items_max);
}

}  // namespace vigia::collector::delivery
