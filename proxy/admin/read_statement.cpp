#include "proxy/admin/catalogue_probe.hpp"
#include "proxy/admin/cursor.hpp"
#include "proxy/admin/read_command.hpp"
#include "proxy/admin/read_select.hpp"
#include "proxy/admin/read_setting.hpp"
#include "proxy/admin/setting.hpp"
#include "proxy/admin/statement.hpp"

#include <algorithm>

namespace veer::proxy::admin {

namespace {

/// Of which a query vector of EXPLAIN ROUTE may take most.
constexpr std::size_t statement_bytes_max = std::size_t{192} * 1024;

Statement show_relation(const Relation& relation) {
    Select select;
    select.relation = &relation;
    select.shown = true;
    for (std::size_t i = 0; i < relation.columns.size(); ++i) {
        select.outputs.push_back(
            {.kind = Output::Kind::column,
             .column = i,
             .constant = {},
             .described = relation.columns[i]}
        );
    }
    return {.what = std::move(select), .parameters = {}};
}

Statement show_setting(const std::string& name, const Value& value) {
    Select select;
    select.shown = true;
    select.outputs.push_back(
        {.kind = Output::Kind::constant,
         .column = 0,
         .constant = value,
         .described = {.name = name, .type = Type::text}}
    );
    return {.what = std::move(select), .parameters = {}};
}

/// SHOW [veer.]relation | setting. What comes behind it (SHOW GATES documents) is for later.
Result<Statement> read_show(Cursor& cursor, const Asker& asker) {
    if (!cursor.peek().is_name()) {
        return cursor.unexpected();
    }
    if (cursor.skip_all({"transaction", "isolation", "level"})) {
        return show_setting("transaction_isolation", std::string("read committed"));
    }
    if (cursor.skip_all({"time", "zone"})) {
        return show_setting("TimeZone", std::string("UTC"));
    }
    const std::size_t at = cursor.peek().at;
    std::string name = cursor.next().text;
    if (name == "veer" && cursor.skip(".")) {
        name = cursor.next().text;
    }
    if (name == "doctor" && cursor.at_end()) {  // it asks the server, as no other table does
        return Statement{.what = Command{.verb = Command::Verb::doctor}, .parameters = {}};
    }
    if (const auto why = why_absent(name)) {
        return Failure{
            .sqlstate = "0A000",
            .message = "there is no SHOW " + name + ": " + std::string(*why),
            .hint = "SHOW TABLES lists what there is.",
            .position = at + 1};
    }
    if (!cursor.at_end()) {
        return cursor.unexpected();
    }
    if (const Relation* const relation = find_relation(name)) {
        return show_relation(*relation);
    }
    if (const auto value = setting_value(name, asker)) {
        return show_setting(name, *value);
    }
    return Failure{
        .sqlstate = "42704",
        .message = "unrecognized configuration parameter \"" + name + "\"",
        .hint = "SHOW TABLES lists what can be shown.",
        .position = at + 1};
}

/// SET [SESSION | LOCAL] name ..., RESET name. Drivers do it; here is nothing to be set.
Result<Statement> read_set(Cursor& cursor, std::string tag) {
    if (!cursor.skip("session")) {
        cursor.skip("local");
    }
    const Token name = cursor.next();
    const bool words = name.is("transaction") || name.is("time") || name.is("names") ||
                       name.is("characteristics") || name.is("all") || name.is("role") ||
                       name.is("authorization");
    if (name.is_name() && (words || is_known_setting(name.text))) {
        return Statement{.what = SetSetting{.tag = std::move(tag)}, .parameters = {}};
    }
    return Failure{
        .sqlstate = "42704",
        .message = "unrecognized configuration parameter \"" + name.text + "\"",
        .hint = "What veer.toml has is changed there and by RELOAD, or by SET table.key = value.",
        .position = name.at + 1};
}

std::optional<Statement> read_transaction_word(Cursor& cursor) {
    using Word = TransactionWord;
    const auto make = [](Word word, const char* tag) {
        return Statement{.what = Transaction{.word = word, .tag = tag}, .parameters = {}};
    };
    if (cursor.skip("begin")) {
        return make(Word::begin, "BEGIN");
    }
    if (cursor.skip_all({"start", "transaction"})) {
        return make(Word::begin, "START TRANSACTION");
    }
    if (cursor.skip("commit") || cursor.skip("end")) {
        return make(Word::commit, "COMMIT");
    }
    // With a route's name it is a command.
    const Token& behind = cursor.peek(1);
    const bool plain = behind.kind == Token::Kind::end || behind.is("work") ||
                       behind.is("transaction") || behind.is("to");
    if (cursor.peek().is("abort") || (cursor.peek().is("rollback") && plain)) {
        return make(behind.is("to") ? Word::savepoint : Word::rollback, "ROLLBACK");
    }
    if (cursor.skip("savepoint")) {
        return make(Word::savepoint, "SAVEPOINT");
    }
    if (cursor.skip("release")) {
        return make(Word::savepoint, "RELEASE");
    }
    return std::nullopt;
}

/// Of the console's own relations: pg_recall, pg_ms.
bool names_a_column(const std::string& name) {
    const auto all = relations();
    return std::any_of(all.begin(), all.end(), [&name](const Relation& relation) {
        return std::any_of(
            relation.columns.begin(),
            relation.columns.end(),
            [&name](const Column& column) { return column.name == name; }
        );
    });
}

bool asks_catalogue(const std::vector<Token>& tokens) {
    bool from = false;
    bool catalogue = false;
    for (const Token& token : tokens) {
        from = from || token.is("from");
        const bool theirs = token.text.starts_with("pg_") && !names_a_column(token.text);
        catalogue =
            catalogue || (token.is_name() && (theirs || token.text == "information_schema"));
    }
    return from && catalogue;
}

/// Of what is asked about one search; none of other commands.
std::vector<Column> columns_of_look(Command::Verb verb) {
    if (verb == Command::Verb::replay) {
        return {
            {"id", Type::integer},
            {"route", Type::text},
            {"look", Type::text},
            {"ef_search", Type::integer},
            {"class", Type::text},
            {"severity", Type::text},
            {"recall", Type::number},
            {"pg_recall", Type::number},
            {"ms", Type::number},
            {"pg_ms", Type::number}};
    }
    if (verb == Command::Verb::tune) {
        return {
            {"ef", Type::integer},
            {"searches", Type::integer},
            {"recall", Type::number},
            {"recall_at_least", Type::number},
            {"ms", Type::number},
            {"next_step", Type::text}};
    }
    if (verb == Command::Verb::explain_route) {
        return {
            {"engine", Type::text},
            {"reason", Type::text},
            {"explanation", Type::text},
            {"route", Type::text},
            {"effective_pct", Type::number},
            {"bucket_pct", Type::number},
            {"rule", Type::text},
            {"k", Type::integer},
            {"fingerprint", Type::text}};
    }
    if (verb == Command::Verb::calibrate) {
        return {
            {"measure", Type::text},
            {"samples", Type::integer},
            {"p50", Type::number},
            {"p99", Type::number},
            {"max", Type::number},
            {"allowed", Type::number},
            {"verdict", Type::text}};
    }
    if (verb == Command::Verb::compare_search || verb == Command::Verb::mismatch) {
        return {
            {"place", Type::integer},
            {"veer", Type::text},
            {"veer_distance", Type::number},
            {"exact", Type::text},
            {"exact_distance", Type::number},
            {"postgres", Type::text},
            {"pg_distance", Type::number},
            {"class", Type::text},
            {"recall", Type::number},
            {"pg_recall", Type::number},
            {"ef_search", Type::integer},
            {"ms", Type::number},
            {"pg_ms", Type::number}};
    }
    return {};
}

}  // namespace

Result<Statement> read_statement(std::string_view text, const Asker& asker) {
    if (text.size() > statement_bytes_max) {
        return Failure{.sqlstate = "54001", .message = "a statement of more than 192 KiB"};
    }
    const auto tokens = read_tokens(text);
    if (tokens.has_error()) {
        return tokens.error();
    }
    Cursor cursor(*tokens);
    if ((cursor.peek().is("select") || cursor.peek().is("with")) && asks_catalogue(*tokens)) {
        return Statement{.what = Probe{.text = std::string(text)}, .parameters = {}};
    }
    if (cursor.skip("select")) {
        return read_select(cursor, asker);
    }
    if (cursor.skip("show")) {
        return read_show(cursor, asker);
    }
    if (auto setting = read_setting(cursor, text)) {
        if (setting->has_error()) {
            return setting->error();
        }
        return Statement{.what = **std::move(setting), .parameters = {}};
    }
    if (cursor.peek().is("set") && !cursor.peek(1).is("route")) {
        cursor.next();
        return read_set(cursor, "SET");
    }
    if (cursor.skip("reset")) {
        return read_set(cursor, "RESET");
    }
    if (cursor.skip_all({"discard", "all"}) || cursor.skip_all({"deallocate", "all"})) {
        return Statement{.what = SetSetting{.tag = "DISCARD ALL"}, .parameters = {}};
    }
    if (auto transaction = read_transaction_word(cursor)) {
        return *std::move(transaction);
    }
    if (auto asked = read_asked_search(cursor, text)) {
        if (asked->has_error()) {
            return asked->error();
        }
        return Statement{.what = **std::move(asked), .parameters = {}};
    }
    auto command = read_command(cursor);
    if (command.has_error()) {
        return command.error();
    }
    return Statement{.what = *std::move(command), .parameters = {}};
}

std::vector<Column> columns_of(const Command& command) {
    if (command.verb == Command::Verb::reload || command.verb == Command::Verb::set_key ||
        command.verb == Command::Verb::reset_key) {
        return {
            {"key", Type::text}, {"old", Type::text}, {"new", Type::text}, {"applies", Type::text}};
    }
    if (command.verb == Command::Verb::verify) {
        return {
            {"table", Type::text},
            {"result", Type::text},
            {"detail", Type::text},
            {"rows", Type::integer},
            {"differences", Type::integer},
            {"repaired", Type::integer}};
    }
    if (command.verb == Command::Verb::drill) {
        return {
            {"route", Type::text},
            {"fault", Type::text},
            {"outcome", Type::text},
            {"guard", Type::text},
            {"answers", Type::integer},
            {"rolled_back_ms", Type::number},
            {"confirmed_ms", Type::number},
            {"answers_take_ms", Type::integer},
            {"diverted", Type::integer},
            {"late", Type::integer},
            {"fallbacks", Type::integer},
            {"client_errors", Type::integer}};
    }
    if (command.verb == Command::Verb::doctor) {
        return {
            {"code", Type::text},
            {"section", Type::text},
            {"check", Type::text},
            {"status", Type::text},
            {"fix", Type::text}};
    }
    if (auto columns = columns_of_look(command.verb); !columns.empty()) {
        return columns;
    }
    return {{"result", Type::text}, {"version", Type::integer}, {"next_step", Type::text}};
}

std::vector<Column> columns_of(const Statement& statement, const Asker& /*asker*/) {
    if (const auto* select = std::get_if<Select>(&statement.what)) {
        std::vector<Column> columns;
        for (const Output& output : select->outputs) {
            columns.push_back(output.described);
        }
        return columns;
    }
    if (const auto* probe = std::get_if<Probe>(&statement.what)) {
        return probe_columns(probe->text);
    }
    if (const auto* command = std::get_if<Command>(&statement.what)) {
        return columns_of(*command);
    }
    return {};
}

}  // namespace veer::proxy::admin
