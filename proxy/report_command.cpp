#include "proxy/report_command.hpp"

#include "storage/source/connection.hpp"

#include <charconv>
#include <cstdio>
#include <fstream>
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

int complain(const storage::Error& error) {
    std::fprintf(stderr, "veer: %s\n", error.message.c_str());
    return unreachable;
}

}  // namespace

int report(const ReportOptions& options) {
    auto connection = storage::source::Connection::open(
        {.dsn = options.dsn, .application_name = "veer report", .replication = false}
    );
    if (!connection.has_value()) {
        return complain(connection.error());
    }
    const auto json = shown(*connection, "report_json");
    if (!json.has_value()) {
        return complain(json.error());
    }
    const auto text = options.json ? json : shown(*connection, "report");
    if (!text.has_value()) {
        return complain(text.error());
    }
    std::fputs(text->c_str(), stdout);
    if (!options.html_file.empty()) {
        const auto html = shown(*connection, "report_html");
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
