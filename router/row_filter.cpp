#include "router/row_filter.hpp"

#include "router/column_value.hpp"
#include "router/jsonb_object.hpp"

#include <algorithm>

namespace veer::router {

namespace {

using index::Filter;
using parser::Argument;
using parser::Condition;
using parser::Operand;
using storage::ColumnType;
using Kind = Condition::Kind;

struct CopiedColumn {
    std::size_t position = 0;
    ColumnType type = ColumnType::boolean;
};

std::optional<CopiedColumn> find_copied(const storage::Table& table, const std::string& name) {
    const auto position = copied_position(table, name);
    if (!position) {
        return std::nullopt;
    }
    const auto type = storage::column_type(table.columns[table.copied[*position]].type_oid);
    return type ? std::optional(CopiedColumn{*position, *type}) : std::nullopt;
}

bool has_order(ColumnType type) {
    return type != ColumnType::text;  // a collation's
}

bool is_float(ColumnType type) {
    return type == ColumnType::float4 || type == ColumnType::float8;
}

/// More elements would be looked for in each row one by one.
constexpr std::size_t elements_max = 100;

/// By PostgreSQL's own name.
std::string_view array_name(ColumnType element) {
    return element == ColumnType::int4   ? "int4[]"
           : element == ColumnType::int8 ? "int8[]"
                                         : "text[]";
}

bool is_array(std::string_view type) {
    return type.ends_with("[]");
}

Filter unknown() {
    return {.kind = Filter::Kind::unknown};
}

/// true for TRUE's comparison; the two enumerations have the same order.
Filter::Comparison same(Condition::Comparison comparison) {
    switch (comparison) {
        case Condition::Comparison::equal:
            return Filter::Comparison::equal;
        case Condition::Comparison::not_equal:
            return Filter::Comparison::not_equal;
        case Condition::Comparison::less:
            return Filter::Comparison::less;
        case Condition::Comparison::less_or_equal:
            return Filter::Comparison::less_or_equal;
        case Condition::Comparison::greater:
            return Filter::Comparison::greater;
        case Condition::Comparison::greater_or_equal:
            break;
    }
    return Filter::Comparison::greater_or_equal;
}

class Compiler {
  public:
    Compiler(const storage::Table& table, const Values& values) : table_{table}, values_{values} {}

    /// The filter that says what the condition says; nothing where there is doubt.
    std::optional<Filter> exact(const Condition& condition) {
        if (++nodes_ > index::filter_nodes_max) {
            return std::nullopt;
        }
        switch (condition.kind) {
            case Kind::opaque:
                return std::nullopt;
            case Kind::all_of:
                return junction(condition, Filter::Kind::all_of);
            case Kind::any_of:
                return junction(condition, Filter::Kind::any_of);
            case Kind::negation:
                return junction(condition, Filter::Kind::negation);
            default:
                break;
        }
        const auto column = find_copied(table_, condition.column);
        if (!column) {
            return std::nullopt;
        }
        return condition.member ? about_member(condition, *column) : leaf(condition, *column);
    }

    /// The filter that says a part of what the condition says, if any.
    RowFilter implied(const Condition& condition) {
        if (auto filter = exact(condition)) {
            return {std::move(filter), true};
        }
        RowFilter part{std::nullopt, false};
        if (condition.kind != Kind::all_of) {
            return part;
        }
        Filter both{.kind = Filter::Kind::all_of};
        for (const Condition& child : condition.children) {
            if (auto filter = implied(child).filter) {
                both.children.push_back(*std::move(filter));
            }
        }
        if (!both.children.empty()) {
            part.filter = std::move(both);
        }
        return part;
    }

  private:
    std::optional<Filter> junction(const Condition& condition, Filter::Kind kind) {
        Filter filter{.kind = kind};
        for (const Condition& child : condition.children) {
            auto compiled = exact(child);
            if (!compiled) {
                return std::nullopt;
            }
            filter.children.push_back(*std::move(compiled));
        }
        return filter;
    }

    /// What ->> gives is a text.
    std::optional<Filter> about_member(const Condition& condition, const CopiedColumn& column) {
        const auto member = literal_text(*condition.member);
        auto filter = column.type == ColumnType::jsonb && member
                          ? leaf(condition, {column.position, ColumnType::text})
                          : std::nullopt;
        const bool about = filter && (filter->kind == Filter::Kind::compare ||
                                      filter->kind == Filter::Kind::one_of ||
                                      filter->kind == Filter::Kind::is_null);
        if (about) {
            filter->member = std::string(*member);
        }
        return filter;
    }

    std::optional<Filter> containing(const Condition& condition, const CopiedColumn& column) {
        if (column.type == ColumnType::jsonb) {
            return condition.kind == Kind::contains ? containing_members(condition, column)
                                                    : std::nullopt;
        }
        const auto element = storage::element_type(column.type);
        const auto values = element ? elements_of(condition, *element) : std::nullopt;
        if (!values || values->size() > elements_max) {
            return std::nullopt;
        }
        Filter filter{
            .kind =
                condition.kind == Kind::contains ? Filter::Kind::contains : Filter::Kind::overlaps,
            .column = column.position};
        for (const ComparedValue& value : *values) {
            if (!value.value) {
                return std::nullopt;
            }
            filter.values.push_back(*value.value);
        }
        return counted(std::move(filter));
    }

    /// Of an array that is of the very type of the column's: Postgres has no operator for others.
    std::optional<std::vector<ComparedValue>> elements_of(
        const Condition& condition, ColumnType element
    ) const {
        if (condition.elements) {
            return element == ColumnType::text ? texts_of(condition.operands) : std::nullopt;
        }
        const Operand& operand = condition.operands.front();
        const auto* const argument = std::get_if<Argument>(&operand.value);
        const bool cast = !operand.type.empty();
        if (argument == nullptr || (cast && operand.type != array_name(element))) {
            return std::nullopt;
        }
        if (argument->source == Argument::Source::literal) {
            return literal_elements(*argument, element, cast);
        }
        const ParameterValue* const value = parameter_at(*argument);
        if (value == nullptr || !value->bytes) {
            return std::nullopt;
        }
        const bool inferred = is_inferred(value->declared_type);
        const std::uint32_t sent =
            inferred ? builtin_oid(element) : array_element_oid(value->declared_type);
        if (sent != builtin_oid(element) || (inferred && !operand.alone)) {
            return std::nullopt;
        }
        return value->binary ? received(*value->bytes, sent) : parsed(*value->bytes, sent);
    }

    /// ARRAY[1, 3000000000] is of bigint, ARRAY[1] of integer.
    std::optional<std::vector<ComparedValue>> literal_elements(
        const Argument& argument, ColumnType element, bool cast
    ) const {
        if (const auto text = literal_text(argument)) {
            return parse_values(element, *text);
        }
        const bool numbers =
            argument.index < values_.literals.size() && element != ColumnType::text;
        return numbers && (cast || element == ColumnType::int4)
                   ? parse_whole_numbers(element, values_.literals[argument.index].text)
                   : std::nullopt;
    }

    std::optional<std::vector<ComparedValue>> texts_of(const std::vector<Operand>& operands) const {
        std::vector<ComparedValue> texts;
        for (const Operand& operand : operands) {
            const auto* const constant = std::get_if<std::string>(&operand.value);
            const auto* const argument = std::get_if<Argument>(&operand.value);
            const auto text = argument != nullptr   ? literal_text(*argument)
                              : constant != nullptr ? std::optional<std::string_view>(*constant)
                                                    : std::nullopt;
            auto value = text ? parse_value(ColumnType::text, *text) : std::nullopt;
            if (!value) {
                return std::nullopt;
            }
            texts.push_back({std::move(value)});
        }
        return texts;
    }

    /// {"a": 1, "b": "x"} is contained where each of its members is.
    std::optional<Filter> containing_members(
        const Condition& condition, const CopiedColumn& column
    ) {
        const auto text =
            condition.elements ? std::nullopt : jsonb_text(condition.operands.front());
        const auto members = text ? flat_jsonb_object(*text) : std::nullopt;
        if (!members || members->empty() || members->size() > elements_max) {
            return std::nullopt;
        }
        Filter filter{.kind = Filter::Kind::all_of};
        for (const JsonbScalar& member : *members) {
            filter.children.push_back(
                {.kind = Filter::Kind::contains,
                 .column = column.position,
                 .member = member.name,
                 .values = {member.value}}
            );
        }
        nodes_ += members->size();
        return nodes_ <= index::filter_nodes_max ? std::optional(std::move(filter)) : std::nullopt;
    }

    std::optional<std::string_view> jsonb_text(const Operand& operand) const {
        constexpr std::uint32_t jsonb_oid = 3802;
        const auto* const argument = std::get_if<Argument>(&operand.value);
        if (argument == nullptr || (!operand.type.empty() && operand.type != "jsonb")) {
            return std::nullopt;
        }
        if (argument->source == Argument::Source::literal) {
            return literal_text(*argument);
        }
        const ParameterValue* const value = parameter_at(*argument);
        const bool fits = value != nullptr && value->bytes &&
                          (value->declared_type == jsonb_oid ||
                           (is_inferred(value->declared_type) && operand.alone));
        if (!fits) {
            return std::nullopt;
        }
        if (!value->binary) {
            return value->bytes;
        }
        const bool known = value->bytes->starts_with('\x01');  // the version of jsonb_recv
        return known ? std::optional(value->bytes->substr(1)) : std::nullopt;
    }

    std::optional<Filter> leaf(const Condition& condition, const CopiedColumn& column) {
        Filter filter{.column = column.position};
        switch (condition.kind) {
            case Kind::is_null:
                filter.kind = Filter::Kind::is_null;
                return filter;
            case Kind::is_true:
                filter.kind = Filter::Kind::compare;
                filter.values = {true};
                return column.type == ColumnType::boolean ? std::optional(filter) : std::nullopt;
            case Kind::compare:
                return compared(condition, column);
            case Kind::one_of:
                return listed(condition, column);
            case Kind::one_of_array:
                return listed_in_array(condition.operands.front(), column);
            case Kind::contains:
            case Kind::overlaps:
                return containing(condition, column);
            default:
                return std::nullopt;
        }
    }

    std::optional<Filter> compared(const Condition& condition, const CopiedColumn& column) {
        const bool equality = condition.comparison == Condition::Comparison::equal ||
                              condition.comparison == Condition::Comparison::not_equal;
        const auto value = value_of(condition.operands.front(), column.type);
        if (!value || !(equality || has_order(column.type))) {
            return std::nullopt;
        }
        if (!value->value) {
            // transform_null_equals may make IS NULL of it.
            const bool bare =
                std::holds_alternative<std::monostate>(condition.operands.front().value) &&
                condition.operands.front().type.empty();
            if (bare && condition.comparison == Condition::Comparison::equal) {
                return std::nullopt;
            }
            return unknown();
        }
        Filter filter{.kind = Filter::Kind::compare, .comparison = same(condition.comparison)};
        filter.column = column.position;
        filter.values.push_back(*value->value);
        return counted(std::move(filter));
    }

    std::optional<Filter> listed(const Condition& condition, const CopiedColumn& column) {
        std::vector<ComparedValue> values;
        for (const Operand& operand : condition.operands) {
            auto value = value_of(operand, column.type);
            if (!value) {
                return std::nullopt;
            }
            values.push_back(*std::move(value));
        }
        return one_of(std::move(values), column);
    }

    std::optional<Filter> one_of(std::vector<ComparedValue> values, const CopiedColumn& column) {
        if (values.empty()) {
            return Filter{.kind = Filter::Kind::any_of};  // false, of NULL as well
        }
        Filter filter{.kind = Filter::Kind::one_of, .column = column.position};
        for (ComparedValue& value : values) {
            if (value.value) {
                filter.values.push_back(*std::move(value.value));
            } else {
                filter.null_listed = true;
            }
        }
        return filter.values.empty() ? unknown() : counted(std::move(filter));
    }

    std::optional<Filter> counted(Filter filter) {
        values_seen_ += filter.values.size();
        return values_seen_ <= index::filter_values_max ? std::optional(std::move(filter))
                                                        : std::nullopt;
    }

    /// Nothing where it is not of a type that compares with the column's; nothing inside for NULL.
    std::optional<ComparedValue> value_of(const Operand& operand, ColumnType column) const {
        const auto cast = operand.type.empty() ? std::optional(column) : type_by_name(operand.type);
        if (is_float(column) || !cast || !comparable_types(*cast, column)) {
            return std::nullopt;
        }
        if (std::holds_alternative<std::monostate>(operand.value)) {
            return ComparedValue{};
        }
        if (const auto* const number = std::get_if<std::int64_t>(&operand.value)) {
            const bool fits =
                comparable_types(*cast, ColumnType::int8) &&
                (operand.type.empty() || parse_value(*cast, std::to_string(*number)).has_value());
            return fits ? std::optional(ComparedValue{*number}) : std::nullopt;
        }
        if (const auto* const truth = std::get_if<bool>(&operand.value)) {
            return *cast == ColumnType::boolean ? std::optional(ComparedValue{*truth})
                                                : std::nullopt;
        }
        const auto* const given = std::get_if<Argument>(&operand.value);
        if (given == nullptr) {
            return std::nullopt;
        }
        const Argument& argument = *given;
        if (argument.source == Argument::Source::literal) {
            return wrapped(literal_text(argument), [&](std::string_view text) {
                return parse_value(*cast, text);
            });
        }
        return parameter(operand, argument, *cast);
    }

    std::optional<ComparedValue> parameter(
        const Operand& operand, const Argument& argument, ColumnType wanted
    ) const {
        const ParameterValue* const value = parameter_at(argument);
        if (value == nullptr) {
            return std::nullopt;
        }
        const bool inferred = is_inferred(value->declared_type);
        const auto type =
            inferred ? std::optional(wanted) : storage::column_type(value->declared_type);
        const bool cast_holds = operand.type.empty() || type == wanted;
        if (!type || !comparable_types(*type, wanted) || !cast_holds ||
            (inferred && !operand.alone)) {
            return std::nullopt;
        }
        if (!value->bytes) {
            return ComparedValue{};
        }
        return wrapped(value->bytes, [&](std::string_view bytes) {
            return value->binary ? receive_value(*type, bytes) : parse_value(*type, bytes);
        });
    }

    std::optional<Filter> listed_in_array(const Operand& operand, const CopiedColumn& column) {
        const auto& argument = std::get<Argument>(operand.value);
        std::optional<ColumnType> element = column.type;
        if (!operand.type.empty()) {
            element = is_array(operand.type)
                          ? type_by_name(operand.type.substr(0, operand.type.size() - 2))
                          : std::nullopt;
        }
        if (is_float(column.type) || !element || !comparable_types(*element, column.type)) {
            return std::nullopt;
        }
        std::optional<std::vector<ComparedValue>> values;
        if (argument.source == Argument::Source::literal) {
            values = literal_values(argument, *element, !operand.type.empty());
        } else {
            const ParameterValue* const value = parameter_at(argument);
            if (value == nullptr || !array_holds(*value, operand, *element, column.type)) {
                return std::nullopt;
            }
            if (!value->bytes) {
                return unknown();
            }
            const std::uint32_t sent = is_inferred(value->declared_type)
                                           ? builtin_oid(*element)
                                           : array_element_oid(value->declared_type);
            values = value->binary ? received(*value->bytes, sent) : parsed(*value->bytes, sent);
        }
        return values ? one_of(*std::move(values), column) : std::nullopt;
    }

    static bool array_holds(
        const ParameterValue& value, const Operand& operand, ColumnType element, ColumnType column
    ) {
        if (is_inferred(value.declared_type)) {
            return operand.alone;
        }
        const auto declared = array_element_type(value.declared_type);
        return declared &&
               (operand.type.empty() ? comparable_types(*declared, column) : *declared == element);
    }

    /// What the bytes say that they are must be what was declared: array_recv is as strict.
    static std::optional<std::vector<ComparedValue>> received(
        std::string_view bytes, std::uint32_t element_oid
    ) {
        return received_element_oid(bytes) == element_oid ? receive_values(bytes) : std::nullopt;
    }

    static std::optional<std::vector<ComparedValue>> parsed(
        std::string_view text, std::uint32_t element_oid
    ) {
        const auto element = storage::column_type(element_oid);
        return element ? parse_values(*element, text) : std::nullopt;
    }

    /// `cast`: the numbers of ARRAY[...] have to fit the element's type.
    std::optional<std::vector<ComparedValue>> literal_values(
        const Argument& argument, ColumnType element, bool cast
    ) const {
        if (argument.index >= values_.literals.size()) {
            return std::nullopt;
        }
        const parser::Literal& literal = values_.literals[argument.index];
        if (literal.kind == parser::Literal::Kind::string) {
            return parse_values(element, literal.text);
        }
        return comparable_types(element, ColumnType::int8)
                   ? parse_whole_numbers(cast ? element : ColumnType::int8, literal.text)
                   : std::nullopt;
    }

    std::optional<std::string_view> literal_text(const Argument& argument) const {
        if (argument.index >= values_.literals.size() ||
            values_.literals[argument.index].kind != parser::Literal::Kind::string) {
            return std::nullopt;
        }
        return values_.literals[argument.index].text;
    }

    const ParameterValue* parameter_at(const Argument& argument) const {
        return argument.source == Argument::Source::parameter &&
                       argument.index < values_.parameters.size()
                   ? &values_.parameters[argument.index]
                   : nullptr;
    }

    template <class Decode>
    static std::optional<ComparedValue> wrapped(
        const std::optional<std::string_view>& text, Decode decode
    ) {
        auto value = text ? decode(*text) : std::nullopt;
        return value ? std::optional(ComparedValue{std::move(value)}) : std::nullopt;
    }

    const storage::Table& table_;
    const Values& values_;
    std::size_t nodes_ = 0;
    std::size_t values_seen_ = 0;
};

}  // namespace

RowFilter row_filter(
    const parser::Condition& condition, const storage::Table& table, const Values& values
) {
    return Compiler{table, values}.implied(condition);
}

bool evaluable(const parser::Condition& condition, const storage::Table& table) {
    if (condition.kind == Kind::opaque) {
        return false;
    }
    const bool junction = condition.kind == Kind::all_of || condition.kind == Kind::any_of ||
                          condition.kind == Kind::negation;
    if (!junction) {
        return find_copied(table, condition.column).has_value();
    }
    return std::all_of(
        condition.children.begin(),
        condition.children.end(),
        [&](const Condition& child) { return evaluable(child, table); }
    );
}

std::optional<std::size_t> copied_position(const storage::Table& table, const std::string& name) {
    const auto found =
        std::find_if(table.copied.begin(), table.copied.end(), [&](std::size_t position) {
            return table.columns[position].name == name;
        });
    return found == table.copied.end()
               ? std::nullopt
               : std::optional(static_cast<std::size_t>(found - table.copied.begin()));
}

void add_columns(
    const parser::Condition& condition,
    const storage::Table& table,
    std::vector<std::size_t>& columns
) {
    if (const auto position = copied_position(table, condition.column)) {
        columns.push_back(*position);
    }
    for (const Condition& child : condition.children) {
        add_columns(child, table, columns);
    }
}

}  // namespace veer::router
