#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace veer::router {

/// Takes a JSON text apart from the front (RFC 8259): what its readers have in common.
///
/// Invariants:
/// 1. Failure is sticky: whoever has read to the end asks once.
/// 2. Behind the text there is nothing: peek() and take() give a zero, and take() has failed.
class JsonCursor {
  public:
    explicit JsonCursor(std::string_view text) : rest_{text} {}

    bool failed() const { return failed_; }

    /// True where all was read, and well.
    bool done() {
        skip_space();
        return !failed_ && rest_.empty();
    }

    bool accept(char wanted) {
        skip_space();
        const bool there = !rest_.empty() && rest_.front() == wanted;
        rest_.remove_prefix(there ? 1 : 0);
        return there;
    }

    void expect(char wanted) { failed_ = !accept(wanted) || failed_; }

    /// true, false or null, or nothing where another value is next.
    std::string_view accept_word() {
        for (const std::string_view word : {"true", "false", "null"}) {
            if (rest_.starts_with(word)) {
                rest_.remove_prefix(word.size());
                return word;
            }
        }
        return {};
    }

  protected:
    char peek() const { return rest_.empty() ? '\0' : rest_.front(); }

    char take() {
        const char c = peek();
        failed_ = failed_ || rest_.empty();
        rest_.remove_prefix(rest_.empty() ? 0 : 1);
        return c;
    }

    void skip_space() {
        rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\n\r"), rest_.size()));
    }

    /// What a backslash and this stand for; fails for all but the eight of one letter.
    char escaped(char c) {
        constexpr std::string_view names = "\"\\/bfnrt";
        constexpr std::string_view values = "\"\\/\b\f\n\r\t";
        const std::size_t at = names.find(c);
        failed_ = failed_ || at == std::string_view::npos;
        return failed_ ? '\0' : values[at];
    }

    /// A string's value. What a backslash begins, `append_escaped` takes and appends.
    template <class AppendEscaped>
    std::string quoted(AppendEscaped append_escaped) {
        std::string value;
        expect('"');
        while (!failed_ && !rest_.empty() && rest_.front() != '"') {
            const char c = take();
            fail_if(static_cast<unsigned char>(c) < ' ');
            if (c == '\\') {
                append_escaped(value);
            } else {
                value += c;
            }
        }
        expect('"');
        return value;
    }

    std::string_view rest() const { return rest_; }

    void skip(std::size_t characters) { rest_.remove_prefix(characters); }

    void fail_if(bool wrong) { failed_ = failed_ || wrong; }

  private:
    std::string_view rest_;
    bool failed_ = false;
};

}  // namespace veer::router
