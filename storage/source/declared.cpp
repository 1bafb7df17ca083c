#include "storage/source/declared.hpp"

#include <algorithm>
#include <optional>
#include <variant>

namespace veer::storage::source {

namespace {

/// One column of a declared index, and how it holds its vectors.
struct Source {
    std::size_t position = 0;
    VectorForm form = VectorForm::native;
    VectorKind kind = VectorKind::vector;
    std::int32_t dimensions = 0;  ///< of a native one
};

using Sources = std::vector<Source>;

template <class T>
using OrReason = std::variant<T, std::string>;

std::vector<ColumnFacts>::const_iterator find_column(
    const TableInput& input, const std::string& name
) {
    return std::find_if(input.columns.begin(), input.columns.end(), [&](const auto& column) {
        return column.column.name == name;
    });
}

/// `type_oid` is of the vectors that are to be compared.
OrReason<Source> find_source(
    const TableInput& input, const std::string& name, std::uint32_t type_oid
) {
    const auto found = find_column(input, name);
    if (found == input.columns.end()) {
        return "there is no column " + name;
    }
    if (found->generated) {
        return "generated columns do not come with logical replication";
    }
    Source source{static_cast<std::size_t>(found - input.columns.begin())};
    if (found->column.type_oid == type_oid) {
        source.kind = vector_kind_of(found->type_name).value_or(VectorKind::vector);
        source.dimensions = std::max(found->column.typmod, 0);
        source.form = source.dimensions > 0 ? VectorForm::native : VectorForm::unbound;
        return source;
    }
    const std::optional<VectorForm> form = foreign_form(found->column.type_oid);
    if (!form.has_value()) {
        return "its column " + name + " has the type " + found->type_name +
               "; supported are vector, real[], double precision[], text, varchar and jsonb";
    }
    source.form = *form;
    return source;
}

/// The columns, and how many dimensions all of them have to have.
OrReason<std::pair<Sources, std::int32_t>> find_sources(
    const TableInput& input, const DeclaredIndex& declared, std::uint32_t type_oid
) {
    Sources sources;
    std::int32_t dimensions = declared.dimensions;
    for (const std::string& name : {declared.column, declared.legacy}) {
        if (name.empty()) {
            continue;
        }
        OrReason<Source> found = find_source(input, name, type_oid);
        if (auto* const reason = std::get_if<std::string>(&found)) {
            return std::move(*reason);
        }
        const auto& source = std::get<Source>(found);
        dimensions = dimensions == 0 ? source.dimensions : dimensions;
        if (source.form == VectorForm::native && source.dimensions != dimensions) {
            return "its column " + name + " has " + std::to_string(source.dimensions) +
                   " dimensions, and " + std::to_string(dimensions) + " are declared";
        }
        sources.push_back(source);
    }
    if (dimensions == 0) {
        return std::string{"its route says of no dimensions, such as dimensions = 384"};
    }
    return std::pair{std::move(sources), dimensions};
}

/// The place in Table::vectors. Nothing where another index reads the column otherwise.
std::optional<std::size_t> vector_of(const Source& source, std::int32_t dimensions, Table& table) {
    Column& column = table.columns[source.position];
    const auto known = std::find(table.vectors.begin(), table.vectors.end(), source.position);
    if (known == table.vectors.end()) {
        column.kind = source.kind;
        column.form = source.form;
        column.declared_dimensions = source.form == VectorForm::native ? 0 : dimensions;
        table.vectors.push_back(source.position);
        return table.vectors.size() - 1;
    }
    return column.dimensions() == dimensions
               ? std::optional{static_cast<std::size_t>(known - table.vectors.begin())}
               : std::nullopt;
}

/// What the vectors are compared by: of the column's own type where it is one of pgvector's and
/// nothing else is said, else of the type vector.
const OperatorFacts* find_operator(const TableInput& input, const DeclaredIndex& declared) {
    const auto column = find_column(input, declared.column);
    const bool own = declared.is_plain() && column != input.columns.end() &&
                     vector_kind_of(column->type_name).has_value();
    const auto found =
        std::find_if(input.operators.begin(), input.operators.end(), [&](const auto& each) {
            return each.name == declared.operator_name &&
                   (own ? each.type_oid == column->column.type_oid : each.type_name == "vector");
        });
    return found == input.operators.end() ? nullptr : &*found;
}

/// Returns why not.
std::optional<std::string> add(
    const TableInput& input, const DeclaredIndex& declared, Table& table
) {
    const OperatorFacts* const op = find_operator(input, declared);
    if (op == nullptr) {
        return "pgvector has no operator " + declared.operator_name +
               " for vectors in this database; run: CREATE EXTENSION vector;";
    }
    auto found = find_sources(input, declared, op->type_oid);
    if (auto* const reason = std::get_if<std::string>(&found)) {
        return std::move(*reason);
    }
    const auto& [sources, dimensions] = std::get<0>(found);
    AnnIndex index{
        .name = {},
        .method = {},
        .vector = 0,
        .operator_name = op->name,
        .operator_oid = op->oid,
        .m = declared.m,
        .ef_construction = declared.ef_construction,
        .declared = false,
        .legacy = {},
        .type_oid = 0,
        .states_parameters = declared.states_parameters};
    for (const Source& source : sources) {
        const std::optional<std::size_t> vector = vector_of(source, dimensions, table);
        if (!vector.has_value()) {
            return "another route reads its column " + table.columns[source.position].name +
                   " with other dimensions";
        }
        (&source == &sources.front() ? index.vector : index.legacy.emplace()) = *vector;
        index.declared =
            index.declared || source.form != VectorForm::native || index.legacy.has_value();
    }
    index.type_oid = index.declared ? op->type_oid : 0;
    const auto mirrored =
        std::find_if(table.indexes.begin(), table.indexes.end(), [&](const AnnIndex& other) {
            return other.vector == index.vector && other.legacy == index.legacy &&
                   other.operator_name == index.operator_name;
        });
    if (mirrored == table.indexes.end()) {
        table.indexes.push_back(std::move(index));
    } else {  // pgvector's own, with its parameters, serves as well, and is of all rows by this
              // word
        mirrored->partial = false;
    }
    return std::nullopt;
}

}  // namespace

void add_declared(
    const TableInput& input, const DeclaredIndex& declared, Table& table, Catalogue& catalogue
) {
    if (auto reason = add(input, declared, table)) {
        std::string source = declared.column;
        if (!declared.legacy.empty()) {
            source = "coalesce(" + source + ", " + declared.legacy + ")";
        }
        catalogue.refused.push_back(
            {input.facts.schema + "." + input.facts.name + " route " + source + " " +
                 declared.operator_name,
             std::move(*reason)}
        );
    }
}

}  // namespace veer::storage::source
