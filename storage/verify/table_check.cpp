#include "storage/verify/table_check.hpp"

#include <algorithm>
#include <utility>

namespace veer::storage::verify {

namespace {

constexpr std::size_t range_rows_min = 4'096;
/// Where each range is a scan of the table, there are few, as far as memory allows.
constexpr double scans_max = 64;
constexpr std::size_t range_rows_max = 262'144;
/// A range in which the table has so many rows more than the copy is not read to its end.
constexpr std::size_t surplus_max = 2'000;

std::size_t range_rows_of(const Table& table) {
    if (key_is_ordered(table)) {
        return range_rows_min;
    }
    const double rows = std::max(table.estimated_rows, 0.0) / scans_max;
    return std::clamp(
        static_cast<std::size_t>(std::min(rows, 1e9)), range_rows_min, range_rows_max
    );
}

}  // namespace

TableCheck::TableCheck(
    const Table& table, TableRange& upstream, const store::View& copy, std::optional<RowKey> after
)
    : table_{table},
      upstream_{upstream},
      copy_{copy},
      after_{std::move(after)},
      range_rows_{range_rows_of(table)} {}

Result<TableCheck::Found> TableCheck::next() {
    RangeSum ours;
    std::vector<DigestedRow> rows;
    bool more = false;
    auto read = copy_.for_each_row(table_.oid, after_, [&](Row&& row) {
        more = rows.size() == range_rows_;
        if (!more) {
            const std::uint64_t digest = row_digest(table_, row);
            ours.add(digest);
            rows.push_back({std::move(row.key), digest});
        }
        return !more;
    });
    if (!read.has_value()) {
        return read.error();
    }
    KeyRange range{after_, std::nullopt};
    if (more) {
        range.to = rows.back().key;
    }
    const std::size_t rows_max = rows.size() + surplus_max;
    auto theirs = upstream_.sum(range, rows_max);
    if (!theirs.has_value()) {
        return theirs.error();
    }
    Found found{rows.size(), {}, false};
    if (*theirs != ours) {
        auto digested = upstream_.rows(range, rows_max);
        if (!digested.has_value()) {
            return digested.error();
        }
        found.more = digested->size() == rows_max;
        found.differences = differences(std::move(*digested), std::move(rows));
    }
    after_ = std::move(range.to);
    finished_ = !more;
    return found;
}

}  // namespace veer::storage::verify
