#include "router/declaration.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <limits>
#include <optional>
#include <utility>

namespace veer::router {

namespace {

constexpr std::string_view title = "veer routes 1 of ";

/// FNV-1a: finds accidents, not forgeries.
std::string checksum(std::string_view text) {
    std::uint64_t sum = 0xcbf29ce484222325ULL;
    for (const char c : text) {
        sum = (sum ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
    }
    std::array<char, 20> digits{};
    std::snprintf(digits.data(), digits.size(), "%016llx", static_cast<unsigned long long>(sum));
    return digits.data();
}

std::string quoted(std::string_view text) {
    std::string result = "\"";
    for (const char c : text) {
        if (c == '\n') {
            result += "\\n";
            continue;
        }
        if (c == '"' || c == '\\') {
            result += '\\';
        }
        result += c;
    }
    return result + '"';
}

/// Reads one line word by word; nothing once anything was not as it has to be.
class Line {
  public:
    explicit Line(std::string_view rest) : rest_(rest) {}

    /// Up to the next blank.
    std::string_view word() {
        const std::size_t end = std::min(rest_.find(' '), rest_.size());
        const std::string_view word = rest_.substr(0, end);
        fail_if(word.empty());
        rest_.remove_prefix(std::min(end + 1, rest_.size()));
        return word;
    }

    void expect(std::string_view wanted) { fail_if(word() != wanted); }

    std::string string() {
        std::string text;
        fail_if(!rest_.starts_with('"'));
        std::size_t at = 1;
        for (; !failed_ && at < rest_.size() && rest_[at] != '"'; ++at) {
            const bool escaped = rest_[at] == '\\' && at + 1 < rest_.size();
            at += escaped ? 1 : 0;
            text += escaped && rest_[at] == 'n' ? '\n' : rest_[at];
        }
        fail_if(failed_ || at >= rest_.size() || (at + 1 < rest_.size() && rest_[at + 1] != ' '));
        fail_if(text.empty());
        rest_.remove_prefix(std::min(at + 2, rest_.size()));
        return text;
    }

    std::uint32_t number(std::uint32_t least, std::uint32_t most) {
        const std::string_view digits = word();
        std::uint32_t value = 0;
        const auto [end, problem] =
            std::from_chars(digits.data(), digits.data() + digits.size(), value);
        fail_if(
            problem != std::errc{} || end != digits.data() + digits.size() || value < least ||
            value > most
        );
        return value;
    }

    template <std::size_t count>
    std::string one_of(const std::array<std::string_view, count>& words) {
        const std::string_view found = word();
        fail_if(std::find(words.begin(), words.end(), found) == words.end());
        return std::string(found);
    }

    bool ended() const { return !failed_ && rest_.empty(); }

  private:
    void fail_if(bool wrong) {
        failed_ = failed_ || wrong;
        rest_ = failed_ ? std::string_view() : rest_;
    }

    std::string_view rest_;
    bool failed_ = false;
};

std::optional<Declaration> read_line(std::string_view text) {
    constexpr std::array<std::string_view, 2> kinds{"index", "collection"};
    constexpr std::array<std::string_view, 6> operators{"<->", "<=>", "<#>", "<+>", "<~>", "<%>"};
    constexpr std::array<std::string_view, 3> quantizations{"auto", "none", "sq8"};
    constexpr std::uint32_t dimensions_max = 64'000;  // of a bit(n)
    Line line(text);
    Declaration read;
    read.kind =
        line.one_of(kinds) == "index" ? Declaration::Kind::index : Declaration::Kind::collection;
    read.name = line.string();
    line.expect("on");
    read.schema = line.string();
    read.table = line.string();
    read.column = line.string();
    read.operator_name = line.one_of(operators);
    line.expect("dimensions");
    read.dimensions = static_cast<std::int32_t>(line.number(0, dimensions_max));
    line.expect("m");
    read.m = line.number(2, 100);
    line.expect("ef_construction");
    read.ef_construction = line.number(4, 1000);
    line.expect("quantization");
    read.quantization = line.one_of(quantizations);
    return line.ended() ? std::optional(std::move(read)) : std::nullopt;
}

std::string line_of(const Declaration& each) {
    return std::string(each.kind == Declaration::Kind::index ? "index " : "collection ") +
           quoted(each.name) + " on " + quoted(each.schema) + ' ' + quoted(each.table) + ' ' +
           quoted(each.column) + ' ' + each.operator_name + " dimensions " +
           std::to_string(each.dimensions) + " m " + std::to_string(each.m) + " ef_construction " +
           std::to_string(each.ef_construction) + " quantization " + each.quantization;
}

}  // namespace

std::string route_name(const Declaration& declaration) {
    return declaration.schema + '.' + declaration.table + '.' + declaration.column + ' ' +
           declaration.operator_name;
}

bool is_about(
    const Declaration& declaration, const storage::Table& table, const storage::AnnIndex& ann
) {
    return !ann.legacy && declaration.schema == table.schema && declaration.table == table.name &&
           declaration.operator_name == ann.operator_name &&
           declaration.column == table.columns[table.vectors[ann.vector]].name;
}

std::string to_text(const std::string& database, const std::vector<Declaration>& declarations) {
    std::string text = std::string(title) + quoted(database) + '\n';
    for (const Declaration& each : declarations) {
        text += line_of(each) + '\n';
    }
    return text + "end " + std::to_string(declarations.size()) + ' ' + checksum(text) + '\n';
}

std::variant<std::vector<Declaration>, BrokenText> declarations_from_text(
    const std::string& database, std::string_view text
) {
    std::vector<Declaration> all;
    std::size_t number = 0;
    for (std::size_t at = 0; at < text.size();) {
        ++number;
        const std::size_t end = text.find('\n', at);
        if (end == std::string_view::npos) {
            return BrokenText{number, "the line is cut short"};
        }
        const std::string_view line = text.substr(at, end - at);
        const std::string first = std::string(title) + quoted(database);
        if (number == 1 && line != first) {
            return BrokenText{
                number,
                line.starts_with(title) ? "it is of another database than \"" + database + '"'
                                        : "it does not begin with: " + first};
        }
        if (line.starts_with("end ")) {
            const bool whole =
                line == "end " + std::to_string(all.size()) + ' ' + checksum(text.substr(0, at));
            if (!whole || end + 1 != text.size()) {
                return BrokenText{number, "count or checksum are of another text"};
            }
            return all;
        }
        if (number > 1) {
            auto read = read_line(line);
            if (!read) {
                return BrokenText{number, "it is no line of an index or a collection"};
            }
            all.push_back(*std::move(read));
        }
        at = end + 1;
    }
    return BrokenText{number + 1, "its last line is missing"};
}

}  // namespace veer::router
