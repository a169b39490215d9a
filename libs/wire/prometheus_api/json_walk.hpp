// JSON that comes piece by piece, checked without being kept.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vigia::wire::prometheus_api {

/// Told of the outermost values as they go by. `depth` is how many arrays and objects a value lies
/// in, `at` how many bytes came before. Nothing of deeper values is told.
class JsonListener {
 public:
  virtual ~JsonListener() = default;
  /// The name of the member that comes next, as it came but for its escapes, of which only the
  /// backslash is there; of one longer than JsonWalk::kKeyBytesMax only that much.
  virtual void on_key(std::size_t depth, std::string_view raw) = 0;
  virtual void on_begin(std::size_t depth, std::uint64_t at) = 0;
  /// `at`: just behind the value.
  virtual void on_end(std::size_t depth, std::uint64_t at) = 0;
  virtual void on_comma(std::size_t depth, std::uint64_t at) = 0;
};

/// Takes one JSON text in pieces of any size and says whether it is one (RFC 8259, UTF-8), in a
/// few hundred bytes of memory whatever its size. Stricter than the RFC only in its depth. Half of
/// a surrogate pair and numbers too large for anybody are let by, since their letters are right.
/// One thread at a time.
class JsonWalk {
 public:
  static constexpr std::size_t kDepthMax = 256;  ///< Prometheus' answers have six
  static constexpr std::size_t kToldDepthMax = 3;
  static constexpr std::size_t kKeyBytesMax = 64;

  /// The listener must outlive it.
  explicit JsonWalk(JsonListener& listener) : listener_(listener) {}

  /// False, for good, where the text cannot be JSON any more.
  [[nodiscard]] bool take(std::string_view bytes);
  /// Whether what was taken is one whole text.
  [[nodiscard]] bool is_whole() const { return is_good_ && step_ == Step::kDone; }

 private:
  enum class Step : std::uint8_t {
    kValue,         // a value has to come
    kValueOrEnd,    // behind '['
    kKey,           // behind the comma of an object
    kKeyOrEnd,      // behind '{'
    kColon,         // behind a key
    kAfter,         // behind a value in an array or object
    kString,        // within one, of a key or a value
    kEscape,        // behind its backslash
    kHex,           // behind its \u
    kContinuation,  // within a letter of several bytes
    kNumber,
    kLiteral,
    kDone,
  };
  enum class Number : std::uint8_t {
    kMinus,
    kZero,
    kInteger,
    kPoint,
    kFraction,
    kExponent,
    kExponentSign,
    kExponentDigits,
  };

  // Each takes what it can of the piece and gives where it stopped; null where it is no JSON.
  const char* walk(const char* at);
  const char* walk_structure(const char* at);
  const char* walk_string(const char* at);
  const char* walk_escape(const char* at);
  const char* walk_hex(const char* at);
  const char* walk_continuation(const char* at);
  const char* walk_number(const char* at);
  const char* walk_samples(const char* at);
  const char* walk_literal(const char* at);

  static bool has_digits(Number number);
  static std::optional<Number> next_step(Number number, char letter);
  const char* begin_value(const char* at);
  const char* begin_string(const char* at, bool is_key);
  const char* begin_literal(const char* at, std::string_view text);
  const char* begin_container(const char* at, bool is_object);
  const char* end_container(const char* at);
  const char* comma(const char* at);
  bool begin_letter(unsigned char lead);
  void end_string(const char* behind);
  void end_value(const char* behind);
  bool is_told() const { return depth_ <= kToldDepthMax; }
  bool is_in_object() const { return depth_ > 0 && objects_[depth_ - 1]; }
  std::uint64_t offset(const char* at) const {
    return taken_ + static_cast<std::uint64_t>(at - piece_);
  }

  JsonListener& listener_;
  const char* piece_ = nullptr;  // while one is taken
  const char* end_ = nullptr;    // of that piece
  std::uint64_t taken_ = 0;      // of the pieces before it
  bool is_good_ = true;
  Step step_ = Step::kValue;
  Number number_ = Number::kZero;
  bool is_key_ = false;
  std::uint8_t hex_left_ = 0;
  std::uint8_t continuation_left_ = 0;
  unsigned char continuation_min_ = 0;
  unsigned char continuation_max_ = 0;
  std::string_view literal_left_;
  std::size_t depth_ = 0;
  std::bitset<kDepthMax> objects_;  // of each depth whether it is an object
  std::string key_;
};

}  // namespace vigia::wire::prometheus_api
