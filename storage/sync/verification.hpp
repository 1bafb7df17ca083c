#pragma once

#include "storage/table.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace veer::storage::sync {

struct VerifyRequest {
    std::optional<TableOid> table;  ///< or all of them
    double rows_per_second = 0;     ///< zero is no limit
};

/// What came of comparing one table with its copy.
struct TableVerdict {
    static constexpr std::size_t named_max = 100;

    TableOid oid;
    std::string name;  ///< with its schema
    std::uint64_t rows = 0;
    std::uint64_t differences = 0;
    std::uint64_t repaired = 0;
    std::vector<std::string> named;  ///< the rows that differ, at most named_max
    std::string trouble;             ///< why not all of it was compared; empty where it was

    friend bool operator==(const TableVerdict&, const TableVerdict&) = default;
};

/// Called once, from any thread.
using VerifyDone = std::function<void(std::vector<TableVerdict>)>;

/// What has been compared of one table since the start, whoever asked.
struct VerifiedTable {
    TableOid oid;
    std::string name;
    std::uint64_t rows = 0;
    std::uint64_t differences = 0;
    std::uint64_t repaired = 0;
    std::uint64_t passes = 0;                         ///< over the whole table
    std::chrono::system_clock::time_point passed_at;  ///< the last one's end
    std::string trouble;                              ///< of the last attempt
};

}  // namespace veer::storage::sync
