#include "proxy/wire/backend.hpp"

#include "proxy/wire/reader.hpp"
#include "proxy/wire/writer.hpp"

#include <charconv>

namespace veer::proxy::wire {

namespace {

/// ErrorResponse or NoticeResponse.
void write_diagnostics(
    std::string& out, char type, Bytes severity, Bytes sqlstate, Bytes text, Bytes detail
) {
    MessageWriter message(out, type);
    message.u8('S').text(severity).u8('V').text(severity);
    message.u8('C').text(sqlstate).u8('M').text(text);
    if (!detail.empty()) {
        message.u8('D').text(detail);
    }
    message.u8(0);
}

}  // namespace

std::optional<char> decode_ready_for_query(Bytes payload) {
    if (payload.size() != 1) {
        return std::nullopt;
    }
    return payload[0];
}

std::optional<std::pair<Bytes, Bytes>> decode_parameter_status(Bytes payload) {
    Reader reader(payload);
    const Bytes name = reader.text();
    const Bytes value = reader.text();
    return reader.done() ? std::optional(std::pair(name, value)) : std::nullopt;
}

std::optional<Bytes> decode_command_complete(Bytes payload) {
    Reader reader(payload);
    const Bytes tag = reader.text();
    return reader.done() ? std::optional(tag) : std::nullopt;
}

Diagnostics decode_diagnostics(Bytes payload) {
    Diagnostics diagnostics;
    Reader reader(payload);
    for (char field = static_cast<char>(reader.u8()); reader.ok() && field != '\0';
         field = static_cast<char>(reader.u8())) {
        const Bytes value = reader.text();
        if (field == 'V' || (field == 'S' && diagnostics.severity.empty())) {
            diagnostics.severity = value;
        } else if (field == 'C') {
            diagnostics.sqlstate = value;
        } else if (field == 'M') {
            diagnostics.message = value;
        } else if (field == 'P') {
            std::from_chars(value.data(), value.data() + value.size(), diagnostics.position);
        }
    }
    return diagnostics;
}

std::optional<std::vector<std::optional<Bytes>>> decode_data_row(Bytes payload) {
    Reader reader(payload);
    const std::size_t count = reader.u16();
    std::vector<std::optional<Bytes>> columns;
    for (std::size_t i = 0; i < count && reader.ok(); ++i) {
        const std::int32_t length = reader.i32();
        if (length < 0) {
            columns.emplace_back(std::nullopt);
        } else {
            columns.emplace_back(reader.bytes(static_cast<std::size_t>(length)));
        }
    }
    return reader.done() ? std::optional(std::move(columns)) : std::nullopt;
}

std::optional<std::uint64_t> rows_of_tag(Bytes tag) {
    const std::size_t space = tag.rfind(' ');
    if (space == Bytes::npos) {
        return std::nullopt;
    }
    std::uint64_t rows = 0;
    const char* end = tag.data() + tag.size();
    const auto [stop, error] = std::from_chars(tag.data() + space + 1, end, rows);
    return error == std::errc{} && stop == end ? std::optional(rows) : std::nullopt;
}

void write_parse_complete(std::string& out) {
    const MessageWriter message(out, '1');
}

void write_bind_complete(std::string& out) {
    const MessageWriter message(out, '2');
}

void write_close_complete(std::string& out) {
    const MessageWriter message(out, '3');
}

void write_portal_suspended(std::string& out) {
    const MessageWriter message(out, 's');
}

void write_parameter_description(std::string& out, const std::vector<std::uint32_t>& types) {
    MessageWriter message(out, 't');
    message.i16(static_cast<std::int16_t>(types.size()));
    for (const std::uint32_t type : types) {
        message.u32(type);
    }
}

void write_row_description(std::string& out, const std::vector<FieldDescription>& fields) {
    MessageWriter message(out, 'T');
    message.i16(static_cast<std::int16_t>(fields.size()));
    for (const FieldDescription& field : fields) {
        message.text(field.name).u32(field.table_oid).i16(field.attnum).u32(field.type_oid);
        message.i16(field.type_length).i32(field.typmod).i16(field.format);
    }
}

void write_row_description_of_function(std::string& out, Bytes payload) {
    MessageWriter message(out, 'T');
    Reader reader(payload);
    const std::uint16_t count = reader.u16();
    message.i16(static_cast<std::int16_t>(count));
    for (std::uint16_t i = 0; i < count && reader.ok(); ++i) {
        message.text(reader.text());
        reader.u32();
        reader.i16();
        message.u32(0).i16(0).u32(reader.u32());
        const std::int16_t type_length = reader.i16();
        const std::int32_t typmod = reader.i32();
        message.i16(type_length).i32(typmod).i16(reader.i16());
    }
}

void write_command_complete(std::string& out, Bytes tag) {
    MessageWriter(out, 'C').text(tag);
}

void write_ready_for_query(std::string& out, char status) {
    MessageWriter(out, 'Z').u8(static_cast<std::uint8_t>(status));
}

void write_data_row(std::string& out, const std::vector<std::string>& fields) {
    MessageWriter message(out, 'D');
    message.i16(static_cast<std::int16_t>(fields.size()));
    for (const std::string& field : fields) {
        message.field(field);
    }
}

void write_data_row(std::string& out, const std::vector<std::optional<std::string>>& fields) {
    MessageWriter message(out, 'D');
    message.i16(static_cast<std::int16_t>(fields.size()));
    for (const auto& field : fields) {
        if (field) {
            message.field(*field);
        } else {
            message.i32(-1);  // NULL
        }
    }
}

void write_error_at(std::string& out, Bytes payload, std::size_t position) {
    MessageWriter message(out, 'E');
    Reader reader(payload);
    for (std::uint8_t field = reader.u8(); reader.ok() && field != 0; field = reader.u8()) {
        const Bytes value = reader.text();
        if (field != 'P') {
            message.u8(field).text(value);
        } else if (position > 0) {
            message.u8(field).text(std::to_string(position));
        }
    }
    message.u8(0);
}

void write_error(std::string& out, Bytes sqlstate, Bytes text, Bytes hint) {
    MessageWriter message(out, 'E');
    message.u8('S').text("ERROR").u8('V').text("ERROR").u8('C').text(sqlstate);
    message.u8('M').text(text).u8('H').text(hint).u8(0);
}

void write_notice(std::string& out, Bytes text, Bytes detail) {
    write_diagnostics(out, 'N', "NOTICE", "00000", text, detail);
}

void write_fatal(std::string& out, Bytes sqlstate, Bytes text, Bytes detail) {
    write_diagnostics(out, 'E', "FATAL", sqlstate, text, detail);
}

}  // namespace veer::proxy::wire
