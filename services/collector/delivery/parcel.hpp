// What goes to a destination for one customer, and how one request of it ends.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/duration.hpp"
#include "libs/base/task.hpp"
#include "libs/model/ids.hpp"
#include "libs/model/signal.hpp"

namespace vigia::collector::delivery {

/// The least that can be refused alone: a value of a series, or a body of some items.
struct Unit {
  std::size_t begin = 0;          ///< in the parcel's message
  std::uint32_t record = 0;       ///< index in the window
  std::uint32_t item = 0;         ///< OTLP point; of a body kBody, or whatever it once was
  std::uint32_t items = 1;        ///< how many items are in it; 0 for what no sender sent
  std::int64_t timestamp_ms = 0;  ///< of a value

  static constexpr std::uint32_t kNoItem = 0xffffffffU;
  static constexpr std::uint32_t kBody = 0xfffffffeU;
};

/// Protobuf messages of both protocols are concatenations of what repeats in them, so that any run
/// of units is a message of its own. A parcel never mixes customers.
struct Parcel {
  /// How far the search for what is to blame has come.
  enum class SearchStage : std::uint8_t {
    kFresh = 0,    ///< sent together, halved where it fails
    kSuspect = 1,  ///< each unit has failed alone: the first is tried, for all of them
    kLastTry = 2,  ///< suspect for long enough: what fails alone once more is given up
  };

  CustomerId customer;
  Signal signal = Signal::kMetrics;
  std::string message = {};
  std::vector<Unit> units = {};
  SearchStage stage = SearchStage::kFresh;
  /// Most units (of spans and logs: items) in one request, where larger ones have timed out; 0:
  /// as the delivery has it.
  std::size_t weight_max = 0;

  /// The message of units [first, last).
  std::string_view run(std::size_t first, std::size_t last) const {
    const std::size_t begin = units[first].begin;
    const std::size_t end = last < units.size() ? units[last].begin : message.size();
    return std::string_view(message).substr(begin, end - begin);
  }
  /// Adds a copy of units [first, last) of another parcel.
  void append(const Parcel& from, std::size_t first, std::size_t last);
  std::uint64_t items() const;
  /// Whether the unit is a value of a series, of which one point may have several; else a body.
  bool is_value(const Unit& unit) const {
    return signal == Signal::kMetrics && unit.item != Unit::kBody;
  }
};

/// A value that a destination has left out, as it names it.
struct RefusedSeries {
  std::string kind;  ///< as DeliveryObserver::kind_of gives it
  std::string why;
};

/// How a request ended.
struct Answer {
  enum class Kind : std::uint8_t {
    kTaken,    ///< all of it, but for `rejected` items that the destination names
    kRetry,    ///< not now, or the destination is set up wrongly: the data is not to blame
    kRefused,  ///< this will never be taken as it is
    kBroken,   ///< 500: a passing fault, or a content that breaks it; others' data tells
  };
  Kind kind = Kind::kTaken;
  std::string why = {};
  std::optional<Duration> retry_after = std::nullopt;
  std::uint64_t rejected = 0;
  /// Refused because something in it lies before the time that the destination takes: so would
  /// everything older be.
  bool is_too_old = false;
  /// kRetry because something in it lies further ahead than the destination takes. Its own trouble,
  /// which passes by itself.
  bool is_too_new = false;
  bool is_timeout = false;  ///< kRetry because no answer came in time
  /// What the destination's clock says, ms since 1970; nothing where it does not say.
  std::optional<std::int64_t> date_ms = std::nullopt;
  /// Of the destination's log that it has cost, where it says more than one.
  std::uint64_t lines = 0;
  std::vector<RefusedSeries> refused = {};  ///< some of `rejected`, where it names them
};

/// Sends messages to one destination. Thread contract: `send` from any thread; `done` is called
/// once, on any thread, and does not block.
class MessageTransport {
 public:
  virtual ~MessageTransport() = default;
  virtual void send(const CustomerId& customer, Signal signal, std::string_view message,
                    Task<void(Answer)> done) = 0;
};

}  // namespace vigia::collector::delivery
