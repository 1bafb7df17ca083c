#include "proxy/wire/frontend.hpp"

#include "proxy/wire/reader.hpp"
#include "proxy/wire/writer.hpp"

namespace veer::proxy::wire {

namespace {

/// `count` comes from the peer: nothing is reserved before the bytes are known to be there.
template <class T, class Read>
std::vector<T> read_list(Reader& reader, std::size_t count, std::size_t bytes_each, Read read) {
    std::vector<T> list;
    if (count > reader.remaining() / bytes_each) {
        reader.bytes(reader.remaining() + 1);
        return list;
    }
    list.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        list.push_back(read());
    }
    return list;
}

std::vector<std::int16_t> read_formats(Reader& reader) {
    const std::size_t count = reader.u16();
    return read_list<std::int16_t>(reader, count, 2, [&] { return reader.i16(); });
}

std::optional<Bytes> read_field(Reader& reader) {
    const std::int32_t length = reader.i32();
    if (length == -1) {
        return std::nullopt;
    }
    return reader.bytes(length < 0 ? reader.remaining() + 1 : static_cast<std::size_t>(length));
}

void write_formats(MessageWriter& message, const std::vector<std::int16_t>& formats) {
    message.i16(static_cast<std::int16_t>(formats.size()));
    for (const std::int16_t format : formats) {
        message.i16(format);
    }
}

}  // namespace

std::int16_t Bind::parameter_format(std::size_t index) const {
    if (parameter_formats.empty()) {
        return 0;
    }
    return parameter_formats.size() == 1 ? parameter_formats[0] : parameter_formats[index];
}

std::optional<Query> decode_query(Bytes payload) {
    Reader reader(payload);
    const Query query{.text = reader.text()};
    return reader.done() ? std::optional(query) : std::nullopt;
}

std::optional<Parse> decode_parse(Bytes payload) {
    Reader reader(payload);
    Parse parse;
    parse.statement = reader.text();
    parse.text = reader.text();
    const std::size_t count = reader.u16();
    parse.parameter_types =
        read_list<std::uint32_t>(reader, count, 4, [&] { return reader.u32(); });
    return reader.done() ? std::optional(std::move(parse)) : std::nullopt;
}

std::optional<Bind> decode_bind(Bytes payload) {
    Reader reader(payload);
    Bind bind;
    bind.portal = reader.text();
    bind.statement = reader.text();
    bind.parameter_formats = read_formats(reader);
    const std::size_t count = reader.u16();
    bind.parameters =
        read_list<std::optional<Bytes>>(reader, count, 4, [&] { return read_field(reader); });
    bind.result_formats = read_formats(reader);
    const std::size_t formats = bind.parameter_formats.size();
    const bool formats_fit = formats <= 1 || formats == bind.parameters.size();
    return reader.done() && formats_fit ? std::optional(std::move(bind)) : std::nullopt;
}

Bytes bound_statement(Bytes payload) {
    Reader reader(payload);
    reader.text();
    return reader.text();
}

Bytes bound_portal(Bytes payload) {
    return Reader(payload).text();
}

Bytes parsed_statement(Bytes payload) {
    return Reader(payload).text();
}

std::optional<Target> decode_target(Bytes payload) {
    Reader reader(payload);
    Target target;
    target.kind = static_cast<char>(reader.u8());
    target.name = reader.text();
    const bool known = target.kind == 'S' || target.kind == 'P';
    return reader.done() && known ? std::optional(target) : std::nullopt;
}

std::optional<Execute> decode_execute(Bytes payload) {
    Reader reader(payload);
    Execute execute;
    execute.portal = reader.text();
    execute.rows_max = reader.i32();
    return reader.done() ? std::optional(execute) : std::nullopt;
}

bool is_frontend_type(char type) {
    constexpr Bytes types = "QPBDECHSFXdcfp";
    return types.find(type) != Bytes::npos;
}

void write_query(std::string& out, Bytes text) {
    MessageWriter(out, 'Q').text(text);
}

void write_parse(
    std::string& out, Bytes statement, Bytes text, const std::vector<std::uint32_t>& types
) {
    MessageWriter message(out, 'P');
    message.text(statement).text(text).i16(static_cast<std::int16_t>(types.size()));
    for (const std::uint32_t type : types) {
        message.u32(type);
    }
}

void write_bind(std::string& out, const Bind& bind, Bytes statement) {
    MessageWriter message(out, 'B');
    message.text(bind.portal).text(statement);
    write_formats(message, bind.parameter_formats);
    message.i16(static_cast<std::int16_t>(bind.parameters.size()));
    for (const auto& parameter : bind.parameters) {
        if (parameter) {
            message.field(*parameter);
        } else {
            message.i32(-1);
        }
    }
    write_formats(message, bind.result_formats);
}

void write_execute(std::string& out, Bytes portal, std::int32_t rows_max) {
    MessageWriter(out, 'E').text(portal).i32(rows_max);
}

void write_describe(std::string& out, char kind, Bytes name) {
    MessageWriter(out, 'D').u8(static_cast<std::uint8_t>(kind)).text(name);
}

void write_close(std::string& out, char kind, Bytes name) {
    MessageWriter(out, 'C').u8(static_cast<std::uint8_t>(kind)).text(name);
}

void write_flush(std::string& out) {
    const MessageWriter message(out, 'H');
}

void write_sync(std::string& out) {
    const MessageWriter message(out, 'S');
}

}  // namespace veer::proxy::wire
