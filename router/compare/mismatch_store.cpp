#include "router/compare/mismatch_store.hpp"

#include <algorithm>

namespace veer::router::compare {

namespace {

std::size_t bytes_of(const Rows& rows) {
    std::size_t bytes = 0;
    for (const index::Hit& row : rows) {
        bytes += sizeof(index::Hit) + row.key.size();
    }
    return bytes;
}

std::size_t bytes_of(const index::Filter& filter) {
    std::size_t bytes = sizeof(index::Filter);
    for (const index::FilterValue& value : filter.values) {
        const auto* const text = std::get_if<std::string>(&value);
        bytes += sizeof(value) + (text == nullptr ? 0 : text->size());
    }
    for (const index::Filter& child : filter.children) {
        bytes += bytes_of(child);
    }
    return bytes;
}

}  // namespace

std::size_t Mismatch::bytes() const {
    std::size_t bytes = sizeof(Mismatch) + route.size() + shape.size() +
                        vector.size() * sizeof(float) + bytes_of(answers.postgres);
    bytes += answers.veer ? bytes_of(*answers.veer) : 0;
    bytes += answers.exact ? bytes_of(*answers.exact) : 0;
    bytes += filter ? bytes_of(*filter) : 0;
    bytes += columns.size() * sizeof(std::size_t);
    for (const std::string& column : payload) {
        bytes += sizeof(std::string) + column.size();
    }
    for (const std::string& key : answers.outside) {
        bytes += sizeof(std::string) + key.size();
    }
    for (const auto& [key, distance] : answers.confirmed) {
        bytes += sizeof(distance) + key.size();
    }
    for (const std::string& key : answers.changed.keys) {
        bytes += sizeof(std::string) + key.size();
    }
    return bytes;
}

void MismatchStore::set_keep(std::size_t keep) {
    keep_ = keep;
    make_room();
}

std::uint64_t MismatchStore::add(Mismatch mismatch) {
    if (keep_ == 0) {
        return 0;
    }
    mismatch.id = ++last_;
    while (!kept_.empty() && mismatch.taken_us - kept_.front()->taken_us > age_max_us) {
        drop(0);
    }
    bytes_ += mismatch.bytes();
    ++of_class_.at(static_cast<std::size_t>(mismatch.judgement.verdict));
    kept_.push_back(std::make_shared<const Mismatch>(std::move(mismatch)));
    make_room();
    return last_;
}

void MismatchStore::make_room() {
    while (kept_.size() > keep_ || (bytes_ > bytes_max && kept_.size() > 1)) {
        const auto most = static_cast<Difference>(
            std::max_element(of_class_.begin(), of_class_.end()) - of_class_.begin()
        );
        const auto oldest = std::find_if(kept_.begin(), kept_.end(), [most](const auto& each) {
            return each->judgement.verdict == most;
        });
        drop(static_cast<std::size_t>(oldest - kept_.begin()));
    }
}

void MismatchStore::drop(std::size_t at) {
    bytes_ -= kept_.at(at)->bytes();
    --of_class_.at(static_cast<std::size_t>(kept_.at(at)->judgement.verdict));
    kept_.erase(kept_.begin() + static_cast<std::ptrdiff_t>(at));
}

std::vector<std::shared_ptr<const Mismatch>> MismatchStore::all() const {
    return {kept_.begin(), kept_.end()};
}

std::shared_ptr<const Mismatch> MismatchStore::find(std::uint64_t id) const {
    const auto found =
        std::find_if(kept_.begin(), kept_.end(), [id](const auto& each) { return each->id == id; });
    return found == kept_.end() ? nullptr : *found;
}

}  // namespace veer::router::compare
