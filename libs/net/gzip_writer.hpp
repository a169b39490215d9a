// A gzip body that is made while it is sent.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace vigia::net {

/// Compresses pieces as one gzip member, quickly rather than well, in 256 KiB of memory. One thread
/// at a time.
class GzipWriter {
 public:
  GzipWriter();
  GzipWriter(GzipWriter&&) noexcept;
  GzipWriter& operator=(GzipWriter&&) noexcept;
  ~GzipWriter();

  /// Takes a piece, and gives what is ready of the body: often nothing.
  std::string add(std::string_view bytes);
  /// The rest, after the last piece.
  std::string finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace vigia::net
