#include "storage/sync/page_ranges.hpp"

#include <algorithm>

namespace veer::storage::sync {

namespace {

/// However large the table: what is remembered of it stays small.
constexpr std::uint64_t ranges_max = 4'096;

void cut(
    PageRange gap, std::uint64_t pages, std::uint32_t pages_max, std::vector<PageRange>& ranges
) {
    while (gap.first < gap.end) {
        // Nobody knows pages behind the last one, which may be there by now.
        const bool last = std::uint64_t{gap.first} + pages_max >= pages;
        const std::uint32_t end = last ? gap.end : std::min(gap.end, gap.first + pages_max);
        ranges.push_back({gap.first, end});
        gap.first = end;
    }
}

}  // namespace

std::uint32_t pages_of(const TableSize& size, std::uint64_t bytes) {
    const std::uint64_t pages = std::max<std::uint64_t>(size.pages, 1);
    const std::uint64_t bytes_per_page = std::max<std::uint64_t>(size.bytes / pages, 1);
    const std::uint64_t wanted = std::max(bytes / bytes_per_page, pages / ranges_max + 1);
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(wanted, PageRange::no_end - 1));
}

std::vector<PageRange> ranges_left(
    std::uint64_t pages, std::uint32_t pages_max, const std::vector<PageRange>& done
) {
    std::vector<PageRange> ranges;
    std::uint32_t first = 0;
    for (const PageRange& known : done) {
        cut({first, known.first}, pages, pages_max, ranges);
        first = known.end;
    }
    cut({first, PageRange::no_end}, pages, pages_max, ranges);
    return ranges;
}

void add_range(std::vector<PageRange>& done, PageRange range) {
    const auto after = std::find_if(done.begin(), done.end(), [&](const PageRange& known) {
        return known.first >= range.end;
    });
    const auto added = done.insert(after, range);
    if (const auto next = std::next(added); next != done.end() && next->first == added->end) {
        added->end = next->end;
        done.erase(next);
    }
    if (added != done.begin() && std::prev(added)->end == added->first) {
        std::prev(added)->end = added->end;
        done.erase(added);
    }
}

bool is_read(const store::CopyRecord& record) {
    return record.first == record.last && record.done == std::vector<PageRange>{PageRange{}};
}

}  // namespace veer::storage::sync
