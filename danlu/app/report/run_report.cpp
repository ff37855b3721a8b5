#include "danlu/app/report/run_report.h"

#include "danlu/app/report/html.h"
#include "danlu/app/report/page.h"
#include "danlu/app/report/sections.h"
#include "danlu/base/error.h"
#include "danlu/base/format.h"
#include "danlu/base/version.h"

namespace danlu::app {

std::string run_report(const RunDirectory& directory) {
  try {
    const RunFiles run(directory);
    const std::string body = headline(run) + quality_section(run) + compression_section(run) + recommendation_section(run) + cluster_section(run) + forecast_section(run) + faq_section(run) + examples_section(run) + explanation_section(run) + training_section(run) + speed_section(run) + data_section(run) +
                             recipe_section(run) + lineage_section(run) + fmt::format("<footer>Made by danlu {}. This file needs nothing else.</footer>\n", version());
    constexpr int kRefresh_s = 5;
    return html_page(run.info.value("name", run.name), body, run.status == "running" ? kRefresh_s : 0);
  } catch (const Json::exception& error) {
    throw DataError("app.report", fmt::format("{}: a file of the run is not as danlu writes it: {}", directory.path().string(), error.what()));
  }
}

fs::path write_run_report(const RunDirectory& run) {
  const fs::path path = run.file("report.html");
  write_file_atomic(path, run_report(run));
  return path;
}

}  // namespace danlu::app
