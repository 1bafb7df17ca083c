#include "router/float_text.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>

namespace veer::router {

namespace {

/// Digits and decimal exponent of d.ddd x 10^exponent.
struct Decimal {
    std::string digits;
    int exponent = 0;
};

Decimal shortest_decimal(double magnitude) {
    std::array<char, 32> buffer{};
    const auto end = std::to_chars(
        buffer.data(), buffer.data() + buffer.size(), magnitude, std::chars_format::scientific
    );
    const std::string text(buffer.data(), end.ptr);
    const std::size_t e = text.find('e');
    Decimal decimal;
    for (const char c : text.substr(0, e)) {
        if (c != '.') {
            decimal.digits += c;
        }
    }
    const char* exponent = text.data() + e + 1;
    exponent += *exponent == '+' ? 1 : 0;
    std::from_chars(exponent, text.data() + text.size(), decimal.exponent);
    return decimal;
}

std::string zeros(int count) {
    std::string text;
    text.resize(static_cast<std::size_t>(count), '0');
    return text;
}

std::string plain(const Decimal& decimal) {
    const int point = decimal.exponent + 1;  // digits before the decimal point
    const int count = static_cast<int>(decimal.digits.size());
    if (point <= 0) {
        return "0." + zeros(-point) + decimal.digits;
    }
    if (point >= count) {
        return decimal.digits + zeros(point - count);
    }
    std::string text = decimal.digits;
    return text.insert(static_cast<std::size_t>(point), 1, '.');
}

std::string scientific(const Decimal& decimal) {
    std::string text = decimal.digits.substr(0, 1);
    if (decimal.digits.size() > 1) {
        text += '.' + decimal.digits.substr(1);
    }
    const int magnitude = std::abs(decimal.exponent);
    text += decimal.exponent < 0 ? "e-" : "e+";
    text += magnitude < 10 ? "0" : "";
    return text + std::to_string(magnitude);
}

}  // namespace

std::string float8_text(double value) {
    if (std::isnan(value)) {
        return "NaN";
    }
    const std::string sign = std::signbit(value) ? "-" : "";
    const double magnitude = std::abs(value);
    if (std::isinf(magnitude)) {
        return sign + "Infinity";
    }
    if (magnitude == 0) {
        return sign + "0";
    }
    const Decimal decimal = shortest_decimal(magnitude);
    const bool in_plain_range = decimal.exponent >= -4 && decimal.exponent < 15;
    return sign + (in_plain_range ? plain(decimal) : scientific(decimal));
}

}  // namespace veer::router
