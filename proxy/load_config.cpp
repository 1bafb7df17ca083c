#include "proxy/run.hpp"

#include <charconv>
#include <filesystem>
#include <utility>

namespace veer::proxy {

namespace {

constexpr const char* default_file = "veer.toml";

/// "127.0.0.1:7432", "[::1]:7432" or ":7432". False where it is none of these.
bool apply_listen(const std::string& text, config::Config& config) {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string::npos) {
        return false;
    }
    std::string address = text.substr(0, colon);
    if (address.size() >= 2 && address.front() == '[' && address.back() == ']') {
        address = address.substr(1, address.size() - 2);
    }
    const char* const end = text.data() + text.size();
    std::uint16_t port = 0;
    const auto [stop, error] = std::from_chars(text.data() + colon + 1, end, port);
    if (error != std::errc{} || stop != end) {
        return false;
    }
    config.listen.port = port;
    if (!address.empty()) {
        config.listen.address = address;
    }
    return true;
}

}  // namespace

config::Result<config::Config> load_config(
    const RunOptions& options, std::span<const config::Override> overrides
) {
    const bool named = !options.config_file.empty();
    auto loaded = named || std::filesystem::exists(default_file)
                      ? config::load(named ? options.config_file : default_file, overrides)
                      : config::parse("", default_file, overrides);
    if (!loaded) {
        return loaded;
    }
    config::Config config = *std::move(loaded);
    if (!options.upstream.empty()) {
        config.upstream.dsn = options.upstream;
    }
    if (!options.data_dir.empty()) {
        config.storage.dir = options.data_dir;
    }
    if (!options.listen.empty() && !apply_listen(options.listen, config)) {
        return config::Error{
            .file = "command line",
            .line = 0,
            .column = 0,
            .message = "--listen " + options.listen + " is not ADDRESS:PORT, like 127.0.0.1:7432"};
    }
    return config;
}

}  // namespace veer::proxy
