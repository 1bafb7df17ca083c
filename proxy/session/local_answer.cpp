#include "proxy/session/local_answer.hpp"

#include <utility>

namespace veer::proxy::session {

namespace {

constexpr std::uint32_t text_oid = 25;

}  // namespace

std::string LocalAnswer::completion(std::size_t returned) const {
    std::string message;
    wire::write_command_complete(message, counted ? "SELECT " + std::to_string(returned) : "SHOW");
    return message;
}

LocalAnswer to_messages(const router::Answer& answer) {
    std::vector<wire::FieldDescription> fields;
    fields.reserve(answer.fields.size());
    for (const router::OutputField& field : answer.fields) {
        fields.push_back(
            {.name = field.name,
             .table_oid = field.table_oid,
             .attnum = field.attnum,
             .type_oid = field.type_oid,
             .type_length = field.type_length,
             .typmod = field.typmod,
             .format = field.format}
        );
    }
    LocalAnswer messages;
    wire::write_row_description(messages.row_description, fields);
    for (const auto& row : answer.rows) {
        wire::write_data_row(messages.rows, row);
    }
    messages.row_count = answer.rows.size();
    messages.fields = std::move(fields);
    return messages;
}

LocalAnswer to_messages(
    const std::vector<std::string>& columns, const std::vector<std::vector<std::string>>& rows
) {
    LocalAnswer messages;
    std::vector<wire::FieldDescription> fields;
    fields.reserve(columns.size());
    for (const std::string& column : columns) {
        fields.push_back({.name = column, .type_oid = text_oid});
    }
    wire::write_row_description(messages.row_description, fields);
    for (const auto& row : rows) {
        wire::write_data_row(messages.rows, row);
    }
    messages.row_count = rows.size();
    messages.fields = std::move(fields);
    messages.counted = false;
    return messages;
}

}  // namespace veer::proxy::session
