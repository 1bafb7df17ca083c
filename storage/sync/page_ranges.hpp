#pragma once

#include "storage/store/copy_record.hpp"

#include <cstdint>
#include <vector>

/// A table's file in pieces that can be read, and are remembered, one by one. Pure.
namespace veer::storage::sync {

using store::PageRange;

/// How large the table is, in its file and in all, with what is stored out of line.
struct TableSize {
    std::uint64_t pages = 0;
    std::uint64_t bytes = 0;
};

/// So many pages stand for about `bytes` of the table.
std::uint32_t pages_of(const TableSize& size, std::uint64_t bytes);

/// What is to be read of a table of so many pages: all but `done`, at most `pages_max` each, in
/// order. `done` is in order, and nothing twice.
std::vector<PageRange> ranges_left(
    std::uint64_t pages, std::uint32_t pages_max, const std::vector<PageRange>& done
);

/// Adds what does not overlap; neighbours become one.
void add_range(std::vector<PageRange>& done, PageRange range);

/// True where all that there was of the table has been read, and is of one snapshot.
bool is_read(const store::CopyRecord& record);

}  // namespace veer::storage::sync
