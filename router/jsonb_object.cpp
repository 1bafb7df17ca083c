#include "router/jsonb_object.hpp"

#include "index/jsonb_text.hpp"
#include "router/column_value.hpp"
#include "router/json_cursor.hpp"

#include <algorithm>

namespace veer::router {

namespace {

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/// Reads what jsonb_object.hpp says is understood.
class Reader : public JsonCursor {
  public:
    using JsonCursor::JsonCursor;

    /// A string's value.
    std::string string() {
        std::string value = quoted([this](std::string& so_far) { so_far += escaped(take()); });
        fail_if(!parse_value(storage::ColumnType::text, value));
        return value;
    }

    std::string scalar() {
        skip_space();
        if (peek() == '"') {
            return '"' + index::escaped_jsonb(string()) + '"';
        }
        if (const std::string_view word = accept_word(); !word.empty()) {
            return std::string(word);
        }
        return number();
    }

  private:
    /// -5, 0, 1.50
    std::string number() {
        constexpr std::size_t length_max = 100;
        const std::string_view text =
            rest().substr(0, std::min(rest().find_first_of(" \t\n\r,}"), rest().size()));
        skip(text.size());
        std::string_view digits = text;
        digits.remove_prefix(digits.starts_with('-') ? 1 : 0);
        const std::size_t point = std::min(digits.find('.'), digits.size());
        const std::string_view whole = digits.substr(0, point);
        const std::string_view fraction = digits.substr(std::min(point + 1, digits.size()));
        const bool signed_zero =
            text.starts_with('-') && digits.find_first_not_of("0.") == std::string_view::npos;
        const bool read = !whole.empty() && (whole == "0" || whole.front() != '0') &&
                          (point == digits.size() || !fraction.empty()) &&
                          std::all_of(whole.begin(), whole.end(), is_digit) &&
                          std::all_of(fraction.begin(), fraction.end(), is_digit);
        fail_if(!read || signed_zero || text.size() > length_max);
        return std::string(text);
    }
};

}  // namespace

std::optional<std::vector<JsonbScalar>> flat_jsonb_object(std::string_view text) {
    constexpr std::size_t members_max = 100;
    Reader reader{text};
    std::vector<JsonbScalar> members;
    reader.expect('{');
    while (!reader.failed()) {
        JsonbScalar member;
        member.name = reader.string();
        reader.expect(':');
        member.value = reader.scalar();
        const bool twice = std::any_of(members.begin(), members.end(), [&](const auto& other) {
            return other.name == member.name;
        });
        if (twice || members.size() == members_max) {
            return std::nullopt;
        }
        members.push_back(std::move(member));
        if (!reader.accept(',')) {
            break;
        }
    }
    reader.expect('}');
    return reader.done() ? std::optional(std::move(members)) : std::nullopt;
}

}  // namespace veer::router
