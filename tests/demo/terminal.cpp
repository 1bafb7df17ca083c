#include "tests/demo/terminal.hpp"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace veer::demo {
namespace {

constexpr std::string_view reset = "\033[0m";
constexpr std::string_view bold = "\033[1m";
constexpr std::string_view faint = "\033[2m";
constexpr std::string_view green = "\033[32m";
constexpr std::string_view red = "\033[31m";
constexpr std::string_view rewind = "\r\033[K";
constexpr std::size_t step_width = 66;

void print(std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
}

/// Characters, not bytes: continuation bytes of UTF-8 take no room.
std::size_t width_of(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char byte) {
        return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U;
    }));
}

std::string spaces(std::string_view text, std::size_t width) {
    const std::size_t taken = width_of(text);
    return std::string(taken < width ? width - taken : 0, ' ');
}

}  // namespace

Terminal::Terminal() : tty_(isatty(STDOUT_FILENO) == 1) {}

void Terminal::heading(std::string_view text) {
    print("\n");
    print(strong(text));
    print("\n");
}

void Terminal::line(std::string_view text) {
    print("  ");
    print(text);
    print("\n");
}

void Terminal::good(std::string_view text) {
    marked(green, "✓", text);
}

void Terminal::bad(std::string_view text) {
    marked(red, "✗", text);
}

void Terminal::begin(std::string_view text) {
    step_ = text;
    started_ = std::chrono::steady_clock::now();
    advance(0);
}

void Terminal::advance(double share) {
    if (tty_) {
        const std::string percent = right_aligned(fixed(100 * share, 0), 4) + " %";
        print(
            std::string(rewind) + "  · " + padded(step_, step_width - 5) + bar(share, 8) + percent
        );
    }
}

void Terminal::end() {
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - started_;
    if (tty_) {
        print(rewind);
    }
    good(padded(step_, step_width) + dim(right_aligned(fixed(seconds.count(), 1) + " s", 8)));
}

std::string Terminal::strong(std::string_view text) const {
    return tty_ ? std::string(bold) + std::string(text) + std::string(reset) : std::string(text);
}

std::string Terminal::dim(std::string_view text) const {
    return tty_ ? std::string(faint) + std::string(text) + std::string(reset) : std::string(text);
}

void Terminal::marked(std::string_view colour, std::string_view mark, std::string_view text) {
    std::string shown(mark);
    if (tty_) {
        shown = std::string(colour) + shown + std::string(reset);
    }
    line(shown + " " + std::string(text));
}

bool Checks::expect(bool held, const std::string& text) {
    if (held) {
        terminal_.good(text);
    } else {
        terminal_.bad(text);
        failed_.push_back(text);
    }
    return held;
}

std::string grouped(std::int64_t number) {
    std::string digits = std::to_string(number);
    for (std::size_t end = digits.size(); end > 3; end -= 3) {
        digits.insert(end - 3, 1, ',');
    }
    return digits;
}

std::string fixed(double number, int decimals) {
    std::string text(64, '\0');
    const int length = std::snprintf(text.data(), text.size(), "%.*f", decimals, number);
    text.resize(static_cast<std::size_t>(length));
    return text;
}

std::string padded(std::string_view text, std::size_t width) {
    return std::string(text) + spaces(text, width);
}

std::string right_aligned(std::string_view text, std::size_t width) {
    return spaces(text, width) + std::string(text);
}

std::string bar(double share, int cells) {
    std::string drawn;
    const auto full = static_cast<int>(std::lround(std::clamp(share, 0.0, 1.0) * cells));
    for (int cell = 0; cell < cells; cell++) {
        drawn += cell < full ? "█" : "░";
    }
    return drawn;
}

}  // namespace veer::demo
