#include "storage/verify/comparison.hpp"

#include "storage/key_text.hpp"

#include <algorithm>
#include <string_view>

namespace veer::storage::verify {

namespace {

constexpr std::size_t text_shown_max = 60;

void sort(std::vector<DigestedRow>& rows) {
    std::sort(rows.begin(), rows.end(), [](const DigestedRow& left, const DigestedRow& right) {
        return left.key < right.key;
    });
}

/// A key column's value, from its send format.
std::string value_text(const Column& column, std::string_view bytes) {
    if (column.type_length < 0) {
        const bool cut = bytes.size() > text_shown_max;
        return "'" + std::string{bytes.substr(0, text_shown_max)} + (cut ? "...'" : "'");
    }
    return key_text(column, bytes).value_or("?");
}

std::string_view what(Difference::Kind kind) {
    switch (kind) {
        case Difference::Kind::missing:
            return "missing in the copy";
        case Difference::Kind::extra:
            return "only in the copy";
        case Difference::Kind::other:
            return "other values in the copy";
    }
    return "";
}

}  // namespace

std::vector<Difference> differences(std::vector<DigestedRow> table, std::vector<DigestedRow> copy) {
    sort(table);
    sort(copy);
    std::vector<Difference> found;
    auto theirs = table.begin();
    auto ours = copy.begin();
    while (theirs != table.end() || ours != copy.end()) {
        if (ours == copy.end() || (theirs != table.end() && theirs->key < ours->key)) {
            found.push_back({(theirs++)->key, Difference::Kind::missing});
        } else if (theirs == table.end() || ours->key < theirs->key) {
            found.push_back({(ours++)->key, Difference::Kind::extra});
        } else {
            if (theirs->digest != ours->digest) {
                found.push_back({theirs->key, Difference::Kind::other});
            }
            ++theirs;
            ++ours;
        }
    }
    return found;
}

std::string describe(const Table& table, const Difference& difference) {
    std::string text;
    const std::vector<std::string_view> values = key_columns(difference.key);
    for (std::size_t i = 0; i < values.size() && i < table.key.size(); ++i) {
        const Column& column = table.columns[table.key[i]];
        text += (text.empty() ? "" : ", ") + column.name + " = " + value_text(column, values[i]);
    }
    return text.append(": ").append(what(difference.kind));
}

std::chrono::milliseconds Pace::pause(std::uint64_t rows, Clock::time_point now) const {
    if (rows_per_second_ <= 0) {
        return std::chrono::milliseconds{0};
    }
    const std::chrono::duration<double> due{static_cast<double>(rows) / rows_per_second_};
    const std::chrono::duration<double> left = due - std::chrono::duration<double>{now - began_};
    return std::max(
        std::chrono::milliseconds{0}, std::chrono::ceil<std::chrono::milliseconds>(left)
    );
}

}  // namespace veer::storage::verify
