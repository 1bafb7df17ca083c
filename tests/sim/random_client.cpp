#include "tests/sim/random_client.hpp"

#include "proxy/wire/frontend.hpp"
#include "proxy/wire/writer.hpp"

#include <array>
#include <map>
#include <optional>
#include <string_view>

namespace veer::sim {

namespace wire = proxy::wire;

namespace {

constexpr std::string_view key_search =
    "SELECT id, e <-> $1 AS d FROM docs ORDER BY e <-> $1 LIMIT 3";
constexpr std::string_view row_search = "SELECT * FROM docs ORDER BY e <-> $1 LIMIT 4";

constexpr std::array searches = {key_search, row_search};

constexpr std::array<std::string_view, 15> statements = {
    key_search,
    key_search,
    row_search,
    row_search,
    "SELECT 1 AS n",
    "SELECT 1 AS n",
    "SELECT n FROM generate_series(1, 5) AS n",
    "SELECT 1 / (2 - n) AS n FROM generate_series(1, 5) AS n",
    "INSERT INTO notes VALUES (1)",
    "BEGIN",
    "COMMIT",
    "ROLLBACK",
    "SET application_name = 'sim'",
    "",
    "SELEC 1"};

constexpr std::array<std::string_view, 12> queries = {
    "SELECT id, e <-> '[7.25,0]' AS d FROM docs ORDER BY e <-> '[7.25,0]' LIMIT 3",
    "SELECT id, e <-> '[2.25,0]' AS d FROM docs ORDER BY e <-> '[2.25,0]' LIMIT 2",
    "SELECT * FROM docs ORDER BY e <-> '[7.25,0]' LIMIT 4",
    "SELECT * FROM docs ORDER BY e <-> '[1,2,3]' LIMIT 4",
    "SELECT * FROM docs ORDER BY e <-> 'no' LIMIT 4",
    "SELECT * FROM docs ORDER BY e <-> $1 LIMIT 4",
    "DEALLOCATE ALL",
    "COPY notes TO STDOUT",
    "BEGIN",
    "BEGIN",
    "COMMIT",
    "INSERT INTO notes VALUES (1)"};

constexpr std::array<std::string_view, 4> vectors = {
    "[7.25,0]", "[2.25,0]", "[7.25,0]", "[11.75,0]"};
constexpr std::array<std::string_view, 2> wrong_vectors = {"[1,2,3]", "no"};

/// vector_send of [7.25,0].
constexpr std::string_view binary_vector("\0\2\0\0\x40\xE8\0\0\0\0\0\0", 12);

class Client {
  public:
    explicit Client(unsigned seed) : dice_(seed) {}

    std::vector<ClientMessage> talk() {
        const std::size_t units = 3 + dice_.below(12);
        for (std::size_t i = 0; i < units; ++i) {
            unit();
        }
        sync();
        settle();
        return std::move(said_);
    }

  private:
    template <class List>
    auto any(const List& list) {
        return list[dice_.below(list.size())];
    }

    std::string_view any_statement_name() {
        return any(std::array<std::string_view, 4>{"", "", "s", "t"});
    }

    std::string_view any_portal_name() {
        return any(std::array<std::string_view, 5>{"", "", "", "p", "q"});
    }

    void unit() {
        switch (dice_.below(9)) {
            case 0:
                query(
                    any(dice_.once_in(2) ? std::array<std::string_view, 2>{queries[0], queries[2]}
                                         : std::array{any(queries), any(queries)})
                );
                break;
            case 1:
                query(any(statements));
                break;
            case 2:
            case 3:
                search_as_drivers_do();
                break;
            case 4:
                prepared_search();
                break;
            case 5:
                cursor();
                break;
            case 6:
                if (dice_.once_in(3)) {
                    copy();
                } else if (dice_.once_in(4)) {
                    function_call();
                }
                break;
            default:
                batch();
                break;
        }
        if (dice_.once_in(2)) {
            settle();
        }
    }

    void search_as_drivers_do() {
        parse("", any(searches));
        if (dice_.once_in(3)) {
            describe('S', "");
            flush_or_sync();
        }
        bind("", "");
        if (!dice_.once_in(3)) {
            describe('P', "");
        }
        execute("", 0);
        sync();
    }

    void prepared_search() {
        if (dice_.once_in(2)) {
            close('S', "s");
            parse("s", any(searches));
            sync();
        }
        const std::size_t times = 1 + dice_.below(3);
        for (std::size_t i = 0; i < times; ++i) {
            bind("", "s");
            describe_sometimes("");
            execute("", 0);
            if (!dice_.once_in(3)) {
                sync();
            }
        }
        sync();
    }

    void cursor() {
        const std::string_view portal = any_portal_name();
        const bool within = dice_.once_in(2);
        if (within) {
            query("BEGIN");
        }
        parse("", any(searches));
        bind(portal, "");
        describe_sometimes(portal);
        const std::size_t times = 1 + dice_.below(4);
        for (std::size_t i = 0; i < times; ++i) {
            execute(portal, 1 + static_cast<int>(dice_.below(4)));
            if (dice_.once_in(3)) {
                flush_or_sync();
            }
        }
        if (dice_.once_in(2)) {
            close('P', portal);
        }
        sync();
        if (within && !dice_.once_in(3)) {
            query(dice_.once_in(2) ? "COMMIT" : "ROLLBACK");
        }
    }

    void batch() {
        const std::size_t length = 1 + dice_.below(8);
        for (std::size_t i = 0; i < length; ++i) {
            message();
        }
        if (!dice_.once_in(4)) {
            sync();
        }
    }

    void message() {
        switch (dice_.below(10)) {
            case 0:
            case 1:
                parse(any_statement_name(), any(statements));
                break;
            case 2:
            case 3:
                bind(any_portal_name(), any_statement_name());
                break;
            case 4:
                dice_.once_in(2) ? describe('S', any_statement_name())
                                 : describe('P', any_portal_name());
                break;
            case 5:
            case 6:
            case 7:
                execute(any_portal_name(), dice_.once_in(2) ? 0 : static_cast<int>(dice_.below(5)));
                break;
            case 8:
                dice_.once_in(2) ? close('S', any_statement_name()) : close('P', any_portal_name());
                break;
            default:
                flush_or_sync();
                break;
        }
    }

    /// A COPY is never left to chance: a client that says anything else in it is cut off.
    void copy() {
        if (dice_.once_in(2)) {
            query("COPY notes FROM STDIN");
        } else {
            parse("", "COPY notes FROM STDIN");
            bind("", "");
            execute("", 0);
            if (dice_.once_in(2)) {
                sync();
            }
        }
        const std::size_t lines = dice_.below(3);
        for (std::size_t i = 0; i < lines; ++i) {
            say('d', "1\n", "CopyData");
        }
        if (dice_.once_in(3)) {
            say('f', std::string_view("no\0", 3), "CopyFail");
        } else {
            say('c', "", "CopyDone");
        }
        sync();
        parse("", "SELECT 1 AS n");
        sync();
    }

    void query(std::string_view text) {
        wire::write_query(next("Query " + std::string(text)), text);
        texts_.erase("");
    }

    void parse(std::string_view name, std::string_view text) {
        wire::write_parse(next("Parse " + quoted(name) + ' ' + std::string(text)), name, text, {});
        texts_[std::string(name)] = text;
    }

    /// The parameters fit what was last parsed under that name, as a rule.
    void bind(std::string_view portal, std::string_view statement) {
        const auto found = texts_.find(std::string(statement));
        const bool takes =
            found != texts_.end() && found->second.find("$1") != std::string_view::npos;
        wire::Bind message{
            .portal = portal,
            .statement = statement,
            .parameter_formats = {},
            .parameters = {},
            .result_formats = {}};
        std::string label = "Bind " + quoted(portal) + ' ' + quoted(statement);
        if (takes != dice_.once_in(20)) {
            const bool binary = dice_.once_in(4);
            const std::string_view text = dice_.once_in(15) ? any(wrong_vectors) : any(vectors);
            message.parameters = {binary ? binary_vector : text};
            if (binary) {
                message.parameter_formats = {1};
            }
            label += binary ? " binary" : ' ' + std::string(text);
        }
        if (dice_.once_in(4)) {
            message.result_formats =
                dice_.once_in(2) ? std::vector<std::int16_t>{1} : std::vector<std::int16_t>{0, 1};
            label += " formats " + std::to_string(message.result_formats.size());
        }
        wire::write_bind(next(label), message, statement);
    }

    void describe(char kind, std::string_view name) {
        wire::write_describe(next(std::string("Describe ") + kind + quoted(name)), kind, name);
    }

    void describe_sometimes(std::string_view portal) {
        if (!dice_.once_in(3)) {
            describe('P', portal);
        }
    }

    void execute(std::string_view portal, int rows_max) {
        const std::string label = "Execute " + quoted(portal) + ' ' + std::to_string(rows_max);
        wire::write_execute(next(label), portal, rows_max);
    }

    void close(char kind, std::string_view name) {
        wire::write_close(next(std::string("Close ") + kind + quoted(name)), kind, name);
    }

    void function_call() { say('F', std::string(10, '\0'), "FunctionCall"); }

    void sync() { say('S', "", "Sync"); }

    void flush_or_sync() {
        if (dice_.once_in(3)) {
            sync();
        } else {
            say('H', "", "Flush");
        }
        if (dice_.once_in(2)) {
            settle();
        }
    }

    void settle() {
        if (!said_.empty()) {
            said_.back().settle = true;
        }
    }

    void say(char type, std::string_view payload, std::string_view label) {
        wire::MessageWriter(next(std::string(label)), type).bytes(payload);
    }

    std::string& next(std::string label) {
        said_.push_back({.bytes = {}, .label = std::move(label), .settle = false});
        return said_.back().bytes;
    }

    static std::string quoted(std::string_view name) { return '"' + std::string(name) + '"'; }

    Dice dice_;
    std::vector<ClientMessage> said_;
    std::map<std::string, std::string_view> texts_;
};

}  // namespace

std::vector<ClientMessage> random_conversation(unsigned seed) {
    return Client(seed).talk();
}

std::string transcript(const std::vector<ClientMessage>& conversation) {
    std::string text;
    for (const ClientMessage& message : conversation) {
        text += "  " + message.label + (message.settle ? "   (and reads)" : "") + '\n';
    }
    return text;
}

}  // namespace veer::sim
