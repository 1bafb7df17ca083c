#include "proxy/wire/frontend.hpp"
#include "tests/fuzz/require.hpp"

#include <string>

namespace veer::proxy::wire {

namespace {

using fuzz::require;

void check_parse(Bytes payload) {
    if (const auto parse = decode_parse(payload)) {
        std::string again;
        write_parse(again, parse->statement, parse->text, parse->parameter_types);
        require(again.substr(frame_header_bytes) == payload);
    }
}

void check_bind(Bytes payload) {
    const auto bind = decode_bind(payload);
    if (!bind) {
        bound_statement(payload);
        return;
    }
    require(bound_statement(payload) == bind->statement);
    for (std::size_t i = 0; i < bind->parameters.size(); ++i) {
        bind->parameter_format(i);
    }
    std::string again;
    write_bind(again, *bind, bind->statement);
    require(again.substr(frame_header_bytes) == payload);
}

void check_short_messages(Bytes payload) {
    std::string again;
    if (const auto query = decode_query(payload)) {
        write_query(again, query->text);
        require(again.substr(frame_header_bytes) == payload);
    }
    again.clear();
    if (const auto target = decode_target(payload)) {
        write_describe(again, target->kind, target->name);
        require(again.substr(frame_header_bytes) == payload);
    }
    again.clear();
    if (const auto execute = decode_execute(payload)) {
        write_execute(again, execute->portal, execute->rows_max);
        require(again.substr(frame_header_bytes) == payload);
    }
}

}  // namespace

}  // namespace veer::proxy::wire

/// A stream of client messages, every decoder on each: what is understood can be written again, the
/// same to the byte.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace veer::proxy::wire;
    Bytes rest = veer::fuzz::as_text(data, size);
    FrameHeader header;
    while (peek_header(rest, header) == FrameStatus::ok && header.whole_bytes <= rest.size()) {
        const Frame frame = frame_at(rest, header);
        check_parse(frame.payload);
        check_bind(frame.payload);
        check_short_messages(frame.payload);
        is_frontend_type(frame.type);
        rest.remove_prefix(header.whole_bytes);
    }
    return 0;
}
