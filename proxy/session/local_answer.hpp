#pragma once

#include "router/answer.hpp"

#include <string>
#include <vector>

namespace veer::proxy::session {

/// A complete answer of veer's own, in wire bytes, ready before its first byte is sent.
struct LocalAnswer {
    std::string row_description;  ///< RowDescription
    std::string rows;             ///< DataRows and CommandComplete
};

/// The messages of a search's answer.
LocalAnswer to_messages(const router::Answer& answer);

/// SHOW veer.x: a relation of text columns.
LocalAnswer to_messages(
    const std::vector<std::string>& columns, const std::vector<std::vector<std::string>>& rows
);

}  // namespace veer::proxy::session
