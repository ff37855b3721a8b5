// Which layer the operations of this thread belong to, for whoever watches them: CheckFinite and Profiler.
//
//   const LayerScope scope("blocks.3");
//   { const LayerScope inner("attention"); ... }   // current_layer() is "blocks.3.attention"
//
// Costs one look at a flag while nobody watches.
#pragma once

#include <string_view>

namespace danlu {

class LayerScope {
 public:
  explicit LayerScope(std::string_view name);
  ~LayerScope();
  LayerScope(const LayerScope&) = delete;
  LayerScope& operator=(const LayerScope&) = delete;

 private:
  const char* outer_;
};

// "" outside of all. Stays valid as long as the thread lives.
const char* current_layer();

// While one lives, scopes on this thread are followed.
class WatchLayers {
 public:
  WatchLayers();
  ~WatchLayers();
  WatchLayers(const WatchLayers&) = delete;
  WatchLayers& operator=(const WatchLayers&) = delete;
};

}  // namespace danlu
