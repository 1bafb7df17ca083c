#include "parser/clauses.hpp"

#include "parser/lexer.hpp"

#include <algorithm>
#include <vector>

namespace veer::parser {
namespace {

bool begins_character(char byte) {
    return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U;
}

/// A pair of parentheses, or the whole text.
struct Group {
    std::size_t begin = 0;
    bool selects = false;  // its first word is SELECT
    bool empty = true;
    std::optional<std::size_t> condition = std::nullopt;
    std::optional<std::size_t> order = std::nullopt;
    std::size_t end = 0;
};

/// Follows the parentheses of a text, up to the end of the group that is looked for.
class Groups {
  public:
    Groups(std::string_view text, std::size_t location) : text_(text), location_(location) {}

    std::optional<Group> find();

  private:
    bool holds_location(const Group& group, std::size_t end) const {
        return group.selects && group.begin <= location_ && location_ < end;
    }

    void see_word(const Token& token, std::string_view word);

    std::string_view text_;
    std::size_t location_;
    std::vector<Group> open_{Group{}};
    std::optional<std::size_t> order_;  // an ORDER that waits for its BY
    bool label_ = false;  // the next word is a name, whatever it says: AS where, t.where
};

void Groups::see_word(const Token& token, std::string_view word) {
    Group& group = open_.back();
    if (group.empty) {
        group.selects = is_word(word, "select") || is_word(word, "with");
    }
    if (order_ && is_word(word, "by")) {
        group.order = order_;
    }
    order_.reset();
    if (is_word(word, "order")) {
        order_ = token.begin;
    } else if (!label_ && is_word(word, "where")) {
        group.condition = token.end;
    }
}

std::optional<Group> Groups::find() {
    Lexer lexer(text_);
    for (Token token = lexer.next(); token.kind != Token::Kind::end; token = lexer.next()) {
        const std::string_view spelling = text_.substr(token.begin, token.end - token.begin);
        if (token.kind == Token::Kind::word) {
            see_word(token, spelling);
        } else {
            order_.reset();
        }
        open_.back().empty = false;
        label_ = spelling == "." || is_word(spelling, "as");
        if (spelling == "(" || spelling == "[") {
            open_.push_back({.begin = token.end});
        } else if ((spelling == ")" || spelling == "]") && open_.size() > 1) {
            if (holds_location(open_.back(), token.begin)) {
                open_.back().end = token.begin;
                return open_.back();
            }
            open_.pop_back();
        }
    }
    if (!holds_location(open_.front(), text_.size())) {
        return std::nullopt;
    }
    open_.front().end = text_.size();
    return open_.front();
}

bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

}  // namespace

std::optional<Clauses> find_clauses(std::string_view text, std::size_t location) {
    const std::optional<Group> group = Groups(text, location).find();
    if (!group || !group->order) {
        return std::nullopt;
    }
    const bool condition = group->condition && *group->condition < *group->order;
    return Clauses{
        condition ? group->condition : std::nullopt, *group->order, group->begin, group->end};
}

std::string add_condition(std::string_view text, const Clauses& clauses, std::string_view key) {
    std::string changed;
    if (!clauses.condition) {
        changed.append(text, 0, clauses.order).append("WHERE ").append(key);
    } else {
        const std::size_t begin = *clauses.condition;
        const bool space = begin < text.size() && is_space(text[begin]);
        const std::size_t rest = begin + (space ? 1 : 0);
        changed.append(text, 0, begin).append("(").append(text, rest, clauses.order - rest);
        changed.append(") AND ").append(key);
    }
    return changed.append(" ").append(text, clauses.order);
}

std::size_t characters(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), begins_character));
}

std::size_t position_before(
    std::string_view text, const Clauses& clauses, std::string_view changed, std::size_t position
) {
    std::size_t byte = 0;
    for (std::size_t characters = 0; byte < changed.size(); ++byte) {
        characters += begins_character(changed[byte]) ? 1 : 0;
        if (characters == position) {
            break;
        }
    }
    const std::size_t added = changed.size() - text.size();
    if (byte >= clauses.order + added) {
        byte -= added;
    } else {
        const bool behind = clauses.condition && byte > *clauses.condition;
        const bool space = behind && is_space(text[*clauses.condition]);
        byte = std::min(byte - (behind && !space ? 1 : 0), clauses.order);
    }
    return 1 + characters(text.substr(0, byte));
}

}  // namespace veer::parser
