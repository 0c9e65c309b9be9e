// The amplifier as an LV2 plugin of one channel. Its model, amp.safetensors, lies in the bundle.

#include <lv2/core/lv2.h>

#include <cstdio>

#include "../amplifier.h"

namespace {

// As in amp.ttl.
constexpr char kUri[] = "urn:lstmfast:amp";
enum Port { kDrive, kTone, kLevel, kIn, kOut, kPorts };

constexpr std::size_t kBlock = 256;  // samples at a time; a host may ask for any number

struct Plugin {
  explicit Plugin(const std::string& bundle)
      : amplifier(bundle + "amp.safetensors", /*channels=*/1, kBlock) {}

  Amplifier amplifier;
  float* ports[kPorts] = {};
};

LV2_Handle instantiate(const LV2_Descriptor*, double, const char* bundle,
                       const LV2_Feature* const*) try {
  return new Plugin(bundle);
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s: %s\n", kUri, error.what());
  return nullptr;
}

void connect_port(LV2_Handle handle, std::uint32_t port, void* data) {
  if (port < kPorts) static_cast<Plugin*>(handle)->ports[port] = static_cast<float*>(data);
}

void activate(LV2_Handle handle) { static_cast<Plugin*>(handle)->amplifier.reset(); }

void run(LV2_Handle handle, std::uint32_t samples) {
  auto& [amplifier, ports] = *static_cast<Plugin*>(handle);
  const float knobs[] = {*ports[kDrive], *ports[kTone], *ports[kLevel]};
  amplifier.process(&ports[kIn], &ports[kOut], samples, knobs);
}

void cleanup(LV2_Handle handle) { delete static_cast<Plugin*>(handle); }

constexpr LV2_Descriptor kDescriptor = {kUri, instantiate, connect_port, activate,
                                        run,  nullptr,     cleanup,      nullptr};

}  // namespace

LV2_SYMBOL_EXPORT const LV2_Descriptor* lv2_descriptor(std::uint32_t index) {
  return index == 0 ? &kDescriptor : nullptr;
}
