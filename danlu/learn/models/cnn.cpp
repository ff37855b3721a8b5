#include "danlu/learn/models/cnn.h"

#include <algorithm>

#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/learn/nn/layers.h"

namespace danlu::models {
namespace {

constexpr double kMaxSize = 65536;

struct ConvLayer {
  int64_t filters = 32;
  int64_t kernel = 3;
  int64_t stride = 1;
  int64_t padding = 0;
  int64_t dilation = 1;
  int64_t groups = 1;
  bool bias = true;
  void describe(OptionVisitor& v) {
    v.field("filters", filters, {1, kMaxSize}, "output channels");
    v.field("kernel", kernel, {1, 1024}, "height and width of the kernel");
    v.field("stride", stride, {1, 1024}, "pixels between two positions");
    v.field("padding", padding, {0, 1024}, "zeros around the image");
    v.field("dilation", dilation, {1, 1024}, "pixels between two taps of the kernel");
    v.field("groups", groups, {1, kMaxSize}, "independent groups of channels");
    v.field("bias", bias, "add a learnt number to each channel");
  }
};

struct PoolLayer {
  int64_t kernel = 2;
  std::optional<int64_t> stride;
  int64_t padding = 0;
  void describe(OptionVisitor& v) {
    v.field("kernel", kernel, {1, 1024}, "height and width of the window");
    v.field("stride", stride, {1, 1024}, "pixels between two windows; the kernel if absent");
    v.field("padding", padding, {0, 512}, "around the image");
  }
};

struct LinearLayer {
  int64_t features = 128;
  void describe(OptionVisitor& v) { v.field("features", features, {1, 1e7}, "outputs"); }
};

struct DropoutLayer {
  double p = 0.5;
  void describe(OptionVisitor& v) { v.field("p", p, {0, 0.99}, "fraction of values dropped in training"); }
};

// One entry of the list: its word and its options, where a bare value stands for the first option.
struct Entry {
  std::string kind;
  Json options;
  std::string path;  // "model.layers[3].conv", for messages
};

const std::vector<std::string>& kinds() {
  static const std::vector<std::string> all = [] {
    std::vector<std::string> words = {"conv", "max_pool", "avg_pool", "global_avg_pool", "batch_norm", "flatten", "linear", "dropout"};
    const auto& activations = nn::ActivationLayer::names();
    words.insert(words.end(), activations.begin(), activations.end());
    return words;
  }();
  return all;
}

bool is_activation(const std::string& kind) {
  const auto& names = nn::ActivationLayer::names();
  return std::find(names.begin(), names.end(), kind) != names.end();
}

std::vector<Entry> entries(const Json& list, const Locate& locate, const std::string& prefix) {
  std::vector<Entry> result;
  const auto fail = [&](const std::string& path, const std::string& message) {
    const std::string place = locate ? locate(path) : "";
    throw ConfigError("config", fmt::format("{}{}: {}", place.empty() ? "" : place + ": ", path, message));
  };
  if (!list.is_array()) fail(prefix, "expected a list of layers");
  for (size_t i = 0; i < list.size(); ++i) {
    const std::string path = fmt::format("{}[{}]", prefix, i);
    const Json& item = list[i];
    Entry entry;
    if (item.is_string()) {
      entry = {item.get<std::string>(), nullptr, path};
    } else if (item.is_object() && item.size() == 1) {
      entry = {item.begin().key(), item.begin().value(), path + "." + item.begin().key()};
    } else {
      fail(path, fmt::format("got {}; expected a word like relu, or one key like \"max_pool: 2\"", to_line(item)));
    }
    if (std::find(kinds().begin(), kinds().end(), entry.kind) == kinds().end()) {
      fail(path, fmt::format("unknown layer \"{}\"; known: {}{}", entry.kind, fmt::join(kinds(), ", "), did_you_mean(entry.kind, kinds())));
    }
    result.push_back(std::move(entry));
  }
  return result;
}

// The options of an entry; `first` is the option that a bare value stands for.
template <class Options>
Options options_of(const Entry& entry, const char* first, const Locate& locate) {
  Options options;
  Json json = entry.options.is_null() ? Json::object() : entry.options;
  if (!json.is_object()) json = Json{{first, json}};
  read_options(json, options, locate, entry.path);
  return options;
}

void require_bare(const Entry& entry) {
  if (!entry.options.is_null()) throw ConfigError("config", fmt::format("{}: takes no options; got {}", entry.path, to_line(entry.options)));
}

// Builds the network while following the shape of one sample through it.
class Builder {
 public:
  Builder(const Shape& input, const Locate& locate) : shape_(input), locate_(locate), net_(std::make_unique<nn::Sequential>()) {}

  void add(const Entry& e) {
    if (e.kind == "conv") return add_conv(e);
    if (e.kind == "max_pool" || e.kind == "avg_pool") return add_pool(e);
    if (e.kind == "linear") return add_linear(options_of<LinearLayer>(e, "features", locate_).features, nn::Init::he);
    if (e.kind == "dropout") return net_->append(nn::Dropout(static_cast<float>(options_of<DropoutLayer>(e, "p", locate_).p)));
    require_bare(e);
    if (e.kind == "batch_norm") return net_->append(nn::BatchNorm(shape_[-1]));
    if (e.kind == "flatten") return flatten();
    if (e.kind == "global_avg_pool") {
      require_image(e);
      net_->append(nn::GlobalAvgPool());
      shape_ = Shape{shape_[2]};
      return;
    }
    net_->append(nn::ActivationLayer(e.kind));
  }

  std::unique_ptr<nn::Module> finish(int64_t outputs) {
    add_linear(outputs, nn::Init::xavier);
    return std::move(net_);
  }

 private:
  void require_image(const Entry& e) const {
    if (shape_.rank() != 3) {
      throw ConfigError("config", fmt::format("{}: got features of shape {}; expected an image (H, W, C): put it before flatten and linear",
                                              e.path, shape_.str()));
    }
  }

  void resize(const Entry& e, int64_t kernel, int64_t stride, int64_t padding, int64_t dilation, int64_t channels) {
    const auto out = [&](int64_t n) { return (n + 2 * padding - dilation * (kernel - 1) - 1 + stride) / stride; };
    const int64_t span = dilation * (kernel - 1) + 1;
    if (shape_[0] + 2 * padding < span || shape_[1] + 2 * padding < span) {
      throw ConfigError("config", fmt::format("{}: the image has become {} x {}, smaller than the window of {}; drop a layer or add padding",
                                              e.path, shape_[0], shape_[1], span));
    }
    shape_ = Shape{out(shape_[0]), out(shape_[1]), channels};
  }

  void add_conv(const Entry& e) {
    const auto o = options_of<ConvLayer>(e, "filters", locate_);
    require_image(e);
    net_->append(nn::Conv2d(shape_[2], o.filters, o.kernel,
                            {.stride = o.stride, .padding = o.padding, .dilation = o.dilation, .groups = o.groups, .bias = o.bias}));
    resize(e, o.kernel, o.stride, o.padding, o.dilation, o.filters);
  }

  void add_pool(const Entry& e) {
    const auto o = options_of<PoolLayer>(e, "kernel", locate_);
    require_image(e);
    const int64_t stride = o.stride.value_or(o.kernel);
    if (2 * o.padding > o.kernel) {
      throw ConfigError("config", fmt::format("{}: got padding {}; expected at most half the kernel {}", e.path, o.padding, o.kernel));
    }
    if (e.kind == "max_pool") {
      net_->append(nn::MaxPool2d(o.kernel, stride, o.padding));
    } else {
      net_->append(nn::AvgPool2d(o.kernel, stride, o.padding));
    }
    resize(e, o.kernel, stride, o.padding, 1, shape_[2]);
  }

  void flatten() {
    net_->append(nn::Flatten());
    shape_ = Shape{shape_.numel()};
  }

  void add_linear(int64_t features, nn::Init init) {
    if (shape_.rank() > 1) flatten();
    net_->append(nn::Linear(shape_[0], features, true, init));
    shape_ = Shape{features};
  }

  Shape shape_;
  const Locate& locate_;
  std::unique_ptr<nn::Sequential> net_;
};

}  // namespace

void CnnOptions::describe(OptionVisitor& v) {
  v.field("layers", layers, "the layers in order: conv, max_pool, avg_pool, global_avg_pool, batch_norm, flatten, linear, dropout, "
                            "and activations; the output layer is added");
}

Json default_cnn_layers() {
  const Json conv32 = {{"conv", {{"filters", 32}, {"kernel", 3}, {"padding", 1}}}};
  const Json conv64 = {{"conv", {{"filters", 64}, {"kernel", 3}, {"padding", 1}}}};
  return Json::array({conv32, "relu", {{"max_pool", 2}}, conv64, "relu", {{"max_pool", 2}}, "flatten", {{"linear", 128}}, "relu"});
}

void check_cnn(const CnnOptions& o, const Locate& locate, const std::string& prefix) {
  for (const Entry& e : entries(o.layers, locate, prefix + ".layers")) {
    if (e.kind == "conv") options_of<ConvLayer>(e, "filters", locate);
    else if (e.kind == "max_pool" || e.kind == "avg_pool") options_of<PoolLayer>(e, "kernel", locate);
    else if (e.kind == "linear") options_of<LinearLayer>(e, "features", locate);
    else if (e.kind == "dropout") options_of<DropoutLayer>(e, "p", locate);
    else if (is_activation(e.kind) || e.kind == "batch_norm" || e.kind == "flatten" || e.kind == "global_avg_pool") require_bare(e);
  }
}

std::unique_ptr<nn::Module> make_cnn(const CnnOptions& o, const Shape& input, int64_t outputs) {
  if (input.rank() != 3) {
    throw ConfigError("config", fmt::format("model.type: cnn needs images (H, W, C); got samples of shape {}; take mlp for tables", input.str()));
  }
  const Locate nowhere;
  Builder builder(input, nowhere);
  for (const Entry& e : entries(o.layers.empty() ? default_cnn_layers() : o.layers, nowhere, "model.layers")) builder.add(e);
  return builder.finish(outputs);
}

}  // namespace danlu::models
