#include "services/monitor/users/password.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <sodium.h>

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

// Widely known passwords that are long enough for the length rule. Compared in lower case; digits
// and marks at the end do not save one.
constexpr auto kKnown =
    std::to_array<std::string_view>({"password",     "passw0rd",      "contraseña",
                                     "contrasena",   "qwertyuiop",    "qwertyuiopas",
                                     "qwerty",       "1q2w3e4r5t",    "1qaz2wsx3edc",
                                     "zaq12wsx",     "administrator", "administrador",
                                     "adminadmin",   "rootroot",      "letmein",
                                     "welcome",      "bienvenido",    "iloveyou",
                                     "teamomucho",   "monkey",        "dragon",
                                     "football",     "baseball",      "barcelona",
                                     "realmadrid",   "superman",      "batman",
                                     "trustno",      "changeme",      "cambiame",
                                     "secret",       "secreto",       "correcthorsebatterystaple",
                                     "abcdefghijkl", "asdfghjkl",     "asdfghjkl;",
                                     "zxcvbnm",      "qazwsxedcrfv",  "passwordpassword",
                                     "vigia",        "vigiavigia"});

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return out;
}

bool is_known(const std::string& password) {
  const auto end = password.find_last_not_of("0123456789!.*?$#_-+ ");
  const auto stem = end == std::string::npos ? std::string() : password.substr(0, end + 1);
  if (stem.empty()) return true;  // digits and marks only
  return std::find(kKnown.begin(), kKnown.end(), stem) != kKnown.end() ||
         std::find(kKnown.begin(), kKnown.end(), password) != kKnown.end();
}

// "aaaaaaaaaaaa", "abcabcabcabc", "abcdefghijklm": a period up to a third of the length, or steps
// of one.
bool is_repetition(const std::string& password) {
  for (std::size_t period = 1; period <= password.size() / 3; ++period) {
    bool repeats = true;
    for (std::size_t i = period; i < password.size(); ++i) {
      repeats = repeats && password[i] == password[i - period];
    }
    if (repeats) return true;
  }
  bool ascends = true;
  for (std::size_t i = 1; i < password.size(); ++i) {
    ascends = ascends && password[i] == password[i - 1] + 1;
  }
  return ascends;
}

}  // namespace

Result<void> check_password_rules(std::string_view password, std::string_view user) {
  const auto characters = count_characters(password);
  if (characters < kPasswordCharactersMin || characters > kPasswordCharactersMax) {
    return fail(ErrorCode::kInvalid, fmt::format("password: {} to {} characters",
                                                 kPasswordCharactersMin, kPasswordCharactersMax));
  }
  const auto text = lower(password);
  if (is_known(text)) {
    return fail(ErrorCode::kInvalid, "password: widely known, or digits only; take another");
  }
  if (is_repetition(text)) {
    return fail(ErrorCode::kInvalid, "password: a repetition or an alphabet; take another");
  }
  constexpr std::size_t kTellingNameCharacters = 4;
  if (user.size() >= kTellingNameCharacters && text.find(lower(user)) != std::string::npos) {
    return fail(ErrorCode::kInvalid, "password: it holds the user's name; take another");
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
