#include "storage/table.hpp"

#include "storage/partitions.hpp"

#include <algorithm>
#include <optional>

namespace veer::storage {

namespace {

struct Fingerprint {
    std::string_view versions;
    std::string_view file;
    std::string_view definitions;
};

std::optional<Fingerprint> split(std::string_view text) {
    const std::size_t first = text.find('|');
    const std::size_t second = first == std::string_view::npos ? first : text.find('|', first + 1);
    if (second == std::string_view::npos) {
        return std::nullopt;
    }
    return Fingerprint{
        text.substr(0, first), text.substr(first + 1, second - first - 1), text.substr(second + 1)};
}

bool is_tree(std::string_view file) {
    return file.starts_with("tree ");
}

/// Of so many columns; versions end with a comma each.
std::string_view first_versions(std::string_view versions, std::size_t count) {
    std::size_t end = 0;
    for (; count > 0 && end != std::string_view::npos; --count) {
        end = versions.find(',', end);
        end += end == std::string_view::npos ? 0 : 1;
    }
    return versions.substr(0, end);
}

/// The columns at these positions, by what identifies and types them.
bool same_columns(
    const Table& left,
    const std::vector<std::size_t>& left_positions,
    const Table& right,
    const std::vector<std::size_t>& right_positions
) {
    return std::equal(
        left_positions.begin(),
        left_positions.end(),
        right_positions.begin(),
        right_positions.end(),
        [&](std::size_t one, std::size_t other) {
            const Column& here = left.columns[one];
            const Column& there = right.columns[other];
            return here.attnum == there.attnum && here.name == there.name &&
                   here.type_oid == there.type_oid && here.typmod == there.typmod &&
                   here.kind == there.kind && here.form == there.form &&
                   here.declared_dimensions == there.declared_dimensions;
        }
    );
}

/// Whether it matters that these have the same parameters: of two indexes of pgvector's, or of two
/// that are declared, where somebody has said with which. Of partial ones one stands for all, with
/// its parameters, whichever that is.
bool made_alike(const AnnIndex& one, const AnnIndex& other) {
    const bool named = !one.name.empty() && !other.name.empty();
    const bool stated = one.name.empty() && other.name.empty() &&
                        (one.states_parameters || other.states_parameters);
    return (!named && !stated) || one.partial || other.partial ||
           (one.m == other.m && one.ef_construction == other.ef_construction);
}

/// The other has each of these, made with the same parameters.
bool has_indexes(const std::vector<AnnIndex>& wanted, const std::vector<AnnIndex>& other) {
    return std::all_of(wanted.begin(), wanted.end(), [&](const AnnIndex& index) {
        return std::any_of(other.begin(), other.end(), [&](const AnnIndex& each) {
            return index.same_order(each) && made_alike(index, each);
        });
    });
}

}  // namespace

bool AnnIndex::same_order(const AnnIndex& other) const {
    return vector == other.vector && legacy == other.legacy &&
           operator_name == other.operator_name && operator_oid == other.operator_oid &&
           declared == other.declared && type_oid == other.type_oid;
}

bool same_values(std::string_view fingerprint, std::string_view other) {
    if (fingerprint == other) {
        return true;
    }
    const auto left = split(fingerprint);
    const auto right = split(other);
    if (!left || !right || left->definitions != right->definitions) {
        return false;
    }
    const bool trees = is_tree(left->file) || is_tree(right->file);
    return left->file == right->file || (!trees && left->versions == right->versions);
}

Table as_copied(Table found, const Table& copy) {
    const auto added = [&](std::size_t position) {
        const std::int16_t attnum = found.columns[position].attnum;
        return attnum > copy.chosen_from &&
               std::find(found.named.begin(), found.named.end(), attnum) == found.named.end();
    };
    // attnums are never used again, so that what was added is at the end.
    const auto since = std::find_if(found.copied.begin(), found.copied.end(), added);
    const bool all_of_them = std::all_of(since, found.copied.end(), added);
    const auto before = split(found.copied_fingerprint);
    const auto copied = split(copy.copied_fingerprint);
    if (since == found.copied.end() || !all_of_them || !before || !copied ||
        !before->definitions.starts_with(copied->definitions)) {
        return found;
    }
    found.copied.erase(since, found.copied.end());
    found.chosen_from = copy.chosen_from;
    found.copied_fingerprint = std::string{first_versions(before->versions, found.copied.size())}
                                   .append("|")
                                   .append(before->file)
                                   .append("|")
                                   .append(copied->definitions);
    return found;
}

std::string Table::source_of(const AnnIndex& index) const {
    const std::string& column = columns[vectors[index.vector]].name;
    return index.legacy.has_value()
               ? "coalesce(" + column + ", " + columns[vectors[*index.legacy]].name + ')'
               : column;
}

Table with_partitions_of(Table copy, const Table& now) {
    const auto take_file = [](std::string& fingerprint, const std::string& other) {
        const auto own = split(fingerprint);
        const auto its = split(other);
        if (own.has_value() && its.has_value() && is_tree(own->file) && is_tree(its->file)) {
            fingerprint =
                std::string{own->versions}.append("|").append(its->file).append("|").append(
                    own->definitions
                );
        }
    };
    take_file(copy.fingerprint, now.fingerprint);
    take_file(copy.copied_fingerprint, now.copied_fingerprint);
    return copy;
}

bool is_partitioned(const Table& table) {
    const auto parts = split(table.fingerprint);
    return parts.has_value() && is_tree(parts->file);
}

std::string_view only(const Table& table) {
    return is_partitioned(table) ? "" : "ONLY ";
}

bool Table::same_rows(const Table& other) const {
    return oid == other.oid && same_columns(*this, key, other, other.key) &&
           same_columns(*this, vectors, other, other.vectors) &&
           same_columns(*this, copied, other, other.copied) &&
           has_indexes(indexes, other.indexes) && has_indexes(other.indexes, indexes) &&
           same_values(fingerprint, other.fingerprint) &&
           same_values(copied_fingerprint, other.copied_fingerprint);
}

bool Table::same_shape(const Table& other) const {
    return oid == other.oid && schema == other.schema && name == other.name &&
           columns == other.columns && key == other.key && vectors == other.vectors &&
           indexes == other.indexes && fingerprint == other.fingerprint && copied == other.copied &&
           copied_fingerprint == other.copied_fingerprint;
}

}  // namespace veer::storage
