#include "proxy/admin/console.hpp"

#include "proxy/wire/backend.hpp"
#include "proxy/wire/reader.hpp"
#include "proxy/wire/writer.hpp"
#include "tests/unit/proxy/admin/sample_snapshot.hpp"

#include <catch2/catch_test_macros.hpp>

#include <utility>

using namespace veer::proxy;
using namespace veer::proxy::admin;

namespace {

/// A console whose questions the test answers.
struct Fixture {
    explicit Fixture(Role role = Role::owner)
        : console(
              {.asker = {.user = "alice", .database = "veer", .server_version = "15.0"},
               .role = role,
               .process_id = 1,
               .secret_key = "abcd"}
          ) {}

    /// What the client gets, all questions answered.
    std::string send(const std::string& bytes) {
        std::string out;
        console.on_client(bytes, out);
        while (auto question = console.take_question()) {
            if (const auto* command = std::get_if<Command>(&*question)) {
                commands.push_back(*command);
                console.on_outcome(outcome, out);
            } else {
                console.on_snapshot(sample_snapshot(), out);
            }
        }
        return out;
    }

    Console console;
    std::vector<Command> commands;
    Outcome outcome = std::vector<Row>{{std::string("done"), Value{}, Value{}}};
};

std::string query(std::string_view text) {
    std::string bytes;
    wire::write_query(bytes, text);
    return bytes;
}

std::string parse(
    std::string_view name, std::string_view text, const std::vector<std::uint32_t>& types = {}
) {
    std::string bytes;
    wire::write_parse(bytes, name, text, types);
    return bytes;
}

struct Bound {
    std::vector<std::optional<std::string>> parameters = {};
    std::int16_t parameter_format = 0;
    std::int16_t result_format = 0;
};

std::string bind(std::string_view statement, const Bound& bound = {}) {
    std::string bytes;
    {
        wire::MessageWriter message(bytes, 'B');
        message.text("").text(statement).i16(1).i16(bound.parameter_format);
        message.i16(static_cast<std::int16_t>(bound.parameters.size()));
        for (const auto& parameter : bound.parameters) {
            if (parameter) {
                message.field(*parameter);
            } else {
                message.i32(-1);
            }
        }
        message.i16(1).i16(bound.result_format);
    }
    return bytes;
}

std::string describe(char kind, std::string_view name) {
    std::string bytes;
    wire::write_describe(bytes, kind, name);
    return bytes;
}

std::string execute(std::int32_t rows_max = 0) {
    std::string bytes;
    wire::write_execute(bytes, "", rows_max);
    return bytes;
}

std::string end_batch() {
    std::string bytes;
    wire::write_sync(bytes);
    return bytes;
}

/// Messages as their types; of errors the SQLSTATE, of tags their text, of Z the status.
std::string told(std::string_view bytes) {
    std::string text;
    wire::FrameHeader header;
    while (!bytes.empty() && wire::peek_header(bytes, header) == wire::FrameStatus::ok) {
        const wire::Frame frame = wire::frame_at(bytes, header);
        text += frame.type;
        if (frame.type == 'E') {
            text += '(' + wire::decode_diagnostics(frame.payload).sqlstate + ')';
        } else if (frame.type == 'C') {
            text += '(' + std::string(*wire::decode_command_complete(frame.payload)) + ')';
        } else if (frame.type == 'Z') {
            text += *wire::decode_ready_for_query(frame.payload);
        }
        bytes.remove_prefix(header.whole_bytes);
    }
    CHECK(bytes.empty());
    return text;
}

/// The first field of each DataRow.
std::vector<std::string> first_fields(std::string_view bytes) {
    std::vector<std::string> fields;
    wire::FrameHeader header;
    while (wire::peek_header(bytes, header) == wire::FrameStatus::ok) {
        const wire::Frame frame = wire::frame_at(bytes, header);
        if (frame.type == 'D') {
            fields.emplace_back(wire::decode_data_row(frame.payload)->at(0).value_or("~"));
        }
        bytes.remove_prefix(header.whole_bytes);
    }
    return fields;
}

}  // namespace

TEST_CASE("the greeting is a server's") {
    const std::string told_at_first = told(Fixture().console.greeting());
    CHECK(told_at_first.starts_with("RSSS"));
    CHECK(told_at_first.ends_with("SKZI"));
}

TEST_CASE("simple queries") {
    Fixture fixture;
    CHECK(told(fixture.send(query("SHOW ROUTES"))) == "TDDDC(SHOW)ZI");
    CHECK(told(fixture.send(query("select * from veer.routes limit 1"))) == "TDC(SELECT 1)ZI");
    CHECK(
        told(fixture.send(query("select 1; show clients;; select 2"))) ==
        "TDC(SELECT 1)TDC(SHOW)TDC(SELECT 1)ZI"
    );
    CHECK(told(fixture.send(query(""))) == "IZI");
    CHECK(told(fixture.send(query(" ; -- nothing"))) == "IZI");
    CHECK(told(fixture.send(query("nonsense"))) == "E(42601)ZI");
    CHECK(told(fixture.send(query("select 1; nonsense; select 2"))) == "TDC(SELECT 1)E(42601)ZI");
    CHECK(told(fixture.send(query("set client_encoding to 'UTF8'"))) == "C(SET)ZI");
    CHECK(told(fixture.send(query("select * from routes where veer > $1"))) == "E(42P02)ZI");
    CHECK(
        told(fixture.send(query("SELECT datname FROM pg_catalog.pg_database"))) == "TDC(SELECT 1)ZI"
    );
}

TEST_CASE("commands are carried out elsewhere") {
    Fixture fixture;
    CHECK(told(fixture.send(query("PANIC REASON 'slow'"))) == "TDC(PANIC)ZI");
    REQUIRE(fixture.commands.size() == 1);
    CHECK(fixture.commands[0] == Command{.verb = Command::Verb::panic, .reason = "slow"});
    fixture.outcome = Failure{.sqlstate = "0A000", .message = "not yet"};
    CHECK(told(fixture.send(query("reload"))) == "E(0A000)ZI");
}

TEST_CASE("who may only look cannot run commands, by either protocol") {
    Fixture fixture(Role::reader);
    CHECK(told(fixture.send(query("PANIC"))) == "E(42501)ZI");
    CHECK(
        told(fixture.send(parse("", "reload") + bind("") + execute() + end_batch())) ==
        "12E(42501)ZI"
    );
    CHECK(told(fixture.send(query("SHOW ROUTES"))) == "TDDDC(SHOW)ZI");
    CHECK(fixture.commands.empty());
}

TEST_CASE("transactions, as drivers make them") {
    Fixture fixture;
    CHECK(told(fixture.send(query("BEGIN"))) == "C(BEGIN)ZT");
    CHECK(told(fixture.send(query("show version"))) == "TDC(SHOW)ZT");
    CHECK(told(fixture.send(query("reload"))) == "E(25001)ZE");
    CHECK(told(fixture.send(query("select 1"))) == "E(25P02)ZE");
    CHECK(told(fixture.send(query("COMMIT"))) == "C(ROLLBACK)ZI");
    CHECK(told(fixture.send(query("begin; panic; rollback"))) == "C(BEGIN)TDC(PANIC)C(ROLLBACK)ZI");
    CHECK(fixture.commands.size() == 1);
    CHECK(told(fixture.send(query("rollback"))) == "E(25P01)ZI");
}

TEST_CASE("the extended protocol") {
    Fixture fixture;
    const std::string one = "select route, veer from routes where veer > $1 order by veer";
    CHECK(told(fixture.send(parse("s", one) + describe('S', "s") + end_batch())) == "1tTZI");
    const std::string rows = fixture.send(
        bind("s", {.parameters = {"0"}}) + describe('P', "") + execute() + end_batch()
    );
    CHECK(told(rows) == "2TDDC(SELECT 2)ZI");
    CHECK(first_fields(rows).at(0) == "public.documents.embedding <=>");
    CHECK(
        told(fixture.send(
            parse("", "BEGIN") + bind("") + describe('P', "") + execute() + end_batch()
        )) == "12nC(BEGIN)ZT"
    );
    CHECK(
        told(fixture.send(parse("", "") + bind("") + describe('P', "") + execute() + end_batch())
        ) == "12nIZT"
    );
}

TEST_CASE("fetching in parts") {
    Fixture fixture;
    const std::string start = parse("", "show routes") + bind("");
    CHECK(told(fixture.send(start + execute(2) + execute(2) + end_batch())) == "12DDsDC(SHOW)ZI");
    CHECK(told(fixture.send(start + execute(3) + execute(3) + end_batch())) == "12DDDsC(SHOW)ZI");
    CHECK(told(fixture.send(execute() + end_batch())) == "E(34000)ZI");
}

TEST_CASE("binary parameters and results") {
    Fixture fixture;
    constexpr std::uint32_t int4 = 23;
    const std::string number("\0\0\0\x18", 4);
    const std::string bytes = fixture.send(
        parse("", "select veer from routes where veer > $1 order by 1", {int4}) +
        bind("", {.parameters = {number}, .parameter_format = 1, .result_format = 1}) + execute() +
        end_batch()
    );
    REQUIRE(told(bytes) == "12DDC(SELECT 2)ZI");
    CHECK(first_fields(bytes).at(0) == std::string("\0\0\0\0\0\0\0\x19", 8));
    CHECK(
        told(fixture.send(
            parse("", "select 1 from routes where veer > $1", {int4}) +
            bind("", {.parameters = {"abc"}, .parameter_format = 1}) + execute() + end_batch()
        )) == "1E(22P03)ZI"
    );
}

TEST_CASE("an error skips to the end of its batch") {
    Fixture fixture;
    CHECK(
        told(fixture.send(parse("", "nonsense") + bind("") + execute() + end_batch())) ==
        "E(42601)ZI"
    );
    CHECK(
        told(fixture.send(bind("missing") + execute() + end_batch() + query("select 1"))) ==
        "E(26000)ZITDC(SELECT 1)ZI"
    );
    CHECK(
        told(fixture.send(parse("a", "select 1") + parse("a", "select 1") + end_batch())) ==
        "1E(42P05)ZI"
    );
    CHECK(told(fixture.send(parse("", "select 1; select 2") + end_batch())) == "E(42601)ZI");
    CHECK(
        told(fixture.send(
            parse("", "select * from routes limit $1") + bind("", {.parameters = {"x"}}) +
            end_batch()
        )) == "1E(22P02)ZI"
    );
    CHECK(
        told(fixture.send(parse("", "select * from routes limit $1") + bind("") + end_batch())) ==
        "1E(08P01)ZI"
    );
}

TEST_CASE("nothing is looked at while an answer is on its way") {
    Fixture fixture;
    std::string out;
    fixture.console.on_client(query("show routes") + query("select 1"), out);
    CHECK(out.empty());
    CHECK(fixture.console.waiting());
    REQUIRE(fixture.console.take_question().has_value());
    CHECK_FALSE(fixture.console.take_question().has_value());
    fixture.console.on_snapshot(sample_snapshot(), out);
    CHECK(told(out) == "TDDDC(SHOW)ZITDC(SELECT 1)ZI");
    CHECK_FALSE(fixture.console.waiting());
}

TEST_CASE("byte by byte is the same") {
    const std::string all =
        query("show routes") + parse("", "show clients") + bind("") + execute() + end_batch();
    Fixture whole;
    Fixture slow;
    std::string out;
    for (const char byte : all) {
        out += slow.send(std::string(1, byte));
    }
    CHECK(out == whole.send(all));
}

TEST_CASE("goodbye, and what is no message") {
    Fixture fixture;
    std::string bye;
    { const wire::MessageWriter message(bye, 'X'); }
    fixture.send(bye);
    CHECK(fixture.console.over());
    Fixture broken;
    CHECK(told(broken.send(std::string("Q\0\0\0\1", 5))) == "E(08P01)");
    CHECK(broken.console.over());
    Fixture huge;
    CHECK(told(huge.send(std::string("Q\x3f\xff\xff\xff", 5))) == "E(08P01)");
    CHECK(huge.console.over());
    Fixture bounded;
    std::string many;
    for (int i = 0; i < 300; ++i) {
        many += parse("s" + std::to_string(i), "select 1");
    }
    CHECK(told(bounded.send(many + end_batch())).ends_with("1E(53400)ZI"));
}
