#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// libpg_query's names, so that its headers stay in .cpp files.
// NOLINTBEGIN(bugprone-reserved-identifier)
struct PgQuery__Node;
struct PgQuery__ParseResult;
struct PgQuery__SelectStmt;
struct PgQuery__SubLink;

// NOLINTEND(bugprone-reserved-identifier)

namespace veer::parser {

/// PostgreSQL's own parse tree of a text, as libpg_query gives it; the only place that calls it.
///
/// 1. The text holds no zero byte and is within the bounds of parser/shape.hpp: libpg_query neither
///    checks its stack nor could a failure there be caught.
/// 2. Everything handed out belongs to the tree and lives as long as it does.
class Tree {
  public:
    explicit Tree(const std::string& text);
    ~Tree();
    Tree(const Tree&) = delete;
    Tree& operator=(const Tree&) = delete;

    /// Null where the text is not accepted.
    const PgQuery__ParseResult* get() const { return root_; }

  private:
    PgQuery__ParseResult* root_ = nullptr;
};

/// The text of a String node (a name); empty for any other, as no name is.
std::string_view name_of(const PgQuery__Node* node);

/// The value of an integer constant, however large; nothing for any other node.
std::optional<std::int64_t> integer_of(const PgQuery__Node* node);

/// The digits of a bit string constant B'0101'; nothing for any other node, X'1F' included.
std::optional<std::string_view> bits_of(const PgQuery__Node* node);

/// The n of a $n; nothing for any other node.
std::optional<std::int32_t> parameter_of(const PgQuery__Node* node);

/// True where the tree is one statement, and has one SELECT whose WHERE clause is table.column, or
/// ends with AND table.column.
bool is_added_condition(const Tree& tree, std::string_view table, std::string_view column);

/// True for NULL (and hence for LIMIT ALL).
bool is_null(const PgQuery__Node* node);

}  // namespace veer::parser
