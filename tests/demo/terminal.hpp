#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace veer::demo {

/// Prints what a person reads: lines with a mark, a moving progress line, and bars.
/// Colours and moving lines only on a terminal; elsewhere each line is printed once, when it is
/// final.
class Terminal {
  public:
    Terminal();

    void heading(std::string_view text);
    void line(std::string_view text);
    void good(std::string_view text);
    void bad(std::string_view text);

    /// A step that takes a while: begin, any number of advances, end (which prints the seconds).
    void begin(std::string_view text);
    void advance(double share);
    void end();

    std::string strong(std::string_view text) const;
    std::string dim(std::string_view text) const;

  private:
    void marked(std::string_view colour, std::string_view mark, std::string_view text);

    bool tty_;
    std::string step_;
    std::chrono::steady_clock::time_point started_;
};

/// What was expected and did not hold; the program's exit code depends on it.
class Checks {
  public:
    explicit Checks(Terminal& terminal) : terminal_(terminal) {}

    /// Prints the text with a mark, and remembers it when it does not hold.
    bool expect(bool held, const std::string& text);

    bool all_held() const { return failed_.empty(); }

    const std::vector<std::string>& failed() const { return failed_; }

  private:
    Terminal& terminal_;
    std::vector<std::string> failed_;
};

/// 1234567 as "1,234,567".
std::string grouped(std::int64_t number);
std::string fixed(double number, int decimals);
std::string padded(std::string_view text, std::size_t width);         // on the right
std::string right_aligned(std::string_view text, std::size_t width);  // padded on the left
std::string bar(double share, int cells);

}  // namespace veer::demo
