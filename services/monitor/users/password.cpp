#include "services/monitor/users/password.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include <fmt/format.h>
#include <sodium.h>
#include <zxcvbn.h>

#include "libs/base/characters.hpp"
#include "libs/base/check.hpp"
#include "libs/base/hex.hpp"
#include "libs/base/random.hpp"
#include "services/monitor/users/limits.hpp"

namespace vigia::monitor::users {
namespace {

// ASVS 5.0 appendix C: argon2id with at least 19 MiB and 2 passes, one lane (libsodium's only one).
constexpr unsigned long long kPasses = 2;
constexpr std::size_t kMemoryBytes = std::size_t{19} << 20U;

// A password has to take this many guesses of somebody who knows what people take: at 30 ms of a
// core each (the hash), ten years of one. zxcvbn's highest score.
constexpr double kGuessBitsMin = 33.2;  // log2 of 10^10

// What is judged of a password: its cost grows with the length, and who has so much that is hard to
// guess needs no more.
constexpr std::size_t kJudgedBytesMax = 64;

// What zxcvbn, whose lists are English, does not know of, and our own name. Without the accents
// too.
constexpr auto kOwnWords = std::to_array<const char*>(
    {"contraseña", "contrasena", "administrador", "bienvenido", "bienvenida", "teamo", "mucho",
     "cambiame", "secreto", "clave", "realmadrid", "correcthorsebatterystaple", "vigia", "vigía"});

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return out;
}

// Of the English words, keyboards, dates, repetitions, rows of letters and what stands above, with
// letters that look like others.
bool is_guessable(std::string_view password, const std::string& user) {
  std::vector<const char*> words(kOwnWords.begin(), kOwnWords.end());
  words.push_back(user.c_str());
  words.push_back(nullptr);
  const std::string judged(password.substr(0, kJudgedBytesMax));
  return ZxcvbnMatch(judged.c_str(), words.data(), nullptr) < kGuessBitsMin;
}

}  // namespace

Result<void> check_password_rules(std::string_view password, std::string_view user) {
  const auto characters = count_characters(password);
  if (characters < kPasswordCharactersMin || characters > kPasswordCharactersMax) {
    return fail(ErrorCode::kInvalid, fmt::format("password: {} to {} characters",
                                                 kPasswordCharactersMin, kPasswordCharactersMax));
  }
  const auto name = lower(user);
  constexpr std::size_t kTellingNameCharacters = 4;
  if (user.size() >= kTellingNameCharacters && lower(password).find(name) != std::string::npos) {
    return fail(ErrorCode::kInvalid, "password: it holds the user's name; take another");
  }
  if (is_guessable(password, name)) {
    return fail(ErrorCode::kInvalid,
                "password: easily guessed: widely known, a repetition or a row; take another");
  }
  return {};
}

PasswordHasher::PasswordHasher() {
  CHECK(sodium_init() >= 0);
  auto hashed = hash(to_hex(random_bytes(16)));
  CHECK(hashed.has_value());
  nobody_hash_ = *hashed;
}

Result<std::string> PasswordHasher::hash(const std::string& password) {
  auto entered = enter();
  if (!entered) return forward(entered);
  std::array<char, crypto_pwhash_STRBYTES> out{};
  const int outcome =
      crypto_pwhash_str(out.data(), password.data(), password.size(), kPasses, kMemoryBytes);
  leave();
  if (outcome != 0) return fail(ErrorCode::kUnavailable, "no memory to hash a password");
  return std::string(out.data());
}

Result<bool> PasswordHasher::matches(const std::string& password, const std::string& hash) {
  auto entered = enter();
  if (!entered) return forward(entered);
  const std::string& compared = hash.empty() ? nobody_hash_ : hash;
  const int outcome = crypto_pwhash_str_verify(compared.c_str(), password.data(), password.size());
  leave();
  return outcome == 0 && !hash.empty();
}

bool PasswordHasher::is_outdated(const std::string& hash) {
  return crypto_pwhash_str_needs_rehash(hash.c_str(), kPasses, kMemoryBytes) != 0;
}

Result<void> PasswordHasher::enter() {
  std::unique_lock lock(mutex_);
  if (waiting_ >= kHashesWaitingMax) {
    return fail(ErrorCode::kOverLimit, "too many log-ins at once, try again");
  }
  ++waiting_;
  freed_.wait(lock, [this] { return running_ < kHashesAtOnceMax; });
  --waiting_;
  ++running_;
  return {};
}

void PasswordHasher::leave() {
  {
    const std::scoped_lock lock(mutex_);
    --running_;
  }
  freed_.notify_one();
}

}  // namespace vigia::monitor::users
