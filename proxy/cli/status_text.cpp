#include "proxy/cli/status_text.hpp"

#include "proxy/cli/text_output.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

namespace veer::proxy::cli {

namespace {

double number(const Answer& answer, std::size_t row, const std::string& name) {
    return std::strtod(field(answer, row, name).c_str(), nullptr);
}

std::string rounded(double value) {
    char text[64];
    std::snprintf(text, sizeof text, "%.4g", value);
    return text;
}

std::string bar(double share, bool utf8) {
    constexpr int cells = 28;
    const auto filled = static_cast<int>(std::lround(share * cells));
    std::string text;
    for (int i = 0; i < cells; ++i) {
        if (utf8) {
            text += i < filled ? "█" : "░";
        } else {
            text += i < filled ? '#' : '.';
        }
    }
    return text;
}

std::string size_text(double bytes) {
    const char* const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    std::size_t unit = 0;
    while (bytes >= 1024 && unit + 1 < std::size(units)) {
        bytes /= 1024;
        ++unit;
    }
    return rounded(bytes) + ' ' + units[unit];
}

std::string traffic_line(const Look& look, const Look& before, std::size_t row, bool utf8) {
    const double veer = number(look.routes, row, "veer");
    const double all = veer + number(look.routes, row, "postgres");
    const double share = all > 0 ? veer / all : 0;
    std::string text = bar(share, utf8) + "  veer " + rounded(100 * share) + " %  postgres " +
                       rounded(all > 0 ? 100 - 100 * share : 0) + " %  " + rounded(all) +
                       " searches";
    if (row < before.routes.rows.size()) {
        const double earlier =
            number(before.routes, row, "veer") + number(before.routes, row, "postgres");
        text += "  " + rounded(std::max(0.0, all - earlier)) + "/s";
    }
    return text;
}

std::string route_text(const Look& look, const Look& before, std::size_t row, bool utf8) {
    const std::string branch = utf8 ? "├─ " : "+- ";
    const std::string last = utf8 ? "└─ " : "`- ";
    const std::string why = field(look.routes, row, "why");
    std::string text = field(look.routes, row, "route") + "   " + field(look.routes, row, "state") +
                       "   " + field(look.routes, row, "desired_pct") + " %   effective " +
                       field(look.routes, row, "effective_pct") + " %\n";
    text += branch + "traffic  " + traffic_line(look, before, row, utf8) + '\n';
    text += branch + "index    " + field(look.indexes, row, "rows") + " rows, " +
            field(look.indexes, row, "dim") + " dimensions, about " +
            size_text(number(look.indexes, row, "estimated_bytes")) + '\n';
    text += branch + "copy     " + field(look.replication, 0, "state") + ", applied " +
            field(look.replication, 0, "applied_lsn") + '\n';
    return text + last + "why      " + (why.empty() ? "as wanted" : why) + '\n';
}

}  // namespace

std::string status_text(const Look& look, const Look& before, bool utf8) {
    const long long up = std::strtoll(field(look.version, 0, "uptime_s").c_str(), nullptr, 10);
    std::string text = "veer " + field(look.version, 0, "version") + "   up " + duration_text(up);
    text +=
        field(look.version, 0, "panic") == "t" ? "   PANIC: all searches go to Postgres\n" : "\n";
    for (std::size_t row = 0; row < look.routes.rows.size(); ++row) {
        text += route_text(look, before, row, utf8);
    }
    if (look.routes.rows.empty()) {
        const std::string reason = field(look.replication, 0, "reason");
        text += "no routes: " + field(look.replication, 0, "state") +
                (reason.empty() ? "" : ": " + reason) + '\n';
    }
    return text;
}

}  // namespace veer::proxy::cli
