#include "proxy/auth/scram_secret.hpp"

#include "proxy/auth/scram.hpp"

#include <charconv>

namespace veer::proxy::auth {

namespace {

constexpr std::size_t salt_bytes_max = 1024;
constexpr std::size_t mock_salt_bytes = 16;  // as Postgres' own salts

/// Takes what is before `mark`, and the mark.
std::optional<std::string_view> take_until(std::string_view& text, char mark) {
    const std::size_t end = text.find(mark);
    if (end == std::string_view::npos) {
        return std::nullopt;
    }
    const std::string_view taken = text.substr(0, end);
    text.remove_prefix(end + 1);
    return taken;
}

std::optional<Key> key_from(std::string_view text) {
    std::optional<std::string> bytes = from_base64(text);
    if (!bytes || bytes->size() != Key::size) {
        return std::nullopt;
    }
    const Key key = Key::from(*bytes);
    wipe(*bytes);
    return key;
}

}  // namespace

std::optional<ScramSecret> parse_scram_secret(std::string_view text) {
    const auto mechanism = take_until(text, '$');
    const auto iterations = take_until(text, ':');
    const auto salt_text = take_until(text, '$');
    const auto stored_text = take_until(text, ':');
    if (!mechanism || *mechanism != scram_plain || !iterations || !salt_text || !stored_text) {
        return std::nullopt;
    }
    ScramSecret secret;
    const char* const end = iterations->data() + iterations->size();
    const auto [stop, error] = std::from_chars(iterations->data(), end, secret.iterations);
    const auto salt = from_base64(*salt_text);
    const auto stored_key = key_from(*stored_text);
    const auto server_key = key_from(text);
    if (error != std::errc{} || stop != end || secret.iterations == 0 || !salt || salt->empty() ||
        salt->size() > salt_bytes_max || !stored_key || !server_key) {
        return std::nullopt;
    }
    secret.salt = *salt;
    secret.stored_key = *stored_key;
    secret.server_key = *server_key;
    return secret;
}

ScramSecret make_mock_secret(std::string_view server_secret, std::string_view user) {
    const Key hash = hmac(server_secret, user);
    return {
        .iterations = 4096,
        .salt = std::string(hash.view().substr(0, mock_salt_bytes)),
        .stored_key = {},
        .server_key = {}};
}

}  // namespace veer::proxy::auth
