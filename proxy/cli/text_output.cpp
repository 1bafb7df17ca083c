#include "proxy/cli/text_output.hpp"

#include "proxy/admin/json.hpp"

#include <algorithm>

namespace veer::proxy::cli {

namespace {

using admin::json_string;

/// Of UTF-8 text on a terminal, but for wide letters.
std::size_t width_of(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U;
    }));
}

bool is_number(std::uint32_t oid) {
    return oid == 20 || oid == 701;
}

std::string json_value(const std::optional<std::string>& field, std::uint32_t oid) {
    constexpr std::uint32_t boolean = 16;
    if (!field) {
        return "null";
    }
    if (oid == boolean) {
        return *field == "t" ? "true" : "false";
    }
    const bool finite = *field != "NaN" && field->find("Infinity") == std::string::npos;
    return is_number(oid) && finite ? *field : json_string(*field);
}

std::string json_list(const std::vector<std::string>& texts) {
    std::string list;
    for (const std::string& text : texts) {
        list += (list.empty() ? "" : ",") + json_string(text);
    }
    return '[' + list + ']';
}

std::string padded(const std::string& text, std::size_t width, bool right) {
    const std::string blanks(width - std::min(width, width_of(text)), ' ');
    return right ? blanks + text : text + blanks;
}

}  // namespace

std::string field(const Answer& answer, std::size_t row, std::string_view name) {
    for (std::size_t i = 0; i < answer.columns.size() && row < answer.rows.size(); ++i) {
        if (answer.columns[i].name == name && i < answer.rows[row].size()) {
            return answer.rows[row][i].value_or("");
        }
    }
    return {};
}

std::string to_table(const Answer& answer) {
    std::vector<std::size_t> widths;
    for (std::size_t i = 0; i < answer.columns.size(); ++i) {
        std::size_t width = answer.columns[i].name.size();
        for (const auto& row : answer.rows) {
            width = std::max(width, width_of(row[i].value_or("-")));
        }
        widths.push_back(width);
    }
    std::string text;
    const auto add_line = [&](const auto& cell) {
        std::string line;
        for (std::size_t i = 0; i < widths.size(); ++i) {
            line += (i == 0 ? "" : "  ") +
                    padded(cell(i), widths[i], is_number(answer.columns[i].type_oid));
        }
        text += line.substr(0, line.find_last_not_of(' ') + 1) + '\n';
    };
    add_line([&](std::size_t i) { return answer.columns[i].name; });
    for (const auto& row : answer.rows) {
        add_line([&](std::size_t i) { return row[i].value_or("-"); });
    }
    return text;
}

int print(const Trouble& trouble, bool json) {
    if (json) {
        std::fputs(to_json(trouble).c_str(), stdout);
    } else {
        const std::string hint = trouble.hint.empty() ? "" : "\n  " + trouble.hint;
        std::fprintf(stderr, "veer: %s%s\n", trouble.message.c_str(), hint.c_str());
    }
    return trouble.unreachable ? unreachable : failed;
}

std::string sql_literal(std::string_view text) {
    std::string literal = "'";
    for (const char c : text) {
        literal += c == '\'' ? "''" : std::string(1, c);
    }
    return literal + '\'';
}

std::string to_json(const Answer& answer, const std::vector<std::string>& next_steps) {
    std::string rows;
    for (const auto& row : answer.rows) {
        std::string fields;
        for (std::size_t i = 0; i < row.size(); ++i) {
            fields += (i == 0 ? "" : ",") + json_string(answer.columns[i].name) + ':' +
                      json_value(row[i], answer.columns[i].type_oid);
        }
        rows += (rows.empty() ? "{" : ",{") + fields + '}';
    }
    return R"({"ok":true,"reason":"","next_steps":)" + json_list(next_steps) + R"(,"rows":[)" +
           rows + "]}\n";
}

std::string to_json(const Trouble& trouble) {
    std::vector<std::string> steps;
    if (!trouble.hint.empty()) {
        steps.push_back(trouble.hint);
    }
    return R"({"ok":false,"reason":)" + json_string(trouble.message) + R"(,"sqlstate":)" +
           json_string(trouble.sqlstate) + R"(,"next_steps":)" + json_list(steps) +
           R"(,"rows":[]})" + '\n';
}

std::string duration_text(long long seconds) {
    constexpr long long minute = 60;
    constexpr long long hour = 60 * minute;
    constexpr long long day = 24 * hour;
    if (seconds >= day) {
        return std::to_string(seconds / day) + "d " + std::to_string(seconds % day / hour) + 'h';
    }
    if (seconds >= hour) {
        return std::to_string(seconds / hour) + "h " + std::to_string(seconds % hour / minute) +
               "min";
    }
    return seconds >= minute ? std::to_string(seconds / minute) + " min"
                             : std::to_string(seconds) + " s";
}

}  // namespace veer::proxy::cli
