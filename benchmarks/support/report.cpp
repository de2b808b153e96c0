// SPDX-License-Identifier: BSL-1.0
#include "report.hpp"

#include "machine.hpp"
#include "statistics.hpp"

#include <cmath>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <iomanip>

#ifndef BENCH_FLAGS
#define BENCH_FLAGS ""
#endif

namespace bench {
namespace {

// Three significant digits or so, without an exponent.
std::string number(double v) {
  if (!std::isfinite(v)) return "-";
  const double size = std::fabs(v);
  char text[32];
  std::snprintf(text, sizeof text, "%.*f", size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3, v);
  return text;
}

std::string requirement(const outcome& o) {
  switch (o.what.how) {
    case judged::ratio_at_most:
      return "<= " + number(o.limit) + " x";
    case judged::ratio_at_least:
      return ">= " + number(o.limit) + " x";
    case judged::value_at_most:
      return "<= " + number(o.limit) + ' ' + o.what.unit;
    case judged::difference_at_most:
      return "<= +" + number(o.limit) + ' ' + o.what.unit;
    case judged::not_at_all:
      break;
  }
  return "";
}

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
  }
  return out + '"';
}

}  // namespace

double outcome::baseline_value() const { return median(baseline); }
double outcome::subject_value() const { return median(subject); }

std::vector<double> outcome::judged_values() const {
  std::vector<double> v;
  for (std::size_t i = 0; i < subject.size(); ++i) {
    if (what.how == judged::value_at_most)
      v.push_back(subject[i]);
    else if (what.how == judged::difference_at_most)
      v.push_back(subject[i] - baseline[i]);
    else
      v.push_back(subject[i] / baseline[i]);
  }
  return v;
}
double outcome::judged_value() const { return median(judged_values()); }

bool outcome::met() const {
  if (what.how == judged::not_at_all) return true;
  if (what.how == judged::ratio_at_least) return judged_value() >= limit;
  return judged_value() <= limit;
}
bool outcome::near() const {
  if (what.how == judged::not_at_all || limit == 0) return false;
  return std::fabs(judged_value() - limit) <= 0.15 * limit;
}
bool outcome::wide() const {
  if (what.how == judged::not_at_all || limit == 0) return false;
  const auto all = judged_values();
  return quantile(all, 0.75) - quantile(all, 0.25) > 0.06 * limit;
}

void print_heading([[maybe_unused]] bool peers) {
  const auto f = facts();
  std::printf("%s, %s | %s, %d cores, %.0f GiB, %s\n", compiler().c_str(), BENCH_FLAGS,
              f.cpu.c_str(), f.cores, f.memory_gib, f.kernel.c_str());
  std::printf("%-26s %10s %10s %-6s %7s %-14s %-16s %5s\n", "figure", "baseline", "penstock",
              "unit", "ratio", "required", "middle half", "pairs");
}

void print_row(const outcome& o) {
  const auto judged = o.judged_values();
  const double b = o.baseline_value();
  const bool difference = o.what.how == judged::difference_at_most;
  const std::string sign = o.judged_value() < 0 ? "" : "+";
  const std::string shown = difference ? sign + number(o.judged_value())
                            : b == 0   ? std::string("-")
                                       : number(o.subject_value() / b);
  const bool ratio = o.what.how != judged::value_at_most && !difference;
  const char* verdict = o.what.how == judged::not_at_all ? "" : o.met() ? "ok" : "MISSED";
  std::printf("%-26s %10s %10s %-6s %7s %-14s %-16s %5zu %s%s\n", o.what.name.c_str(),
              number(b).c_str(), number(o.subject_value()).c_str(), o.what.unit.c_str(),
              (ratio ? number(o.judged_value()) : shown).c_str(), requirement(o).c_str(),
              (number(quantile(judged, 0.25)) + ".." + number(quantile(judged, 0.75))).c_str(),
              o.subject.size(), verdict, o.noisy ? " (noisy)" : "");
  std::fflush(stdout);
}

void append_json(const std::string& file, const outcome& o) {
  const auto f = facts();
  const auto judged = o.judged_values();
  const double b = o.baseline_value();
  const char* how[] = {"ratio <=", "ratio >=", "value <=", "difference <=", ""};
  char when[32];
  const std::time_t now = std::time(nullptr);
  std::strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", std::gmtime(&now));

  std::ofstream out(file, std::ios::app);
  out << std::setprecision(6) << "{\"name\": " << quoted(o.what.name)
      << ", \"value\": " << o.subject_value() << ", \"unit\": " << quoted(o.what.unit)
      << ", \"baseline\": " << b << ", \"ratio\": ";
  const bool paired = o.what.how == judged::ratio_at_most || o.what.how == judged::ratio_at_least ||
                      o.what.how == judged::not_at_all;
  if (b == 0)
    out << "null";
  else
    out << (paired ? o.judged_value() : o.subject_value() / b);
  out << ", \"required\": ";
  if (o.what.how == judged::not_at_all)
    out << "null";
  else
    out << o.limit;
  out << ", \"requirement\": " << quoted(how[static_cast<int>(o.what.how)])
      << ", \"judged\": " << o.judged_value() << ", \"ok\": " << (o.met() ? "true" : "false")
      << ", \"compiler\": " << quoted(compiler()) << ", \"flags\": " << quoted(BENCH_FLAGS)
      << ", \"pairs\": " << o.subject.size() << ", \"noisy\": " << (o.noisy ? "true" : "false")
      << ", \"spread\": {\"min\": " << quantile(judged, 0) << ", \"q1\": " << quantile(judged, 0.25)
      << ", \"q3\": " << quantile(judged, 0.75) << ", \"max\": " << quantile(judged, 1) << "}"
      << ", \"commit\": " << quoted(setting("commit", "")) << ", \"time\": " << quoted(when)
      << ", \"machine\": {\"cpu\": " << quoted(f.cpu) << ", \"cores\": " << f.cores
      << ", \"memory_gib\": " << f.memory_gib << ", \"kernel\": " << quoted(f.kernel) << "}}\n";
  out.flush();
  check(out.good(), "cannot write the JSON file");
}

}  // namespace bench
