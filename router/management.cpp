#include "router/management.hpp"

#include "router/management_row.hpp"
#include "router/rewrite.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace veer::router {

namespace {

using Management = parser::Management;
using Kind = Management::Kind;

template <class T>
using Or = std::variant<T, Complaint>;

Complaint complaint(std::string_view sqlstate, std::string message, std::string hint = {}) {
    return {std::string(sqlstate), std::move(message), std::move(hint)};
}

/// One of pgvector's: the distance of two of one type.
struct OperatorClass {
    std::string_view name;
    std::string_view type;
    std::string_view operator_name;
};

constexpr std::array<OperatorClass, 14> operator_classes{
    {{"vector_l2_ops", "vector", "<->"},
     {"vector_ip_ops", "vector", "<#>"},
     {"vector_cosine_ops", "vector", "<=>"},
     {"vector_l1_ops", "vector", "<+>"},
     {"halfvec_l2_ops", "halfvec", "<->"},
     {"halfvec_ip_ops", "halfvec", "<#>"},
     {"halfvec_cosine_ops", "halfvec", "<=>"},
     {"halfvec_l1_ops", "halfvec", "<+>"},
     {"sparsevec_l2_ops", "sparsevec", "<->"},
     {"sparsevec_ip_ops", "sparsevec", "<#>"},
     {"sparsevec_cosine_ops", "sparsevec", "<=>"},
     {"sparsevec_l1_ops", "sparsevec", "<+>"},
     {"bit_hamming_ops", "bit", "<~>"},
     {"bit_jaccard_ops", "bit", "<%>"}}};

constexpr std::array<std::pair<std::string_view, std::string_view>, 10> metrics{
    {{"l2", "<->"},
     {"euclidean", "<->"},
     {"cosine", "<=>"},
     {"ip", "<#>"},
     {"inner_product", "<#>"},
     {"l1", "<+>"},
     {"manhattan", "<+>"},
     {"hamming", "<~>"},
     {"jaccard", "<%>"},
     {"", "<->"}}};  // RuVector's default

constexpr std::array<std::string_view, 5> foreign_types{
    "_float4", "_float8", "text", "varchar", "jsonb"};

bool is_true(const std::optional<std::string_view>& field) {
    return field == "t";
}

std::string name_of(const Management& management) {
    return management.schema ? *management.schema + '.' + management.table : management.table;
}

/// As a message about a transaction names it.
std::string_view called(const Management& management) {
    switch (management.kind) {
        case Kind::create_index:
            return "CREATE INDEX USING veer";
        case Kind::drop_index:
            return "DROP INDEX of an index of veer's";
        case Kind::enlist:
            return "veer.register()";
        case Kind::unlist:
            break;
    }
    return "veer.unregister()";
}

/// What stands against it before anything is looked at.
std::optional<Complaint> refuse(const Management& management, const ManagementPlace& place) {
    if (place.in_transaction || !management.alone) {
        return refuse_in_transaction(management);
    }
    return management.refused.empty() ? std::nullopt
                                      : std::optional(complaint("0A000", management.refused));
}

std::optional<Complaint> refuse_table(const Management& management, const ManagementRow& row) {
    if (!row[table_usage]) {
        return complaint("3F000", "schema \"" + *management.schema + "\" does not exist");
    }
    if (!is_true(row[table_usage])) {
        return complaint("42501", "permission denied for schema " + *management.schema);
    }
    if (!row[table_schema]) {
        return complaint("42P01", "relation \"" + name_of(management) + "\" does not exist");
    }
    const std::string_view kind = *row[table_kind];
    if (!is_true(row[table_owned])) {
        return complaint(
            "42501",
            std::string("must be owner of ") +
                (kind == "v"                  ? "view "
                 : kind == "m"                ? "materialized view "
                 : kind == "f"                ? "foreign table "
                 : kind == "i" || kind == "I" ? "index "
                 : kind == "S"                ? "sequence "
                 : kind == "c"                ? "type "
                                              : "table ") +
                management.table
        );
    }
    if (kind != "r" && kind != "p") {
        return complaint("42809", "cannot create index on relation \"" + management.table + '"');
    }
    if (management.kind == Kind::create_index && !is_true(row[table_creates])) {
        return complaint(
            "42501", "permission denied for schema " + std::string(*row[table_schema])
        );
    }
    if (*row[table_persistence] != "p") {
        return complaint(
            "0A000",
            "veer has no index on " + management.table + ", which is " +
                (*row[table_persistence] == "t" ? "temporary" : "unlogged"),
            "What is not in the log cannot be followed."
        );
    }
    return std::nullopt;
}

bool is_native(std::string_view type) {
    return std::any_of(operator_classes.begin(), operator_classes.end(), [type](const auto& each) {
        return each.type == type;
    });
}

bool is_foreign(std::string_view type) {
    return std::find(foreign_types.begin(), foreign_types.end(), type) != foreign_types.end();
}

/// The operator of the class, on the column's type.
Or<std::string> operator_of_class(const Management& management, const ManagementRow& row) {
    const std::string& wanted = management.operator_class;
    const std::string type(*row[table_type_text]);
    if (wanted.empty()) {
        return complaint(
            "42704",
            "data type " + type + " has no default operator class for access method \"veer\"",
            "You must specify an operator class for the index or define a default operator class "
            "for the data type."
        );
    }
    const auto* const found = std::find_if(
        operator_classes.begin(),
        operator_classes.end(),
        [&wanted](const OperatorClass& each) { return each.name == wanted; }
    );
    if (found == operator_classes.end() || !is_true(row[table_class])) {
        return complaint(
            "42704",
            "operator class \"" + wanted + "\" does not exist for access method \"veer\"",
            found == operator_classes.end() ? "They are pgvector's, such as vector_cosine_ops."
                                            : "It comes with: CREATE EXTENSION vector;"
        );
    }
    const std::string_view of_column = *row[table_type];
    if (of_column != found->type && !(found->type == "vector" && is_foreign(of_column))) {
        return complaint(
            "42804", "operator class \"" + wanted + "\" does not accept data type " + type
        );
    }
    return std::string(found->operator_name);
}

Or<std::string> operator_of_metric(const Management& management, const ManagementRow& row) {
    const auto* const found =
        std::find_if(metrics.begin(), metrics.end(), [&management](const auto& each) {
            return each.first == management.metric;
        });
    if (found == metrics.end()) {
        return complaint(
            "22023",
            "there is no metric \"" + management.metric + '"',
            "There are l2, cosine, ip, l1, hamming and jaccard."
        );
    }
    const std::string_view type = *row[table_type];
    const std::string_view compared = is_foreign(type) ? "vector" : type;
    const bool fits = std::any_of(
        operator_classes.begin(),
        operator_classes.end(),
        [&](const OperatorClass& each) {
            return each.type == compared && each.operator_name == found->second;
        }
    );
    if (!fits) {
        return complaint(
            "42804",
            is_native(compared) ? "data type " + std::string(*row[table_type_text]) +
                                      " has no metric \"" + management.metric + '"'
                                : "data type " + std::string(*row[table_type_text]) +
                                      " holds no vectors that veer can read"
        );
    }
    return std::string(found->second);
}

/// An integer option between two bounds, in the words of a storage parameter.
std::optional<Complaint> read_option(
    const Management::Option& option, std::int64_t least, std::int64_t most, std::int64_t& value
) {
    const std::string& text = option.value;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (problem != std::errc{} || end != text.data() + text.size()) {
        return complaint(
            "22023", "invalid value for integer option \"" + option.name + "\": " + text
        );
    }
    if (value < least || value > most) {
        return complaint(
            "22023",
            "value " + text + " out of bounds for option \"" + option.name + '"',
            "Valid values are between \"" + std::to_string(least) + "\" and \"" +
                std::to_string(most) + "\"."
        );
    }
    return std::nullopt;
}

constexpr std::int64_t dimensions_max = 16'000;

std::optional<Complaint> read_option(
    const Management::Option& option, Declaration& declaration, std::optional<std::int64_t>& given
) {
    std::int64_t value = 0;
    if (option.name == "m") {
        auto why = read_option(option, 2, 100, value);
        declaration.m = static_cast<std::uint32_t>(value);
        return why;
    }
    if (option.name == "ef_construction") {
        auto why = read_option(option, 4, 1000, value);
        declaration.ef_construction = static_cast<std::uint32_t>(value);
        return why;
    }
    if (option.name == "dimensions") {
        auto why = read_option(option, 1, dimensions_max, value);
        given = value;
        return why;
    }
    if (option.name != "quantization") {
        return complaint("22023", "unrecognized parameter \"" + option.name + '"');
    }
    declaration.quantization = option.value;
    const bool known = option.value == "auto" || option.value == "none" || option.value == "sq8";
    return known ? std::nullopt
                 : std::optional(complaint(
                       "22023",
                       "invalid value for enum option \"quantization\": " + option.value,
                       "Valid values are \"auto\", \"none\" and \"sq8\"."
                   ));
}

std::optional<Complaint> read_options(
    const Management& management, Declaration& declaration, std::optional<std::int64_t>& given
) {
    for (const Management::Option& option : management.options) {
        const auto same = [&option](const Management::Option& other) {
            return other.name == option.name;
        };
        if (std::count_if(management.options.begin(), management.options.end(), same) > 1) {
            return complaint("22023", "parameter \"" + option.name + "\" specified more than once");
        }
        if (auto why = read_option(option, declaration, given)) {
            return why;
        }
    }
    return declaration.ef_construction < 2 * declaration.m
               ? std::optional(
                     complaint("22023", "ef_construction must be greater than or equal to 2 * m")
                 )
               : std::nullopt;
}

/// 0 where the column's type says it.
Or<std::int32_t> dimensions_of(const ManagementRow& row, const std::optional<std::int64_t>& given) {
    if (given && (*given < 1 || *given > dimensions_max)) {
        return complaint(
            "22023",
            std::to_string(*given) + " is no number of dimensions",
            "It is one from 1 to 16000."
        );
    }
    std::int32_t typmod = 0;
    const std::string_view text = *row[table_typmod];
    std::from_chars(text.data(), text.data() + text.size(), typmod);
    const bool native = is_native(*row[table_type]);
    if (native && typmod <= 0 && *row[table_type] != "vector") {
        return complaint(
            "22023",
            "column does not have dimensions",
            "Those of a " + std::string(*row[table_type]) + " are said by its type alone."
        );
    }
    if (!native || typmod <= 0) {
        return given ? Or<std::int32_t>(static_cast<std::int32_t>(*given))
                     : complaint(
                           "22023",
                           "column does not have dimensions",
                           "Say them: WITH (dimensions = 384), or the fifth argument of "
                           "veer.register()."
                       );
    }
    if (given && *given != typmod) {
        return complaint(
            "22000",
            "expected " + std::to_string(typmod) + " dimensions, not " + std::to_string(*given)
        );
    }
    return 0;
}

/// A name of index_names() that neither Postgres nor veer has in that schema; nothing where each is
/// somebody's.
std::optional<std::string> free_name(
    const Management& management, const ManagementRow& row, const Declarations::All& known
) {
    const std::string taken = ' ' + std::string(row[table_names].value_or("")) + ' ';
    const std::vector<std::string> names = index_names(management);
    for (std::size_t i = 0; i < names.size(); ++i) {
        const bool own = taken.find(' ' + std::to_string(i + 1) + ' ') != std::string::npos;
        const bool declared = std::any_of(known.begin(), known.end(), [&](const Declaration& each) {
            return each.kind == Declaration::Kind::index && each.name == names[i] &&
                   each.schema == *row[table_schema];
        });
        if (!own && !declared) {
            return names[i];
        }
    }
    return std::nullopt;
}

ManagementDecision make(
    const Management& management, const ManagementRow& row, const Declarations::All& known
) {
    if (auto why = refuse_table(management, row)) {
        return *std::move(why);
    }
    const bool index = management.kind == Kind::create_index;
    if (!row[table_type]) {
        return complaint("42703", "column \"" + management.column + "\" does not exist");
    }
    if (is_true(row[table_generated])) {
        return complaint(
            "0A000",
            "veer has no index on generated columns, such as " + management.column,
            "They do not come with logical replication."
        );
    }
    auto op = index ? operator_of_class(management, row) : operator_of_metric(management, row);
    if (auto* const why = std::get_if<Complaint>(&op)) {
        return std::move(*why);
    }
    Declaration declaration;
    declaration.kind = index ? Declaration::Kind::index : Declaration::Kind::collection;
    declaration.schema = *row[table_schema];
    declaration.table = management.table;
    declaration.column = management.column;
    declaration.operator_name = std::get<std::string>(op);
    std::optional<std::int64_t> given = management.dimensions;
    if (auto why = read_options(management, declaration, given)) {
        return *std::move(why);
    }
    auto dimensions = dimensions_of(row, given);
    if (auto* const why = std::get_if<Complaint>(&dimensions)) {
        return std::move(*why);
    }
    declaration.dimensions = std::get<std::int32_t>(dimensions);
    if (!index && management.name.find('.') != std::string::npos) {
        return complaint(
            "42602",
            "invalid name of a collection: \"" + management.name + '"',
            "With a dot in it, it would be one of a table or an index."
        );
    }
    const auto name = index ? free_name(management, row, known) : std::optional(management.name);
    if (!name) {
        const std::string exists =
            "relation \"" + index_names(management).front() + "\" already exists";
        if (management.if_there && !management.name.empty()) {
            return ManagementChange{ManagementChange::Kind::nothing, {}, exists + ", skipping", {}};
        }
        return complaint("42P07", exists);
    }
    declaration.name = *name;
    if (auto why = collision(declaration, known)) {
        return *std::move(why);
    }
    std::string what = (index ? "index \"" : "collection \"") + declaration.name + "\" on " +
                       declaration.schema + '.' + declaration.table + " (" + declaration.column +
                       ')';
    return ManagementChange{
        ManagementChange::Kind::add,
        std::move(declaration),
        "veer makes " + std::move(what) + "; until it is complete Postgres answers",
        "SHOW veer.routes tells how far it is."};
}

ManagementDecision drop_index(
    const Management& management, const ManagementRow& row, const Declarations::All& known
) {
    const auto found = std::find_if(known.begin(), known.end(), [&](const Declaration& each) {
        return each.kind == Declaration::Kind::index && each.name == management.name &&
               row[index_schema] == each.schema;
    });
    if (found == known.end() || is_true(row[index_own])) {
        return ToPostgres{};
    }
    if (row[index_owned] && !is_true(row[index_owned])) {
        return complaint("42501", "must be owner of index " + management.name);
    }
    return ManagementChange{ManagementChange::Kind::remove, *found, {}, {}};
}

ManagementDecision unlist(
    const Management& management, const ManagementRow& row, const Declarations::All& known
) {
    const Declaration* const found = find_collection(known, management.name);
    if (found == nullptr) {
        const bool index = std::any_of(known.begin(), known.end(), [&](const Declaration& each) {
            return each.name == management.name;
        });
        return complaint(
            "42704",
            "collection \"" + management.name + "\" does not exist",
            index ? "It is an index: DROP INDEX takes it away." : "SHOW veer.routes lists them."
        );
    }
    if (row[collection_owned] && !is_true(row[collection_owned])) {
        return complaint("42501", "must be owner of table " + found->table);
    }
    return ManagementChange{ManagementChange::Kind::remove, *found, {}, {}};
}

std::size_t row_size(const Management& management) {
    switch (management.kind) {
        case Kind::create_index:
        case Kind::enlist:
            return table_row_size;
        case Kind::drop_index:
            return index_row_size;
        case Kind::unlist:
            break;
    }
    return collection_row_size;
}

}  // namespace

Complaint refuse_in_transaction(const Management& management) {
    return complaint(
        "25001", std::string(called(management)) + " cannot run inside a transaction block"
    );
}

Complaint refuse_encoding() {
    return complaint(
        "0A000",
        "veer reads names outside of ASCII where client_encoding is UTF8",
        "SET client_encoding = 'UTF8';"
    );
}

ManagementDecision decide_gone(const Management& management, const ManagementRow& row) {
    const bool gone = management.kind == Kind::drop_index && row.size() == index_row_size &&
                      !is_true(row[index_taken]) && !row[index_schema];
    if (!gone) {
        return complaint(
            "55000", "what veer knew of the statement has changed", "Prepare it again."
        );
    }
    std::string why = "index \"" + management.name + "\" does not exist";
    return management.if_there ? ManagementDecision(ManagementChange{
                                     ManagementChange::Kind::nothing, {}, why + ", skipping", {}})
                               : complaint("42704", std::move(why));
}

ManagementDecision decide_management(
    const Management& management,
    const ManagementRow& row,
    const Declarations::All& known,
    const ManagementPlace& place
) {
    const bool makes = management.kind == Kind::create_index || management.kind == Kind::enlist;
    const bool drops = management.kind == Kind::drop_index;
    if (row.size() != row_size(management) || is_true(row[table_taken])) {
        return ToPostgres{};
    }
    const bool elsewhere = row[table_database] != place.database;
    if (drops && (elsewhere || !row[index_schema] || is_true(row[index_own]))) {
        return ToPostgres{};
    }
    if (auto why = refuse(management, place)) {
        return *std::move(why);
    }
    if (elsewhere) {
        return complaint(
            "0A000",
            "veer follows the database \"" + std::string(place.database) + "\", and not this one"
        );
    }
    if (makes) {
        return make(management, row, known);
    }
    return drops ? drop_index(management, row, known) : unlist(management, row, known);
}

std::string_view tag_of(const Management& management) {
    switch (management.kind) {
        case Kind::create_index:
            return "CREATE INDEX";
        case Kind::drop_index:
            return "DROP INDEX";
        case Kind::enlist:
        case Kind::unlist:
            break;
    }
    return "SELECT 1";
}

std::string_view output_of(const Management& management) {
    constexpr std::string_view own[] = {"register", "unregister"};
    constexpr std::string_view ruvectors[] = {
        "ruvector_register_collection", "ruvector_unregister_collection"};
    if (management.kind != Kind::enlist && management.kind != Kind::unlist) {
        return {};
    }
    const std::size_t place = management.kind == Kind::enlist ? 0 : 1;
    return management.by_ruvector ? ruvectors[place] : own[place];
}

}  // namespace veer::router
