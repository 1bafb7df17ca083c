#include "parser/lexer.hpp"
#include "tests/fuzz/require.hpp"

#include <pg_query.h>
#include <pg_query/pg_query.pb-c.h>

#include <algorithm>
#include <memory>
#include <string>

namespace veer::parser {

namespace {

/// The tokens of one text as Postgres' own lexer sees them; nothing where it refuses the text.
class Scanned {
  public:
    explicit Scanned(const std::string& text) : result_(pg_query_scan(text.c_str())) {
        if (result_.error == nullptr) {
            const void* bytes = result_.pbuf.data;
            tokens_ = pg_query__scan_result__unpack(
                nullptr, result_.pbuf.len, static_cast<const std::uint8_t*>(bytes)
            );
        }
    }

    Scanned(const Scanned&) = delete;
    Scanned& operator=(const Scanned&) = delete;

    ~Scanned() {
        pg_query__scan_result__free_unpacked(tokens_, nullptr);
        pg_query_free_scan_result(result_);
    }

    const PgQuery__ScanResult* get() const { return tokens_; }

  private:
    PgQueryScanResult result_;
    PgQuery__ScanResult* tokens_ = nullptr;
};

bool is_comment(const PgQuery__ScanToken& token) {
    return token.token == PG_QUERY__TOKEN__SQL_COMMENT || token.token == PG_QUERY__TOKEN__C_COMMENT;
}

/// What opens, closes or separates levels, by which depth is bounded (shape.cpp).
bool is_structure(std::string_view spelling) {
    return spelling.size() == 1 && std::string_view("()[],;").find(spelling) != std::string::npos;
}

/// As how many tokens Postgres may see one of ours.
std::size_t tokens_max(const Token& token, std::string_view spelling) {
    const auto count = [&](std::string_view characters) {
        return std::count_if(spelling.begin(), spelling.end(), [&](char c) {
            return characters.find(c) != std::string_view::npos;
        });
    };
    const bool string =
        token.kind == Token::Kind::string || token.kind == Token::Kind::other_string;
    if (token.kind != Token::Kind::operators && !string) {
        return 1;
    }
    // Signs come one by one. Parts of a string with a comment between them are one to the server,
    // while libpg_query refuses them.
    return 1 + static_cast<std::size_t>(count(string ? "'" : "+-"));
}

}  // namespace

}  // namespace veer::parser

/// Any text: Postgres' own lexer sees the same structure at the same places and no more tokens than
/// ours allows for, so that what is bounded by tokens is bounded for libpg_query.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace veer::parser;
    using veer::fuzz::require;
    const std::string text(veer::fuzz::as_text(data, size));
    const Scanned scanned(text);
    if (scanned.get() == nullptr || text.find('\0') != std::string::npos) {
        return 0;
    }
    Lexer lexer(text);
    Token ours = lexer.next();
    std::size_t allowed = 0;
    std::size_t seen = 0;
    for (std::size_t i = 0; i < scanned.get()->n_tokens; ++i) {
        const PgQuery__ScanToken& theirs = *scanned.get()->tokens[i];
        if (is_comment(theirs)) {
            continue;
        }
        const auto begin = static_cast<std::size_t>(theirs.start);
        bool structure = false;
        for (; ours.kind != Token::Kind::end && ours.begin <= begin; ours = lexer.next()) {
            const std::string_view spelling =
                std::string_view(text).substr(ours.begin, ours.end - ours.begin);
            allowed += tokens_max(ours, spelling);
            structure = is_structure(spelling);
        }
        const char single = theirs.token < 128 ? static_cast<char>(theirs.token) : ' ';
        require(structure == is_structure({&single, 1}));
        require(++seen <= allowed);
    }
    return 0;
}
