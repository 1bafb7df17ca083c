#include "router/column_value.hpp"

#include "storage/byte_reader.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <utility>

namespace veer::router {

namespace {

using index::FilterValue;
using storage::ColumnType;
using Values = std::optional<std::vector<ComparedValue>>;

bool is_whole(ColumnType type) {
    return type == ColumnType::int2 || type == ColumnType::int4 || type == ColumnType::int8;
}

bool in_range(ColumnType type, std::int64_t value) {
    switch (type) {
        case ColumnType::int2:
            return value == static_cast<std::int16_t>(value);
        case ColumnType::int4:
            return value == static_cast<std::int32_t>(value);
        default:
            return true;
    }
}

std::optional<FilterValue> parse_whole(ColumnType type, std::string_view text) {
    std::int64_t value = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    const bool read = error == std::errc{} && stop == end && in_range(type, value);
    return read ? std::optional<FilterValue>(value) : std::nullopt;
}

std::optional<FilterValue> parse_boolean(std::string_view text) {
    constexpr std::array<std::string_view, 4> yes{"t", "true", "1", "on"};
    constexpr std::array<std::string_view, 4> no{"f", "false", "0", "off"};
    if (std::find(yes.begin(), yes.end(), text) != yes.end()) {
        return true;
    }
    return std::find(no.begin(), no.end(), text) != no.end() ? std::optional<FilterValue>(false)
                                                             : std::nullopt;
}

/// Well-formed UTF-8 without a zero byte (Unicode 3.9, table 3-7), as Postgres demands.
bool is_text(std::string_view text) {
    std::size_t at = 0;
    const auto byte = [&](std::size_t ahead) -> unsigned {
        return at + ahead < text.size() ? static_cast<std::uint8_t>(text[at + ahead]) : 0U;
    };
    const auto follows = [&](std::size_t ahead) {
        return (byte(ahead) & 0xC0U) == 0x80U;
    };
    while (at < text.size()) {
        const unsigned first = byte(0);
        const unsigned second = byte(1);
        if (first == 0) {
            return false;
        }
        if (first < 0x80) {
            at += 1;
        } else if (first >= 0xC2 && first < 0xE0 && follows(1)) {
            at += 2;
        } else if ((first & 0xF0U) == 0xE0 && follows(1) && follows(2) && !(first == 0xE0 && second < 0xA0) && !(first == 0xED && second >= 0xA0)) {
            at += 3;
        } else if (first >= 0xF0 && first < 0xF5 && follows(1) && follows(2) && follows(3) && !(first == 0xF0 && second < 0x90) && !(first == 0xF4 && second >= 0x90)) {
            at += 4;
        } else {
            return false;
        }
    }
    return true;
}

std::optional<FilterValue> parse_uuid(std::string_view text) {
    constexpr std::size_t length = 36;
    if (text.size() != length) {
        return std::nullopt;
    }
    std::string bytes;
    for (std::size_t at = 0; at < length; at += 2) {
        if (at == 8 || at == 13 || at == 18 || at == 23) {
            if (text[at] != '-') {
                return std::nullopt;
            }
            ++at;
        }
        std::uint8_t byte = 0;
        const char* const begin = text.data() + at;
        const auto [stop, error] = std::from_chars(begin, begin + 2, byte, 16);
        if (error != std::errc{} || stop != begin + 2) {
            return std::nullopt;
        }
        bytes.push_back(static_cast<char>(byte));
    }
    return bytes;
}

/// Takes a text apart from the front; sticky failure.
class Scanner {
  public:
    explicit Scanner(std::string_view text) : rest_{text} {}

    bool failed() const { return failed_; }

    bool done() const { return !failed_ && rest_.empty(); }

    bool accept(char wanted) {
        const bool there = !rest_.empty() && rest_.front() == wanted;
        rest_.remove_prefix(there ? 1 : 0);
        return there;
    }

    void expect(char wanted) { failed_ = !accept(wanted) || failed_; }

    /// So many digits, no fewer.
    std::int64_t digits(std::size_t count) {
        std::int64_t value = 0;
        for (; count > 0; --count) {
            if (rest_.empty() || rest_.front() < '0' || rest_.front() > '9') {
                failed_ = true;
                return 0;
            }
            value = value * 10 + (rest_.front() - '0');
            rest_.remove_prefix(1);
        }
        return value;
    }

    /// Behind the point of seconds: one to six digits.
    std::int64_t microseconds() {
        std::int64_t value = 0;
        std::int64_t unit = 1'000'000;
        while (!rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9') {
            unit /= 10;
            value += unit * (rest_.front() - '0');
            rest_.remove_prefix(1);
            failed_ = failed_ || unit == 0;  // a seventh digit would be rounded
        }
        failed_ = failed_ || unit == 1'000'000;
        return value;
    }

    void require(bool holds) { failed_ = failed_ || !holds; }

  private:
    std::string_view rest_;
    bool failed_ = false;
};

bool leap(std::int64_t year) {
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/// Days since 2000-01-01 of the Gregorian calendar.
std::int64_t days_since_2000(std::int64_t year, std::int64_t month, std::int64_t day) {
    constexpr std::array<std::int64_t, 12> before{
        0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    const std::int64_t past = year - 1;
    const std::int64_t years = past * 365 + past / 4 - past / 100 + past / 400;
    constexpr std::int64_t epoch = 1999 * 365 + 1999 / 4 - 1999 / 100 + 1999 / 400;
    const std::int64_t leap_day = month > 2 && leap(year) ? 1 : 0;
    return years - epoch + before.at(static_cast<std::size_t>(month - 1)) + leap_day + day - 1;
}

/// Year-month-day, which no DateStyle reads in another order.
std::int64_t read_date(Scanner& scanner) {
    constexpr std::array<std::int64_t, 12> lengths{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const std::int64_t year = scanner.digits(4);
    scanner.expect('-');
    const std::int64_t month = scanner.digits(2);
    scanner.expect('-');
    const std::int64_t day = scanner.digits(2);
    scanner.require(year >= 1 && month >= 1 && month <= 12);
    if (scanner.failed()) {
        return 0;
    }
    const std::int64_t length =
        lengths.at(static_cast<std::size_t>(month - 1)) + (month == 2 && leap(year) ? 1 : 0);
    scanner.require(day >= 1 && day <= length);
    return days_since_2000(year, month, day);
}

constexpr std::int64_t second = 1'000'000;

std::int64_t read_time(Scanner& scanner) {
    const std::int64_t hours = scanner.digits(2);
    scanner.expect(':');
    const std::int64_t minutes = scanner.digits(2);
    scanner.expect(':');
    const std::int64_t seconds = scanner.digits(2);
    scanner.require(hours < 24 && minutes < 60 && seconds < 60);
    const std::int64_t fraction = scanner.accept('.') ? scanner.microseconds() : 0;
    return ((hours * 60 + minutes) * 60 + seconds) * second + fraction;
}

/// "Z", "+02", "+02:30": how far local time is ahead.
std::int64_t read_offset(Scanner& scanner) {
    constexpr std::int64_t hours_max = 15;
    if (scanner.accept('Z')) {
        return 0;
    }
    const bool behind = scanner.accept('-');
    if (!behind) {
        scanner.expect('+');
    }
    const std::int64_t hours = scanner.digits(2);
    const std::int64_t minutes = scanner.accept(':') ? scanner.digits(2) : 0;
    scanner.require(hours <= hours_max && minutes < 60);
    const std::int64_t offset = (hours * 60 + minutes) * 60 * second;
    return behind ? -offset : offset;
}

std::optional<FilterValue> parse_time(ColumnType type, std::string_view text) {
    constexpr std::int64_t day = 86'400 * second;
    Scanner scanner{text};
    std::int64_t value = read_date(scanner);
    if (type != ColumnType::date) {
        value *= day;
        const bool bare = type == ColumnType::timestamp && scanner.done();
        if (!bare) {
            scanner.require(scanner.accept(' ') || scanner.accept('T'));
            value += read_time(scanner);
        }
    }
    if (type == ColumnType::timestamptz) {
        value -= read_offset(scanner);
    }
    return scanner.done() ? std::optional<FilterValue>(value) : std::nullopt;
}

/// What date_recv and its kin do not refuse (datatype/timestamp.h); infinities are left to
/// Postgres, too.
bool in_calendar(ColumnType type, std::int64_t value) {
    switch (type) {
        case ColumnType::date:
            return value >= -2'451'545 && value < 2'145'031'949;
        case ColumnType::timestamp:
        case ColumnType::timestamptz:
            return value >= -211'813'488'000'000'000 && value < 9'223'371'331'200'000'000;
        default:
            return true;
    }
}

std::int64_t signed_of(std::string_view bytes) {
    std::uint64_t bits = static_cast<std::int8_t>(bytes.front()) < 0 ? ~std::uint64_t{0} : 0;
    for (const char byte : bytes) {
        bits = (bits << 8U) | static_cast<std::uint8_t>(byte);
    }
    return static_cast<std::int64_t>(bits);
}

/// One element of "{...}": quoted, with backslashes, or plain.
struct Element {
    std::string text;
    bool quoted = false;
};

/// Reads up to just past the closing quote; false where there is none.
bool read_quoted(std::string_view text, std::size_t& at, std::string& element) {
    for (++at; at < text.size() && text[at] != '"'; ++at) {
        at += text[at] == '\\' ? 1U : 0U;
        element += text.substr(std::min(at, text.size()), 1);
    }
    return at++ < text.size();
}

/// Elements as array_out writes them, and what clients write like it: no white space around them,
/// no dimensions.
std::optional<std::vector<Element>> split_array(std::string_view text) {
    if (text.size() < 2 || text.front() != '{' || text.back() != '}') {
        return std::nullopt;
    }
    text = text.substr(1, text.size() - 2);
    std::vector<Element> elements;
    std::size_t at = 0;
    while (!text.empty()) {
        Element& element = elements.emplace_back();
        element.quoted = at < text.size() && text[at] == '"';
        if (!element.quoted) {
            const std::size_t end =
                std::min(text.find_first_of(",\"\\{} \t\n\r\v\f", at), text.size());
            element.text = text.substr(at, end - at);
            at = end;
        } else if (!read_quoted(text, at, element.text)) {
            return std::nullopt;
        }
        if (at == text.size()) {
            break;
        }
        if (text[at++] != ',') {
            return std::nullopt;
        }
    }
    return elements;
}

bool is_null_word(std::string_view text) {
    constexpr std::string_view word = "null";
    return text.size() == word.size() &&
           std::equal(text.begin(), text.end(), word.begin(), [](char a, char b) {
               return (static_cast<unsigned char>(a) | 0x20U) == static_cast<unsigned char>(b);
           });
}

}  // namespace

std::optional<FilterValue> parse_value(ColumnType type, std::string_view text) {
    switch (type) {
        case ColumnType::boolean:
            return parse_boolean(text);
        case ColumnType::int2:
        case ColumnType::int4:
        case ColumnType::int8:
            return parse_whole(type, text);
        case ColumnType::date:
        case ColumnType::timestamp:
        case ColumnType::timestamptz:
            return parse_time(type, text);
        case ColumnType::uuid:
            return parse_uuid(text);
        case ColumnType::text:
            return is_text(text) ? std::optional<FilterValue>(std::string(text)) : std::nullopt;
        case ColumnType::float4:
        case ColumnType::float8:
        case ColumnType::int4_array:
        case ColumnType::int8_array:
        case ColumnType::text_array:
        case ColumnType::jsonb:
            break;
    }
    return std::nullopt;
}

std::optional<FilterValue> receive_value(ColumnType type, std::string_view bytes) {
    if (type == ColumnType::text) {
        return parse_value(type, bytes);
    }
    if (bytes.size() != storage::send_bytes(type) || bytes.empty()) {
        return std::nullopt;
    }
    switch (type) {
        case ColumnType::boolean:
            return bytes.front() != 0;
        case ColumnType::uuid:
            return std::string(bytes);
        case ColumnType::float4:
        case ColumnType::float8:
            return std::nullopt;
        default:
            break;
    }
    const std::int64_t value = signed_of(bytes);
    return in_calendar(type, value) ? std::optional<FilterValue>(value) : std::nullopt;
}

Values parse_values(ColumnType type, std::string_view text) {
    const auto elements = split_array(text);
    if (!elements) {
        return std::nullopt;
    }
    std::vector<ComparedValue> values;
    for (const Element& element : *elements) {
        auto value = parse_value(type, element.text);
        // What an unquoted NULL means, array_nulls says.
        if (!value || (!element.quoted && (element.text.empty() || is_null_word(element.text)))) {
            return std::nullopt;
        }
        values.push_back({std::move(value)});
    }
    return values;
}

Values receive_values(std::string_view bytes) {
    storage::ByteReader reader{bytes};
    const std::uint32_t dimensions = reader.be32();
    const std::uint32_t nulls = reader.be32();  // whether there are any: 0 or 1
    const auto type = storage::column_type(reader.be32());
    std::vector<ComparedValue> values;
    if (reader.failed() || dimensions > 1 || nulls > 1 || !type) {
        return std::nullopt;
    }
    if (dimensions == 0) {
        return reader.remaining() == 0 ? Values{std::move(values)} : std::nullopt;
    }
    const std::uint32_t count = reader.be32();
    if (reader.be32() != 1) {  // the lower bound, of which not every one is possible
        return std::nullopt;
    }
    for (std::uint32_t left = count; left > 0 && !reader.failed(); --left) {
        const std::uint32_t length = reader.be32();
        if (length == std::numeric_limits<std::uint32_t>::max()) {
            values.push_back({});
            continue;
        }
        auto value = receive_value(*type, reader.bytes(length));
        if (!value) {
            return std::nullopt;
        }
        values.push_back({std::move(value)});
    }
    const bool whole = !reader.failed() && reader.remaining() == 0;
    return whole ? Values{std::move(values)} : std::nullopt;
}

std::uint32_t received_element_oid(std::string_view bytes) {
    storage::ByteReader reader{bytes};
    reader.be64();  // dimensions, and whether there are NULLs
    return reader.be32();
}

Values parse_whole_numbers(ColumnType type, std::string_view text) {
    std::vector<ComparedValue> values;
    while (true) {
        const std::size_t end = std::min(text.find(','), text.size());
        std::string_view item = text.substr(0, end);
        item.remove_prefix(std::min(item.find_first_not_of(' '), item.size()));
        item.remove_suffix(item.size() - (item.find_last_not_of(' ') + 1));
        auto value = parse_whole(type, item);
        if (!value) {
            return std::nullopt;
        }
        values.push_back({std::move(value)});
        if (end == text.size()) {
            return values;
        }
        text.remove_prefix(end + 1);
    }
}

std::uint32_t array_element_oid(std::uint32_t type_oid) {
    constexpr std::array<std::pair<std::uint32_t, std::uint32_t>, 10> arrays{
        {{1000, 16},
         {1005, 21},
         {1007, 23},
         {1016, 20},
         {1009, 25},
         {1015, 1043},
         {1182, 1082},
         {1115, 1114},
         {1185, 1184},
         {2951, 2950}}};
    const auto* const found = std::find_if(arrays.begin(), arrays.end(), [&](const auto& known) {
        return known.first == type_oid;
    });
    return found == arrays.end() ? 0 : found->second;
}

std::optional<ColumnType> array_element_type(std::uint32_t type_oid) {
    return storage::column_type(array_element_oid(type_oid));
}

std::uint32_t builtin_oid(ColumnType type) {
    constexpr std::array<std::uint32_t, 12> oids{
        16, 21, 23, 20, 700, 701, 1082, 1114, 1184, 2950, 25, 1043};
    const auto* const found = std::find_if(oids.begin(), oids.end(), [&](std::uint32_t oid) {
        return storage::column_type(oid) == type;
    });
    return found == oids.end() ? 0 : *found;
}

std::optional<ColumnType> type_by_name(std::string_view name) {
    constexpr std::array<std::pair<std::string_view, ColumnType>, 10> types{
        {{"bool", ColumnType::boolean},
         {"int2", ColumnType::int2},
         {"int4", ColumnType::int4},
         {"int8", ColumnType::int8},
         {"text", ColumnType::text},
         {"varchar", ColumnType::text},
         {"date", ColumnType::date},
         {"timestamp", ColumnType::timestamp},
         {"timestamptz", ColumnType::timestamptz},
         {"uuid", ColumnType::uuid}}};
    const auto* const found = std::find_if(types.begin(), types.end(), [&](const auto& known) {
        return known.first == name;
    });
    return found == types.end() ? std::nullopt : std::optional(found->second);
}

bool comparable_types(ColumnType one, ColumnType other) {
    return one == other || (is_whole(one) && is_whole(other));
}

}  // namespace veer::router
