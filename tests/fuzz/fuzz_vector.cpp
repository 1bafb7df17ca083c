#include "router/vector_value.hpp"
#include "storage/byte_writer.hpp"
#include "storage/foreign_vector.hpp"
#include "storage/half.hpp"
#include "tests/fuzz/require.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <iterator>
#include <optional>
#include <string>

namespace veer {

namespace {

using storage::BitVector;
using storage::SparseVector;
using storage::Vector;
using storage::VectorForm;
using storage::VectorKind;

bool same(const std::vector<float>& a, const std::vector<float>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](float x, float y) {
        return std::bit_cast<std::uint32_t>(x) == std::bit_cast<std::uint32_t>(y);
    });
}

/// Bit for bit, so that -0 is not 0.
bool same(const Vector& a, const Vector& b) {
    const auto* const floats = std::get_if<std::vector<float>>(&a);
    const auto* const others = std::get_if<std::vector<float>>(&b);
    return floats != nullptr && others != nullptr ? same(*floats, *others) : a == b;
}

bool finite(const Vector& vector) {
    const auto all = [](const std::vector<float>& values) {
        return std::all_of(values.begin(), values.end(), [](float x) { return std::isfinite(x); });
    };
    if (const auto* const floats = std::get_if<std::vector<float>>(&vector)) {
        return all(*floats);
    }
    const auto* const sparse = std::get_if<SparseVector>(&vector);
    return sparse == nullptr || all(sparse->values);
}

std::string text_of(float value) {
    char digits[32];
    return {digits, std::to_chars(std::begin(digits), std::end(digits), value).ptr};
}

std::string joined(const std::vector<float>& values) {
    std::string text;
    for (const float value : values) {
        text += text.empty() ? "" : ",";
        text += text_of(value);
    }
    return text;
}

/// Plainly, as the manual of pgvector has it; nothing of bits, whose order within a word is
/// nobody's business.
std::optional<std::string> text_of(const Vector& vector) {
    if (const auto* const floats = std::get_if<std::vector<float>>(&vector)) {
        return '[' + joined(*floats) + ']';
    }
    const auto* const sparse = std::get_if<SparseVector>(&vector);
    if (sparse == nullptr) {
        return std::nullopt;
    }
    std::string text;
    for (std::size_t i = 0; i < sparse->indices.size(); ++i) {
        text += text.empty() ? "" : ",";
        text += std::to_string(sparse->indices[i] + 1) + ':' + text_of(sparse->values[i]);
    }
    return '{' + text + "}/" + std::to_string(sparse->dimensions);
}

std::optional<std::string> sent(VectorKind kind, const Vector& vector) {
    storage::ByteWriter out;
    if (const auto* const floats = std::get_if<std::vector<float>>(&vector)) {
        out.be16(static_cast<std::uint16_t>(floats->size())).be16(0);
        for (const float value : *floats) {
            if (kind == VectorKind::vector) {
                out.be32(std::bit_cast<std::uint32_t>(value));
                continue;
            }
            const auto half = storage::nearest_half(value);
            fuzz::require(half.has_value() && storage::half_value(*half) == value);
            out.be16(*half);
        }
        return out.take();
    }
    const auto* const sparse = std::get_if<SparseVector>(&vector);
    if (sparse == nullptr) {
        return std::nullopt;
    }
    out.be32(sparse->dimensions).be32(static_cast<std::uint32_t>(sparse->indices.size())).be32(0);
    for (const std::uint32_t index : sparse->indices) {
        out.be32(index);
    }
    for (const float value : sparse->values) {
        out.be32(std::bit_cast<std::uint32_t>(value));
    }
    return out.take();
}

/// A decoded vector is one that its type allows, and comes back from both of its forms.
void check(VectorKind kind, const Vector& vector) {
    const std::uint32_t most = kind == VectorKind::sparsevec ? 1'000'000'000 : 16'000;
    fuzz::require(finite(vector) && storage::dimensions_of(vector) >= 1);
    fuzz::require(kind == VectorKind::bit || storage::dimensions_of(vector) <= most);
    if (const auto text = text_of(vector)) {
        const auto again = router::parse_vector_text(kind, *text);
        fuzz::require(again && same(*again, vector));
    }
    if (const auto bytes = sent(kind, vector)) {
        const auto again = router::parse_vector_binary(kind, *bytes);
        fuzz::require(again && same(*again, vector));
    }
}

std::optional<Vector> foreign(VectorForm form, const Vector& wanted, std::string_view bytes) {
    const auto dimensions = static_cast<std::int32_t>(storage::dimensions_of(wanted));
    return storage::read_foreign_vector(form, dimensions, bytes);
}

void check_text(VectorKind kind, std::string_view text) {
    const auto vector = router::parse_vector_text(kind, text);
    if (!vector) {
        return;
    }
    check(kind, *vector);
    if (kind == VectorKind::vector) {  // by another decoder: of columns of text, and of jsonb
        const auto column = foreign(VectorForm::text, *vector, text);
        fuzz::require(column && same(*column, *vector));
        const auto json = foreign(VectorForm::jsonb, *vector, '\1' + std::string(text));
        fuzz::require(!json || same(*json, *vector));
    }
    if (kind == VectorKind::bit) {
        std::string packed((text.size() + 7) / 8, '\0');
        for (std::size_t i = 0; i < text.size(); ++i) {
            const unsigned bit = text[i] == '1' ? 0x80U >> i % 8 : 0U;
            packed[i / 8] = static_cast<char>(static_cast<std::uint8_t>(packed[i / 8]) | bit);
        }
        storage::ByteWriter out;
        out.be32(static_cast<std::uint32_t>(text.size())).bytes(packed);
        const auto again = router::parse_vector_binary(kind, out.written());
        fuzz::require(again && same(*again, *vector));
    }
}

void check_binary(VectorKind kind, std::string_view bytes) {
    const auto decoded = storage::decode_vector(kind, bytes);
    const auto vector = router::parse_vector_binary(kind, bytes);
    fuzz::require(!vector || (decoded && same(*decoded, *vector)));
    if (decoded && finite(*decoded)) {
        const auto again = sent(kind, *decoded);
        fuzz::require(!again || *again == bytes);
    }
    if (vector) {
        check(kind, *vector);
    }
}

void check_array_text(VectorKind kind, std::string_view text) {
    const auto vector = router::parse_array_text(kind, text);
    if (!vector) {
        return;
    }
    check(kind, *vector);
    if (const auto* const floats = std::get_if<std::vector<float>>(&*vector)) {
        const std::string items = joined(*floats);
        const auto again = router::parse_array_text(kind, '{' + items + '}');
        fuzz::require(again && same(*again, *vector));
        const auto listed = router::parse_array_items(kind, items);
        fuzz::require(!listed || same(*listed, *vector));
    }
}

void check_array_binary(VectorKind kind, std::string_view bytes) {
    const auto vector = router::parse_array_binary(kind, bytes);
    if (!vector) {
        return;
    }
    check(kind, *vector);
    if (kind == VectorKind::vector) {  // by the decoder of real[] columns, or of double precision[]
        const auto real = foreign(VectorForm::real_array, *vector, bytes);
        const auto wide = foreign(VectorForm::double_array, *vector, bytes);
        fuzz::require(real.has_value() != wide.has_value());
        fuzz::require(same(real ? *real : *wide, *vector));
    }
}

void check_foreign(VectorForm form, std::int32_t dimensions, std::string_view bytes) {
    const auto vector = storage::read_foreign_vector(form, dimensions, bytes);
    if (vector) {
        fuzz::require(storage::dimensions_of(*vector) == static_cast<std::uint32_t>(dimensions));
        check(VectorKind::vector, *vector);
    }
}

}  // namespace

}  // namespace veer

/// A vector's type, how it is written, and the bytes: whoever decodes them says the same, and what
/// is written of what was decoded is decoded to the same again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace veer;
    if (size < 2) {
        return 0;
    }
    const auto kind = static_cast<storage::VectorKind>((data[0] - '0') & 3U);
    const std::string_view rest = fuzz::as_text(data + 2, size - 2);
    switch ((data[1] - 'a') & 7U) {
        case 0:
            check_text(kind, rest);
            break;
        case 1:
            check_binary(kind, rest);
            break;
        case 2:
            check_array_text(kind, rest);
            break;
        case 3:
            check_array_binary(kind, rest);
            break;
        case 4:
            check_foreign(storage::VectorForm::real_array, 1 + (data[0] & 7), rest);
            break;
        case 5:
            check_foreign(storage::VectorForm::double_array, 1 + (data[0] & 7), rest);
            break;
        case 6:
            check_foreign(storage::VectorForm::text, 1 + (data[0] & 7), rest);
            break;
        default:
            check_foreign(storage::VectorForm::jsonb, 1 + (data[0] & 7), rest);
            break;
    }
    return 0;
}
