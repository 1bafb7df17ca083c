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

/// "READY for 5 %", or what is in the way of more.
std::string outlook(const Answer& routes, std::size_t row) {
    const std::string step = field(routes, row, "next_step");
    if (field(routes, row, "held") == "t") {
        return "held: no raise until veer resume";
    }
    if (step.empty()) {
        return "no step ahead";
    }
    const std::string obstacle = field(routes, row, "obstacle");
    if (!obstacle.empty()) {
        return "NOT YET " + step + " %: " + obstacle;
    }
    const std::string at = field(routes, row, "next_step_at");
    return "READY for " + step + " %: veer promote" + (at.empty() ? "" : ", not before " + at);
}

std::string recall_line(const Answer& routes, std::size_t row) {
    const std::string recall = field(routes, row, "recall");
    return recall.empty() ? "nothing judged yet"
                          : rounded(number(routes, row, "recall")) + ", proven " +
                                rounded(number(routes, row, "recall_lo")) + " at least";
}

/// "copying, 1.2e+06 of 3e+06 rows, 61000/s, 29 s left"; empty where nothing is under way.
std::string copy_text(const Look& look, const std::string& table) {
    for (std::size_t row = 0; row < look.copies.rows.size(); ++row) {
        const double rate = number(look.copies, row, "rows_per_s");
        if ((!table.empty() && field(look.copies, row, "table") != table) || rate <= 0) {
            continue;
        }
        const std::string left = field(look.copies, row, "seconds_left");
        return (table.empty() ? field(look.copies, row, "table") + ' ' : "") +
               field(look.copies, row, "state") + ", " + rounded(number(look.copies, row, "rows")) +
               " of " + rounded(number(look.copies, row, "rows_expected")) + " rows, " +
               rounded(rate) + "/s" +
               (left.empty() ? "" : ", " + rounded(std::ceil(std::atof(left.c_str()))) + " s left");
    }
    return "";
}

std::string route_text(const Look& look, const Look& before, std::size_t row, bool utf8) {
    const std::string branch = utf8 ? "├─ " : "+- ";
    const std::string last = utf8 ? "└─ " : "`- ";
    const std::string why = field(look.routes, row, "why");
    std::string text = field(look.routes, row, "route") + "   " + field(look.routes, row, "state") +
                       "   " + field(look.routes, row, "desired_pct") + " %   effective " +
                       field(look.routes, row, "effective_pct") + " %\n";
    if (const std::string traffic = field(look.routes, row, "traffic"); !traffic.empty()) {
        const std::string until = field(look.routes, row, "trial_until");
        text += branch + "cutover  " + traffic + ", allowed " +
                field(look.routes, row, "allowed_pct") + " %, version " +
                field(look.routes, row, "version") +
                (until.empty() ? "" : ", a trial until " + until + ": veer confirm") + '\n';
        text += branch + "recall   " + recall_line(look.routes, row) + '\n';
        text += branch + "next     " + outlook(look.routes, row) + '\n';
    }
    text += branch + "traffic  " + traffic_line(look, before, row, utf8) + '\n';
    text += branch + "index    " + field(look.indexes, row, "rows") + " rows, " +
            field(look.indexes, row, "dim") + " dimensions, about " +
            size_text(number(look.indexes, row, "estimated_bytes")) + '\n';
    const std::string copied = copy_text(look, field(look.routes, row, "relation"));
    text += branch + "copy     " + (copied.empty() ? field(look.replication, 0, "state") : copied) +
            ", applied " + field(look.replication, 0, "applied_lsn") + '\n';
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
        const std::string copied = copy_text(look, "");
        text += copied.empty() ? "" : copied + '\n';
    }
    return text;
}

}  // namespace veer::proxy::cli
