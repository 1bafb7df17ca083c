#include "tests/sim/model_server.hpp"

#include "proxy/wire/backend.hpp"
#include "proxy/wire/writer.hpp"

#include <utility>

namespace veer::sim {

namespace wire = proxy::wire;

namespace {

std::string bare(char type) {
    std::string bytes;
    { const wire::MessageWriter message(bytes, type); }
    return bytes;
}

std::string diagnostics(char type, std::string_view severity, std::string_view sqlstate) {
    std::string bytes;
    wire::MessageWriter(bytes, type)
        .u8('S')
        .text(severity)
        .u8('V')
        .text(severity)
        .u8('C')
        .text(sqlstate)
        .u8(0);
    return bytes;
}

bool returns_rows(const Sql& sql) {
    return sql.verb == Verb::select || sql.verb == Verb::division;
}

bool ends_transaction(const Sql& sql) {
    return sql.verb == Verb::commit || sql.verb == Verb::rollback;
}

}  // namespace

std::string ModelServer::greeting() {
    std::string bytes;
    wire::MessageWriter(bytes, 'R').i32(0);
    wire::MessageWriter(bytes, 'S').text("client_encoding").text("UTF8");
    wire::MessageWriter(bytes, 'S').text("standard_conforming_strings").text("on");
    wire::MessageWriter(bytes, 'K').i32(1).i32(2);
    wire::write_ready_for_query(bytes, 'I');
    return bytes;
}

void ModelServer::receive(std::string_view bytes) {
    inbox_ += bytes;
    wire::FrameHeader header;
    while (wire::peek_header(inbox_, header) == wire::FrameStatus::ok &&
           inbox_.size() >= header.whole_bytes) {
        const std::string whole = inbox_.substr(0, header.whole_bytes);
        inbox_.erase(0, header.whole_bytes);
        on_message(header.type, wire::frame_at(whole, header).payload);
    }
}

std::vector<std::string> ModelServer::take() {
    return std::exchange(sent_, {});
}

void ModelServer::overflow() {
    empty_buffer();
}

void ModelServer::on_message(char type, std::string_view payload) {
    if (copying_) {
        on_copy_data(type);
        return;
    }
    if (type == 'S') {
        on_sync();
        return;
    }
    if (skipping_) {
        return;
    }
    extended_ = type != 'Q' && type != 'F';
    switch (type) {
        case 'Q':
            on_query(payload.substr(0, payload.size() - 1));
            break;
        case 'P':
            on_parse(payload);
            break;
        case 'B':
            on_bind(payload);
            break;
        case 'D':
            on_describe(payload);
            break;
        case 'E':
            on_execute(payload);
            break;
        case 'C':
            on_close(payload);
            break;
        case 'H':
            flush();
            break;
        case 'F':
            on_function_call();
            break;
        default:
            break;  // COPY data without a COPY is ignored
    }
}

void ModelServer::on_copy_data(char type) {
    if (type == 'd') {
        ++copied_;
        return;
    }
    if (type == 'c') {
        copying_ = false;
        wrote_ = true;
        send_tag("COPY " + std::to_string(copied_));
    } else if (type == 'f') {
        copying_ = false;
        fail("57014");
    } else {
        cut_off_ = cut_off_ || (type != 'H' && type != 'S');
        return;
    }
    if (!extended_) {
        end_implicit();
        send_ready();
    }
}

void ModelServer::on_query(std::string_view text) {
    statements_.erase("");
    const auto read = read_sql(text);
    const auto* sql = std::get_if<Sql>(&read);
    if (sql == nullptr) {
        fail(std::get<SqlError>(read).sqlstate);
    } else if (sql->verb == Verb::empty) {
        send(bare('I'));
    } else if (refuses(*sql)) {
        fail("25P02");
    } else {
        portals_.erase("");
        Portal portal{.sql = *sql, .formats = {}, .parameter = {}, .rows = {}};
        if (sql->takes_vector) {
            fail("42P02");
        } else {
            if (returns_rows(*sql)) {
                send_columns(*sql, {});
            }
            run(portal, 0);
        }
    }
    if (!copying_) {
        end_implicit();
        send_ready();
    }
}

void ModelServer::on_parse(std::string_view payload) {
    const auto parse = wire::decode_parse(payload);
    if (parse->statement.empty()) {
        statements_.erase("");
    }
    const auto read = read_sql(parse->text);
    if (const auto* error = std::get_if<SqlError>(&read)) {
        fail(error->sqlstate);
        return;
    }
    const Sql& sql = std::get<Sql>(read);
    if (sql.verb != Verb::empty && refuses(sql)) {
        fail("25P02");
    } else if (!parse->statement.empty() && statements_.contains(parse->statement)) {
        fail("42P05");
    } else {
        statements_.insert_or_assign(std::string(parse->statement), sql);
        send(bare('1'));
    }
}

void ModelServer::on_bind(std::string_view payload) {
    const auto bind = wire::decode_bind(payload);
    const auto found = statements_.find(bind->statement);
    if (found == statements_.end()) {
        fail("26000");
        return;
    }
    const Sql& sql = found->second;
    if (bind->parameters.size() != (sql.takes_vector ? 1U : 0U)) {
        fail("08P01");
        return;
    }
    if (refuses(sql)) {
        fail("25P02");
        return;
    }
    if (!bind->portal.empty() && portals_.contains(bind->portal)) {
        fail("42P03");
        return;
    }
    Portal portal{.sql = sql, .formats = bind->result_formats, .parameter = {}, .rows = {}};
    if (sql.takes_vector) {
        const bool binary = bind->parameter_format(0) == 1;
        const std::string_view value = bind->parameters[0].value_or("");
        portal.parameter = binary ? read_binary_vector(value) : read_vector(value);
        if (!portal.parameter) {
            fail(binary ? "22P03" : "22P02");
            return;
        }
    }
    if (portal.formats.size() > 1 && portal.formats.size() != sql.columns.size()) {
        fail("08P01");
        return;
    }
    facts_asked_ += sql.facts ? 1 : 0;
    portals_.insert_or_assign(std::string(bind->portal), std::move(portal));
    send(bare('2'));
}

void ModelServer::on_describe(std::string_view payload) {
    const auto target = wire::decode_target(payload);
    if (target->kind == 'S') {
        const auto found = statements_.find(target->name);
        if (found == statements_.end()) {
            fail("26000");
        } else if (block_ == 'E' && returns_rows(found->second)) {
            fail("25P02");
        } else {
            std::string types;
            wire::write_parameter_description(
                types,
                found->second.takes_vector ? std::vector<std::uint32_t>{16385}
                                           : std::vector<std::uint32_t>{}
            );
            send(types);
            send_columns(found->second, {});
        }
        return;
    }
    const auto found = portals_.find(target->name);
    if (found == portals_.end()) {
        fail("34000");
    } else if (block_ == 'E' && returns_rows(found->second.sql)) {
        fail("25P02");
    } else {
        send_columns(found->second.sql, found->second.formats);
    }
}

void ModelServer::on_execute(std::string_view payload) {
    const auto execute = wire::decode_execute(payload);
    const auto found = portals_.find(execute->portal);
    if (found == portals_.end()) {
        fail("34000");
        return;
    }
    if (found->second.sql.verb == Verb::empty) {
        send(bare('I'));
        return;
    }
    if (refuses(found->second.sql)) {
        fail("25P02");
        return;
    }
    const auto rows_max = static_cast<std::size_t>(execute->rows_max);
    if (ends_transaction(found->second.sql)) {
        Portal portal = std::move(found->second);  // it goes with the transaction
        run(portal, rows_max);
        return;
    }
    run(found->second, rows_max);
}

void ModelServer::on_close(std::string_view payload) {
    const auto target = wire::decode_target(payload);
    const std::string name(target->name);
    if (target->kind == 'S') {
        statements_.erase(name);
    } else {
        portals_.erase(name);
    }
    send(bare('3'));
}

void ModelServer::on_function_call() {
    if (block_ == 'E') {
        fail("25P02");
    } else {
        std::string bytes;
        wire::MessageWriter(bytes, 'V').i32(-1);
        send(bytes);
    }
    end_implicit();
    send_ready();
}

void ModelServer::on_sync() {
    skipping_ = false;
    end_implicit();
    send_ready();
}

/// False where it failed.
bool ModelServer::run(Portal& portal, std::size_t rows_max) {
    if (returns_rows(portal.sql)) {
        return run_select(portal, rows_max);
    }
    if (portal.done) {
        fail("55000");
        return false;
    }
    portal.done = true;
    switch (portal.sql.verb) {
        case Verb::insert:
            wrote_ = true;
            send_tag("INSERT 0 1");
            break;
        case Verb::set:
            send_tag("SET");
            break;
        case Verb::deallocate:
            std::erase_if(statements_, [](const auto& entry) { return !entry.first.empty(); });
            send_tag("DEALLOCATE ALL");
            break;
        case Verb::copy_in: {
            std::string bytes;
            wire::MessageWriter(bytes, 'G').u8(0).i16(0);
            send(bytes);
            flush();
            copying_ = true;
            copied_ = 0;
            break;
        }
        case Verb::copy_out:
            copy_out();
            break;
        default:
            run_transaction(portal.sql.verb);
            break;
    }
    return true;
}

bool ModelServer::run_select(Portal& portal, std::size_t rows_max) {
    if (!portal.rows) {
        auto rows = rows_of(portal.sql, portal.parameter, portal.formats, wrote_);
        if (const auto* error = std::get_if<SqlError>(&rows)) {
            fail(error->sqlstate);
            return false;
        }
        portal.rows = std::get<std::vector<Row>>(std::move(rows));
        rewritten_ += portal.sql.keys ? 1 : 0;
    }
    std::size_t sent = 0;
    while (rows_max == 0 || sent < rows_max) {
        if (portal.sent == portal.rows->size()) {
            if (portal.sql.verb == Verb::division && !portal.done) {
                fail("22012");
                return false;
            }
            portal.done = true;
            send_tag("SELECT " + std::to_string(sent));
            return true;
        }
        std::string bytes;
        wire::write_data_row(bytes, (*portal.rows)[portal.sent++]);
        send(bytes);
        ++sent;
    }
    send(bare('s'));
    return true;
}

void ModelServer::run_transaction(Verb verb) {
    if (verb == Verb::begin) {
        if (block_ == 'T') {
            send(diagnostics('N', "WARNING", "25001"));
        }
        block_ = 'T';
        send_tag("BEGIN");
        return;
    }
    if (block_ == 'I') {
        send(diagnostics('N', "WARNING", "25P01"));
    }
    const bool committed = verb == Verb::commit && block_ != 'E';
    block_ = 'I';
    end_transaction();
    send_tag(committed ? "COMMIT" : "ROLLBACK");
}

void ModelServer::copy_out() {
    std::string bytes;
    wire::MessageWriter(bytes, 'H').u8(0).i16(0);
    send(bytes);
    for (const std::string_view line : {"1\n", "2\n"}) {
        std::string data;
        wire::MessageWriter(data, 'd').bytes(line);
        send(data);
    }
    send(bare('c'));
    send_tag("COPY 2");
}

/// A failed transaction takes nothing but its end.
bool ModelServer::refuses(const Sql& sql) const {
    return block_ == 'E' && !ends_transaction(sql);
}

void ModelServer::send(std::string message) {
    buffer_.push_back(std::move(message));
    ++made_;
}

void ModelServer::send_tag(std::string_view tag) {
    std::string bytes;
    wire::write_command_complete(bytes, tag);
    send(bytes);
}

void ModelServer::send_columns(const Sql& sql, const std::vector<std::int16_t>& formats) {
    if (!returns_rows(sql)) {
        send(bare('n'));
        return;
    }
    std::vector<wire::FieldDescription> fields;
    for (const Column& column : sql.columns) {
        const std::size_t at = fields.size();
        const std::int16_t format =
            formats.empty() ? std::int16_t{0} : formats[formats.size() == 1 ? 0 : at];
        fields.push_back(
            {.name = column.name,
             .table_oid = column.table_oid,
             .attnum = column.attnum,
             .type_oid = column.type_oid,
             .type_length = column.type_length,
             .typmod = column.typmod,
             .format = format}
        );
    }
    std::string bytes;
    wire::write_row_description(bytes, fields);
    send(bytes);
}

void ModelServer::send_ready() {
    std::string bytes;
    wire::write_ready_for_query(bytes, block_);
    send(bytes);
    flush();
}

void ModelServer::fail(std::string_view sqlstate) {
    send(diagnostics('E', "ERROR", sqlstate));
    empty_buffer();  // at once, though no client may count on it before its Sync or Flush
    skipping_ = extended_;
    if (block_ == 'I') {
        end_transaction();
    } else {
        block_ = 'E';
    }
}

void ModelServer::flush() {
    due_ = made_;
    empty_buffer();
}

void ModelServer::empty_buffer() {
    for (std::string& message : buffer_) {
        sent_.push_back(std::move(message));
    }
    buffer_.clear();
}

void ModelServer::end_transaction() {
    portals_.clear();
    wrote_ = false;
}

void ModelServer::end_implicit() {
    if (block_ == 'I') {
        end_transaction();
    }
}

}  // namespace veer::sim
