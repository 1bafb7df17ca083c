#include "proxy/admin/console_messages.hpp"

#include "proxy/admin/setting.hpp"
#include "proxy/wire/backend.hpp"
#include "proxy/wire/writer.hpp"

namespace veer::proxy::admin {

namespace {

/// What Postgres reports of itself at the beginning (manual 55.2.7).
constexpr std::string_view reported[] = {
    "application_name",
    "client_encoding",
    "DateStyle",
    "default_transaction_read_only",
    "in_hot_standby",
    "integer_datetimes",
    "IntervalStyle",
    "is_superuser",
    "server_encoding",
    "server_version",
    "session_authorization",
    "standard_conforming_strings",
    "TimeZone"};

std::string lower(std::string_view name) {
    std::string folded(name);
    for (char& c : folded) {
        c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    return folded;
}

}  // namespace

std::string greeting_messages(
    const Asker& asker, std::uint32_t process_id, std::string_view secret_key
) {
    std::string out;
    constexpr std::int32_t authentication_ok = 0;
    wire::MessageWriter(out, 'R').i32(authentication_ok);
    for (const std::string_view name : reported) {
        const auto value = setting_value(lower(name), asker);
        wire::MessageWriter(out, 'S').text(name).text(value ? to_text(*value) : "");
    }
    wire::MessageWriter(out, 'K').u32(process_id).bytes(secret_key);
    wire::write_ready_for_query(out, 'I');
    return out;
}

std::int16_t format_of(std::span<const std::int16_t> formats, std::size_t column) {
    if (formats.empty()) {
        return 0;
    }
    return formats.size() == 1 ? formats[0] : formats[column];
}

void write_columns(
    std::string& out, const std::vector<Column>& columns, std::span<const std::int16_t> formats
) {
    std::vector<wire::FieldDescription> fields;
    for (std::size_t i = 0; i < columns.size(); ++i) {
        const TypeFacts type = facts_of(columns[i].type);
        fields.push_back(
            {.name = columns[i].name,
             .type_oid = type.oid,
             .type_length = type.length,
             .format = format_of(formats, i)}
        );
    }
    wire::write_row_description(out, fields);
}

void write_row(std::string& out, const Row& row, std::span<const std::int16_t> formats) {
    wire::MessageWriter message(out, 'D');
    message.i16(static_cast<std::int16_t>(row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) {
        if (is_null(row[i])) {
            message.i32(-1);
        } else {
            message.field(format_of(formats, i) == 1 ? to_binary(row[i]) : to_text(row[i]));
        }
    }
}

void write_no_data(std::string& out) {
    const wire::MessageWriter message(out, 'n');
}

void write_empty_query(std::string& out) {
    const wire::MessageWriter message(out, 'I');
}

void write_failure(std::string& out, std::string_view severity, const Failure& failure) {
    wire::MessageWriter message(out, 'E');
    message.u8('S').text(severity).u8('V').text(severity);
    message.u8('C').text(failure.sqlstate).u8('M').text(failure.message);
    if (!failure.hint.empty()) {
        message.u8('H').text(failure.hint);
    }
    if (failure.position != 0) {
        message.u8('P').text(std::to_string(failure.position));
    }
    message.u8(0);
}

}  // namespace veer::proxy::admin
