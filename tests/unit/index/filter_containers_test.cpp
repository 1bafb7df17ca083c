#include "index/array_elements.hpp"
#include "index/jsonb_text.hpp"
#include "storage/byte_writer.hpp"
#include "tests/unit/index/generated.hpp"
#include "tests/unit/index/values.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <map>
#include <random>

// Arrays and jsonb under filters, against a plain evaluation of the same rows.

using namespace veer::index;
using namespace veer::index::test;
using veer::storage::ByteWriter;
using veer::storage::ColumnType;
using veer::storage::ColumnValue;
using veer::storage::NullValue;

namespace {

using Texts = std::vector<std::optional<std::string>>;  // nothing: a NULL element

/// As Postgres writes a scalar of jsonb; `text` is what ->> gives of it.
struct Scalar {
    std::string json;
    std::optional<std::string> text;
    std::string equal_to;  ///< the same of all that jsonb takes for equal
};

const std::vector<Scalar> scalars{
    {R"("a")", "a", R"("a")"},
    {R"("1.5")", "1.5", R"("1.5")"},
    {"1.5", "1.5", "1.5"},
    {"1.50", "1.50", "1.5"},
    {"10", "10", "10"},
    {"-3", "-3", "-3"},
    {"true", "true", "true"},
    {R"("true")", "true", R"("true")"},
    {"null", std::nullopt, "null"},
    {R"("q\"}, \\\n\u0001")", "q\"}, \\\n\x01", R"("q\"}, \\\n\u0001")"},
    {R"({"a": "b", "c": [1, "]"]})", R"({"a": "b", "c": [1, "]"]})", ""},
    {"[]", "[]", ""}};
const std::vector<std::string> names{"", "a", "k", "long \"name\""};
const std::vector<std::string> elements{"", "a", "b", "{a}", std::string(80, 'x')};

struct Row {
    std::optional<Texts> tags;
    std::optional<std::vector<std::int64_t>> numbers;
    bool meta_null = false;
    bool meta_object = true;
    std::map<std::string, Scalar> meta;
};

std::string array_of(std::uint32_t type, const std::vector<std::optional<std::string>>& values) {
    ByteWriter out;
    out.be32(values.empty() ? 0 : 1).be32(0).be32(type);
    if (!values.empty()) {
        out.be32(static_cast<std::uint32_t>(values.size())).be32(1);
    }
    for (const auto& value : values) {
        if (value) {
            out.sized(*value);
        } else {
            out.be32(0xFFFFFFFF);
        }
    }
    return out.take();
}

std::vector<ColumnValue> sent_row(const Row& row) {
    std::vector<ColumnValue> values(3, NullValue{});
    if (row.tags) {
        values[0] = array_of(25, *row.tags);
    }
    if (row.numbers) {
        Texts sent;
        for (const std::int64_t number : *row.numbers) {
            sent.emplace_back(ByteWriter{}.be32(static_cast<std::uint32_t>(number)).take());
        }
        values[1] = array_of(23, sent);
    }
    std::string text;
    for (const auto& [name, scalar] : row.meta) {
        text += (text.empty() ? "\"" : ", \"") + escaped_jsonb(name) + "\": " + scalar.json;
    }
    if (!row.meta_null) {
        values[2] = row.meta_object ? "\x01{" + text + "}" : std::string("\x01[\"a\", \"k\"]");
    }
    return values;
}

Row any_row(std::mt19937_64& random) {
    Row row;
    if (random() % 5 != 0) {
        row.tags.emplace();
        for (std::size_t left = random() % 4; left > 0; --left) {
            row.tags->push_back(
                random() % 6 == 0 ? std::nullopt
                                  : std::optional{elements[random() % elements.size()]}
            );
        }
    }
    if (random() % 5 != 0) {
        row.numbers.emplace();
        for (std::size_t left = random() % 4; left > 0; --left) {
            row.numbers->push_back(static_cast<std::int64_t>(random() % 5) - 2);
        }
    }
    row.meta_null = random() % 6 == 0;
    row.meta_object = random() % 6 != 0;
    for (const std::string& name : names) {
        if (random() % 2 == 0 && row.meta_object && !row.meta_null) {
            row.meta[name] = scalars[random() % scalars.size()];
        }
    }
    return row;
}

Filter any_leaf(std::mt19937_64& random) {
    Filter filter{.column = random() % 3};
    if (filter.column < 2) {
        filter.kind = random() % 2 == 0 ? Filter::Kind::contains : Filter::Kind::overlaps;
        for (std::size_t left = random() % 3; left > 0; --left) {
            if (filter.column == 0) {
                filter.values.emplace_back(elements[random() % elements.size()]);
            } else {
                filter.values.emplace_back(static_cast<std::int64_t>(random() % 5) - 2);
            }
        }
        return filter;
    }
    filter.member = names[random() % names.size()];
    const Scalar& scalar = scalars[random() % 10];  // those that are scalars
    switch (random() % 4) {
        case 0:
            filter.kind = Filter::Kind::is_null;
            break;
        case 1:
            filter.kind = Filter::Kind::contains;
            filter.values = {scalar.json};
            break;
        case 2:
            filter.kind = Filter::Kind::one_of;
            filter.null_listed = random() % 3 == 0;
            filter.values = {scalar.text.value_or("x"), std::string{"a"}};
            break;
        default:
            filter.kind = Filter::Kind::compare;
            filter.comparison =
                random() % 2 == 0 ? Filter::Comparison::equal : Filter::Comparison::not_equal;
            filter.values = {scalar.text.value_or("x")};
    }
    return filter;
}

template <class Elements>
std::optional<bool> array_truth(const Filter& filter, const std::optional<Elements>& array) {
    if (!array) {
        return std::nullopt;
    }
    const auto has = [&](const FilterValue& value) {
        return std::any_of(array->begin(), array->end(), [&](const auto& one) {
            if constexpr (std::is_same_v<Elements, Texts>) {
                return one && FilterValue{*one} == value;
            } else {
                return FilterValue{one} == value;
            }
        });
    };
    return filter.kind == Filter::Kind::contains
               ? std::all_of(filter.values.begin(), filter.values.end(), has)
               : std::any_of(filter.values.begin(), filter.values.end(), has);
}

std::optional<bool> member_truth(const Filter& filter, const Row& row) {
    const auto found = row.meta.find(*filter.member);
    const Scalar* const scalar = found == row.meta.end() ? nullptr : &found->second;
    if (filter.kind == Filter::Kind::contains) {
        const auto same = std::find_if(scalars.begin(), scalars.end(), [&](const Scalar& one) {
            return FilterValue{one.json} == filter.values[0];
        });
        return row.meta_null
                   ? std::nullopt
                   : std::optional{scalar != nullptr && scalar->equal_to == same->equal_to};
    }
    const std::optional<std::string> text = scalar == nullptr ? std::nullopt : scalar->text;
    if (filter.kind == Filter::Kind::is_null) {
        return !text;
    }
    if (!text) {
        return std::nullopt;
    }
    const bool listed = std::find(filter.values.begin(), filter.values.end(), FilterValue{*text}) !=
                        filter.values.end();
    if (filter.kind == Filter::Kind::one_of) {
        return listed               ? std::optional{true}
               : filter.null_listed ? std::nullopt
                                    : std::optional{false};
    }
    return listed == (filter.comparison == Filter::Comparison::equal);
}

std::optional<bool> leaf_truth(const Filter& filter, const Row& row) {
    return filter.column == 0   ? array_truth(filter, row.tags)
           : filter.column == 1 ? array_truth(filter, row.numbers)
                                : member_truth(filter, row);
}

}  // namespace

TEST_CASE("Filters on elements and members pass the rows of which they are true", "[index]") {
    std::mt19937_64 random{1};
    RouteIndex index{IndexOptions{
        .dimensions = 1,
        .columns = {ColumnType::text_array, ColumnType::int4_array, ColumnType::jsonb}}};
    std::vector<Row> rows;
    for (std::size_t i = 0; i < 300; ++i) {
        rows.push_back(any_row(random));
        REQUIRE(index.put(std::to_string(i), Vector{static_cast<float>(i)}, sent_row(rows[i])));
    }
    index.publish();
    for (int round = 0; round < 1000; ++round) {
        const Filter one = any_leaf(random);
        const Filter other = none_of(any_leaf(random));
        const Filter filter = random() % 2 == 0 ? any_of({one, other}) : all_of({one, other});
        std::vector<std::string> wanted;
        for (std::size_t i = 0; i < rows.size(); ++i) {
            const auto first = leaf_truth(one, rows[i]);
            const auto second = leaf_truth(other.children[0], rows[i]);
            const bool passes = filter.kind == Filter::Kind::any_of
                                    ? first == true || second == false
                                    : first == true && second == false;
            if (passes) {
                wanted.push_back(std::to_string(i));
            }
        }
        std::sort(wanted.begin(), wanted.end());
        const Vector query{50};
        std::vector<std::string> found =
            keys(index.search({.query = query, .k = 1000, .ef = 10, .filter = &filter}));
        std::sort(found.begin(), found.end());
        REQUIRE(found == wanted);
    }
}

TEST_CASE("Filters on elements and members are refused where the column has none", "[index]") {
    RouteIndex index{IndexOptions{
        .dimensions = 1, .columns = {ColumnType::int4, ColumnType::int4_array, ColumnType::jsonb}}};
    index.publish();
    const Vector query{0};
    const auto refused = [&](const Filter& filter) {
        const auto found = index.search({.query = query, .k = 1, .ef = 1, .filter = &filter});
        return found.has_error() && found.error() == Errc::wrong_filter;
    };
    using Kind = Filter::Kind;
    const FilterValue text{std::string{"a"}};
    const FilterValue number{std::int64_t{1}};
    CHECK(refused({.kind = Kind::contains, .column = 0, .values = {number}}));
    CHECK(refused({.kind = Kind::contains, .column = 1, .values = {text}}));
    CHECK(refused({.kind = Kind::overlaps, .column = 1, .values = {std::int64_t{1} << 40}}));
    CHECK(refused({.kind = Kind::overlaps, .column = 9, .values = {number}}));
    CHECK(refused(equal(1, text)));
    CHECK(refused(equal(2, text)));
    CHECK(refused({.kind = Kind::contains, .column = 2, .values = {text}}));
    CHECK(refused({.kind = Kind::overlaps, .column = 2, .member = "a", .values = {text}}));
    CHECK(refused({.kind = Kind::compare, .column = 2, .member = "a", .values = {number}}));
    CHECK(refused({.kind = Kind::is_null, .column = 0, .member = "a"}));
    CHECK_FALSE(refused({.kind = Kind::is_null, .column = 1}));
    CHECK_FALSE(refused({.kind = Kind::is_null, .column = 2, .member = "a"}));
}

TEST_CASE("What is cut short or no jsonb has no members, and no elements", "[index]") {
    const std::string whole = "\x01{\"a\": \"x\\\"\", \"b\": [1, {\"c\": \"]\"}], \"d\": -1.5}";
    REQUIRE(jsonb_member(whole, "d")->text == "-1.5");
    REQUIRE(jsonb_member(whole, "b")->kind == JsonbMember::Kind::container);
    for (std::size_t length = 0; length + 2 < whole.size(); ++length) {
        const auto found = jsonb_member(whole.substr(0, length), "e");
        CHECK_FALSE(found.has_value());
        (void)jsonb_member(whole.substr(0, length), "d");
    }
    const std::string array = array_of(25, {"a", std::nullopt, "b"});
    for (std::size_t length = 0; length <= array.size(); ++length) {
        const bool found =
            any_element(array.substr(0, length), [](auto one) { return one == "b"; });
        CHECK(found == (length == array.size()));
    }
}
