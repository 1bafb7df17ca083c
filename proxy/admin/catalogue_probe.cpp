#include "proxy/admin/catalogue_probe.hpp"

#include "proxy/admin/lexer.hpp"

#include <algorithm>
#include <functional>
#include <map>

namespace veer::proxy::admin {

namespace {

using Kind = Token::Kind;

/// A row of the catalogue, by the names that a query can give its columns.
using Fields = std::map<std::string, std::string, std::less<>>;

std::vector<Token> tokens_of(std::string_view text) {
    auto tokens = read_tokens(text);
    return tokens.has_error() ? std::vector<Token>(1) : *std::move(tokens);
}

/// The position of a word outside of all parentheses, from `from` on; the end where it is not.
std::size_t find_word(const std::vector<Token>& tokens, std::string_view word, std::size_t from) {
    int depth = 0;
    for (std::size_t i = from; i < tokens.size(); ++i) {
        depth += tokens[i].is("(") ? 1 : (tokens[i].is(")") ? -1 : 0);
        if (depth == 0 && tokens[i].is(word)) {
            return i;
        }
    }
    return tokens.size() - 1;
}

/// As Postgres names an output column: by its alias, its column, its function.
std::string output_name(const std::vector<Token>& tokens, std::size_t begin, std::size_t end) {
    std::string name = "?column?";
    int depth = 0;
    bool cast = false;
    for (std::size_t i = begin; i < end; ++i) {
        const Token& token = tokens[i];
        depth += token.is("(") ? 1 : (token.is(")") ? -1 : 0);
        if (depth == 0 && token.is("as") && i + 1 < end) {
            return tokens[i + 1].text;
        }
        cast = cast || (depth == 0 && token.is("::"));
        if (depth == 0 && !cast && token.is("case")) {
            name = "case";
            cast = true;
        } else if (depth == 0 && !cast && token.is_name() && !token.is("null")) {
            name = token.text;
        }
    }
    // "... END name" and "expression name": an alias without AS
    const bool alias = end > begin + 1 && tokens[end - 1].is_name() && !tokens[end - 1].is("end") &&
                       (tokens[end - 2].is_name() || tokens[end - 2].is(")") ||
                        tokens[end - 2].kind == Kind::string);
    return alias ? tokens[end - 1].text : name;
}

std::vector<std::string> output_names(const std::vector<Token>& tokens) {
    const std::size_t select = find_word(tokens, "select", 0);
    const std::size_t from = find_word(tokens, "from", select);
    std::size_t begin = select + 1;
    while (begin < from && (tokens[begin].is("distinct") || tokens[begin].is("all"))) {
        ++begin;
    }
    std::vector<std::string> names;
    int depth = 0;
    for (std::size_t i = begin; i <= from && i < tokens.size(); ++i) {
        depth += tokens[i].is("(") ? 1 : (tokens[i].is(")") ? -1 : 0);
        if (i == from || (depth == 0 && tokens[i].is(","))) {
            names.push_back(output_name(tokens, begin, i));
            begin = i + 1;
        }
    }
    return names;
}

/// The first relation that is read, without its schema.
std::string source_of(const std::vector<Token>& tokens) {
    std::size_t at = find_word(tokens, "from", find_word(tokens, "select", 0)) + 1;
    std::string name;
    while (at < tokens.size() && tokens[at].is_name()) {
        name = tokens[at].text;
        if (at + 1 >= tokens.size() || !tokens[at + 1].is(".")) {
            break;
        }
        at += 2;
    }
    return name;
}

bool mentions(const std::vector<Token>& tokens, std::string_view name) {
    return std::any_of(tokens.begin(), tokens.end(), [name](const Token& each) {
        return each.is_name() && each.text == name;
    });
}

/// '^(routes|r.*)$' of psql's patterns as LIKE. Other regular expressions are taken letter by
/// letter.
std::string like_of_regex(std::string_view regex) {
    std::string pattern;
    const bool anchored = regex.starts_with('^');
    std::string_view rest = regex;
    for (const std::string_view prefix : {"^", "("}) {
        if (rest.starts_with(prefix)) {
            rest.remove_prefix(1);
        }
    }
    const bool ends = rest.ends_with('$');
    for (const std::string_view suffix : {"$", ")"}) {
        if (rest.ends_with(suffix)) {
            rest.remove_suffix(1);
        }
    }
    pattern += anchored ? "" : "%";
    for (std::size_t i = 0; i < rest.size(); ++i) {
        if (rest.substr(i).starts_with(".*")) {
            pattern += '%';
            ++i;
        } else if (rest[i] == '.') {
            pattern += '_';
        } else {
            pattern += rest[i] == '_' || rest[i] == '%' ? "\\" : "";
            pattern += rest[i];
        }
    }
    return pattern + (ends ? "" : "%");
}

struct Filter {
    std::string field;
    std::string pattern;  ///< of LIKE
};

std::string escaped(std::string_view text) {
    std::string pattern;
    for (const char c : text) {
        pattern += c == '%' || c == '_' || c == '\\' ? "\\" : "";
        pattern += c;
    }
    return pattern;
}

/// field = 'x', field LIKE 'x', field ~ 'x', field OPERATOR(pg_catalog.~) 'x'; nothing of any
/// other.
std::optional<Filter> filter_at(const std::vector<Token>& tokens, std::size_t at) {
    constexpr std::size_t words_max = 8;
    std::string op;
    for (std::size_t i = at + 1; i < tokens.size() && i < at + words_max; ++i) {
        const Token& token = tokens[i];
        if (token.kind == Kind::string && op.find('!') != std::string::npos) {
            return std::nullopt;
        }
        if (token.kind == Kind::string && op.find('~') != std::string::npos) {
            return Filter{tokens[at].text, like_of_regex(token.text)};
        }
        if (token.kind == Kind::string && (op == "=" || op == "like")) {
            return Filter{tokens[at].text, op == "=" ? escaped(token.text) : token.text};
        }
        const bool part = token.kind == Kind::symbol || token.is("operator") ||
                          token.is("pg_catalog") || token.is("like");
        if (!part || token.is(",") || token.is("<>")) {
            return std::nullopt;
        }
        op += token.kind == Kind::symbol &&
                      std::string_view("().").find(token.text[0]) != std::string_view::npos
                  ? ""
                  : (token.is("operator") || token.is("pg_catalog") ? "" : token.text);
    }
    return std::nullopt;
}

bool passes(const Fields& fields, const std::vector<Token>& tokens) {
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        const auto field = tokens[i].is_name() ? fields.find(tokens[i].text) : fields.end();
        if (field == fields.end()) {
            continue;
        }
        const auto filter = filter_at(tokens, i);
        if (filter && !is_like(field->second, filter->pattern)) {
            return false;
        }
    }
    return true;
}

/// relkind IN ('v', 'm'): tables are not asked for.
bool leaves_tables_out(const std::vector<Token>& tokens) {
    for (std::size_t i = 0; i + 2 < tokens.size(); ++i) {
        if (!tokens[i].is("relkind") || !tokens[i + 1].is("in")) {
            continue;
        }
        for (std::size_t j = i + 2; j < tokens.size() && !tokens[j].is(")"); ++j) {
            if (tokens[j].kind == Kind::string && tokens[j].text == "r") {
                return false;
            }
        }
        return true;
    }
    return false;
}

std::vector<Fields> tables(const Asker& asker) {
    std::vector<Fields> rows;
    for (const Relation& relation : relations()) {
        const std::string name(relation.name);
        rows.push_back(
            {{"oid", std::to_string(oid_of(relation))},
             {"Schema", "veer"},
             {"nspname", "veer"},
             {"schemaname", "veer"},
             {"table_schema", "veer"},
             {"table_catalog", asker.database},
             {"Name", name},
             {"relname", name},
             {"tablename", name},
             {"table_name", name},
             {"Type", "table"},
             {"table_type", "BASE TABLE"},
             {"Owner", "veer"},
             {"Persistence", "permanent"},
             {"Description", std::string(relation.about)},
             {"relkind", "r"},
             {"relchecks", "0"},
             {"relhasindex", "f"},
             {"relhasrules", "f"},
             {"relhastriggers", "f"},
             {"relrowsecurity", "f"},
             {"relforcerowsecurity", "f"},
             {"relhasoids", "f"},
             {"relispartition", "f"},
             {"?column?", ""},
             {"reltablespace", "0"},
             {"case", ""},
             {"relpersistence", "p"},
             {"relreplident", "d"},
             {"amname", ""}}
        );
    }
    return rows;
}

std::vector<Fields> columns() {
    std::vector<Fields> rows;
    for (const Relation& relation : relations()) {
        int number = 0;
        for (const Column& column : relation.columns) {
            const TypeFacts type = facts_of(column.type);
            rows.push_back(
                {{"attrelid", std::to_string(oid_of(relation))},
                 {"attname", column.name},
                 {"column_name", column.name},
                 {"format_type", std::string(type.name)},
                 {"data_type", std::string(type.name)},
                 {"atttypid", std::to_string(type.oid)},
                 {"attnum", std::to_string(++number)},
                 {"ordinal_position", std::to_string(number)},
                 {"atttypmod", "-1"},
                 {"attnotnull", "f"},
                 {"is_nullable", "YES"},
                 {"attidentity", ""},
                 {"attgenerated", ""},
                 {"table_schema", "veer"},
                 {"nspname", "veer"},
                 {"relname", std::string(relation.name)},
                 {"table_name", std::string(relation.name)}}
            );
        }
    }
    return rows;
}

std::vector<Fields> rows_of(
    const std::string& source, const std::vector<Token>& tokens, const Asker& asker
) {
    if (source == "pg_class" || source == "pg_tables" || source == "tables") {
        const bool other = mentions(tokens, "pg_inherits") || leaves_tables_out(tokens);
        return other ? std::vector<Fields>{} : tables(asker);
    }
    if (source == "pg_attribute" || source == "columns") {
        return columns();
    }
    if (source == "pg_database") {
        return {
            {{"Name", asker.database},
             {"datname", asker.database},
             {"Owner", "veer"},
             {"Encoding", "UTF8"},
             {"Collate", "C"},
             {"Ctype", "C"},
             {"Locale Provider", "libc"}}};
    }
    if (source == "pg_namespace" || source == "schemata") {
        return {
            {{"Name", "veer"}, {"nspname", "veer"}, {"schema_name", "veer"}, {"Owner", "veer"}}};
    }
    return {};
}

}  // namespace

std::vector<Column> probe_columns(std::string_view text) {
    std::vector<Column> columns;
    for (std::string& name : output_names(tokens_of(text))) {
        columns.push_back({.name = std::move(name), .type = Type::text});
    }
    return columns;
}

std::vector<Row> probe_rows(std::string_view text, const Asker& asker) {
    const std::vector<Token> tokens = tokens_of(text);
    const std::vector<std::string> names = output_names(tokens);
    std::vector<Row> rows;
    for (const Fields& fields : rows_of(source_of(tokens), tokens, asker)) {
        if (!passes(fields, tokens)) {
            continue;
        }
        Row row;
        for (const std::string& name : names) {
            const auto field = fields.find(name);
            row.push_back(field == fields.end() ? Value{} : Value(field->second));
        }
        rows.push_back(std::move(row));
    }
    return rows;
}

}  // namespace veer::proxy::admin
