#include "router/compare/plot.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace veer::router::compare {

namespace {

constexpr double width = 420;
constexpr double height = 180;
constexpr double left = 46;
constexpr double bottom = 26;
constexpr double top = 10;
constexpr const char* ours = "#0b6e4f";
constexpr const char* theirs = "#7a5195";
constexpr const char* wrong = "#b3261e";

std::string n(double value) {
    char buffer[32];
    std::snprintf(buffer, sizeof buffer, "%.5g", value);
    return buffer;
}

/// One drawing; y grows upwards from the axis.
class Drawing {
  public:
    explicit Drawing(const std::string& title) {
        svg_ = "<svg viewBox=\"0 0 " + n(width) + ' ' + n(height) +
               "\" role=\"img\" aria-label=\"" + title + "\">";
    }

    static double x(double share) { return left + share * (width - left - 8); }

    static double y(double share) { return height - bottom - share * (height - bottom - top); }

    void line(double x1, double y1, double x2, double y2, const std::string& style) {
        svg_ += "<line x1=\"" + n(x1) + "\" y1=\"" + n(y1) + "\" x2=\"" + n(x2) + "\" y2=\"" +
                n(y2) + "\" " + style + "/>";
    }

    void bar(double x0, double wide, double y0, double y1, const std::string& style) {
        svg_ += "<rect x=\"" + n(x0) + "\" y=\"" + n(std::min(y0, y1)) + "\" width=\"" + n(wide) +
                "\" height=\"" + n(std::abs(y1 - y0)) + "\" " + style + "/>";
    }

    void text(double x0, double y0, const std::string& words, const char* anchor = "middle") {
        svg_ += "<text x=\"" + n(x0) + "\" y=\"" + n(y0) + "\" text-anchor=\"" + anchor + "\">" +
                words + "</text>";
    }

    void path(const std::string& points, const std::string& style) {
        svg_ += "<polyline points=\"" + points + "\" fill=\"none\" " + style + "/>";
    }

    void axis() {
        line(left, y(0), width - 8, y(0), "class=\"axis\"");
        for (const double share : {0.0, 0.5, 1.0}) {
            text(left - 6, y(share) + 4, n(100 * share) + " %", "end");
        }
    }

    std::string done() { return svg_ + "</svg>"; }

  private:
    std::string svg_;
};

std::string filled(const char* colour) {
    return std::string("fill=\"") + colour + '"';
}

std::string hollow(const char* colour) {
    return std::string("fill=\"none\" stroke=\"") + colour + '"';
}

constexpr std::size_t recall_bars = 21;

/// The histogram's hundredths gathered to twentieths, the perfect ones apart.
std::array<double, recall_bars> gathered(const RecallHistogram& recall) {
    std::array<double, recall_bars> shares{};
    for (std::size_t i = 0; i < RecallHistogram::bins; ++i) {
        shares.at(i / 5) += static_cast<double>(recall.counts().at(i));
    }
    for (double& share : shares) {
        share /= static_cast<double>(std::max<std::uint64_t>(1, recall.count()));
    }
    return shares;
}

std::string ecdf(const LatencyHistogram& latency, double low, double high) {
    constexpr int steps = 120;
    std::string points;
    for (int i = 0; i <= steps; ++i) {
        const double along = static_cast<double>(i) / steps;
        const double at = low * std::pow(high / low, along);
        points += n(Drawing::x(along)) + ',' + n(Drawing::y(latency.share_up_to_ms(at))) + ' ';
    }
    return points;
}

}  // namespace

std::string recall_plot(const RouteStatistics& statistics) {
    Drawing drawing("Recall per search, veer and pgvector");
    drawing.axis();
    const auto veer = gathered(statistics.recall);
    const auto postgres = gathered(statistics.pg_recall);
    const double step = (Drawing::x(1) - Drawing::x(0)) / static_cast<double>(recall_bars);
    for (std::size_t i = 0; i < recall_bars; ++i) {
        const double x = left + step * static_cast<double>(i);
        drawing.bar(x + 1, step / 2 - 2, Drawing::y(0), Drawing::y(veer.at(i)), filled(ours));
        drawing.bar(
            x + step / 2, step / 2 - 2, Drawing::y(0), Drawing::y(postgres.at(i)), hollow(theirs)
        );
        if (i % 5 == 0) {
            drawing.text(x + step / 2, height - 8, n(static_cast<double>(i) / 20));
        }
    }
    return drawing.done();
}

std::string latency_plot(const RouteStatistics& statistics) {
    Drawing drawing("Share of searches answered within so many milliseconds");
    drawing.axis();
    const double most =
        std::max({statistics.veer_ms.max_ms(), statistics.postgres_ms.max_ms(), 1.0});
    const double high = std::pow(10.0, std::ceil(std::log10(most)));
    constexpr double low = 0.01;
    const double decades = std::log10(high / low);
    for (int i = 0; i <= static_cast<int>(std::lround(decades)); ++i) {
        const double x = Drawing::x(i / decades);
        drawing.line(x, Drawing::y(0), x, Drawing::y(1), "class=\"grid\"");
        drawing.text(x, height - 8, n(low * std::pow(10.0, i)) + (i == 0 ? " ms" : ""));
    }
    const std::string stroke = std::string("stroke-width=\"2\" stroke=\"");
    drawing.path(ecdf(statistics.veer_ms, low, high), stroke + ours + '"');
    drawing.path(
        ecdf(statistics.postgres_ms, low, high), stroke + theirs + "\" stroke-dasharray=\"5 3\""
    );
    return drawing.done();
}

std::string difference_plot(const RouteStatistics& statistics) {
    Drawing drawing("Searches that differ, by class");
    std::uint64_t most = 1;
    for (std::size_t i = 0; i < difference_count; ++i) {
        const Severity severity = severity_of(static_cast<Difference>(i));
        const bool counts = severity != Severity::equal && severity != Severity::excluded;
        most = std::max(most, counts ? statistics.with.at(i) : 0);
    }
    const double middle = height / 2;
    const double scale = (middle - 30) / static_cast<double>(most);
    double x = left;
    constexpr double step = 34;
    drawing.line(left, middle, width - 8, middle, "class=\"axis\"");
    for (std::size_t i = 0; i < difference_count; ++i) {
        const auto difference = static_cast<Difference>(i);
        const Severity severity = severity_of(difference);
        if (severity == Severity::equal || severity == Severity::excluded) {
            continue;
        }
        const bool better = severity == Severity::improvement;
        const double length = scale * static_cast<double>(statistics.with.at(i));
        const double end = better ? middle - length : middle + length;
        const char* const colour = better ? ours : severity == Severity::hard ? wrong : theirs;
        drawing.bar(x, step - 8, middle, end, filled(colour));
        drawing.text(
            x + step / 2 - 4, better ? end - 4 : end + 12, std::to_string(statistics.with.at(i))
        );
        drawing.text(x + step / 2 - 4, better ? middle + 12 : middle - 5, std::to_string(i + 1));
        x += step;
    }
    return drawing.done();
}

}  // namespace veer::router::compare
