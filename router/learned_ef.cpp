#include "router/learned_ef.hpp"

#include "index/content_hash.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <optional>
#include <system_error>
#include <utility>

namespace veer::router {

namespace {

constexpr std::string_view title = "veer learned ef 1\n";
constexpr std::string_view digits = "0123456789abcdef";

std::string to_hexadecimal(std::string_view bytes) {
    std::string text;
    for (const char byte : bytes) {
        const auto value = static_cast<unsigned char>(byte);
        text += digits[value / 16];
        text += digits[value % 16];
    }
    return text;
}

std::optional<std::string> from_hexadecimal(std::string_view text) {
    std::string bytes;
    if (text.size() % 2 != 0) {
        return std::nullopt;
    }
    for (std::size_t i = 0; i < text.size(); i += 2) {
        const std::size_t high = digits.find(text[i]);
        const std::size_t low = digits.find(text[i + 1]);
        if (high == std::string_view::npos || low == std::string_view::npos) {
            return std::nullopt;
        }
        bytes += static_cast<char>(high * 16 + low);
    }
    return bytes;
}

std::string last_line(std::string_view before) {
    std::string sum;
    std::uint64_t hash = index::content_hash(before);
    for (std::size_t i = 0; i < 2 * sizeof hash; ++i, hash /= 16) {
        sum += digits[hash % 16];
    }
    return "end " + std::string(sum.rbegin(), sum.rend()) + '\n';
}

/// What is before the next space, which is dropped, too.
std::string_view next_word(std::string_view& line) {
    const std::size_t end = std::min(line.find(' '), line.size());
    const std::string_view word = line.substr(0, end);
    line.remove_prefix(std::min(end + 1, line.size()));
    return word;
}

template <class Number>
bool read(std::string_view text, Number& number) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc{} && end == text.data() + text.size();
}

std::optional<LearnedEf> read_line(std::string_view line) {
    LearnedEf learned;
    const bool numbers = read(next_word(line), learned.ef) &&
                         read(next_word(line), learned.target) &&
                         read(next_word(line), learned.rows);
    auto index = from_hexadecimal(next_word(line));
    if (!numbers || !index || line.empty()) {
        return std::nullopt;
    }
    learned.index = std::move(*index);
    learned.route = line;
    return learned;
}

bool is_of(const LearnedEf& learned, const LearnedEf& route) {
    return learned.route == route.route && learned.index == route.index &&
           learned.target == route.target;
}

/// By so much that its number of rows had better be written anew.
bool outgrown(const LearnedEf& learned, const LearnedEf& now) {
    const auto [least, most] = std::minmax(learned.rows, now.rows);
    return most - least > most / 4;
}

}  // namespace

std::optional<std::uint32_t> known_ef(const std::vector<LearnedEf>& all, const LearnedEf& route) {
    const auto known = std::find_if(all.begin(), all.end(), [&route](const LearnedEf& each) {
        return is_of(each, route) && each.rows / 2 <= route.rows && route.rows / 2 <= each.rows;
    });
    return known != all.end() ? std::optional(known->ef) : std::nullopt;
}

bool remember(std::vector<LearnedEf>& all, LearnedEf now) {
    const bool known = std::any_of(all.begin(), all.end(), [&now](const LearnedEf& each) {
        return is_of(each, now) && each.ef == now.ef && !outgrown(each, now);
    });
    if (known) {
        return false;
    }
    std::erase_if(all, [&now](const LearnedEf& each) { return each.route == now.route; });
    if (all.size() >= learned_max) {
        all.erase(all.begin());
    }
    all.push_back(std::move(now));
    return true;
}

std::string to_text(const std::vector<LearnedEf>& learned) {
    std::string text{title};
    for (const LearnedEf& each : learned) {
        if (each.route.empty() || each.route.find('\n') != std::string::npos) {
            continue;
        }
        char target[32];
        const auto written = std::to_chars(std::begin(target), std::end(target), each.target);
        text += std::to_string(each.ef) + ' ' + std::string(std::begin(target), written.ptr) + ' ' +
                std::to_string(each.rows) + ' ' + to_hexadecimal(each.index) + ' ' + each.route +
                '\n';
    }
    return text + last_line(text);
}

std::vector<LearnedEf> learned_efs(std::string_view text) {
    const std::size_t end_size = last_line("").size();
    if (text.size() > learned_text_max || text.size() < title.size() + end_size ||
        !text.starts_with(title)) {
        return {};
    }
    std::string_view lines = text.substr(0, text.size() - end_size);
    if (!text.ends_with(last_line(lines))) {
        return {};
    }
    lines.remove_prefix(title.size());
    std::vector<LearnedEf> all;
    while (!lines.empty()) {
        const std::size_t end = lines.find('\n');
        auto learned =
            end == std::string_view::npos ? std::nullopt : read_line(lines.substr(0, end));
        if (!learned || all.size() >= learned_max) {
            return {};
        }
        all.push_back(std::move(*learned));
        lines.remove_prefix(end + 1);
    }
    return all;
}

}  // namespace veer::router
