#pragma once

#include "storage/error.hpp"
#include "storage/lsn.hpp"
#include "storage/table.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// The messages of the pgoutput plugin, protocol versions 1 and 2, named and laid out as in the
/// PostgreSQL manual, "Logical Replication Message Formats". Views live as long as the decoded
/// bytes.
namespace veer::storage::source::pgoutput {

struct Begin {
    Lsn final_lsn;  ///< the commit's position
    std::int64_t timestamp = 0;
    std::uint32_t xid = 0;
};

struct Commit {
    std::uint8_t flags = 0;
    Lsn commit_lsn;
    Lsn end_lsn;
    std::int64_t timestamp = 0;
};

struct Origin {
    Lsn commit_lsn;
    std::string_view name;
};

struct RelationColumn {
    bool key = false;  ///< part of the replica identity
    std::string_view name;
    std::uint32_t type_oid = 0;
    std::int32_t typmod = -1;
};

struct Relation {
    TableOid oid;
    std::string_view schema;
    std::string_view name;
    char replica_identity = 'd';
    std::vector<RelationColumn> columns;
};

struct Type {
    std::uint32_t oid = 0;
    std::string_view schema;
    std::string_view name;
};

/// One column of a TupleData.
struct Field {
    enum class Kind { null, unchanged_toast, text, binary };

    Kind kind = Kind::null;
    std::string_view bytes;
};

using TupleData = std::vector<Field>;

struct Insert {
    TableOid table;
    TupleData row;
};

struct Update {
    TableOid table;
    /// 'K' (key columns, others null) or 'O' (whole old row); absent where the key did not change.
    std::optional<TupleData> old_row;
    TupleData row;
};

struct Delete {
    TableOid table;
    TupleData old_row;
};

struct Truncate {
    std::uint8_t options = 0;
    std::vector<TableOid> tables;
};

/// Of pg_logical_emit_message().
struct LogicalMessage {
    bool transactional = false;
    Lsn lsn;
    std::string_view prefix;
    std::string_view content;
};

/// From here to Stream Stop messages are of this transaction, which has not ended yet.
struct StreamStart {
    std::uint32_t xid = 0;
    bool first = false;  ///< nothing of it has come before
};

struct StreamStop {};

struct StreamCommit {
    std::uint32_t xid = 0;
    std::uint8_t flags = 0;
    Lsn commit_lsn;
    Lsn end_lsn;
    std::int64_t timestamp = 0;
};

struct StreamAbort {
    std::uint32_t xid = 0;
    std::uint32_t subxid = 0;  ///< the same where all of it has ended
};

using Message = std::variant<
    Begin,
    Commit,
    Origin,
    Relation,
    Type,
    Insert,
    Update,
    Delete,
    Truncate,
    LogicalMessage,
    StreamStart,
    StreamStop,
    StreamCommit,
    StreamAbort>;

/// Whose a message is.
struct Owner {
    TableOid table;
    std::uint32_t xid = 0;  ///< as in Streamed

    friend bool operator==(const Owner&, const Owner&) = default;
};

/// Of a Relation, Insert, Update or Delete, also where the rest of it cannot be decoded.
/// `streamed`: it came between Stream Start and Stream Stop.
std::optional<Owner> owner_of(std::string_view bytes, bool streamed = false);

/// Decodes one message; fails where bytes are missing, left over, or of no known kind.
Result<Message> decode(std::string_view bytes);

/// A message between Stream Start and Stream Stop.
struct Streamed {
    Message message;
    std::uint32_t xid = 0;  ///< of the transaction or subtransaction; zero where there is none
};

/// The same for what comes between Stream Start and Stream Stop, where most messages have an xid
/// behind their kind.
Result<Streamed> decode_streamed(std::string_view bytes);

}  // namespace veer::storage::source::pgoutput
