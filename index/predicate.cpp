#include "index/predicate.hpp"

#include "index/array_elements.hpp"
#include "index/jsonb_text.hpp"
#include "storage/byte_writer.hpp"

#include <algorithm>
#include <array>
#include <limits>

namespace veer::index {

namespace {

using storage::ColumnType;
using Comparison = Filter::Comparison;

constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t greatest = std::numeric_limits<std::int64_t>::max();
constexpr std::size_t uuid_bytes = 16;

Comparison opposite(Comparison comparison) {
    switch (comparison) {
        case Comparison::equal:
            return Comparison::not_equal;
        case Comparison::not_equal:
            return Comparison::equal;
        case Comparison::less:
            return Comparison::greater_or_equal;
        case Comparison::less_or_equal:
            return Comparison::greater;
        case Comparison::greater:
            return Comparison::less_or_equal;
        case Comparison::greater_or_equal:
            return Comparison::less;
    }
    return Comparison::equal;
}

bool holds(Comparison comparison, int order) {
    switch (comparison) {
        case Comparison::equal:
            return order == 0;
        case Comparison::not_equal:
            return order != 0;
        case Comparison::less:
            return order < 0;
        case Comparison::less_or_equal:
            return order <= 0;
        case Comparison::greater:
            return order > 0;
        case Comparison::greater_or_equal:
            return order >= 0;
    }
    return false;
}

bool has_bytes(ColumnType type) {
    return type == ColumnType::text || type == ColumnType::uuid;
}

/// The value as ValueColumn's cells are compared, where it is of the column's type.
std::optional<std::int64_t> number_of(const FilterValue& value, ColumnType type) {
    switch (type) {
        case ColumnType::boolean:
            if (const auto* const truth = std::get_if<bool>(&value)) {
                return *truth ? 1 : 0;
            }
            return std::nullopt;
        case ColumnType::float4:
        case ColumnType::float8:
            if (const auto* const number = std::get_if<double>(&value)) {
                return ordered(*number);
            }
            return std::nullopt;
        case ColumnType::text:
        case ColumnType::uuid:
        case ColumnType::int4_array:
        case ColumnType::int8_array:
        case ColumnType::text_array:
        case ColumnType::jsonb:
            return std::nullopt;
        default:
            if (const auto* const number = std::get_if<std::int64_t>(&value)) {
                return *number;
            }
            return std::nullopt;
    }
}

const std::string* bytes_of(const FilterValue& value, ColumnType type) {
    const auto* const bytes = std::get_if<std::string>(&value);
    const bool fits =
        bytes != nullptr &&
        (type == ColumnType::text || (type == ColumnType::uuid && bytes->size() == uuid_bytes));
    return fits ? bytes : nullptr;
}

/// An element of an array as it is sent; nothing where the value cannot be one.
std::optional<std::string> element_of(const FilterValue& value, ColumnType element) {
    if (element == ColumnType::text) {
        const auto* const text = std::get_if<std::string>(&value);
        return text != nullptr ? std::optional(*text) : std::nullopt;
    }
    const auto* const number = std::get_if<std::int64_t>(&value);
    const bool narrow = element == ColumnType::int4;
    if (number == nullptr || (narrow && *number != static_cast<std::int32_t>(*number))) {
        return std::nullopt;
    }
    storage::ByteWriter writer;
    return narrow ? writer.be32(static_cast<std::uint32_t>(*number)).take()
                  : writer.be64(static_cast<std::uint64_t>(*number)).take();
}

/// Whether jsonb takes them for equal.
bool is_scalar(const JsonbMember& member, std::string_view scalar) {
    switch (member.kind) {
        case JsonbMember::Kind::string:
            return scalar.size() == member.text.size() + 2 && scalar.front() == '"' &&
                   scalar.substr(1, member.text.size()) == member.text;
        case JsonbMember::Kind::number:
            return without_trailing_zeros(scalar) == without_trailing_zeros(member.text);
        case JsonbMember::Kind::boolean:
        case JsonbMember::Kind::null:
            return scalar == member.text;
        case JsonbMember::Kind::container:
            break;
    }
    return false;
}

}  // namespace

class Predicate::Compiler {
  public:
    explicit Compiler(const Records& records) : records_{records} {}

    Result<Node> compile(const Filter& filter, bool negated) const {
        if (filter.member) {
            return about_member(filter, negated);
        }
        switch (filter.kind) {
            case Filter::Kind::all_of:
            case Filter::Kind::any_of:
                return combine(filter, negated);
            case Filter::Kind::negation:
                return filter.children.size() == 1 ? compile(filter.children.front(), !negated)
                                                   : wrong();
            case Filter::Kind::compare:
                return compare(filter, negated);
            case Filter::Kind::one_of:
                return list(filter, negated);
            case Filter::Kind::is_null:
                if (filter.column >= records_.columns()) {
                    return wrong();
                }
                return leaf(negated ? Node::Kind::not_null : Node::Kind::null, filter.column);
            case Filter::Kind::unknown:
                return constant(false);
            case Filter::Kind::contains:
            case Filter::Kind::overlaps:
                return about_elements(filter, negated);
        }
        return wrong();
    }

  private:
    static Result<Node> wrong() { return make_error_code(Errc::wrong_filter); }

    static Node leaf(Node::Kind kind, std::size_t column) {
        Node node;
        node.kind = kind;
        node.column = column;
        return node;
    }

    static Node constant(bool truth) {
        Node node;
        node.kind = truth ? Node::Kind::all : Node::Kind::any;
        return node;
    }

    static bool is_constant(const Node& node, bool truth) {
        return node.children.empty() && node.kind == constant(truth).kind;
    }

    /// AND of none is true and decided by one that is false; OR the other way round.
    Result<Node> combine(const Filter& filter, bool negated) const {
        const bool all = (filter.kind == Filter::Kind::all_of) != negated;
        Node node = constant(all);
        for (const Filter& child : filter.children) {
            auto compiled = compile(child, negated);
            if (!compiled) {
                return compiled;
            }
            if (is_constant(*compiled, !all)) {
                return constant(!all);
            }
            if (!is_constant(*compiled, all)) {
                node.children.push_back(std::move(*compiled));
            }
        }
        if (node.children.size() == 1) {
            Node only = std::move(node.children.front());
            return only;
        }
        return node;
    }

    Result<Node> compare(const Filter& filter, bool negated) const {
        if (filter.column >= records_.columns() || filter.values.size() != 1) {
            return wrong();
        }
        const ColumnType type = records_.column(filter.column).type();
        const FilterValue& value = filter.values.front();
        const Comparison comparison = negated ? opposite(filter.comparison) : filter.comparison;
        const bool equality =
            comparison == Comparison::equal || comparison == Comparison::not_equal;
        if (has_bytes(type)) {
            const std::string* const bytes = bytes_of(value, type);
            if (bytes == nullptr || (type == ColumnType::text && !equality)) {
                return wrong();
            }
            Node node = leaf(Node::Kind::compared, filter.column);
            if (equality) {
                node.kind =
                    comparison == Comparison::equal ? Node::Kind::listed : Node::Kind::unlisted;
            }
            node.comparison = comparison;
            node.texts = {*bytes};
            return node;
        }
        const auto number = number_of(value, type);
        return number ? Result<Node>{range(filter.column, comparison, *number)} : wrong();
    }

    static Node range(std::size_t column, Comparison comparison, std::int64_t number) {
        Node node = leaf(Node::Kind::inside, column);
        node.low = least;
        node.high = greatest;
        switch (comparison) {
            case Comparison::not_equal:
                node.kind = Node::Kind::outside;
                [[fallthrough]];
            case Comparison::equal:
                node.low = number;
                node.high = number;
                break;
            case Comparison::less:
                if (number == least) {
                    return constant(false);
                }
                node.high = number - 1;
                break;
            case Comparison::less_or_equal:
                node.high = number;
                break;
            case Comparison::greater:
                if (number == greatest) {
                    return constant(false);
                }
                node.low = number + 1;
                break;
            case Comparison::greater_or_equal:
                node.low = number;
                break;
        }
        return node;
    }

    /// IN of an empty list is false even of NULL. With NULL among the values it is never false, and
    /// so NOT IN never true.
    Result<Node> list(const Filter& filter, bool negated) const {
        if (filter.column >= records_.columns()) {
            return wrong();
        }
        const ColumnType type = records_.column(filter.column).type();
        Node node = leaf(negated ? Node::Kind::unlisted : Node::Kind::listed, filter.column);
        for (const FilterValue& value : filter.values) {
            const std::string* const bytes = bytes_of(value, type);
            const auto number = number_of(value, type);
            if (bytes == nullptr && !number) {
                return wrong();
            }
            if (bytes != nullptr) {
                node.texts.push_back(*bytes);
            } else {
                node.numbers.push_back(*number);
            }
        }
        if (filter.values.empty()) {
            return constant(negated && !filter.null_listed);
        }
        if (negated && filter.null_listed) {
            return constant(false);
        }
        std::sort(node.numbers.begin(), node.numbers.end());
        std::sort(node.texts.begin(), node.texts.end());
        return node;
    }

    Result<Node> about_elements(const Filter& filter, bool negated) const {
        const auto element = filter.column < records_.columns()
                                 ? storage::element_type(records_.column(filter.column).type())
                                 : std::nullopt;
        if (!element) {
            return wrong();
        }
        const bool all = filter.kind == Filter::Kind::contains;
        Node node = leaf(all ? Node::Kind::containing : Node::Kind::overlapping, filter.column);
        if (negated) {
            node.kind = all ? Node::Kind::lacking : Node::Kind::disjoint;
        }
        for (const FilterValue& value : filter.values) {
            auto sent = element_of(value, *element);
            if (!sent) {
                return wrong();
            }
            node.texts.push_back(*std::move(sent));
        }
        std::sort(node.texts.begin(), node.texts.end());
        return node;
    }

    Result<Node> about_member(const Filter& filter, bool negated) const {
        if (filter.column >= records_.columns() ||
            records_.column(filter.column).type() != ColumnType::jsonb) {
            return wrong();
        }
        Node node = leaf(Node::Kind::listed, filter.column);
        node.member = escaped_jsonb(*filter.member);
        for (const FilterValue& value : filter.values) {
            const auto* const text = std::get_if<std::string>(&value);
            if (text == nullptr) {
                return wrong();
            }
            node.texts.push_back(*text);
            node.escaped.push_back(escaped_jsonb(*text));
        }
        std::sort(node.texts.begin(), node.texts.end());
        std::sort(node.escaped.begin(), node.escaped.end());
        const bool one = filter.values.size() == 1;
        const bool unequal = filter.comparison == Filter::Comparison::not_equal;
        switch (filter.kind) {
            case Filter::Kind::is_null:
                node.kind = negated ? Node::Kind::not_null : Node::Kind::null;
                return node;
            case Filter::Kind::contains:
                node.kind = negated ? Node::Kind::lacking : Node::Kind::containing;
                return one ? Result<Node>{std::move(node)} : wrong();
            case Filter::Kind::compare:
                node.kind = unequal != negated ? Node::Kind::unlisted : Node::Kind::listed;
                return one && (unequal || filter.comparison == Filter::Comparison::equal)
                           ? Result<Node>{std::move(node)}
                           : wrong();
            case Filter::Kind::one_of:
                if (filter.values.empty() || (negated && filter.null_listed)) {
                    return constant(filter.values.empty() && negated && !filter.null_listed);
                }
                node.kind = negated ? Node::Kind::unlisted : Node::Kind::listed;
                return node;
            default:
                return wrong();
        }
    }

    const Records& records_;
};

/// One evaluation of one block.
struct Predicate::Evaluation {
    const Records& records;
    Record first;
    std::size_t count;

    std::size_t words() const { return (count + 63) / 64; }

    void node(const Node& node, std::uint64_t* out) const {
        if (node.kind == Node::Kind::all || node.kind == Node::Kind::any) {
            combine(node, out);
            return;
        }
        const ValueColumn& column = records.column(node.column);
        const bool test =
            !node.member && (node.kind == Node::Kind::null || node.kind == Node::Kind::not_null);
        if (!test) {
            leaf(node, column, out);
        }
        for (std::size_t word = 0; word < words(); ++word) {
            const std::uint64_t nulls = column.nulls(first / 64 + word) >> (first % 64);
            if (node.kind == Node::Kind::null) {
                out[word] = test ? nulls : out[word] | nulls;
            } else {
                out[word] = test ? ~nulls : out[word] & ~nulls;
            }
        }
    }

  private:
    void combine(const Node& node, std::uint64_t* out) const {
        const bool all = node.kind == Node::Kind::all;
        std::fill(out, out + words(), all ? ~std::uint64_t{0} : 0);
        std::array<std::uint64_t, block / 64> child;
        for (const Node& one : node.children) {
            this->node(one, child.data());
            bool decided = true;
            for (std::size_t word = 0; word < words(); ++word) {
                out[word] = all ? out[word] & child[word] : out[word] | child[word];
                decided = decided && out[word] == (all ? 0 : ~std::uint64_t{0});
            }
            if (decided) {
                return;
            }
        }
    }

    template <class Test>
    void each(std::uint64_t* out, Test test) const {
        for (std::size_t word = 0; word < words(); ++word) {
            const std::size_t begin = word * 64;
            const std::size_t bits = std::min<std::size_t>(64, count - begin);
            std::uint64_t passed = 0;
            for (std::size_t bit = 0; bit < bits; ++bit) {
                const auto record = static_cast<Record>(first + begin + bit);
                passed |= std::uint64_t{test(record) ? 1U : 0U} << bit;
            }
            out[word] = passed;
        }
    }

    void leaf(const Node& node, const ValueColumn& column, std::uint64_t* out) const {
        switch (column.type()) {
            case ColumnType::boolean:
                return numbers<std::uint8_t>(node, column, out);
            case ColumnType::int2:
                return numbers<std::int16_t>(node, column, out);
            case ColumnType::int4:
            case ColumnType::date:
                return numbers<std::int32_t>(node, column, out);
            case ColumnType::int8:
            case ColumnType::timestamp:
            case ColumnType::timestamptz:
                return numbers<std::int64_t>(node, column, out);
            case ColumnType::float4:
                return numbers<float>(node, column, out);
            case ColumnType::float8:
                return numbers<double>(node, column, out);
            case ColumnType::uuid:
            case ColumnType::text:
                return texts(node, column, out);
            case ColumnType::int4_array:
            case ColumnType::int8_array:
            case ColumnType::text_array:
                return arrays(node, column, out);
            case ColumnType::jsonb:
                return documents(node, column, out);
        }
    }

    template <class Cell>
    void numbers(const Node& node, const ValueColumn& column, std::uint64_t* out) const {
        const auto value = [&](Record record) -> std::int64_t {
            if constexpr (std::is_floating_point_v<Cell>) {
                return ordered(column.cell<Cell>(record));
            } else {
                return column.cell<Cell>(record);
            }
        };
        if (node.kind == Node::Kind::inside || node.kind == Node::Kind::outside) {
            const bool inside = node.kind == Node::Kind::inside;
            each(out, [&, low = node.low, high = node.high](Record record) {
                const std::int64_t number = value(record);
                return (number >= low && number <= high) == inside;
            });
            return;
        }
        const bool listed = node.kind == Node::Kind::listed;
        each(out, [&](Record record) {
            return std::binary_search(node.numbers.begin(), node.numbers.end(), value(record)) ==
                   listed;
        });
    }

    /// The cell of a NULL need not lead to a text.
    void texts(const Node& node, const ValueColumn& column, std::uint64_t* out) const {
        if (node.kind == Node::Kind::compared) {
            each(out, [&](Record record) {
                return !column.is_null(record) &&
                       holds(node.comparison, column.bytes(record).compare(node.texts.front()));
            });
            return;
        }
        const bool listed = node.kind == Node::Kind::listed;
        each(out, [&](Record record) {
            return !column.is_null(record) &&
                   std::binary_search(
                       node.texts.begin(), node.texts.end(), column.bytes(record), std::less<>{}
                   ) == listed;
        });
    }

    void arrays(const Node& node, const ValueColumn& column, std::uint64_t* out) const {
        const bool all = node.kind == Node::Kind::containing || node.kind == Node::Kind::lacking;
        const bool wanted =
            node.kind == Node::Kind::containing || node.kind == Node::Kind::overlapping;
        const auto has = [](std::string_view sent, const std::string& element) {
            return any_element(sent, [&](std::string_view one) { return one == element; });
        };
        const auto is_wanted = [&](std::string_view one) {
            return std::binary_search(node.texts.begin(), node.texts.end(), one, std::less<>{});
        };
        each(out, [&](Record record) {
            if (column.is_null(record)) {
                return false;
            }
            const std::string_view sent = column.bytes(record);
            const bool holds = all ? std::all_of(
                                         node.texts.begin(),
                                         node.texts.end(),
                                         [&](const std::string& one) { return has(sent, one); }
                                     )
                                   : any_element(sent, is_wanted);
            return holds == wanted;
        });
    }

    void documents(const Node& node, const ValueColumn& column, std::uint64_t* out) const {
        each(out, [&](Record record) {
            return !column.is_null(record) &&
                   passes(node, jsonb_member(column.bytes(record), *node.member));
        });
    }

    static bool passes(const Node& node, const std::optional<JsonbMember>& member) {
        const bool there = member && member->kind != JsonbMember::Kind::null;
        switch (node.kind) {
            case Node::Kind::null:
            case Node::Kind::not_null:
                return there == (node.kind == Node::Kind::not_null);
            case Node::Kind::containing:
            case Node::Kind::lacking:
                return (member && is_scalar(*member, node.texts.front())) ==
                       (node.kind == Node::Kind::containing);
            default:
                break;
        }
        if (!there) {
            return false;  // ->> gives NULL
        }
        const auto& texts = member->kind == JsonbMember::Kind::string ? node.escaped : node.texts;
        return std::binary_search(texts.begin(), texts.end(), member->text, std::less<>{}) ==
               (node.kind == Node::Kind::listed);
    }
};

Result<Predicate> Predicate::compile(const Filter& filter, const Records& records) {
    auto root = Compiler{records}.compile(filter, false);
    if (!root) {
        return root.error();
    }
    return Predicate{std::move(*root)};
}

void Predicate::evaluate(
    const Records& records, Record first, std::size_t count, std::uint64_t* words
) const {
    const Evaluation evaluation{records, first, count};
    evaluation.node(root_, words);
    if (count % 64 != 0) {
        words[count / 64] &= (std::uint64_t{1} << (count % 64)) - 1;
    }
}

}  // namespace veer::index
