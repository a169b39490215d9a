// A JSON answer that is made piece by piece within its customer's share of memory.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "libs/net/message.hpp"
#include "services/storage/lanes/answer_memory.hpp"
#include "services/storage/read/series_search.hpp"

namespace vigia::storage::api {

/// No answer in JSON is longer.
inline constexpr std::size_t kAnswerBytesMax = 64U << 20U;
/// A byte of a text becomes up to six: \u0001.
inline constexpr std::size_t kJsonGrowth = 6;

/// Whose share of memory an answer inside the fence uses; "" is the operators'.
std::string_view share_of(const read::Fence& fence);

/// What "data" is: a list of items, or an object, of which an item is a name and its value.
enum class AnswerData : std::uint8_t { kList, kObject };

/// {"status":"success","data":[…],"cursor":"…","warnings":[…]}. Its memory is held until the reader
/// has it. Thread contract: one thread.
class AnswerBody {
 public:
  /// `memory` outlives the answer: it goes with the response. `gaps`: a warning in any case.
  explicit AnswerBody(std::shared_ptr<lanes::AnswerMemory> memory, std::string_view gaps = {},
                      AnswerData data = AnswerData::kList)
      : memory_(std::move(memory)), gaps_(gaps), end_(data == AnswerData::kList ? ']' : '}') {
    text_ += data == AnswerData::kList ? '[' : '{';
  }

  /// Whether `bytes` more of JSON fit into the longest answer; of a shorter one the first item does
  /// in any case.
  bool has_room(std::size_t bytes) const {
    return text_.size() + bytes <= (items_ == 0 ? kAnswerBytesMax : bytes_max_);
  }
  /// Not above kAnswerBytesMax.
  void limit_to(std::size_t bytes) { bytes_max_ = bytes; }
  /// `item` is JSON already. The memory's errors.
  Result<void> add(std::string_view item);
  std::size_t items() const { return items_; }
  /// Text that the answer gives beside the others.
  void warn(std::string text) { warnings_.push_back(std::move(text)); }
  /// A member of the answer beside "data"; `json` is JSON already.
  void tell(std::string_view name, std::string_view json);
  /// Once. "": no warning. `cursor`, where there is one, is a word that needs no escapes: the
  /// answer's "cursor".
  net::Response finish(std::string_view warning, std::string_view cursor = {});

 private:
  std::shared_ptr<lanes::AnswerMemory> memory_;
  const std::string gaps_;
  std::vector<std::string> warnings_;
  std::string told_;
  const char end_;
  std::string text_ = R"({"status":"success","data":)";
  std::size_t items_ = 0;
  std::size_t bytes_max_ = kAnswerBytesMax;
};

/// A whole text as the response's body; `memory` keeps what that needs until the reader has it.
net::Response json_answer(std::string text, std::shared_ptr<lanes::AnswerMemory> memory);

}  // namespace vigia::storage::api
