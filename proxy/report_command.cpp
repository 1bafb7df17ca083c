#include "proxy/report_command.hpp"

#include "config/quantity.hpp"
#include "router/compare/relations.hpp"
#include "storage/source/connection.hpp"

#include <charconv>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <optional>
#include <string_view>

namespace veer::proxy {

namespace {

constexpr int unreachable = 3;

/// The value of "exit_code" in the JSON report.
int exit_code_of(std::string_view json) {
    constexpr std::string_view field = "\"exit_code\":";
    const std::size_t at = json.find(field);
    int code = unreachable;
    if (at != std::string_view::npos) {
        std::from_chars(json.data() + at + field.size(), json.data() + json.size(), code);
    }
    return code;
}

storage::Result<std::string> shown(
    storage::source::Connection& connection, const std::string& relation
) {
    const auto rows = connection.query("SHOW veer." + relation);
    if (!rows.has_value()) {
        return rows.error();
    }
    std::string text;
    for (int row = 0; row < rows->size(); ++row) {
        text += rows->text(row, 0) + '\n';
    }
    return text;
}

/// " SINCE '...'" of what is so long ago; a name of a relation may be followed by it.
std::optional<std::string> since_clause(const std::string& duration) {
    if (duration.empty()) {
        return std::string();
    }
    const auto length = config::parse_duration(duration);
    if (!length) {
        return std::nullopt;
    }
    const auto from = std::chrono::system_clock::now() - *length;
    const auto microseconds =
        std::chrono::duration_cast<std::chrono::microseconds>(from.time_since_epoch());
    return " SINCE '" + router::compare::time_text(microseconds.count()) + "'";
}

int complain(const storage::Error& error) {
    std::fprintf(stderr, "veer: %s\n", error.message.c_str());
    return unreachable;
}

}  // namespace

int report(const ReportOptions& options) {
    const auto since = since_clause(options.since);
    if (!since) {
        std::fprintf(
            stderr, "veer: \"%s\" is no duration, such as 90m or 24h\n", options.since.c_str()
        );
        return unreachable;
    }
    auto connection = storage::source::Connection::open(
        {.dsn = options.dsn, .application_name = "veer report", .replication = false}
    );
    if (!connection.has_value()) {
        return complain(connection.error());
    }
    const auto json = shown(*connection, "report_json" + *since);
    if (!json.has_value()) {
        return complain(json.error());
    }
    const auto text = options.json ? json : shown(*connection, "report" + *since);
    if (!text.has_value()) {
        return complain(text.error());
    }
    std::fputs(text->c_str(), stdout);
    if (!options.html_file.empty()) {
        const auto html = shown(*connection, "report_html" + *since);
        if (!html.has_value()) {
            return complain(html.error());
        }
        std::ofstream file(options.html_file, std::ios::binary);
        file << *html;
        if (!file.flush()) {
            std::fprintf(stderr, "veer: %s cannot be written\n", options.html_file.c_str());
            return unreachable;
        }
    }
    return exit_code_of(*json);
}

}  // namespace veer::proxy
