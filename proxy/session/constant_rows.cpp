#include "proxy/session/constant_rows.hpp"

#include "proxy/wire/backend.hpp"
#include "router/rewrite.hpp"

#include <algorithm>

namespace veer::proxy::session {

namespace {

/// VALUES has at least one row: where there is none to be had, LIMIT 0 hides one of NULLs.
std::size_t rows_written(const LocalAnswer& answer) {
    return std::max<std::size_t>(answer.row_count, 1);
}

}  // namespace

std::string constant_text(const LocalAnswer& answer) {
    const std::string count = std::to_string(answer.row_count);
    if (answer.fields.empty()) {
        return "SELECT FROM pg_catalog.generate_series(1, " + count + ")";
    }
    std::string text = "SELECT * FROM (VALUES ";
    std::size_t number = 0;
    for (std::size_t row = 0; row < rows_written(answer); ++row) {
        text += row == 0 ? "(" : ", (";
        for (std::size_t column = 0; column < answer.fields.size(); ++column) {
            text += column == 0 ? "$" : ", $";
            text += std::to_string(++number);
        }
        text += ')';
    }
    text += ") AS v (";
    for (const wire::FieldDescription& field : answer.fields) {
        text +=
            (&field == &answer.fields.front() ? "" : ", ") + router::quote_identifier(field.name);
    }
    return text + ") LIMIT " + count;
}

std::vector<std::uint32_t> constant_types(const LocalAnswer& answer) {
    std::vector<std::uint32_t> types;
    if (answer.fields.empty()) {
        return types;
    }
    types.reserve(rows_written(answer) * answer.fields.size());
    for (std::size_t row = 0; row < rows_written(answer); ++row) {
        for (const wire::FieldDescription& field : answer.fields) {
            types.push_back(field.type_oid);
        }
    }
    return types;
}

wire::Bind constant_bind(const LocalAnswer& answer, wire::Bytes portal) {
    wire::Bind bind;
    bind.portal = portal;
    if (answer.fields.empty()) {
        return bind;
    }
    for (const wire::FieldDescription& field : answer.fields) {
        bind.result_formats.push_back(field.format);
    }
    wire::Bytes rest = answer.rows;
    wire::FrameHeader header;
    while (!rest.empty() && wire::peek_header(rest, header) == wire::FrameStatus::ok) {
        const auto row = wire::decode_data_row(wire::frame_at(rest, header).payload);
        if (row) {
            bind.parameters.insert(bind.parameters.end(), row->begin(), row->end());
        }
        rest.remove_prefix(header.whole_bytes);
    }
    bind.parameters.resize(rows_written(answer) * answer.fields.size());
    for (std::size_t i = 0; i < bind.parameters.size(); ++i) {
        bind.parameter_formats.push_back(answer.fields[i % answer.fields.size()].format);
    }
    return bind;
}

}  // namespace veer::proxy::session
