#include "proxy/server_look.hpp"

#include <boost/asio/post.hpp>

#include <utility>

namespace veer::proxy {

ServerLook::ServerLook(std::string dsn) : dsn_(std::move(dsn)) {}

ServerLook::~ServerLook() {
    stop();
}

bool ServerLook::begin(Done done) {
    if (wake_.woken() || under_way_.exchange(true)) {
        return false;
    }
    boost::asio::post(thread_, [this, done = std::move(done)] {
        auto facts = read_facts(dsn_, &wake_);
        under_way_ = false;  // first: who has an answer may ask again
        done(std::move(facts));
    });
    return true;
}

void ServerLook::stop() {
    wake_.wake();
    thread_.join();
}

}  // namespace veer::proxy
