// A path, ready to be read and written.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/ottl/internal/any_value.hpp"
#include "libs/ottl/internal/field.hpp"
#include "libs/ottl/internal/getter.hpp"

namespace vigia::ottl::internal {

/// A key as it is written; where `getter` is set it is known for a record alone.
struct PathKey {
  bool is_text = true;
  std::string text;
  std::int64_t index = 0;
  GetterPtr getter;
};

/// An entry of a map, and what is to become of it.
struct MapEntry {
  std::string_view key;
  std::string_view value;  ///< an encoded AnyValue
  bool is_erased = false;
  bool is_changed = false;  ///< key or value were given another one
};

/// The attribute customer.id is read as any other, and is never changed: setting it is a fault,
/// what changes all entries passes it over.
class Path final : public Getter {
 public:
  Path(const PathField& field, std::vector<PathKey> keys, wire::edit::IsProtected fence,
       std::size_t offset)
      : field_(field), keys_(std::move(keys)), is_fenced_(fence), offset_(offset) {}

  bool get(Evaluation& evaluation, Value& out) const override;
  ValueForm kind() const override;
  bool set(Evaluation& evaluation, const Value& value) const;

  /// Shows each entry of the map that it names; false with a fault where it names none.
  bool for_each_entry(Evaluation& evaluation, const std::function<bool(MapEntry&)>& visit) const;
  /// An entry of the map that it names, set or made.
  bool put_entry(Evaluation& evaluation, std::string_view key, std::string_view any_value) const;
  bool erase_entry(Evaluation& evaluation, std::string_view key) const;
  bool has_entry(Evaluation& evaluation, std::string_view key, bool& out) const;

  const PathField& field() const { return field_; }
  bool has_keys() const { return !keys_.empty(); }
  /// Whether it names a fenced attribute, or something in it.
  bool is_fenced() const;
  /// Whether an entry of that key, of the map that it names, is one.
  bool is_kept(std::string_view key) const;
  std::size_t offset() const { return offset_; }

 private:
  bool resolve(Evaluation& evaluation, std::vector<KeyNow>& keys) const;
  bool get_under(Evaluation& evaluation, std::span<const KeyNow> keys, Value& out) const;
  bool set_under(Evaluation& evaluation, std::span<const KeyNow> keys,
                 std::string_view any_value) const;
  bool set_map(Evaluation& evaluation, const Value& value) const;
  bool whole_map(Evaluation& evaluation, Value& out) const;
  bool for_each_attribute(Evaluation& evaluation,
                          const std::function<bool(MapEntry&)>& visit) const;

  const PathField& field_;
  const std::vector<PathKey> keys_;
  const wire::edit::IsProtected is_fenced_;
  const std::size_t offset_;
};

}  // namespace vigia::ottl::internal
