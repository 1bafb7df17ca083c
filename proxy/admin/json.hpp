#pragma once

#include "proxy/admin/relation.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace veer::proxy::admin {

/// A string of JSON, quotes included. Bytes that are no UTF-8 are left as they are.
std::string json_string(std::string_view text);

/// Rows as a JSON array of objects, by the columns' names.
std::string json_rows(const std::vector<Column>& columns, const std::vector<Row>& rows);

}  // namespace veer::proxy::admin
