#include "tests/uv/resolver.h"

#include <dlfcn.h>
#include <netdb.h>

#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <utility>

namespace async {

namespace {

struct State {
  std::mutex mutex;
  std::condition_variable changed;
  std::map<std::string, std::vector<std::string>> names;
  std::set<std::string> hanging_names;
  int num_hanging = 0;
};

// Threads that look something up may outlive the test.
State& state() {
  static auto& s = *new State;
  return s;
}

using Getaddrinfo = int(const char*, const char*, const addrinfo*, addrinfo**);

int system_getaddrinfo(const char* host, const addrinfo* hints, addrinfo** result) {
  static auto* const system = reinterpret_cast<Getaddrinfo*>(dlsym(RTLD_NEXT, "getaddrinfo"));
  return system(host, nullptr, hints, result);
}

std::vector<std::string> addresses_of(const std::string& name) {
  std::unique_lock lock(state().mutex);
  if (state().hanging_names.contains(name)) {
    ++state().num_hanging;
    state().changed.wait(lock, [&] { return !state().hanging_names.contains(name); });
    --state().num_hanging;
    state().changed.notify_all();
  }
  const auto found = state().names.find(name);
  return found == state().names.end() ? std::vector<std::string>() : found->second;
}

}  // namespace

Resolver::Resolver() = default;

Resolver::~Resolver() {
  let_go();
  std::unique_lock lock(state().mutex);
  state().names.clear();
  state().changed.wait(lock, [] { return state().num_hanging == 0; });
}

void Resolver::add(const std::string& name, std::vector<std::string> addresses) {
  const std::unique_lock lock(state().mutex);
  state().names[name] = std::move(addresses);
}

void Resolver::hang(const std::string& name) {
  const std::unique_lock lock(state().mutex);
  state().hanging_names.insert(name);
}

void Resolver::let_go() {
  const std::unique_lock lock(state().mutex);
  state().hanging_names.clear();
  state().changed.notify_all();
}

int Resolver::num_hanging() const {
  const std::unique_lock lock(state().mutex);
  return state().num_hanging;
}

}  // namespace async

extern "C" int getaddrinfo(const char* host, const char* /*service*/, const addrinfo* hints,
                           addrinfo** result) {
  const std::string name = host;
  if (!name.ends_with(".test")) return async::system_getaddrinfo(host, hints, result);
  addrinfo* first = nullptr;
  addrinfo** end = &first;
  for (const std::string& address : async::addresses_of(name)) {
    if (async::system_getaddrinfo(address.c_str(), hints, end) != 0) return EAI_FAIL;
    while (*end) end = &(*end)->ai_next;
  }
  *result = first;
  return first ? 0 : EAI_NONAME;
}
