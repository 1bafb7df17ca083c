#include "tests/fuzz/dialogue.hpp"

#include "proxy/wire/backend.hpp"
#include "proxy/wire/frontend.hpp"
#include "proxy/wire/writer.hpp"
#include "tests/unit/proxy/sample_copy.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace veer::fuzz {

namespace {

namespace wire = proxy::wire;

using Kind = Step::Kind;

const index::Replica& sample() {
    static index::Replica replica{1};
    [[maybe_unused]] static const bool loaded = (proxy::session::load_sample(replica), true);
    return replica;
}

config::Config everything_to_the_index() {
    config::Config config;
    config.defaults.percent = 100;
    return config;
}

std::string parse(std::string_view name, std::string_view text) {
    std::string bytes;
    wire::write_parse(bytes, name, text, {});
    return bytes;
}

std::string bind(std::string_view portal, std::string_view statement, std::string_view vector) {
    const wire::Bind message{
        .portal = portal,
        .statement = statement,
        .parameter_formats = {},
        .parameters = {vector},
        .result_formats = {}};
    std::string bytes;
    wire::write_bind(bytes, message, statement);
    return bytes;
}

template <class Write, class... Arguments>
std::string written(Write write, Arguments... arguments) {
    std::string bytes;
    write(bytes, arguments...);
    return bytes;
}

std::string message(char type, std::string_view payload = {}) {
    std::string bytes;
    wire::MessageWriter(bytes, type).bytes(payload);
    return bytes;
}

const std::vector<std::string>& client_messages() {
    constexpr std::string_view local = "SELECT id, e <-> $1 FROM docs ORDER BY e <-> $1 LIMIT 3";
    constexpr std::string_view rows = "SELECT * FROM docs ORDER BY e <-> $1 LIMIT 3";
    static const std::vector<std::string> messages = {
        written(wire::write_query, "SELECT id FROM docs ORDER BY e <-> '[7,0]' LIMIT 3"),
        written(wire::write_query, "SELECT * FROM docs ORDER BY e <-> '[7,0]' LIMIT 3"),
        written(wire::write_query, "select 1"),
        written(wire::write_query, "show veer.last"),
        parse("", local),
        parse("s", local),
        parse("", rows),
        parse("s", rows),
        parse("", "select 1"),
        parse("s", "show veer.routes"),
        bind("", "", "[7,0]"),
        bind("", "s", "[7,0]"),
        bind("p", "s", "[7,0]"),
        bind("", "s", "no vector"),
        written(wire::write_describe, 'S', "s"),
        written(wire::write_describe, 'P', ""),
        written(wire::write_describe, 'P', "p"),
        written(wire::write_execute, "", 0),
        written(wire::write_execute, "", 1),
        written(wire::write_execute, "p", 2),
        written(wire::write_close, 'S', "s"),
        written(wire::write_close, 'P', "p"),
        written(wire::write_sync),
        message('H'),
        message('d', "1\n"),
        message('c'),
        message('f', std::string_view("no\0", 3)),
        message('F', std::string(10, '\0')),
        message('X'),
    };
    return messages;
}

std::string greeting() {
    std::string bytes;
    wire::MessageWriter(bytes, 'R').i32(0);
    wire::MessageWriter(bytes, 'S').text("client_encoding").text("UTF8");
    wire::MessageWriter(bytes, 'S').text("standard_conforming_strings").text("on");
    wire::MessageWriter(bytes, 'K').i32(1).i32(2);
    wire::write_ready_for_query(bytes, 'I');
    return bytes;
}

std::string error(std::string_view severity, std::string_view sqlstate) {
    std::string bytes;
    wire::MessageWriter(bytes, 'E').u8('S').text(severity).u8('C').text(sqlstate).u8(0);
    return bytes;
}

const std::vector<std::string>& server_messages() {
    static const std::vector<std::string> messages = {
        greeting(),
        message('1'),
        message('2'),
        message('3'),
        message('n'),
        message('s'),
        message('I'),
        message('t', std::string_view("\0\0", 2)),
        message('T', std::string_view("\0\0", 2)),
        message('G', std::string_view("\0\0\0", 3)),
        message('H', std::string_view("\0\0\0", 3)),
        message('d', "1\n"),
        message('c'),
        message('V', std::string_view("\xFF\xFF\xFF\xFF", 4)),
        message('N', std::string_view("\0", 1)),
        message('A', std::string_view("\0\0\0\1a\0b\0", 8)),
        message('S', std::string_view("TimeZone\0UTC\0", 13)),
        written([](std::string& out) { wire::write_data_row(out, std::vector<std::string>{"7"}); }),
        written(wire::write_command_complete, "SELECT 1"),
        written(wire::write_command_complete, "SELECT 3"),
        written(wire::write_command_complete, "INSERT 0 1"),
        written(wire::write_command_complete, "DISCARD ALL"),
        error("ERROR", "42P01"),
        error("ERROR", "57014"),
        error("FATAL", "57P01"),
        written(wire::write_ready_for_query, 'I'),
        written(wire::write_ready_for_query, 'T'),
        written(wire::write_ready_for_query, 'E'),
    };
    return messages;
}

/// The reply to the question that veer asks; one field of it may be another.
std::string facts(std::uint8_t which) {
    std::vector<std::string> row = proxy::session::sample_facts();
    const std::size_t field = which % 128U / 4U;
    if (field < row.size() && which % 4U != 0) {
        constexpr std::array<const char*, 4> values = {"", "f", "t", "FFFFFFFF/FFFFFFFF"};
        row[field] = values.at(which % 4U);
    }
    std::string reply = message('3') + message('1') + message('2');
    wire::write_data_row(reply, row);
    wire::write_command_complete(reply, "SELECT 1");
    reply += message('3') + message('3');
    if (which < 128) {
        wire::write_ready_for_query(reply, 'I');
    }
    return reply;
}

}  // namespace

Script read_script(std::string_view input) {
    constexpr unsigned kinds = static_cast<unsigned>(Kind::found) + 1;
    Script script;
    std::size_t at = 0;
    const auto next = [&] {
        return at < input.size() ? static_cast<std::uint8_t>(input[at++]) : std::uint8_t{0};
    };
    while (at < input.size()) {
        Step step{.kind = static_cast<Kind>(next() % kinds), .bytes = {}};
        if (step.kind == Kind::client_raw || step.kind == Kind::server_raw) {
            step.bytes = input.substr(std::min(at + 1, input.size()), next());
            at += step.bytes.size();
        } else if (step.kind == Kind::client_message) {
            step.bytes = client_messages()[next() % client_messages().size()];
        } else if (step.kind == Kind::server_message) {
            step.bytes = server_messages()[next() % server_messages().size()];
        } else if (step.kind == Kind::facts) {
            step.bytes = facts(next());
        }
        script.push_back(std::move(step));
    }
    return script;
}

Dialogue::Dialogue()
    : config_(everything_to_the_index()),
      router_(config_, sample()),
      session_({}, router_, {.major = 3, .minor = 0, .parameters = {{"user", "me"}}}) {}

Said Dialogue::play(const Step& step) {
    feed(step, step.bytes);
    return take();
}

Said Dialogue::play_bytewise(const Step& step) {
    const bool client = step.kind == Kind::client_raw || step.kind == Kind::client_message;
    if (!client) {
        return play(step);
    }
    for (std::size_t at = 0; at < step.bytes.size() && !out_.close; ++at) {
        feed(step, std::string_view(step.bytes).substr(at, 1));
    }
    return take();
}

void Dialogue::feed(const Step& step, std::string_view bytes) {
    switch (step.kind) {
        case Kind::client_raw:
        case Kind::client_message:
            client_bytes_ += bytes.size();
            session_.on_client(bytes, now_, out_);
            break;
        case Kind::server_raw:
        case Kind::server_message:
        case Kind::facts:
            session_.on_server(bytes, now_, out_);
            break;
        case Kind::waited:
            session_.on_waited(now_, out_);
            break;
        case Kind::cancel:
            session_.on_cancel(now_, out_);
            break;
        case Kind::cancel_relayed:
            session_.on_cancel_relayed(now_, out_);
            break;
        case Kind::time:
            now_.nanoseconds += 1'000'000'000;
            break;
        case Kind::server_closed:
            session_.on_server_closed(out_);
            break;
        case Kind::shutdown:
            session_.on_shutdown(out_);
            break;
        case Kind::found:
            if (search_) {
                session_.on_found(search_->number, search_->order.run(), now_, out_);
            }
            break;
    }
}

Said Dialogue::take() {
    const proxy::session::Output out = std::exchange(out_, {});
    if (out.search) {
        search_ = out.search;
    }
    return {
        .to_client = out.to_client,
        .to_server = out.to_server,
        .waits = out.wait.has_value(),
        .searches = out.search.has_value(),
        .close = out.close};
}

bool Dialogue::within_bounds() const {
    // A message takes five bytes at least, and veer's own question is some ten more.
    constexpr std::size_t own_question = 16;
    return session_.kept_bytes() <= client_bytes_ &&
           session_.unanswered() <= client_bytes_ / wire::frame_header_bytes + own_question;
}

}  // namespace veer::fuzz
