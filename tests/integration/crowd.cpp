#include "tests/integration/crowd.hpp"

#include <set>

namespace veer::tests {

namespace {

std::string vector_near(int i) {
    constexpr int vectors = 1000;
    return "'[" + std::to_string((i % vectors) / static_cast<double>(vectors)) +
           ",-0.2,0.3,0.4,-0.5,0.6,0.7,-0.8]'";
}

}  // namespace

std::string search_near(int i, const std::string& comment) {
    return "SELECT id FROM docs ORDER BY e <=> " + vector_near(i) + " LIMIT 5 " + comment;
}

bool is_answer(const Outcome& outcome, std::size_t count, std::size_t distance) {
    std::set<std::string> seen;
    double last = -1;
    for (const auto& row : outcome.rows) {
        const double here = std::stod(row.at(distance).value_or("nan"));
        if (!(here >= last) || !seen.insert(row.at(0).value_or("")).second) {
            return false;
        }
        last = here;
    }
    return outcome.sqlstate.empty() && outcome.rows.size() == count;
}

Crowd::Crowd(const std::string& dsn) {
    constexpr int clients = 8;
    for (int i = 0; i < clients; ++i) {
        threads_.emplace_back([this, i, dsn] { run(dsn, i); });
    }
}

Crowd::~Crowd() {
    stop();
}

void Crowd::stop() {
    stopped_ = true;
    for (std::thread& thread : threads_) {
        thread.join();
    }
    threads_.clear();
}

void Crowd::run(const std::string& dsn, int number) {
    Client client(dsn);
    for (int i = 0; !stopped_; ++i) {
        bool right = false;
        if (number == 0) {
            const std::string id = std::to_string(i % 100);
            right = client.simple("UPDATE docs SET title = 'w' WHERE id = " + id).sqlstate.empty();
        } else {
            const std::string vector = vector_near(number * 131 + i);
            std::string sql = "SELECT id, e <=> ";
            sql.append(vector)
                .append(" FROM docs ORDER BY e <=> ")
                .append(vector)
                .append(" LIMIT 5");
            right = is_answer(client.simple(sql), 5, 1);
        }
        if (!right && !client.connected()) {
            ++lost_;
            return;
        }
        failed_ += right ? 0 : 1;
        ++asked_;
    }
}

}  // namespace veer::tests
