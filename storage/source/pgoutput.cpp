#include "storage/source/pgoutput.hpp"

#include "storage/byte_reader.hpp"

namespace veer::storage::source::pgoutput {

namespace {

Begin begin(ByteReader& in) {
    Begin message;
    message.final_lsn.value = in.be64();
    message.timestamp = static_cast<std::int64_t>(in.be64());
    message.xid = in.be32();
    return message;
}

Commit commit(ByteReader& in) {
    Commit message;
    message.flags = in.u8();
    message.commit_lsn.value = in.be64();
    message.end_lsn.value = in.be64();
    message.timestamp = static_cast<std::int64_t>(in.be64());
    return message;
}

Origin origin(ByteReader& in) {
    Origin message;
    message.commit_lsn.value = in.be64();
    message.name = in.cstring();
    return message;
}

Relation relation(ByteReader& in) {
    Relation message;
    message.oid.value = in.be32();
    message.schema = in.cstring();
    message.name = in.cstring();
    message.replica_identity = static_cast<char>(in.u8());
    for (std::uint16_t left = in.be16(); left > 0 && !in.failed(); --left) {
        RelationColumn column;
        column.key = (in.u8() & 1U) != 0;
        column.name = in.cstring();
        column.type_oid = in.be32();
        column.typmod = static_cast<std::int32_t>(in.be32());
        message.columns.push_back(column);
    }
    return message;
}

Type type(ByteReader& in) {
    Type message;
    message.oid = in.be32();
    message.schema = in.cstring();
    message.name = in.cstring();
    return message;
}

TupleData tuple(ByteReader& in) {
    TupleData fields;
    for (std::uint16_t left = in.be16(); left > 0 && !in.failed(); --left) {
        switch (in.u8()) {
            case 'n':
                fields.push_back({Field::Kind::null, {}});
                break;
            case 'u':
                fields.push_back({Field::Kind::unchanged_toast, {}});
                break;
            case 't':
                fields.push_back({Field::Kind::text, in.bytes(in.be32())});
                break;
            case 'b':
                fields.push_back({Field::Kind::binary, in.bytes(in.be32())});
                break;
            default:
                in.fail();
        }
    }
    return fields;
}

Insert insert(ByteReader& in) {
    Insert message;
    message.table.value = in.be32();
    if (in.u8() != 'N') {
        in.fail();
    }
    message.row = tuple(in);
    return message;
}

Update update(ByteReader& in) {
    Update message;
    message.table.value = in.be32();
    std::uint8_t part = in.u8();
    if (part == 'K' || part == 'O') {
        message.old_row = tuple(in);
        part = in.u8();
    }
    if (part != 'N') {
        in.fail();
    }
    message.row = tuple(in);
    return message;
}

Delete removal(ByteReader& in) {
    Delete message;
    message.table.value = in.be32();
    const std::uint8_t part = in.u8();
    if (part != 'K' && part != 'O') {
        in.fail();
    }
    message.old_row = tuple(in);
    return message;
}

Truncate truncate(ByteReader& in) {
    Truncate message;
    std::uint32_t left = in.be32();
    message.options = in.u8();
    for (; left > 0 && !in.failed(); --left) {
        message.tables.push_back({in.be32()});
    }
    return message;
}

LogicalMessage logical_message(ByteReader& in) {
    LogicalMessage message;
    message.transactional = (in.u8() & 1U) != 0;
    message.lsn.value = in.be64();
    message.prefix = in.cstring();
    message.content = in.bytes(in.be32());
    return message;
}

StreamStart stream_start(ByteReader& in) {
    StreamStart message;
    message.xid = in.be32();
    message.first = in.u8() != 0;
    return message;
}

StreamCommit stream_commit(ByteReader& in) {
    StreamCommit message;
    message.xid = in.be32();
    message.flags = in.u8();
    message.commit_lsn.value = in.be64();
    message.end_lsn.value = in.be64();
    message.timestamp = static_cast<std::int64_t>(in.be64());
    return message;
}

StreamAbort stream_abort(ByteReader& in) {
    StreamAbort message;
    message.xid = in.be32();
    message.subxid = in.be32();
    return message;
}

std::optional<Message> dispatch(std::uint8_t kind, ByteReader& in) {
    switch (kind) {
        case 'B':
            return begin(in);
        case 'C':
            return commit(in);
        case 'O':
            return origin(in);
        case 'R':
            return relation(in);
        case 'Y':
            return type(in);
        case 'I':
            return insert(in);
        case 'U':
            return update(in);
        case 'D':
            return removal(in);
        case 'T':
            return truncate(in);
        case 'M':
            return logical_message(in);
        case 'S':
            return stream_start(in);
        case 'E':
            return StreamStop{};
        case 'c':
            return stream_commit(in);
        case 'A':
            return stream_abort(in);
        default:
            return std::nullopt;
    }
}

/// The rest of a message of this kind.
Result<Message> finish(std::uint8_t kind, ByteReader& in) {
    std::optional<Message> message = dispatch(kind, in);
    if (!message.has_value()) {
        return Error{
            Errc::unexpected,
            "The stream sent a message of unknown kind " + std::to_string(kind) + "."};
    }
    if (!in.at_end()) {
        return Error{
            Errc::unexpected,
            std::string{"The stream sent a malformed message of kind "} + static_cast<char>(kind) +
                "."};
    }
    return std::move(*message);
}

}  // namespace

std::optional<Owner> owner_of(std::string_view bytes, bool streamed) {
    ByteReader in{bytes};
    const std::string_view kinds = "RIUD";
    const bool known = kinds.find(static_cast<char>(in.u8())) != std::string_view::npos;
    const std::uint32_t xid = streamed ? in.be32() : 0;
    const TableOid table{in.be32()};
    return known && !in.failed() ? std::optional{Owner{table, xid}} : std::nullopt;
}

Result<Message> decode(std::string_view bytes) {
    ByteReader in{bytes};
    const std::uint8_t kind = in.u8();
    return finish(kind, in);
}

Result<Streamed> decode_streamed(std::string_view bytes) {
    const std::string_view with_xid = "RYIUDTM";
    ByteReader in{bytes};
    const std::uint8_t kind = in.u8();
    const bool has_xid = with_xid.find(static_cast<char>(kind)) != std::string_view::npos;
    const std::uint32_t xid = has_xid ? in.be32() : 0;
    auto message = finish(kind, in);
    if (!message.has_value()) {
        return message.error();
    }
    return Streamed{std::move(*message), xid};
}

}  // namespace veer::storage::source::pgoutput
