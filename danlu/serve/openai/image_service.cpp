#include "danlu/serve/openai/image_service.h"

#include <chrono>
#include <random>

#include "danlu/base/base64.h"
#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/data/image/decode.h"
#include "danlu/serve/error.h"
#include "danlu/serve/json_request.h"

namespace danlu::serve {
namespace {

constexpr int64_t kLargestSeed = int64_t{1} << 53;  // that a JSON number holds exactly

int64_t now() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace

void ImageService::add_routes(HttpServer& http) {
  http.route("POST", "/v1/images/generations", [this](const HttpRequest& request) { return answer(request); });
}

Json ImageService::describe(const std::string& name) const {
  const infer::ImageGenerator& model = *this->model(name);
  Json described = {{"id", name},
                    {"object", "model"},
                    {"owned_by", "danlu"},
                    {"output", "image"},
                    {"size", fmt::format("{}x{}", model.image()[1], model.image()[0])},
                    {"parameters", model.num_parameters()}};
  if (!model.class_names().empty()) described["classes"] = model.class_names();
  return described;
}

HttpResponse ImageService::answer(const HttpRequest& http) {
  const Json body = parse_json_request(http);
  const Fields fields(body);
  const auto& [name, served] = find(fields.string("model").value_or(""));
  const infer::ImageGenerator& model = *served;

  const int64_t count = fields.integer("n", 1, kMostImages).value_or(1);
  const std::string format = fields.string("response_format").value_or("b64_json");
  if (format != "b64_json") bad_value("response_format", fmt::format("got \"{}\"; expected b64_json: this server keeps no files to link to", format));
  const std::string size = fmt::format("{}x{}", model.image()[1], model.image()[0]), asked = fields.string("size").value_or("auto");
  if (asked != "auto" && asked != size) bad_value("size", fmt::format("got \"{}\"; expected {}, which is what {} makes", asked, size, name));
  const int64_t seed = fields.integer("seed", 0, kLargestSeed).value_or(static_cast<int64_t>(std::random_device()()));

  std::optional<int64_t> label;
  if (const auto wanted = fields.string("class")) {
    try {
      label = model.label_of(*wanted);
    } catch (const DataError& error) {
      bad_value("class", error.message());
    }
  }

  Json answer{{"created", now()}, {"seed", seed}, {"data", Json::array()}};
  std::lock_guard one(mutex_);
  for (const data::Image& image : model.generate(count, static_cast<uint64_t>(seed), label)) {
    answer["data"].push_back({{"b64_json", base64_encode(data::encode_png(image))}});
  }
  return {.body = to_line(answer)};
}

}  // namespace danlu::serve
