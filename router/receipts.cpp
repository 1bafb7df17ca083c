#include "router/receipts.hpp"

#include <algorithm>
#include <utility>

namespace veer::router {

namespace {

/// At most so many bytes, of whole characters where it is UTF-8.
void shorten(std::string& text, std::size_t most) {
    constexpr unsigned continues = 0x80;
    constexpr unsigned continues_mask = 0xC0;
    if (text.size() <= most) {
        return;
    }
    while (most > 0 && (static_cast<unsigned char>(text[most]) & continues_mask) == continues) {
        --most;
    }
    text.resize(most);
}

}  // namespace

void Receipts::add(Receipt receipt) {
    for (std::string* const text : {&receipt.key, &receipt.role, &receipt.application}) {
        shorten(*text, text_max);
    }
    const std::unique_lock lock(mutex_, std::try_to_lock);
    if (!lock.owns_lock()) {
        return;
    }
    if (ring_.size() < kept_max) {
        ring_.push_back(std::move(receipt));
        return;
    }
    ring_[next_] = std::move(receipt);
    next_ = (next_ + 1) % kept_max;
}

std::vector<Receipt> Receipts::latest() const {
    const std::lock_guard lock(mutex_);
    std::vector<Receipt> latest(ring_);
    std::rotate(latest.begin(), latest.begin() + static_cast<std::ptrdiff_t>(next_), latest.end());
    std::reverse(latest.begin(), latest.end());
    return latest;
}

}  // namespace veer::router
