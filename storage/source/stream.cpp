#include "storage/source/stream.hpp"

#include "storage/byte_reader.hpp"
#include "storage/byte_writer.hpp"

#include <utility>

namespace veer::storage::source {

namespace {

Error judge_failure(const Connection& connection, Error error) {
    return judge_stream_failure(connection.sqlstate(), connection.in_recovery(), std::move(error));
}

/// Microseconds since 2000-01-01, as the protocol wants them.
std::uint64_t postgres_now() {
    constexpr std::chrono::sys_days epoch{std::chrono::year{2000} / 1 / 1};
    const auto since = std::chrono::system_clock::now() - epoch;
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(since).count()
    );
}

}  // namespace

Error judge_stream_failure(std::string_view sqlstate, bool in_recovery, Error error) {
    if (sqlstate == "42704" || (sqlstate == "55000" && !in_recovery)) {
        error.code = Errc::gone;
    }
    if (sqlstate == "55006" || (sqlstate == "55000" && in_recovery)) {
        error.code = Errc::connection;
    }
    return error;
}

Result<StreamEvent> decode_stream(std::string_view bytes) {
    ByteReader in{bytes};
    const std::uint8_t kind = in.u8();
    if (kind == 'w') {
        in.be64();  // start of the WAL data: zero for Relation and Type
        in.be64();  // the server's current end: says nothing of what was delivered
        in.be64();  // time
        const XLogData data{in.bytes(in.remaining())};
        if (!in.failed()) {
            return StreamEvent{data};
        }
    }
    if (kind == 'k') {
        Keepalive keepalive;
        keepalive.wal_end.value = in.be64();
        in.be64();
        keepalive.reply_requested = in.u8() != 0;
        if (in.at_end()) {
            return StreamEvent{keepalive};
        }
    }
    return Error{Errc::unexpected, "The replication stream sent a malformed message."};
}

Result<SystemIdentity> identify_system(Connection& replication) {
    auto rows = replication.query("IDENTIFY_SYSTEM");
    if (!rows.has_value()) {
        return rows.error();
    }
    if (rows->size() != 1) {
        return Error{Errc::unexpected, "IDENTIFY_SYSTEM returned no row."};
    }
    return SystemIdentity{
        rows->text(0, 0),
        static_cast<std::uint32_t>(rows->integer(0, 1)),
        parse_lsn(rows->text(0, 2))};
}

Result<Stream> Stream::start(Connection& connection, const StreamOptions& options) {
    auto begun = connection.begin_copy(
        "START_REPLICATION SLOT " + connection.quote_identifier(options.slot) + " LOGICAL " +
        to_string(options.start) +
        (options.streaming ? " (proto_version '2', streaming 'on'" : " (proto_version '1'") +
        ", publication_names " +
        connection.quote_literal(connection.quote_identifier(options.publication)) +
        ", binary 'true', messages 'true')"
    );
    if (!begun.has_value()) {
        return judge_failure(connection, begun.error());
    }
    return Stream{connection};
}

Result<StreamEvent> Stream::next(std::chrono::steady_clock::time_point deadline) {
    auto data = connection_->read_copy(deadline);
    if (!data.has_value()) {
        return judge_failure(*connection_, data.error());
    }
    if (data->ended) {
        return Error{Errc::connection, "Postgres ended the replication stream."};
    }
    return data->timed_out ? Result<StreamEvent>{Silence{}} : decode_stream(data->bytes);
}

Result<void> Stream::confirm(Lsn received, Lsn flushed, bool asks) {
    ByteWriter out;
    out.u8('r').be64(received.value).be64(flushed.value).be64(flushed.value);
    out.be64(postgres_now()).u8(asks ? 1 : 0);
    return connection_->write_copy(out.written());
}

}  // namespace veer::storage::source
