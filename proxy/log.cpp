#include "proxy/log.hpp"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <utility>

namespace veer::proxy {

namespace {

constexpr char message_flag = '*';

class OneLine final : public spdlog::custom_flag_formatter {
  public:
    void format(
        const spdlog::details::log_msg& message, const std::tm& /*time*/, spdlog::memory_buf_t& to
    ) override {
        const std::string line = one_line({message.payload.data(), message.payload.size()});
        to.append(line.data(), line.data() + line.size());
    }

    std::unique_ptr<custom_flag_formatter> clone() const override {
        return std::make_unique<OneLine>();
    }
};

spdlog::level::level_enum spdlog_level(config::LogLevel level) {
    switch (level) {
        case config::LogLevel::trace:
            return spdlog::level::trace;
        case config::LogLevel::debug:
            return spdlog::level::debug;
        case config::LogLevel::info:
            return spdlog::level::info;
        case config::LogLevel::warn:
            return spdlog::level::warn;
        case config::LogLevel::error:
            return spdlog::level::err;
        case config::LogLevel::off:
            return spdlog::level::off;
    }
    return spdlog::level::info;
}

}  // namespace

std::string one_line(std::string_view text) {
    constexpr std::string_view digits = "0123456789abcdef";
    constexpr unsigned char first_printable = 0x20;
    constexpr unsigned char erase = 0x7f;
    std::string line;
    line.reserve(text.size());
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= first_printable && byte != erase) {
            line += c;
        } else if (c == '\n' || c == '\t' || c == '\r') {
            line += '\\';
            line += c == '\n' ? 'n' : c == '\t' ? 't' : 'r';
        } else {
            line += "\\x";
            line += digits[byte >> 4U];
            line += digits[byte & 0xfU];
        }
    }
    return line;
}

void set_up_log(const config::Log& log) {
    auto logger = spdlog::stderr_logger_mt("veer");
    auto formatter = std::make_unique<spdlog::pattern_formatter>();
    formatter->add_flag<OneLine>(message_flag);
    formatter->set_pattern("%Y-%m-%d %H:%M:%S.%e %l %*");
    logger->set_formatter(std::move(formatter));
    logger->set_level(spdlog_level(log.level));
    logger->flush_on(spdlog::level::info);
    spdlog::set_default_logger(std::move(logger));
}

}  // namespace veer::proxy
