// What the three processes of the reference share: the clock, the structs on the wire, addresses.
//
// Both structs are fixed in size and written as they lie in memory: the processes are built together on one machine.
#pragma once

#include <time.h>

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>

constexpr int kDepth = 5;
constexpr int kLegs = 2;
constexpr int kRecordBytes = 1024;

inline int64_t now_ns() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return int64_t(t.tv_sec) * 1000000000 + t.tv_nsec;
}

struct Level {
  int32_t px_ticks;
  int32_t qty_lots;
};

// One book after one market-data message. `leg` is 0 for domestic44, 1 for overseas42.
// benchmarks/feed_throughput.py reads leg and msg_seq_num by their offsets.
struct Quote {
  int32_t leg;
  int32_t msg_seq_num;
  int64_t recv_ns;
  int64_t pub_ns;
  int32_t bid_levels;
  int32_t ask_levels;
  Level bids[kDepth];
  Level asks[kDepth];
};

// Trade one unit of the pair: side +1 buys the first leg and sells the second, -1 the reverse. The times are its hops;
// benchmarks/reference.py reads them from the journal.
struct Intent {
  int64_t id;
  int32_t side;
  int32_t px_ticks[kLegs];
  int32_t qty_lots[kLegs];
  int64_t recv_ns;
  int64_t pub_ns;
  int64_t taken_ns;
  int64_t decided_ns;
  int64_t executed_ns;
};

inline const char* env(const char* name, const char* otherwise) {
  const char* value = std::getenv(name);
  return value ? value : otherwise;
}

// The last argument of every process: the directory of the ipc sockets.
inline std::string quotes_address(const std::string& bus_dir) { return "ipc://" + bus_dir + "/floor-quotes"; }
inline std::string intents_address(const std::string& bus_dir) { return "ipc://" + bus_dir + "/floor-intents"; }
