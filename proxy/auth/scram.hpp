#pragma once

#include "proxy/auth/crypto.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace veer::proxy::auth {

/// SCRAM-SHA-256 (RFC 5802, RFC 7677), as far as both sides share it.
///
///     client ── n,,n=user,r=NONCE ───────────────────────▶ server     client-first
///     client ◀─ r=NONCE+MORE,s=SALT,i=ITERATIONS ────────── server     server-first
///     client ── c=biws,r=NONCE+MORE,p=PROOF ─────────────▶ server     client-final
///     client ◀─ v=SIGNATURE ──────────────────────────────  server     server-final

inline constexpr std::string_view scram_plain = "SCRAM-SHA-256";
inline constexpr std::string_view scram_plus = "SCRAM-SHA-256-PLUS";

/// No message of an honest peer comes near it.
inline constexpr std::size_t scram_message_bytes_max = 4096;

/// What the client is to be told where the exchange ends early.
struct ScramProblem {
    std::string sqlstate;
    std::string message;

    friend bool operator==(const ScramProblem&, const ScramProblem&) = default;
};

/// Takes "x=value" and the comma behind it from the front; empty where something else is there.
std::optional<std::string_view> take_attribute(std::string_view& message, char name);

/// 18 random bytes as base64, as much as Postgres' and libpq's; empty where the system has none.
std::optional<std::string> make_scram_nonce();

/// Printable ASCII but no comma, and not empty.
bool is_scram_nonce(std::string_view text);

}  // namespace veer::proxy::auth
