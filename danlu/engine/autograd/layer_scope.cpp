#include "danlu/engine/autograd/layer_scope.h"

#include <string>
#include <unordered_set>

namespace danlu {
namespace {

thread_local const char* layer = "";
thread_local int watchers = 0;

const char* interned(std::string name) {
  static thread_local std::unordered_set<std::string> names;  // nodes stay where they are
  return names.insert(std::move(name)).first->c_str();
}

}  // namespace

LayerScope::LayerScope(std::string_view name) : outer_(layer) {
  if (watchers > 0) layer = interned(*outer_ == '\0' ? std::string(name) : std::string(outer_) + "." + std::string(name));
}
LayerScope::~LayerScope() { layer = outer_; }

const char* current_layer() { return layer; }

WatchLayers::WatchLayers() { ++watchers; }
WatchLayers::~WatchLayers() { --watchers; }

}  // namespace danlu
