#include "proxy/admin/read_select.hpp"

#include "proxy/admin/setting.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace veer::proxy::admin {

namespace {

using Kind = Token::Kind;
using Operator = Condition::Operator;

constexpr std::size_t parameters_max = 64;

Failure not_supported(const Cursor& cursor, std::string message) {
    return {
        .sqlstate = "0A000",
        .message = std::move(message),
        .hint =
            "The console compares columns with constants, joined by AND; SHOW HELP has examples.",
        .position = cursor.peek().at + 1};
}

Value number_value(const std::string& text) {
    const auto whole = from_text(text, Type::integer);
    return whole ? *whole : from_text(text, Type::number).value_or(Value{});
}

Type type_of(const Value& value) {
    constexpr std::array types{
        Type::text, Type::text, Type::integer, Type::number, Type::boolean, Type::timestamp};
    return types[value.index()];
}

std::string type_name(const Value& value) {
    return std::string(facts_of(type_of(value)).name);
}

/// Words that end a list or an alias.
bool is_clause(const Token& token) {
    static constexpr std::string_view words[] = {
        "from",  "where", "order", "limit", "offset", "group",     "having",
        "union", "and",   "or",    "for",   "join",   "left",      "right",
        "inner", "cross", "full",  "fetch", "window", "intersect", "except"};
    return token.kind == Kind::word &&
           std::find(std::begin(words), std::end(words), token.text) != std::end(words);
}

/// An item of the list before the relation is known.
struct Item {
    enum class Kind : std::uint8_t { star, column, count, constant };

    Kind kind = Kind::star;
    std::string name;
    Value constant;
    std::string alias;
    std::size_t at = 0;
};

class SelectReader {
  public:
    SelectReader(Cursor& cursor, const Asker& asker) : cursor_(cursor), asker_(asker) {}

    Result<Statement> read();

  private:
    using Problem = std::optional<Failure>;

    Problem read_items();
    Problem read_item();
    Problem read_called(Item& item);
    Problem read_from();
    Problem resolve_items();
    Problem read_where();
    Problem read_condition();
    Problem read_in(Condition& condition);
    Problem read_order();
    Problem read_limits();
    Result<std::size_t> read_column();
    Result<std::size_t> find_column(const std::string& name, std::size_t at) const;
    Result<Operand> read_operand_for(Type type, std::string_view op);
    Problem note_parameter(const Operand& operand, Type type);

    Cursor& cursor_;
    const Asker& asker_;
    std::vector<Item> items_;
    std::string alias_;
    Select select_;
    std::vector<std::optional<Type>> parameters_;
};

Result<Statement> SelectReader::read() {
    using Step = Problem (SelectReader::*)();
    static constexpr Step steps[] = {
        &SelectReader::read_items,
        &SelectReader::read_from,
        &SelectReader::resolve_items,
        &SelectReader::read_where,
        &SelectReader::read_order,
        &SelectReader::read_limits};
    for (const Step step : steps) {
        if (Problem problem = (this->*step)()) {
            return *problem;
        }
    }
    if (!cursor_.at_end()) {
        const bool known = is_clause(cursor_.peek());
        return known ? not_supported(cursor_, "the console has no " + cursor_.peek().text)
                     : cursor_.unexpected();
    }
    return Statement{.what = std::move(select_), .parameters = std::move(parameters_)};
}

SelectReader::Problem SelectReader::read_items() {
    do {
        if (Problem problem = read_item()) {
            return problem;
        }
    } while (cursor_.skip(","));
    return std::nullopt;
}

SelectReader::Problem SelectReader::read_item() {
    Item item{
        .kind = Item::Kind::star, .name = {}, .constant = {}, .alias = {}, .at = cursor_.peek().at};
    const Token& first = cursor_.peek();
    const bool word_value = first.is("true") || first.is("false") || first.is("null");
    if (first.is("*")) {
        cursor_.next();
    } else if (first.is_name() && !word_value && !is_clause(first)) {
        if (Problem problem = read_called(item)) {
            return problem;
        }
    } else {
        auto operand = read_operand(cursor_);
        if (operand.has_error()) {
            return operand.error();
        }
        const Value* const value = std::get_if<Value>(&*operand);
        if (value == nullptr) {
            return not_supported(cursor_, "a parameter cannot be a column of the console");
        }
        item.kind = Item::Kind::constant;
        item.constant = *value;
        item.name = "?column?";
    }
    const bool as = cursor_.skip("as");
    if (as || (cursor_.peek().is_name() && !is_clause(cursor_.peek()))) {
        if (!cursor_.peek().is_name()) {
            return cursor_.unexpected();
        }
        item.alias = cursor_.next().text;
    }
    items_.push_back(std::move(item));
    return std::nullopt;
}

/// column, alias.column, alias.*, count(*), function(), schema.function(), current_user
SelectReader::Problem SelectReader::read_called(Item& item) {
    item.kind = Item::Kind::column;
    item.name = cursor_.next().text;
    while (cursor_.skip(".")) {
        if (cursor_.skip("*")) {
            item.kind = Item::Kind::star;
            return std::nullopt;
        }
        if (!cursor_.peek().is_name()) {
            return cursor_.unexpected();
        }
        item.name = cursor_.next().text;
    }
    const bool called = cursor_.peek().is("(");
    if (called && item.name == "count" && cursor_.skip_all({"(", "*", ")"})) {
        item.kind = Item::Kind::count;
        return std::nullopt;
    }
    const auto value = function_value(item.name, asker_);
    if (called && !(value && cursor_.skip_all({"(", ")"}))) {
        return Failure{
            .sqlstate = value ? "0A000" : "42883",
            .message = "function " + item.name + " does not exist in the console",
            .hint = "There is count(*), and what drivers ask for: version(), current_database().",
            .position = item.at + 1};
    }
    if (value && (called || item.name.starts_with("current_") || item.name == "session_user")) {
        item.kind = Item::Kind::constant;
        item.constant = *value;
    }
    return std::nullopt;
}

SelectReader::Problem SelectReader::read_from() {
    if (!cursor_.skip("from")) {
        return std::nullopt;
    }
    if (!cursor_.peek().is_name()) {
        return cursor_.peek().is("(") ? not_supported(cursor_, "the console has no subqueries")
                                      : cursor_.unexpected();
    }
    const std::size_t at = cursor_.peek().at;
    std::string name = cursor_.next().text;
    std::string schema = "veer";
    while (cursor_.skip(".")) {
        schema = std::exchange(name, cursor_.next().text);
    }
    select_.relation = schema == "veer" ? find_relation(name) : nullptr;
    if (select_.relation == nullptr) {
        const auto why = schema == "veer" ? why_absent(name) : std::nullopt;
        return Failure{
            .sqlstate = why ? "0A000" : "42P01",
            .message = why ? "there is no veer." + name + ": " + std::string(*why)
                           : "relation \"" + schema + '.' + name + "\" does not exist",
            .hint = "SHOW TABLES lists what there is.",
            .position = at + 1};
    }
    alias_ = name;
    cursor_.skip("as");
    if (cursor_.peek().is_name() && !is_clause(cursor_.peek())) {
        alias_ = cursor_.next().text;
    }
    if (cursor_.peek().is(",")) {
        return not_supported(cursor_, "the console reads one relation at a time");
    }
    return std::nullopt;
}

SelectReader::Problem SelectReader::resolve_items() {
    bool counts = false;
    for (const Item& item : items_) {
        Output output;
        counts = counts || item.kind == Item::Kind::count;
        if (item.kind == Item::Kind::star) {
            if (select_.relation == nullptr) {
                return Failure{
                    .sqlstate = "42601",
                    .message = "SELECT * with no tables specified is not valid",
                    .position = item.at + 1};
            }
            for (std::size_t i = 0; i < select_.relation->columns.size(); ++i) {
                select_.outputs.push_back(
                    {.kind = Output::Kind::column,
                     .column = i,
                     .constant = {},
                     .described = select_.relation->columns[i]}
                );
            }
            continue;
        }
        if (item.kind == Item::Kind::column) {
            const auto column = find_column(item.name, item.at);
            if (column.has_error()) {
                return column.error();
            }
            output.column = *column;
            output.described = select_.relation->columns[*column];
        } else if (item.kind == Item::Kind::count) {
            output.kind = Output::Kind::count;
            output.described = {.name = "count", .type = Type::integer};
        } else {
            output.kind = Output::Kind::constant;
            output.constant = item.constant;
            output.described = {.name = item.name, .type = type_of(item.constant)};
        }
        if (!item.alias.empty()) {
            output.described.name = item.alias;
        }
        select_.outputs.push_back(std::move(output));
    }
    const bool columns =
        std::any_of(select_.outputs.begin(), select_.outputs.end(), [](const Output& each) {
            return each.kind == Output::Kind::column;
        });
    if (counts && columns) {
        return not_supported(cursor_, "the console has no GROUP BY: count(*) stands alone");
    }
    return std::nullopt;
}

SelectReader::Problem SelectReader::read_where() {
    if (!cursor_.skip("where")) {
        return std::nullopt;
    }
    do {
        if (Problem problem = read_condition()) {
            return problem;
        }
    } while (cursor_.skip("and"));
    if (cursor_.peek().is("or")) {
        return not_supported(cursor_, "the console joins conditions by AND only");
    }
    return std::nullopt;
}

SelectReader::Problem SelectReader::read_condition() {
    static constexpr std::pair<std::string_view, Operator> comparisons[] = {
        {"=", Operator::equal},
        {"<>", Operator::not_equal},
        {"!=", Operator::not_equal},
        {"<", Operator::less},
        {"<=", Operator::less_or_equal},
        {">", Operator::greater},
        {">=", Operator::greater_or_equal},
        {"like", Operator::like},
        {"in", Operator::in}};
    if (cursor_.peek().is("(") || cursor_.peek().is("not")) {
        return not_supported(cursor_, "the console does not know this condition");
    }
    const auto column = read_column();
    if (column.has_error()) {
        return column.error();
    }
    Condition condition{.column = *column, .op = Operator::equal, .operands = {}};
    if (cursor_.skip("is")) {
        condition.op = cursor_.skip("not") ? Operator::is_not_null : Operator::is_null;
        if (!cursor_.skip("null")) {
            return cursor_.unexpected();
        }
        select_.conditions.push_back(std::move(condition));
        return std::nullopt;
    }
    const bool negated = cursor_.skip("not");
    const std::string word = cursor_.peek().text;
    const auto* const found =
        std::find_if(std::begin(comparisons), std::end(comparisons), [&](const auto& each) {
            return cursor_.peek().is(each.first);
        });
    if (found == std::end(comparisons) ||
        (negated && found->second != Operator::like && found->second != Operator::in)) {
        return cursor_.at_end() ? cursor_.unexpected()
                                : not_supported(cursor_, "the console has no operator " + word);
    }
    cursor_.next();
    condition.op = found->second;
    if (condition.op == Operator::in) {
        condition.op = negated ? Operator::not_in : Operator::in;
        if (Problem problem = read_in(condition)) {
            return problem;
        }
    } else {
        const Type type = select_.relation->columns[*column].type;
        if (condition.op == Operator::like && type != Type::text) {
            return Failure{
                .sqlstate = "42883",
                .message =
                    "operator does not exist: " + std::string(facts_of(type).name) + " ~~ text"};
        }
        auto operand = read_operand_for(type, word);
        if (operand.has_error()) {
            return operand.error();
        }
        condition.op = negated ? Operator::not_like : condition.op;
        condition.operands.push_back(*std::move(operand));
    }
    select_.conditions.push_back(std::move(condition));
    return std::nullopt;
}

SelectReader::Problem SelectReader::read_in(Condition& condition) {
    if (!cursor_.skip("(")) {
        return cursor_.unexpected();
    }
    do {
        auto operand = read_operand_for(select_.relation->columns[condition.column].type, "=");
        if (operand.has_error()) {
            return operand.error();
        }
        condition.operands.push_back(*std::move(operand));
    } while (cursor_.skip(","));
    return cursor_.skip(")") ? Problem{} : cursor_.unexpected();
}

SelectReader::Problem SelectReader::read_order() {
    if (!cursor_.skip_all({"order", "by"})) {
        return std::nullopt;
    }
    do {
        SortKey key;
        const Token first = cursor_.peek();
        const auto alias = std::find_if(
            select_.outputs.begin(),
            select_.outputs.end(),
            [&first](const Output& each) { return each.described.name == first.text; }
        );
        std::size_t ordinal = 0;
        std::from_chars(first.text.data(), first.text.data() + first.text.size(), ordinal);
        if (first.kind == Kind::number && ordinal >= 1 && ordinal <= select_.outputs.size()) {
            key.column = select_.outputs[ordinal - 1].column;
            cursor_.next();
        } else if (first.is_name() && alias != select_.outputs.end() && !cursor_.peek(1).is(".")) {
            key.column = alias->column;
            cursor_.next();
        } else if (first.kind == Kind::number) {
            return Failure{
                .sqlstate = "42P10",
                .message = "ORDER BY position " + first.text + " is not in select list",
                .position = first.at + 1};
        } else {
            const auto column = read_column();
            if (column.has_error()) {
                return column.error();
            }
            key.column = *column;
        }
        key.descending = cursor_.skip("desc");
        if (!key.descending) {
            cursor_.skip("asc");
        }
        key.nulls_first = key.descending;
        if (cursor_.skip_all({"nulls", "first"})) {
            key.nulls_first = true;
        } else if (cursor_.skip_all({"nulls", "last"})) {
            key.nulls_first = false;
        }
        select_.order.push_back(key);
    } while (cursor_.skip(","));
    return std::nullopt;
}

SelectReader::Problem SelectReader::read_limits() {
    while (cursor_.peek().is("limit") || cursor_.peek().is("offset")) {
        const bool limit = cursor_.next().is("limit");
        if (limit && cursor_.skip("all")) {
            continue;
        }
        auto operand = read_operand_for(Type::integer, limit ? "LIMIT" : "OFFSET");
        if (operand.has_error()) {
            return operand.error();
        }
        (limit ? select_.limit : select_.offset) = *std::move(operand);
    }
    return std::nullopt;
}

Result<std::size_t> SelectReader::read_column() {
    const Token first = cursor_.peek();
    if (!first.is_name()) {
        return cursor_.unexpected();
    }
    cursor_.next();
    std::string name = first.text;
    while (cursor_.skip(".")) {
        name = cursor_.next().text;
    }
    if (cursor_.peek().is("(")) {
        return not_supported(cursor_, "the console has no functions in conditions");
    }
    while (cursor_.skip("::")) {
        cursor_.next();
    }
    return find_column(name, first.at);
}

Result<std::size_t> SelectReader::find_column(const std::string& name, std::size_t at) const {
    if (select_.relation != nullptr) {
        const auto& columns = select_.relation->columns;
        const auto found =
            std::find_if(columns.begin(), columns.end(), [&name](const Column& each) {
                return each.name == name;
            });
        if (found != columns.end()) {
            return static_cast<std::size_t>(found - columns.begin());
        }
    }
    std::string hint;
    for (std::size_t i = 0; select_.relation != nullptr && i < select_.relation->columns.size();
         ++i) {
        hint += (i == 0 ? "There are " : ", ") + select_.relation->columns[i].name;
    }
    return Failure{
        .sqlstate = "42703",
        .message = "column \"" + name + "\" does not exist",
        .hint = hint,
        .position = at + 1};
}

/// A constant is brought to the column's type here, a parameter when it is bound.
Result<Operand> SelectReader::read_operand_for(Type type, std::string_view op) {
    const Token first = cursor_.peek();
    auto operand = read_operand(cursor_);
    if (operand.has_error()) {
        return operand.error();
    }
    if (const auto problem = note_parameter(*operand, type)) {
        return *problem;
    }
    Value* const value = std::get_if<Value>(&*operand);
    if (value == nullptr || is_null(*value)) {
        return operand;
    }
    if (const auto* text = std::get_if<std::string>(value); text != nullptr && type != Type::text) {
        const auto converted = from_text(*text, type);
        if (!converted) {
            return Failure{
                .sqlstate = type == Type::timestamp ? "22007" : "22P02",
                .message = "invalid input syntax for type " + std::string(facts_of(type).name) +
                           ": \"" + *text + "\"",
                .position = first.at + 1};
        }
        *value = *converted;
    }
    const Value sample = from_text("0", type).value_or(Timestamp{});
    if (!comparable(*value, sample)) {
        return Failure{
            .sqlstate = "42883",
            .message = "operator does not exist: " + std::string(facts_of(type).name) + ' ' +
                       std::string(op) + ' ' + type_name(*value),
            .position = first.at + 1};
    }
    return operand;
}

SelectReader::Problem SelectReader::note_parameter(const Operand& operand, Type type) {
    const auto* const parameter = std::get_if<Parameter>(&operand);
    if (parameter == nullptr) {
        return std::nullopt;
    }
    if (parameter->index >= parameters_max) {
        return not_supported(cursor_, "the console takes at most 64 parameters");
    }
    parameters_.resize(std::max(parameters_.size(), parameter->index + 1));
    parameters_[parameter->index] = type;
    return std::nullopt;
}

}  // namespace

Result<Statement> read_select(Cursor& cursor, const Asker& asker) {
    return SelectReader(cursor, asker).read();
}

Result<Operand> read_operand(Cursor& cursor) {
    const bool negative = cursor.skip("-");
    const Token token = cursor.peek();
    if (negative && token.kind != Kind::number) {
        return cursor.unexpected();
    }
    Operand operand;
    if (token.kind == Kind::number) {
        operand = number_value((negative ? "-" : "") + token.text);
    } else if (token.kind == Kind::string) {
        operand = Value(token.text);
    } else if (token.is("true") || token.is("false")) {
        operand = Value(token.is("true"));
    } else if (token.is("null")) {
        operand = Value{};
    } else if (token.kind == Kind::parameter) {
        std::size_t number = 0;
        std::from_chars(token.text.data(), token.text.data() + token.text.size(), number);
        if (number == 0) {
            return Failure{
                .sqlstate = "42P02",
                .message = "there is no parameter $" + token.text,
                .position = token.at + 1};
        }
        operand = Parameter{.index = number - 1};
    } else {
        return cursor.unexpected();
    }
    cursor.next();
    while (cursor.skip("::")) {
        cursor.next();
    }
    return operand;
}

}  // namespace veer::proxy::admin
