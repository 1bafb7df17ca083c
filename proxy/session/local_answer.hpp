#pragma once

#include "proxy/wire/backend.hpp"
#include "router/answer.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace veer::proxy::session {

/// A complete answer of veer's own, in wire bytes, ready before its first byte is sent.
struct LocalAnswer {
    std::string row_description;  ///< RowDescription
    std::string rows;             ///< DataRows
    std::size_t row_count = 0;
    bool counted = true;                              ///< the tag is "SELECT n", else "SHOW"
    std::string notice = {};                          ///< NoticeResponse, or nothing
    std::vector<wire::FieldDescription> fields = {};  ///< of `row_description`

    /// CommandComplete after `returned` rows (manual 55.7: the tag counts those of this Execute).
    std::string completion(std::size_t returned) const;

    /// What a simple Query gets, but for ReadyForQuery.
    std::string all() const { return row_description + rows + notice + completion(row_count); }
};

/// The messages of a search's answer.
LocalAnswer to_messages(const router::Answer& answer);

/// SHOW veer.x: a relation of text columns.
LocalAnswer to_messages(
    const std::vector<std::string>& columns, const std::vector<std::vector<std::string>>& rows
);

}  // namespace veer::proxy::session
