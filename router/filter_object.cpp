#include "router/filter_object.hpp"

#include "router/json_cursor.hpp"
#include "router/rewrite.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace veer::router {

namespace {

constexpr std::size_t conditions_max = 100;
constexpr std::size_t depth_max = 32;

/// UTF-8 of a code point.
void append_utf8(std::string& out, std::uint32_t code) {
    const auto byte = [&out](std::uint32_t value) {
        out += static_cast<char>(value);
    };
    if (code < 0x80) {
        byte(code);
    } else if (code < 0x800) {
        byte(0xC0U | (code >> 6U));
        byte(0x80U | (code & 0x3FU));
    } else if (code < 0x10000) {
        byte(0xE0U | (code >> 12U));
        byte(0x80U | ((code >> 6U) & 0x3FU));
        byte(0x80U | (code & 0x3FU));
    } else {
        byte(0xF0U | (code >> 18U));
        byte(0x80U | ((code >> 12U) & 0x3FU));
        byte(0x80U | ((code >> 6U) & 0x3FU));
        byte(0x80U | (code & 0x3FU));
    }
}

/// One JSON value as it was written, and what it is.
struct Value {
    enum class Kind { string, number, truth, null, array, object };

    Kind kind = Kind::null;
    std::string text;  ///< of a string its value; of all others their spelling

    bool is_scalar() const { return kind != Kind::array && kind != Kind::object; }
};

/// Reads values; what is nested is only followed to its end, for Postgres to read.
class Reader : public JsonCursor {
  public:
    using JsonCursor::JsonCursor;

    std::string string() {
        return quoted([this](std::string& value) { append_escaped(value); });
    }

    Value value(std::size_t depth = 0) {
        skip_space();
        fail_if(rest().empty() || depth > depth_max);
        if (failed()) {
            return {};
        }
        const std::string_view begin = rest();
        const auto spelled = [&] {
            return std::string(begin.substr(0, begin.size() - rest().size()));
        };
        switch (rest().front()) {
            case '"':
                return {Value::Kind::string, string()};
            case '[':
                skip_array(depth);
                return {Value::Kind::array, spelled()};
            case '{':
                skip_object(depth);
                return {Value::Kind::object, spelled()};
            default:
                break;
        }
        if (const std::string_view word = accept_word(); !word.empty()) {
            return {word == "null" ? Value::Kind::null : Value::Kind::truth, std::string(word)};
        }
        skip_number();
        return {Value::Kind::number, spelled()};
    }

  private:
    void append_escaped(std::string& value) {
        const char c = take();
        if (c == 'u') {
            append_utf8(value, code_point());
        } else {
            value += escaped(c);
        }
    }

    std::uint32_t four_digits() {
        std::uint32_t code = 0;
        const std::string_view digits = rest().substr(0, 4);
        const char* const end = digits.data() + digits.size();
        fail_if(digits.size() < 4 || std::from_chars(digits.data(), end, code, 16).ptr != end);
        skip(digits.size());
        return code;
    }

    /// Two halves of one make one; a half alone is none, nor is zero, which no text can have.
    std::uint32_t code_point() {
        const std::uint32_t first = four_digits();
        fail_if(first == 0 || (first >= 0xDC00 && first <= 0xDFFF));
        if (failed() || first < 0xD800 || first > 0xDBFF) {
            return first;
        }
        fail_if(take() != '\\' || take() != 'u');
        const std::uint32_t second = four_digits();
        fail_if(second < 0xDC00 || second > 0xDFFF);
        return 0x10000 + ((first - 0xD800) << 10U) + (second - 0xDC00);
    }

    void skip_number() {
        const std::size_t end =
            std::min(rest().find_first_not_of("+-.0123456789eE"), rest().size());
        double ignored = 0;
        const char* const last = rest().data() + end;
        const auto [stop, error] = std::from_chars(rest().data(), last, ignored);
        fail_if(error == std::errc::invalid_argument || stop != last);
        skip(end);
    }

    void skip_array(std::size_t depth) {
        expect('[');
        if (accept(']')) {
            return;
        }
        do {
            value(depth + 1);
        } while (!failed() && accept(','));
        expect(']');
    }

    void skip_object(std::size_t depth) {
        expect('{');
        if (accept('}')) {
            return;
        }
        do {
            skip_space();
            string();
            expect(':');
            value(depth + 1);
        } while (!failed() && accept(','));
        expect('}');
    }
};

using Members = std::vector<std::pair<std::string, Value>>;

std::optional<Members> members_of(std::string_view json) {
    Reader reader(json);
    Members members;
    reader.expect('{');
    if (!reader.accept('}')) {
        do {
            std::string name = reader.string();
            reader.expect(':');
            members.emplace_back(std::move(name), reader.value());
        } while (!reader.failed() && members.size() < conditions_max && reader.accept(','));
        reader.expect('}');
    }
    return reader.done() ? std::optional(std::move(members)) : std::nullopt;
}

/// ('a', 'b'): of scalars, but for null, which nothing is equal to.
std::optional<std::string> list_of(const Value& array) {
    Reader reader(array.text);
    std::string list;
    reader.expect('[');
    if (array.kind != Value::Kind::array || reader.accept(']')) {
        return std::nullopt;
    }
    do {
        const Value value = reader.value();
        if (!value.is_scalar() || value.kind == Value::Kind::null) {
            return std::nullopt;
        }
        list += (list.empty() ? "(" : ", ") + plain_literal(value.text);
    } while (!reader.failed() && reader.accept(','));
    return list + ')';
}

std::optional<std::string> compared(
    const std::string& column, std::string_view name, const Value& value
) {
    if (name == "$in" || name == "$nin") {
        const auto list = list_of(value);
        const std::string word = name == "$in" ? " IN " : " NOT IN ";
        return list ? std::optional(column + word + *list) : std::nullopt;
    }
    constexpr std::array<std::pair<std::string_view, std::string_view>, 6> operators{
        {{"$eq", " = "},
         {"$ne", " <> "},
         {"$gt", " > "},
         {"$gte", " >= "},
         {"$lt", " < "},
         {"$lte", " <= "}}};
    const auto* const found = std::find_if(
        operators.begin(), operators.end(), [&](const auto& each) { return each.first == name; }
    );
    if (found == operators.end() || !value.is_scalar() || value.kind == Value::Kind::null) {
        return std::nullopt;
    }
    return column + std::string(found->second) + plain_literal(value.text);
}

std::optional<std::string> condition_of(const std::string& column, const Value& value) {
    if (value.kind == Value::Kind::null) {
        return column + " IS NULL";
    }
    if (value.is_scalar()) {
        return column + " = " + plain_literal(value.text);
    }
    if (value.kind == Value::Kind::array) {
        return compared(column, "$in", value);
    }
    const auto members = members_of(value.text);
    const bool compares = members && !members->empty() && members->front().first.starts_with('$');
    if (!compares) {
        return column + " @> " + plain_literal(value.text);
    }
    std::string all;
    for (const auto& [member, wanted] : *members) {
        const auto each = compared(column, member, wanted);
        if (!each) {
            return std::nullopt;
        }
        all += (all.empty() ? "" : " AND ") + *each;
    }
    return all;
}

}  // namespace

std::optional<std::string> conditions_of(std::string_view json, std::string_view table) {
    const auto members = members_of(json);
    if (!members) {
        return std::nullopt;
    }
    std::string conditions;
    for (const auto& [name, value] : *members) {
        const std::string column = quote_identifier(table) + '.' + quote_identifier(name);
        const auto condition = name.empty() ? std::nullopt : condition_of(column, value);
        if (!condition) {
            return std::nullopt;
        }
        conditions += " AND " + *condition;
    }
    return conditions;
}

}  // namespace veer::router
