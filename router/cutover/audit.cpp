#include "router/cutover/audit.hpp"

#include "router/cutover/text.hpp"

#include <array>
#include <map>
#include <utility>

namespace veer::router::cutover {

namespace {

constexpr std::size_t line_bytes_max = std::size_t{1} << 20U;

using TextField = std::pair<std::string_view, std::string AuditRecord::*>;
using NumberField = std::pair<std::string_view, std::uint64_t AuditRecord::*>;

constexpr std::array<NumberField, 2> number_fields{
    {{"seq", &AuditRecord::seq}, {"revision", &AuditRecord::revision}}};
constexpr std::array<TextField, 11> text_fields{
    {{"actor", &AuditRecord::actor},
     {"via", &AuditRecord::via},
     {"action", &AuditRecord::action},
     {"route", &AuditRecord::route},
     {"from", &AuditRecord::from},
     {"to", &AuditRecord::to},
     {"reason", &AuditRecord::reason},
     {"wanted", &AuditRecord::wanted},
     {"evidence", &AuditRecord::evidence},
     {"verdict", &AuditRecord::verdict},
     {"prev", &AuditRecord::previous}}};

std::string quoted(std::string_view text) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string json = "\"";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            json += '\\';
            json += c;
        } else if (byte < 0x20) {
            json += "\\u00";
            json += digits[byte >> 4U];
            json += digits[byte & 0xfU];
        } else {
            json += c;
        }
    }
    return json + '"';
}

/// Reads what to_line() writes: one flat object of strings and whole numbers.
class Reader {
  public:
    explicit Reader(std::string_view line) : rest_(line) {}

    /// The object's members; nothing where it is anything else.
    std::optional<std::map<std::string, std::string, std::less<>>> members() {
        std::map<std::string, std::string, std::less<>> found;
        if (!take('{')) {
            return std::nullopt;
        }
        do {
            auto name = text();
            if (!name || !take(':')) {
                return std::nullopt;
            }
            auto value = !rest_.empty() && rest_.front() == '"' ? text() : number();
            if (!value || !found.emplace(std::move(*name), std::move(*value)).second) {
                return std::nullopt;
            }
        } while (take(','));
        return take('}') && rest_.empty() ? std::optional(std::move(found)) : std::nullopt;
    }

  private:
    bool take(char c) {
        const bool there = !rest_.empty() && rest_.front() == c;
        rest_.remove_prefix(there ? 1 : 0);
        return there;
    }

    std::optional<std::string> number() {
        const std::size_t digits = std::min(rest_.find_first_not_of("-0123456789"), rest_.size());
        if (digits == 0) {
            return std::nullopt;
        }
        std::string text(rest_.substr(0, digits));
        rest_.remove_prefix(digits);
        return text;
    }

    std::optional<std::string> text() {
        if (!take('"')) {
            return std::nullopt;
        }
        std::string found;
        while (!rest_.empty() && rest_.front() != '"') {
            if (take('\\') && take('u')) {
                unsigned value = 0;
                const auto [stop, error] = std::from_chars(
                    rest_.data(), rest_.data() + std::min<std::size_t>(4, rest_.size()), value, 16
                );
                if (error != std::errc{} || stop != rest_.data() + 4 || value >= 0x20) {
                    return std::nullopt;
                }
                found += static_cast<char>(value);
                rest_.remove_prefix(4);
            } else if (!rest_.empty()) {
                found += rest_.front();
                rest_.remove_prefix(1);
            }
        }
        return take('"') ? std::optional(std::move(found)) : std::nullopt;
    }

    std::string_view rest_;
};

struct Wanted {
    config::Gates gates;
    Duration age_max{0};
};

std::optional<Wanted> wanted_from_text(std::string_view text) {
    Wanted wanted;
    for (const std::string_view word : split(text, ' ')) {
        const std::size_t equals = std::min(word.find('='), word.size());
        const std::string_view name = word.substr(0, equals);
        const auto value = number_from_text<double>(word.substr(std::min(equals + 1, word.size())));
        if (!value) {
            return std::nullopt;
        }
        if (name == "recall_min") {
            wanted.gates.recall_min = *value;
        } else if (name == "confidence") {
            wanted.gates.confidence = *value;
        } else if (name == "margin") {
            wanted.gates.margin = *value;
        } else if (name == "slow_share_max") {
            wanted.gates.slow_share_max = *value;
        } else if (name == "compared_min") {
            wanted.gates.compared_min = static_cast<std::uint32_t>(*value);
        } else if (name == "excluded_max") {
            wanted.gates.excluded_max = *value;
        } else if (name == "age_max_ms") {
            wanted.age_max = Duration(static_cast<std::int64_t>(*value));
        } else {
            return std::nullopt;
        }
    }
    return wanted;
}

/// What is wrong with one record, by itself and after the one before it; empty where nothing is.
std::string wrong_with(
    const std::optional<AuditRecord>& record, std::uint64_t seq, const std::string& previous
) {
    if (!record) {
        return "it is no audit record";
    }
    if (record->previous != previous) {
        return "it does not follow the line before it: one of the two was changed, or lines are "
               "missing";
    }
    if (seq != 0 && record->seq != seq) {
        return "its number is not the next one";
    }
    if (record->verdict.empty()) {
        return {};
    }
    const auto wanted = wanted_from_text(record->wanted);
    const auto evidence = evidence_from_text(record->evidence);
    if (!wanted || !evidence) {
        return "its evidence cannot be read";
    }
    const auto recomputed =
        to_string(verdict(gates(*evidence, wanted->gates, wanted->age_max, record->at)));
    return record->verdict == recomputed
               ? std::string()
               : "its evidence gives the verdict " + std::string(recomputed);
}

}  // namespace

std::string to_line(const AuditRecord& record) {
    std::string line = "{\"at\":" + std::to_string(record.at.time_since_epoch().count());
    for (const auto& [name, member] : number_fields) {
        line += ",\"" + std::string(name) + "\":" + std::to_string(record.*member);
    }
    for (const auto& [name, member] : text_fields) {
        line += ",\"" + std::string(name) + "\":" + quoted(record.*member);
    }
    return line + '}';
}

std::optional<AuditRecord> audit_from_line(std::string_view line) {
    if (line.size() > line_bytes_max) {
        return std::nullopt;
    }
    const auto members = Reader(line).members();
    if (!members || members->size() != 1 + number_fields.size() + text_fields.size()) {
        return std::nullopt;
    }
    AuditRecord record;
    for (const auto& [name, member] : number_fields) {
        const auto found = members->find(name);
        const auto number =
            found == members->end() ? std::nullopt : number_from_text<std::uint64_t>(found->second);
        if (!number) {
            return std::nullopt;
        }
        record.*member = *number;
    }
    for (const auto& [name, member] : text_fields) {
        const auto found = members->find(name);
        if (found == members->end()) {
            return std::nullopt;
        }
        record.*member = found->second;
    }
    const auto at = members->find("at");
    const auto milliseconds =
        at == members->end() ? std::nullopt : number_from_text<std::int64_t>(at->second);
    if (!milliseconds) {
        return std::nullopt;
    }
    record.at = Time(Duration(*milliseconds));
    return record;
}

std::string position_text(State state, double percent) {
    return std::string(to_string(state)) + ' ' + number_to_text(percent);
}

std::string wanted_text(const config::Gates& gates, Duration age_max) {
    return "recall_min=" + number_to_text(gates.recall_min) +
           " confidence=" + number_to_text(gates.confidence) +
           " margin=" + number_to_text(gates.margin) +
           " slow_share_max=" + number_to_text(gates.slow_share_max) +
           " compared_min=" + std::to_string(gates.compared_min) +
           " excluded_max=" + number_to_text(gates.excluded_max) +
           " age_max_ms=" + std::to_string(age_max.count());
}

Verified verify(std::string_view file, const Hash& hash, const std::optional<AuditHead>& head) {
    Verified verified;
    std::string previous;
    std::uint64_t next = 0;
    bool head_met = !head || head->seq == 0;
    while (!file.empty()) {
        ++verified.line;
        const std::size_t end = file.find('\n');
        const std::string_view line = file.substr(0, end);
        verified.problem = "it is cut short";
        if (end != std::string_view::npos) {
            const auto record = audit_from_line(line);
            verified.problem = wrong_with(record, next, previous);
            next = record ? record->seq + 1 : 0;
            verified.verdicts += record && !record->verdict.empty() ? 1 : 0;
            previous = hash(line);
            const bool is_head = head && record && record->seq == head->seq;
            head_met = head_met || is_head;
            if (is_head && previous != head->hash && verified.problem.empty()) {
                verified.problem = "the stored state knows another line of this number";
            }
        }
        if (!verified.problem.empty()) {
            return verified;
        }
        ++verified.records;
        file.remove_prefix(end + 1);
    }
    if (!head_met) {
        verified.problem = "the stored state knows of later lines: they are missing";
        return verified;
    }
    verified.holds = true;
    verified.line = 0;
    return verified;
}

}  // namespace veer::router::cutover
