#pragma once

#include "proxy/admin/failure.hpp"
#include "proxy/admin/relation.hpp"
#include "proxy/admin/value.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace veer::proxy::admin {

/// $1 is Parameter{0}.
struct Parameter {
    std::size_t index = 0;
};

using Operand = std::variant<Value, Parameter>;

/// column OPERATOR operand, one of the conditions that AND joins.
struct Condition {
    enum class Operator : std::uint8_t {
        equal,
        not_equal,
        less,
        less_or_equal,
        greater,
        greater_or_equal,
        like,
        not_like,
        in,
        not_in,
        is_null,
        is_not_null,
    };

    std::size_t column = 0;  ///< of the relation
    Operator op = Operator::equal;
    std::vector<Operand> operands;  ///< none for IS NULL, any number for IN, else one
};

/// One output column: a column of the relation, its number of rows, or a constant.
struct Output {
    enum class Kind : std::uint8_t { column, count, constant };

    Kind kind = Kind::column;
    std::size_t column = 0;
    Value constant;
    Column described;  ///< name and type, for RowDescription
};

struct SortKey {
    std::size_t column = 0;  ///< of the relation
    bool descending = false;
    bool nulls_first = false;
};

/// SHOW x, and SELECT of one relation or of constants.
struct Select {
    const Relation* relation = nullptr;  ///< null: constants, one row
    std::vector<Output> outputs;
    std::vector<Condition> conditions;
    std::vector<SortKey> order;
    std::optional<Operand> limit;
    std::optional<Operand> offset;
    bool shown = false;  ///< the tag is SHOW
};

/// A question of psql or a driver to Postgres' catalogue (catalogue_probe.hpp).
struct Probe {
    std::string text;
};

/// A setting of Postgres that drivers ask for or set; nothing changes here.
struct SetSetting {
    std::string tag;  ///< "SET", "RESET", "DISCARD ALL", ...
};

enum class TransactionWord : std::uint8_t { begin, commit, rollback, savepoint };

struct Transaction {
    TransactionWord word = TransactionWord::begin;
    std::string tag;
};

/// What changes what veer does. Carried out elsewhere: Operations::carry_out().
struct Command {
    enum class Verb : std::uint8_t {
        panic,
        unpanic,
        reload,
        set_traffic,
        off,
        observe,
        shadow,
        promote,
        rollback,
        rollback_all,
        hold,
        resume,
        complete,
        reopen,
        confirm,
        acknowledge,
        undo,
        reshuffle,
        verify,
        drill,
        replay,
        explain_route,
        compare_search,
        set_key,
        reset_key,
        ignore,
        unignore,
        tune,
        mismatch,
        rebuild,
        calibrate,
        doctor,
    };

    Verb verb = Verb::panic;
    std::string route = {};                    ///< as it was named; empty where none is
    std::optional<double> percent = {};        ///< SET TRAFFIC, PROMOTE ... TO
    std::optional<std::int64_t> version = {};  ///< IF VERSION
    std::string duration = {};                 ///< FOR, as it was written
    std::string reason = {};
    std::string fault = {};      ///< DRILL ... FAULT, as it was written
    double rate = 0;             ///< VERIFY ... RATE, rows a second; zero is as fast as it goes
    bool dry_run = false;        ///< of a move, or RELOAD: says what would be, changes nothing
    std::uint64_t mismatch = 0;  ///< REPLAY MISMATCH, MISMATCH
    std::optional<std::uint32_t> ef_search = {};  ///< REPLAY ... EF
    std::string search = {};       ///< EXPLAIN ROUTE, COMPARE: a statement, as it was written
    std::string role = {};         ///< EXPLAIN ROUTE ROLE: whom rules are asked about
    std::string application = {};  ///< likewise
    std::string client = {};       ///< likewise: an address
    std::string key = {};          ///< SET, RESET: "compare.load_max"
    std::string value = {};        ///< SET: as it was written
    std::string difference = {};   ///< IGNORE CLASS
    std::string fingerprint = {};  ///< IGNORE CLASS ... ON
    std::string until = {};        ///< IGNORE ... UNTIL, as it was written
    double recall = 0.99;          ///< TUNE ... RECALL

    friend bool operator==(const Command&, const Command&) = default;
};

std::string_view to_string(Command::Verb verb);

/// True for what only takes traffic away from the index: never refused for the sake of form.
bool goes_back(Command::Verb verb);

/// True for what changes nothing and tells nothing of the data: anybody's who may look.
bool only_looks(const Command& command);

struct Statement {
    std::variant<Select, Probe, SetSetting, Transaction, Command> what;
    std::vector<std::optional<Type>> parameters;  ///< as far as their use tells
};

/// Who asks, as far as statements can show it.
struct Asker {
    std::string user;
    std::string database;
    std::string server_version;
};

/// Reads one statement. Fails with the SQLSTATE that Postgres would give, or 0A000 where Postgres
/// could do it and the console cannot.
Result<Statement> read_statement(std::string_view text, const Asker& asker);

/// Columns of a statement's rows; none where it returns no rows.
std::vector<Column> columns_of(const Statement& statement, const Asker& asker);

/// The columns that RELOAD, VERIFY, DRILL, REPLAY, EXPLAIN, COMPARE, and every other command,
/// answers in.
std::vector<Column> columns_of(const Command& command);

}  // namespace veer::proxy::admin
