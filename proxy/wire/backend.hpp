#pragma once

#include "proxy/wire/frame.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace veer::proxy::wire {

/// Messages of the server (manual 55.7, "B"), as far as veer reads or writes them itself.

/// One column of RowDescription.
struct FieldDescription {
    std::string name;
    std::uint32_t table_oid = 0;
    std::int16_t attnum = 0;
    std::uint32_t type_oid = 0;
    std::int16_t type_length = -1;
    std::int32_t typmod = -1;
    std::int16_t format = 0;  ///< 0 text, 1 binary
};

/// ErrorResponse and NoticeResponse, in parts (manual 55.8). Any field may be missing.
struct Diagnostics {
    std::string severity;  ///< of the V field, else of S
    std::string sqlstate;
    std::string message;
    std::size_t position = 0;  ///< in the statement, in characters from 1; 0: not told
};

/// ReadyForQuery's status: 'I' idle, 'T' in a transaction block, 'E' in a failed one.
std::optional<char> decode_ready_for_query(Bytes payload);
std::optional<std::pair<Bytes, Bytes>> decode_parameter_status(Bytes payload);
std::optional<Bytes> decode_command_complete(Bytes payload);
Diagnostics decode_diagnostics(Bytes payload);

/// The columns of a DataRow. Empty where the payload is not one.
std::optional<std::vector<std::optional<Bytes>>> decode_data_row(Bytes payload);

/// The row count at the end of a command tag: "SELECT 5" is 5, "SHOW" is nothing.
std::optional<std::uint64_t> rows_of_tag(Bytes tag);

void write_parse_complete(std::string& out);
void write_bind_complete(std::string& out);
void write_close_complete(std::string& out);
void write_parameter_description(std::string& out, const std::vector<std::uint32_t>& types);
void write_row_description(std::string& out, const std::vector<FieldDescription>& fields);
void write_portal_suspended(std::string& out);
void write_command_complete(std::string& out, Bytes tag);
void write_ready_for_query(std::string& out, char status);

/// A DataRow without NULLs.
void write_data_row(std::string& out, const std::vector<std::string>& fields);
void write_data_row(std::string& out, const std::vector<std::optional<std::string>>& fields);

/// A RowDescription as it came, but for where its columns are from: of no table.
void write_row_description_of_function(std::string& out, Bytes payload);

/// An ErrorResponse with the fields of `payload`, but for its position in the statement; 0: it
/// has none.
void write_error_at(std::string& out, Bytes payload, std::size_t position);

/// An ErrorResponse of severity ERROR.
void write_error(std::string& out, Bytes sqlstate, Bytes message, Bytes hint);

/// A NoticeResponse of severity NOTICE and SQLSTATE 00000. An empty detail is left out.
void write_notice(std::string& out, Bytes text, Bytes detail = {});

/// A FATAL ErrorResponse: the connection ends after it. An empty detail is left out.
void write_fatal(std::string& out, Bytes sqlstate, Bytes message, Bytes detail = {});

}  // namespace veer::proxy::wire
