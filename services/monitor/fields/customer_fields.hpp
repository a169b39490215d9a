// What a customer has, one row a field. Of these rows come its columns with the step of the schema
// that adds them, every statement, what is read of a body and shown, the audit's detail and what
// collector and router are told. A new field is a member of CustomerRow and a row of
// kCustomerFields, both here.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "libs/model/ids.hpp"
#include "libs/tenancy/directory.hpp"
#include "libs/tenancy/hot_shards.hpp"

namespace vigia::monitor::fields {

/// What a customer may send and ask; the names are those of customers.yaml. 0: the built-in default
/// where the collector has one (label_value_bytes, labels_per_series), of queries the router's own,
/// else no limit.
struct CustomerLimits {
  std::int64_t points_per_second = 0;
  std::int64_t spans_per_second = 0;
  std::int64_t log_records_per_second = 0;
  std::int64_t bytes_per_second = 0;
  std::int64_t active_series = 0;
  std::int64_t label_value_bytes = 0;
  std::int64_t labels_per_series = 0;
  std::int64_t query_range_seconds = 0;
  std::int64_t query_steps = 0;
  std::int64_t query_series = 0;
  std::int64_t query_samples = 0;
  std::int64_t query_bytes = 0;
  std::int64_t query_seconds = 0;
  std::int64_t log_query_lines = 0;
  std::int64_t log_query_bytes = 0;
  std::int64_t log_query_cpu_seconds = 0;
};

/// In which customers are written to; the first where nobody chose.
inline constexpr std::array<std::string_view, 2> kLanguages = {"es", "en"};

/// A member's value here is what customers have that were there before the field was.
struct CustomerRow {
  CustomerId id;
  std::string name = {};
  bool is_enabled = true;
  std::string hot_shard = {};
  CustomerLimits limits = {};
  std::int64_t assigned_ms = 0;  ///< since when its shards hold this customer
  std::int64_t created_ms = 0;
  std::string language = std::string(kLanguages[0]);  ///< of what is sent to it: one of kLanguages
  std::string reference = {};  ///< the provider's own number or name of it; may be empty
  /// Where its nodes are spread over several: all its shards, hot_shard the first. Else empty.
  std::vector<std::string> hot_shards = {};

  /// All of them, one at least.
  std::vector<std::string> shards() const {
    return hot_shards.empty() ? std::vector{hot_shard} : hot_shards;
  }
};

/// A text of `characters_min` to `characters_max` characters; 0: it may be empty.
struct TextField {
  std::string CustomerRow::* value;
  std::size_t characters_min = 1;
  std::size_t characters_max = 200;
  std::span<const std::string_view> one_of = {};  ///< empty: any text
  std::string tenancy::Customer::* in_directory = nullptr;
};
/// Texts without a comma, kept as one with commas between them.
struct ListField {
  std::vector<std::string> CustomerRow::* value;
  std::size_t count_max;
  std::vector<std::string> tenancy::Customer::* in_directory = nullptr;
};
struct FlagField {
  bool CustomerRow::* value;
};
/// A moment that the program sets.
struct TimeField {
  std::int64_t CustomerRow::* value;
  std::string_view shown_as = {};  ///< "": nobody is shown it
  std::int64_t tenancy::Customer::* in_directory = nullptr;
};

/// Whether who creates a customer names it.
enum class AtCreation : std::uint8_t { kNo, kMay, kMust };
/// Whether the audit's entry of a change tells it. The audit forgets nothing: no personal data.
enum class Audited : std::uint8_t { kNo, kWhereNamed, kAlways };

struct CustomerField {
  std::string_view name;  ///< of its column, and in the REST interface
  std::variant<TextField, ListField, FlagField, TimeField> kind;
  AtCreation at_creation = AtCreation::kNo;
  bool may_change = false;  ///< by operators, afterwards
  Audited audited = Audited::kNo;
  bool is_in_messages = false;  ///< channels are told anew where it changes
  int since = 0;  ///< version of the schema that adds it; 0: schema.cpp's statements do
};

// Without the id, which is the key and never changes, and the limits, which have a list of their
// own. In this order they are shown.
inline constexpr std::array kCustomerFields = {
    CustomerField{
        .name = "name",
        .kind = TextField{.value = &CustomerRow::name, .in_directory = &tenancy::Customer::name},
        .at_creation = AtCreation::kMust,
        .may_change = true,
        .audited = Audited::kAlways,
        .is_in_messages = true},
    CustomerField{.name = "is_enabled",
                  .kind = FlagField{&CustomerRow::is_enabled},
                  .may_change = true,
                  .audited = Audited::kAlways},
    // One of those of the configuration, the first where none is named.
    CustomerField{.name = "hot_shard",
                  .kind = TextField{.value = &CustomerRow::hot_shard,
                                    .in_directory = &tenancy::Customer::hot_shard},
                  .at_creation = AtCreation::kMay,
                  .audited = Audited::kWhereNamed},
    CustomerField{.name = "hot_shards",
                  .kind = ListField{.value = &CustomerRow::hot_shards,
                                    .count_max = tenancy::kHotShardsMax,
                                    .in_directory = &tenancy::Customer::hot_shards},
                  .at_creation = AtCreation::kMay,
                  .may_change = true,
                  .audited = Audited::kWhereNamed,
                  .since = 8},
    CustomerField{.name = "language",
                  .kind = TextField{.value = &CustomerRow::language, .one_of = kLanguages},
                  .at_creation = AtCreation::kMay,
                  .may_change = true,
                  .audited = Audited::kWhereNamed,
                  .is_in_messages = true},
    CustomerField{
        .name = "reference",
        .kind =
            TextField{.value = &CustomerRow::reference, .characters_min = 0, .characters_max = 60},
        .at_creation = AtCreation::kMay,
        .may_change = true,
        .audited = Audited::kWhereNamed,
        .since = 6},
    CustomerField{.name = "assigned_ms",
                  .kind = TimeField{.value = &CustomerRow::assigned_ms,
                                    .in_directory = &tenancy::Customer::assigned_ms}},
    CustomerField{.name = "created_ms",
                  .kind = TimeField{.value = &CustomerRow::created_ms, .shown_as = "created_at"}},
};

/// Name in the database, in customers.yaml and in the REST interface, and where it stands here and
/// in the directory. Who creates a customer may name it, operators may change it, the audit tells
/// where it is named.
struct CustomerLimit {
  std::string_view name;
  std::int64_t CustomerLimits::* value;
  std::uint64_t tenancy::Limits::* in_directory;
  std::int64_t at_creation = 0;  ///< where who creates a customer names none
  int since = 0;                 ///< as in CustomerField
};
// What a new customer has stops one that floods before it costs the others their hot store.
inline constexpr std::array kCustomerLimits = {
    CustomerLimit{"points_per_second", &CustomerLimits::points_per_second,
                  &tenancy::Limits::points_per_second, 50'000},
    CustomerLimit{"spans_per_second", &CustomerLimits::spans_per_second,
                  &tenancy::Limits::spans_per_second, 20'000},
    CustomerLimit{"log_records_per_second", &CustomerLimits::log_records_per_second,
                  &tenancy::Limits::log_records_per_second, 20'000},
    CustomerLimit{"bytes_per_second", &CustomerLimits::bytes_per_second,
                  &tenancy::Limits::bytes_per_second, 20'971'520},
    CustomerLimit{"active_series", &CustomerLimits::active_series, &tenancy::Limits::active_series,
                  200'000},
    CustomerLimit{"label_value_bytes", &CustomerLimits::label_value_bytes,
                  &tenancy::Limits::label_value_bytes},
    CustomerLimit{"labels_per_series", &CustomerLimits::labels_per_series,
                  &tenancy::Limits::labels_per_series},
    CustomerLimit{.name = "query_range_seconds",
                  .value = &CustomerLimits::query_range_seconds,
                  .in_directory = &tenancy::Limits::query_range_seconds,
                  .since = 7},
    CustomerLimit{.name = "query_steps",
                  .value = &CustomerLimits::query_steps,
                  .in_directory = &tenancy::Limits::query_steps,
                  .since = 7},
    CustomerLimit{.name = "query_series",
                  .value = &CustomerLimits::query_series,
                  .in_directory = &tenancy::Limits::query_series,
                  .since = 7},
    CustomerLimit{.name = "query_samples",
                  .value = &CustomerLimits::query_samples,
                  .in_directory = &tenancy::Limits::query_samples,
                  .since = 7},
    CustomerLimit{.name = "query_bytes",
                  .value = &CustomerLimits::query_bytes,
                  .in_directory = &tenancy::Limits::query_bytes,
                  .since = 7},
    CustomerLimit{.name = "query_seconds",
                  .value = &CustomerLimits::query_seconds,
                  .in_directory = &tenancy::Limits::query_seconds,
                  .since = 7},
    CustomerLimit{.name = "log_query_lines",
                  .value = &CustomerLimits::log_query_lines,
                  .in_directory = &tenancy::Limits::log_query_lines,
                  .since = 7},
    CustomerLimit{.name = "log_query_bytes",
                  .value = &CustomerLimits::log_query_bytes,
                  .in_directory = &tenancy::Limits::log_query_bytes,
                  .since = 7},
    CustomerLimit{.name = "log_query_cpu_seconds",
                  .value = &CustomerLimits::log_query_cpu_seconds,
                  .in_directory = &tenancy::Limits::log_query_cpu_seconds,
                  .since = 7}};

/// The columns that this version of the schema adds, each as it stands after ADD COLUMN.
std::vector<std::string> added_columns(int version, std::span<const CustomerField> fields,
                                       std::span<const CustomerLimit> limits);
/// The newest version that adds one; 0 where none does.
int newest_version(std::span<const CustomerField> fields, std::span<const CustomerLimit> limits);

/// What collector and router know of it.
tenancy::Customer in_directory(const CustomerRow& customer);

}  // namespace vigia::monitor::fields
