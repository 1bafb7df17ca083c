#pragma once

#include "proxy/admin/failure.hpp"
#include "proxy/admin/statement.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// The console's answers in wire bytes.
namespace veer::proxy::admin {

/// AuthenticationOk, ParameterStatus, BackendKeyData, ReadyForQuery.
std::string greeting_messages(
    const Asker& asker, std::uint32_t process_id, std::string_view secret_key
);

/// Bind's result formats: none (text), one for all, or one each.
std::int16_t format_of(std::span<const std::int16_t> formats, std::size_t column);

void write_columns(
    std::string& out, const std::vector<Column>& columns, std::span<const std::int16_t> formats
);
void write_row(std::string& out, const Row& row, std::span<const std::int16_t> formats);
void write_no_data(std::string& out);
void write_empty_query(std::string& out);
void write_failure(std::string& out, std::string_view severity, const Failure& failure);

}  // namespace veer::proxy::admin
