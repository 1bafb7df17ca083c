#include "router/function.hpp"

#include "router/function_arguments.hpp"
#include "router/rewrite.hpp"
#include "router/statement.hpp"

#include <algorithm>
#include <charconv>

namespace veer::router {

namespace {

constexpr std::size_t body_bytes_max = 8192;
constexpr std::uint32_t float8_oid = 701;

/// Order of the select list.
enum Field : std::size_t {
    oid,
    version,
    language,
    plain,
    row_type,
    source,
    parameters,
    outputs,
    field_count
};

/// Which rows of pg_proc p, with their schemas n, the call can mean.
std::string named(const parser::FunctionCall& call) {
    std::string condition = "p.proname OPERATOR(pg_catalog.=) " + plain_literal(call.name);
    if (call.schema) {
        condition += " AND n.nspname OPERATOR(pg_catalog.=) " + plain_literal(*call.schema);
    }
    return condition;
}

/// That of all functions of this name, in any schema where none is said, there is but one: then it
/// is found by its name, whatever the arguments' types; and that no cast is written so.
std::string only_one(const parser::FunctionCall& call) {
    return " AND (SELECT pg_catalog.count(*) FROM pg_catalog.pg_proc p JOIN "
           "pg_catalog.pg_namespace n"
           " ON n.oid OPERATOR(pg_catalog.=) p.pronamespace WHERE " +
           named(call) +
           ") OPERATOR(pg_catalog.=) 1 AND NOT EXISTS (SELECT FROM pg_catalog.pg_type y"
           " WHERE y.typname OPERATOR(pg_catalog.=) " +
           plain_literal(call.name) + ")";
}

/// A name in a list of fields between spaces and commas.
std::string as_hex(const std::string& expression) {
    return "pg_catalog.encode(pg_catalog.convert_to(COALESCE(" + expression +
           ", ''), 'UTF8'), 'hex')";
}

int digit(char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : 0;
}

std::string from_hex(std::string_view text) {
    std::string bytes;
    for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
        bytes += static_cast<char>(digit(text[i]) * 16 + digit(text[i + 1]));
    }
    return bytes;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    for (std::size_t at = 0; at <= text.size();) {
        const std::size_t end = std::min(text.find(separator, at), text.size());
        parts.push_back(text.substr(at, end - at));
        at = end + 1;
    }
    return parts;
}

template <class Number>
Number number_of(std::string_view text) {
    Number value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

/// A default may be any expression; here it is a constant, under a cast to a type of Postgres' own.
bool is_constant(std::string_view text) {
    using Kind = parser::FunctionCall::Argument::Kind;
    const auto call = parser::read_function_call(
        parser::normalise("SELECT 1 FROM f(" + std::string(text) + ")").text
    );
    return call && call->arguments.size() == 1 && call->arguments.front().kind != Kind::parameter &&
           call->arguments.front().kind != Kind::array && has_builtin_type(call->arguments.front());
}

std::vector<Function::Parameter> read_parameters(std::string_view field) {
    std::vector<Function::Parameter> read;
    for (const std::string_view each : split(field, ',')) {
        const std::vector<std::string_view> parts = split(each, '/');
        if (parts.size() < 4) {
            return {};
        }
        const std::string fallback = parts.size() > 4 ? from_hex(parts[4]) : std::string();
        read.push_back(
            {.name = from_hex(parts[3]),
             .type_oid = number_of<std::uint32_t>(parts[0]),
             .type_schema = from_hex(parts[1]),
             .type = from_hex(parts[2]),
             .fallback = is_constant(fallback) ? std::optional(fallback) : std::nullopt}
        );
    }
    return read;
}

std::vector<Function::Output> read_outputs(std::string_view field) {
    std::vector<Function::Output> read;
    for (const std::string_view each : split(field, ',')) {
        const std::vector<std::string_view> parts = split(each, '/');
        if (parts.size() != 4) {
            return {};
        }
        read.push_back(
            {.name = from_hex(parts[3]),
             .type_oid = number_of<std::uint32_t>(parts[0]),
             .typmod = number_of<std::int32_t>(parts[1]),
             .collation = number_of<std::uint32_t>(parts[2])}
        );
    }
    return read;
}

/// The types of the body's outputs, as columns of the route's table c; nothing where they cannot be
/// told. What is a float8 whatever the table is needs no condition.
std::optional<std::string> types_hold(
    const Function& function, const parser::NearestNeighbourQuery& query
) {
    using Kind = parser::OutputColumn::Kind;
    if (query.outputs.size() == 1 && query.outputs.front().kind == Kind::star) {
        return function.row_type == 0 ? std::nullopt
                                      : std::optional(
                                            " AND c.reltype OPERATOR(pg_catalog.=) " +
                                            std::to_string(function.row_type)
                                        );
    }
    if (query.outputs.size() != function.outputs.size()) {
        return std::nullopt;
    }
    std::string conditions;
    for (std::size_t i = 0; i < query.outputs.size(); ++i) {
        const parser::OutputColumn& given = query.outputs[i];
        const Function::Output& said = function.outputs[i];
        const bool measure =
            given.kind == Kind::distance || given.kind == Kind::similarity || given.computed;
        if (measure && said.type_oid == float8_oid) {
            continue;
        }
        if (given.kind != Kind::column) {
            return std::nullopt;
        }
        conditions +=
            " AND EXISTS (SELECT FROM pg_catalog.pg_attribute a"
            " WHERE a.attrelid OPERATOR(pg_catalog.=) c.oid"
            " AND a.attname OPERATOR(pg_catalog.=) " +
            plain_literal(given.column) + " AND a.atttypid OPERATOR(pg_catalog.=) " +
            std::to_string(said.type_oid) + " AND a.atttypmod OPERATOR(pg_catalog.=) (" +
            std::to_string(said.typmod) + ") AND a.attcollation OPERATOR(pg_catalog.=) " +
            std::to_string(said.collation) + ")";
    }
    return conditions;
}

/// The columns of a row type, whose pg_class.oid is given, as read_outputs() takes them.
std::string row_columns(const std::string& relation) {
    return "(SELECT pg_catalog.string_agg(pg_catalog.concat(a.atttypid, '/', a.atttypmod, '/', "
           "a.attcollation, '/', " +
           as_hex("a.attname") +
           "), ',' ORDER BY a.attnum) FROM pg_catalog.pg_attribute a"
           " WHERE a.attrelid OPERATOR(pg_catalog.=) " +
           relation + " AND a.attnum OPERATOR(pg_catalog.>) 0 AND NOT a.attisdropped)";
}

/// A row type's columns change without its functions' versions; OUT parameters do not.
std::string row_type_holds(const Function& function) {
    if (function.row_type == 0) {
        return {};
    }
    return " AND " +
           row_columns(
               "(SELECT r.typrelid FROM pg_catalog.pg_type r WHERE r.oid OPERATOR(pg_catalog.=) " +
               std::to_string(function.row_type) + ")"
           ) +
           " OPERATOR(pg_catalog.=) " + plain_literal(function.row_columns);
}

}  // namespace

std::string function_query(const parser::FunctionCall& call) {
    // Of a function without OUT parameters proallargtypes and proargmodes are NULL.
    const std::string types = "COALESCE(p.proallargtypes, p.proargtypes::pg_catalog.oid[])";
    const std::string arguments =
        " FROM ROWS FROM (pg_catalog.unnest(" + types +
        "), pg_catalog.unnest(p.proargnames), pg_catalog.unnest(p.proargmodes))"
        " WITH ORDINALITY AS k(type, name, mode, place)"
        " JOIN pg_catalog.pg_type y ON y.oid OPERATOR(pg_catalog.=) k.type"
        " JOIN pg_catalog.pg_namespace s ON s.oid OPERATOR(pg_catalog.=) y.typnamespace";
    const std::string is_input =
        "COALESCE(k.mode, 'i') OPERATOR(pg_catalog.=) 'i'::pg_catalog.\"char\"";
    return "SELECT p.oid, p.xmin, l.lanname"
           // Neither settings, rights nor memory of its own, one plain set of rows, ordinary types.
           ", p.prokind OPERATOR(pg_catalog.=) 'f'::pg_catalog.\"char\" AND p.proretset"
           " AND NOT p.proisstrict AND NOT p.prosecdef AND p.proconfig IS NULL"
           " AND p.provariadic OPERATOR(pg_catalog.=) 0 AND p.prosqlbody IS NULL"
           " AND NOT EXISTS (SELECT" +
           arguments +
           " WHERE y.typtype OPERATOR(pg_catalog.<>) 'b'::pg_catalog.\"char\""
           " OR COALESCE(k.mode, 'i') OPERATOR(pg_catalog.<>)"
           " ALL ('{i,o,t}'::pg_catalog.\"char\"[]))"
           ", CASE WHEN r.typtype OPERATOR(pg_catalog.=) 'c'::pg_catalog.\"char\" THEN r.oid ELSE "
           "0 END"
           ", p.prosrc, (SELECT pg_catalog.string_agg(pg_catalog.concat(k.type, '/', " +
           as_hex("s.nspname") + ", '/', " + as_hex("y.typname") + ", '/', " + as_hex("k.name") +
           ", CASE WHEN pg_catalog.pg_get_function_arg_default(p.oid, k.place::pg_catalog.int4)"
           " IS NOT NULL THEN pg_catalog.concat('/', " +
           as_hex("pg_catalog.pg_get_function_arg_default(p.oid, k.place::pg_catalog.int4)") +
           ") END), ',' ORDER BY k.place)" + arguments + " WHERE " + is_input +
           "), COALESCE((SELECT pg_catalog.string_agg(pg_catalog.concat(k.type, '/-1/', "
           "y.typcollation, '/', " +
           as_hex("k.name") + "), ',' ORDER BY k.place)" + arguments + " WHERE NOT " + is_input +
           "), " + row_columns("r.typrelid") +
           ")"
           " FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n"
           " ON n.oid OPERATOR(pg_catalog.=) p.pronamespace JOIN pg_catalog.pg_language l"
           " ON l.oid OPERATOR(pg_catalog.=) p.prolang JOIN pg_catalog.pg_type r"
           " ON r.oid OPERATOR(pg_catalog.=) p.prorettype WHERE " +
           named(call) + only_one(call) +
           // What this transaction has made of it, no other session must believe.
           " AND pg_catalog.pg_current_xact_id_if_assigned() IS NULL";
}

std::optional<Function> decode_function(
    const parser::FunctionCall& call, const std::vector<std::optional<std::string_view>>& row
) {
    if (row.size() != field_count || !row[oid] || !row[version] || !row[source]) {
        return std::nullopt;
    }
    Function function;
    function.oid = number_of<std::uint32_t>(*row[oid]);
    function.version = *row[version];
    function.row_type = number_of<std::uint32_t>(row[row_type].value_or(""));
    if (row[parameters]) {
        function.parameters = read_parameters(*row[parameters]);
    }
    if (row[outputs]) {
        function.outputs = read_outputs(*row[outputs]);
    }
    if (function.row_type != 0) {
        function.row_columns = row[outputs].value_or("");
    }
    if (row[language] != "sql") {
        function.refused = reason::function_language;
        return function;
    }
    // The one column of a function with one has a name by other rules.
    if (row[plain] != "t" || function.outputs.size() < 2 || row[source]->size() > body_bytes_max) {
        function.refused = reason::function_form;
        return function;
    }
    std::vector<std::string> names;
    for (const Function::Parameter& parameter : function.parameters) {
        names.push_back(parameter.name);
    }
    auto body = parser::read_function_body(*row[source], call.name, names);
    if (const auto* const refusal = std::get_if<parser::Refusal>(&body)) {
        function.refused = *refusal == parser::Refusal::expression ? reason::function_form
                                                                   : parser::to_string(*refusal);
    } else {
        function.body = std::get<parser::FunctionBody>(std::move(body));
    }
    return function;
}

std::variant<std::string, Reason> inlined(
    const Statement& statement,
    const parser::FunctionCall& call,
    const Function& function,
    std::span<const std::uint32_t> parameter_types
) {
    const auto at = [&](std::size_t position) {
        return statement.normalised.original_position(position);
    };
    const auto text_of = [&](const parser::FunctionCall::Argument& argument) {
        const std::size_t begin = at(argument.begin);
        return std::string_view(statement.text).substr(begin, at(argument.end) - begin);
    };
    const auto values = argument_values(call, function, parameter_types, text_of);
    if (!values) {
        return reason::function_arguments;
    }
    std::string text = statement.text.substr(0, at(call.begin));
    text.append("(").append(function.body.with(*values)).append("\n) AS ");
    text.append(quote_identifier(call.reference));
    char separator = '(';
    for (const Function::Output& output : function.outputs) {
        text += separator + quote_identifier(output.name);
        separator = ',';
    }
    return text.append(")").append(statement.text, at(call.end));
}

std::optional<std::string> function_condition(
    const parser::FunctionCall& call,
    const Function& function,
    const parser::NearestNeighbourQuery& query
) {
    const auto types = types_hold(function, query);
    // A joined table's columns could take a parameter's place, too.
    const bool alone = std::all_of(
        query.joined.begin(),
        query.joined.end(),
        [&](const parser::JoinedTable& table) {
            return table.schema == query.schema && table.table == query.table;
        }
    );
    if (!types || !alone) {
        return std::nullopt;
    }
    std::string parameters;
    for (const std::string& name : function.body.bare) {
        parameters += (parameters.empty() ? "" : ", ") + plain_literal(name) + "::pg_catalog.name";
    }
    const std::string visible = call.schema ? "true" : "pg_catalog.pg_function_is_visible(p.oid)";
    return " AND EXISTS (SELECT FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n"
           " ON n.oid OPERATOR(pg_catalog.=) p.pronamespace WHERE " +
           named(call) + " AND " + visible + " AND p.oid OPERATOR(pg_catalog.=) " +
           std::to_string(function.oid) + " AND p.xmin OPERATOR(pg_catalog.=) " +
           plain_literal(function.version) +
           "::pg_catalog.xid AND pg_catalog.has_function_privilege(p.oid, 'EXECUTE')"
           " AND pg_catalog.has_schema_privilege(n.oid, 'USAGE'))" +
           only_one(call) +
           (parameters.empty() ? std::string()
                               : " AND NOT EXISTS (SELECT FROM pg_catalog.pg_attribute a"
                                 " WHERE a.attrelid OPERATOR(pg_catalog.=) c.oid"
                                 " AND a.attname OPERATOR(pg_catalog.=) ANY (ARRAY[" +
                                     parameters + "]))") +
           row_type_holds(function) + *types;
}

}  // namespace veer::router
