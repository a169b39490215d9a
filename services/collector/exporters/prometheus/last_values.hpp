// The last value of every series, for the pull exporter.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "libs/model/ids.hpp"
#include "libs/series/translator.hpp"
#include "services/collector/exporters/prometheus/exposition.hpp"

namespace vigia::collector::exporters::prometheus {

struct LastValuesLimits {
  std::size_t series_max = 200'000;
  /// Of what is kept of all series: their labels, their families' names and helps, and some for
  /// each.
  std::size_t bytes_max = 80U << 20U;
  /// Of bytes_max, what one customer's series may have once more than half of it is taken.
  double customer_share = 0.25;
};

/// Two families of one name: a page has room for one.
struct Conflict {
  std::string family;
  std::string customer;  ///< whose came later
  bool is_type = false;  ///< another type: left out; else another help: shown under the first one's
  bool operator==(const Conflict&) const = default;
};

/// Bounded in bytes, and by customer: who has much finds no more room while others still do.
/// Thread contract: take, set_customer and set_received_ms from one thread; the rest from any.
class LastValues final : public series::SeriesSink {
 public:
  explicit LastValues(const LastValuesLimits& limits = {}) : limits_(limits) {}

  /// Values are this customer's from now on.
  void set_customer(const CustomerId& customer);
  /// Values received from now on are of this time.
  void set_received_ms(std::int64_t received_ms);
  void take(const series::SeriesPoint& point) override;
  bool wants_hashes() const override { return true; }
  /// Forgets series whose last value was received before that.
  void expire(std::int64_t before_ms);

  /// How far an exposition has come.
  struct Bookmark {
    std::string family;
    std::string key;  // of the last value that was written
    bool is_in_family = false;
    bool has_key = false;
    bool is_ended = false;
    std::set<std::string> escaped_families;  // of those whose name is no classic one
    /// False where another family is shown under it.
    bool take_name(const std::string& shown, bool is_taken);
  };
  /// The next piece of an exposition, families sorted by name, the samples of a histogram or
  /// summary together and in their order: whole lines, some kPieceBytes; "" at the end. Native
  /// histograms have no place in it. What comes or goes between two pieces may be in it or not.
  std::string next_piece(const Exposition& exposition, Bookmark& place) const;
  std::string expose(const Exposition& exposition = {}) const;  ///< all pieces
  std::uint64_t series() const;
  std::uint64_t bytes() const;
  /// Values that found no room, by customer, since the last call.
  std::map<std::string, std::uint64_t> take_over_limit();
  /// Values that were left out, and series shown under another's help, by customer, since the last
  /// call.
  struct Conflicts {
    std::map<std::string, std::uint64_t> of_type;
    std::map<std::string, std::uint64_t> of_help;
    std::vector<Conflict> news;  ///< each family once, kToldMax at most
  };
  Conflicts take_conflicts();

  static constexpr std::size_t kPieceBytes = 64U << 10U;
  static constexpr std::size_t kSeriesBytes = 290;  ///< of a series beside its labels
  static constexpr std::size_t kToldMax = 1'000;
  static constexpr std::size_t kFamilyBytes = 300;  ///< of a family beside its name and help
  static constexpr std::size_t kHelpBytesMax = 1024;

 private:
  struct Value {
    std::string customer;
    double value = 0;
    std::int64_t received_ms = 0;
    std::int64_t timestamp_ms = 0;
    std::string exemplar = {};  // an encoded field
  };
  using Values = std::map<std::string, Value, std::less<>>;  // by key_of
  struct Family {
    std::string help;
    std::string payer;  // the customer whose share has its bytes, one with a series in it
    wire::prometheus::FamilyType type = wire::prometheus::FamilyType::kUnknown;
    Values values;
  };
  using Families = std::map<std::string, Family, std::less<>>;
  struct Known {
    Families::iterator family;
    Values::iterator value;
  };
  using Index = std::unordered_map<std::uint64_t, Known>;  // by series hash

  void add_series(const series::SeriesPoint& point);
  bool is_in_conflict(const series::Family& shown);
  void note_conflict(const std::string& family, bool is_type);
  void keep(Value& value, const series::SeriesPoint& point);
  void write_value(const FamilyWriter& writer, wire::prometheus::FamilyType type,
                   const Values::value_type& value, std::string& out) const;
  bool has_room(std::size_t bytes) const;
  void charge(const std::string& customer, std::size_t bytes);
  void give_back(const std::string& customer, std::size_t bytes);
  void forget(Index::iterator known);
  void settle_family(Families::iterator family, const std::string& left);

  const LastValuesLimits limits_;
  mutable std::mutex mutex_;
  std::string customer_;
  std::int64_t received_ms_ = 0;
  Families families_;
  Index index_;
  std::size_t bytes_ = 0;
  std::map<std::string, std::size_t, std::less<>> customer_bytes_;
  std::map<std::string, std::uint64_t> over_limit_;
  Conflicts conflicts_;
  std::set<std::string> told_;
};

}  // namespace vigia::collector::exporters::prometheus
