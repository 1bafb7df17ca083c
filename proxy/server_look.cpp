#include "proxy/server_look.hpp"

#include <boost/asio/post.hpp>

#include <exception>
#include <utility>

namespace veer::proxy {

ServerLook::ServerLook(std::string dsn) : dsn_(std::move(dsn)) {}

ServerLook::~ServerLook() {
    stop();
}

bool ServerLook::begin(Done done) {
    const std::lock_guard lock(posting_);
    if (wake_.woken() || under_way_.exchange(true)) {
        return false;
    }
    boost::asio::post(thread_, [this, done = std::move(done)] {
        storage::Result<DoctorFacts> facts =
            storage::Error{storage::Errc::unexpected, "There is no memory to ask it."};
        try {
            facts = read_facts(dsn_, &wake_);
        } catch (const std::exception&) {  // what leaves the thread ends the process
        }
        under_way_ = false;  // first: who has an answer may ask again
        try {
            done(std::move(facts));
        } catch (const std::exception&) {
        }
    });
    return true;
}

void ServerLook::stop() {
    {
        const std::lock_guard lock(posting_);
        wake_.wake();  // nothing is posted from here on
    }
    thread_.join();
}

}  // namespace veer::proxy
