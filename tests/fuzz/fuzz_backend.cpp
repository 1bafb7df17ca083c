#include "proxy/wire/backend.hpp"
#include "tests/fuzz/require.hpp"

#include <algorithm>
#include <string>

namespace veer::proxy::wire {

namespace {

using fuzz::require;

void check_row(Bytes payload) {
    const auto row = decode_data_row(payload);
    if (!row) {
        return;
    }
    std::vector<std::string> fields;
    for (const auto& column : *row) {
        fields.emplace_back(column.value_or(""));
    }
    const bool nulls =
        std::any_of(row->begin(), row->end(), [](const auto& column) { return !column; });
    std::string again;
    write_data_row(again, fields);
    require(nulls || again.substr(frame_header_bytes) == payload);
}

void check_tag(Bytes payload) {
    const auto tag = decode_command_complete(payload);
    if (!tag) {
        return;
    }
    require(tag->find('\0') == Bytes::npos);
    if (const auto rows = rows_of_tag(*tag)) {
        require(rows_of_tag("SELECT " + std::to_string(*rows)) == rows);
    }
    std::string again;
    write_command_complete(again, *tag);
    require(again.substr(frame_header_bytes) == payload);
}

void check_others(Bytes payload) {
    if (const auto status = decode_ready_for_query(payload)) {
        std::string again;
        write_ready_for_query(again, *status);
        require(again.substr(frame_header_bytes) == payload);
    }
    if (const auto setting = decode_parameter_status(payload)) {
        require(setting->first.size() + setting->second.size() + 2 == payload.size());
    }
    const Diagnostics diagnostics = decode_diagnostics(payload);
    require(diagnostics.message.size() <= payload.size());
    require(diagnostics.sqlstate.size() <= payload.size());
}

}  // namespace

}  // namespace veer::proxy::wire

/// A stream of server messages, every decoder on each: what is understood can be written again, the
/// same to the byte.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace veer::proxy::wire;
    Bytes rest = veer::fuzz::as_text(data, size);
    FrameHeader header;
    while (peek_header(rest, header) == FrameStatus::ok && header.whole_bytes <= rest.size()) {
        const Frame frame = frame_at(rest, header);
        check_row(frame.payload);
        check_tag(frame.payload);
        check_others(frame.payload);
        rest.remove_prefix(header.whole_bytes);
    }
    return 0;
}
