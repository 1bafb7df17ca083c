#include "tests/unit/proxy/session_fixture.hpp"

#include "proxy/wire/backend.hpp"
#include "proxy/wire/frontend.hpp"
#include "proxy/wire/writer.hpp"
#include "tests/unit/proxy/sample_copy.hpp"

namespace veer::proxy::session {

SessionFixture::SessionFixture(double percent)
    : config(with_percent(percent)),
      router(config, replica),
      session({}, router, {.major = 3, .minor = 0, .parameters = {{"user", "me"}}}) {
    load_sample(replica);
    std::string start;
    wire::MessageWriter(start, 'R').i32(0);
    wire::MessageWriter(start, 'S').text("client_encoding").text("UTF8");
    wire::MessageWriter(start, 'S').text("standard_conforming_strings").text("on");
    wire::write_ready_for_query(start, 'I');
    server(start);
}

config::Config SessionFixture::with_percent(double percent) {
    config::Config made;
    made.defaults.percent = percent;
    return made;
}

std::string SessionFixture::client(std::string_view bytes) {
    session.on_client(bytes, now, out);
    search();
    return std::exchange(out.to_server, {});
}

std::string SessionFixture::server(std::string_view bytes) {
    session.on_server(bytes, now, out);
    search();
    return std::exchange(out.to_client, {});
}

void SessionFixture::search() {
    if (out.change && !holds_changes) {
        const PendingChange pending = *std::exchange(out.change, std::nullopt);
        session.on_changed(pending.number, pending.make(), now, out);
    }
    while (out.search) {
        const PendingSearch pending = *std::exchange(out.search, std::nullopt);
        if (holds_searches) {
            held = pending;
            return;
        }
        session.on_found(pending.number, pending.order.run(), now, out);
    }
}

void SessionFixture::waited() {
    session.on_waited(now, out);
    search();
}

std::string SessionFixture::answer_facts(
    const std::vector<std::pair<std::size_t, std::string>>& changes
) {
    return server(facts_reply(changes) + ready());
}

std::string SessionFixture::answer_flushed_facts(
    const std::vector<std::pair<std::size_t, std::string>>& changes
) {
    return server(facts_reply(changes));
}

std::string SessionFixture::facts_reply(
    const std::vector<std::pair<std::size_t, std::string>>& changes
) {
    std::vector<std::string> row = sample_facts();
    for (const auto& [position, value] : changes) {
        row[position] = value;
    }
    std::string reply;
    wire::write_close_complete(reply);
    wire::write_parse_complete(reply);
    wire::write_bind_complete(reply);
    reply += data_row(row) + command_complete("SELECT 1");
    wire::write_close_complete(reply);
    wire::write_close_complete(reply);
    return reply;
}

std::string SessionFixture::query(std::string_view sql) {
    std::string bytes;
    wire::write_query(bytes, sql);
    return bytes;
}

std::string SessionFixture::parse(std::string_view name, std::string_view sql) {
    std::string bytes;
    wire::write_parse(bytes, name, sql, {});
    return bytes;
}

std::string SessionFixture::bind(
    std::string_view statement, const std::vector<std::string>& parameters, std::string_view portal
) {
    wire::Bind message{
        .portal = portal,
        .statement = statement,
        .parameter_formats = {},
        .parameters = {},
        .result_formats = {}};
    for (const std::string& parameter : parameters) {
        message.parameters.emplace_back(parameter);
    }
    std::string bytes;
    wire::write_bind(bytes, message, statement);
    return bytes;
}

std::string SessionFixture::describe(char kind, std::string_view name) {
    std::string bytes;
    wire::write_describe(bytes, kind, name);
    return bytes;
}

std::string SessionFixture::describe_portal() {
    return describe('P', "");
}

std::string SessionFixture::execute(int rows_max, std::string_view portal) {
    std::string bytes;
    wire::write_execute(bytes, portal, rows_max);
    return bytes;
}

std::string SessionFixture::close(char kind, std::string_view name) {
    std::string bytes;
    wire::write_close(bytes, kind, name);
    return bytes;
}

std::string SessionFixture::flush() {
    std::string bytes;
    wire::write_flush(bytes);
    return bytes;
}

std::string SessionFixture::bare(char type) {
    std::string bytes;
    const wire::MessageWriter message(bytes, type);
    return bytes;
}

std::string SessionFixture::sync() {
    std::string bytes;
    wire::write_sync(bytes);
    return bytes;
}

std::string SessionFixture::command_complete(std::string_view tag) {
    std::string bytes;
    wire::write_command_complete(bytes, tag);
    return bytes;
}

std::string SessionFixture::ready(char status) {
    std::string bytes;
    wire::write_ready_for_query(bytes, status);
    return bytes;
}

std::string SessionFixture::error(std::string_view sqlstate) {
    std::string bytes;
    wire::MessageWriter(bytes, 'E').u8('S').text("ERROR").u8('C').text(sqlstate).u8(0);
    return bytes;
}

std::string SessionFixture::data_row(const std::vector<std::string>& fields) {
    std::string bytes;
    wire::write_data_row(bytes, fields);
    return bytes;
}

std::string SessionFixture::types(std::string_view bytes) {
    std::string found;
    wire::FrameHeader header;
    while (wire::peek_header(bytes, header) == wire::FrameStatus::ok) {
        found += header.type;
        bytes.remove_prefix(std::min(bytes.size(), header.whole_bytes));
    }
    return found;
}

}  // namespace veer::proxy::session
