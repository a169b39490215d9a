#include "libs/service/process_metrics.hpp"

#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

#include <dirent.h>
#include <unistd.h>

#include "libs/base/fault.hpp"
#include "libs/service/fault_places.hpp"

namespace vigia::service {

namespace {

struct ProcessFacts {
  double cpu_seconds = 0;
  double resident_bytes = 0;
  double open_files = 0;
  double start_seconds = 0;
};

std::string read_text(const char* path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// The start of a process is told in ticks since boot; the moment of boot is the kernel's own, so
// that a clock that was set afterwards moves both alike.
double boot_seconds() {
  std::istringstream stat(read_text("/proc/stat"));
  std::string word;
  double value = 0;
  while (stat >> word) {
    if (word == "btime" && stat >> value) return value;
  }
  return 0;
}

double count_open_files() {
  DIR* folder = opendir("/proc/self/fd");
  if (folder == nullptr) return 0;
  double count = -1;  // the folder itself is open
  while (const dirent* entry = readdir(folder)) {
    if (entry->d_name[0] != '.') ++count;
  }
  closedir(folder);
  return count;
}

ProcessFacts read_process() {
  ProcessFacts facts;
  const std::string stat = read_text("/proc/self/stat");
  // proc(5): the command name may hold spaces, so fields are counted from its closing bracket.
  std::istringstream fields(stat.substr(std::min(stat.rfind(')') + 1, stat.size())));
  const std::vector<std::string> words{std::istream_iterator<std::string>(fields), {}};
  const auto number = [&words](std::size_t index) {
    return index < words.size() ? std::strtod(words[index].c_str(), nullptr) : 0.0;
  };
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  // Indexes from field 3 on: utime is 14, stime 15, starttime 22, rss 24.
  facts.cpu_seconds = (number(11) + number(12)) / ticks;
  facts.start_seconds = boot_seconds() + number(19) / ticks;
  facts.resident_bytes = number(21) * static_cast<double>(sysconf(_SC_PAGESIZE));
  facts.open_files = count_open_files();
  return facts;
}

}  // namespace

void add_process_metrics(MetricRegistry& registry) {
  registry
      .gauge("vigia_build_info", "A constant 1 with the version of this program.",
             {{"version", VIGIA_VERSION}})
      .set(1);
  registry.on_collect([](const MetricRegistry::Emit& emit) {
    const ProcessFacts facts = read_process();
    emit("process_cpu_seconds_total", "User and system processor time spent, in seconds.",
         MetricType::kCounter, {}, facts.cpu_seconds);
    emit("process_resident_memory_bytes", "Resident memory, in bytes.", MetricType::kGauge, {},
         facts.resident_bytes);
    emit("process_open_fds", "Open file descriptors.", MetricType::kGauge, {}, facts.open_files);
    emit("vigia_faults_total", "Faults of this program that cost a request, a record or a job.",
         MetricType::kCounter, {}, static_cast<double>(fault_count()));
    // Beside the sum, which is there from 0: a counter that begins at 1 has no increase.
    for (const auto& [where, count] : process_faults().counts()) {
      emit("vigia_faults_by_place_total", "Of vigia_faults_total, by where they were caught.",
           MetricType::kCounter, {{"what", where}}, static_cast<double>(count));
    }
    emit("process_start_time_seconds", "Start of the process, in seconds since 1970-01-01 UTC.",
         MetricType::kGauge, {}, facts.start_seconds);
  });
}

}  // namespace vigia::service
