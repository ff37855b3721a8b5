// A real browser that opens a page and says what became of it: headless Chromium, with no way to any network.
//
//   if (!Browser::is_installed()) GTEST_SKIP() << Browser::kHowToInstall;
//   const View view = Browser().open("report.html", {.width = 400, .dark = true, .script = "..."});
#pragma once

#include <cstdlib>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "danlu/base/json.h"
#include "danlu/data/image/decode.h"
#include "tests/program.h"

namespace danlu::test {

// What a page has become once its scripts have run.
struct View {
  std::string dom;                    // as HTML
  std::vector<std::string> console;   // messages, errors among them
  std::vector<std::string> requests;  // addresses that the page asked for, other than its own
  data::Image picture;                // of the window
  Json answer;                        // of the script
};

class Browser {
 public:
  struct Options {
    int width = 1200, height = 900;
    bool dark = false;
    // JavaScript, an expression: evaluated in the page as if it belonged to it; its value, as JSON, is View::answer.
    std::string script = {};
  };
  static constexpr const char* kHowToInstall = "Chromium is not installed (Debian: apt-get install chromium)";

  static bool is_installed() { return program().has_value(); }

  View open(const fs::path& page, const Options& options) const {
    const TemporaryDirectory directory;
    const fs::path copy = directory / "page.html", net = directory / "net.json", png = directory / "page.png";
    const std::string html = read_file(page);
    write_file_atomic(copy, options.script.empty() ? html : with_script(html, options.script));
    const Outcome outcome =
        Process(*program(),
                {"--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run", "--disable-background-networking",
                 "--disable-component-update", "--disable-sync", "--disable-extensions", "--disable-dev-shm-usage", "--disable-lcd-text",
                 "--force-color-profile=srgb", "--force-device-scale-factor=1", "--host-resolver-rules=MAP * ~NOTFOUND",
                 "--user-data-dir=" + (directory / "profile").string(), "--log-net-log=" + net.string(), "--enable-logging=stderr", "--v=0",
                 fmt::format("--blink-settings=preferredColorScheme={}", options.dark ? 0 : 1),
                 fmt::format("--window-size={},{}", options.width, options.height), "--virtual-time-budget=3000", "--screenshot=" + png.string(),
                 "--dump-dom", "file://" + copy.string()},
                directory.path())
            .wait();
    View view;
    view.dom = outcome.out;
    if (outcome.code != 0 || !fs::exists(png)) {
      ADD_FAILURE() << "Chromium cannot open " << page << "\n" << outcome;
      return view;
    }
    view.console = messages(outcome.err);
    view.requests = requests(net);
    view.picture = data::read_image(png);
    if (!options.script.empty()) view.answer = answer(outcome.out);
    return view;
  }

 private:
  static std::optional<std::string> program() {
    const char* path = std::getenv("PATH");
    std::istringstream folders(path == nullptr ? "" : path);
    for (std::string folder; std::getline(folders, folder, ':');) {
      for (const char* name : {"chromium", "chromium-browser", "google-chrome"}) {
        if (fs::exists(fs::path(folder) / name)) return (fs::path(folder) / name).string();
      }
    }
    return std::nullopt;
  }

  // Behind the page's own scripts. The content security policy lets it run where it lets those run: it has their nonce.
  static std::string with_script(const std::string& html, const std::string& expression) {
    const std::string before = "<script nonce=\"";
    const size_t at = html.find(before);
    const std::string nonce = at == std::string::npos ? "" : html.substr(at + before.size(), html.find('"', at + before.size()) - at - before.size());
    return html + fmt::format("<script nonce=\"{}\">{{ const box = document.createElement('pre'); box.id = 'answer'; box.hidden = true;\n"
                              "box.textContent = JSON.stringify({}); document.body.append(box); }}</script>\n", nonce, expression);
  }

  static Json answer(const std::string& dom) {
    const std::string before = "<pre id=\"answer\" hidden=\"\">";
    const size_t at = dom.rfind(before), end = dom.find("</pre>", at);
    if (at == std::string::npos || end == std::string::npos) {
      ADD_FAILURE() << "the script did not run";
      return nullptr;
    }
    std::string text = dom.substr(at + before.size(), end - at - before.size());
    for (const auto& [entity, character] : {std::pair{"&lt;", "<"}, {"&gt;", ">"}, {"&nbsp;", "\u00a0"}, {"&amp;", "&"}}) {
      for (size_t i = 0; (i = text.find(entity, i)) != std::string::npos; i += 1) text.replace(i, std::string(entity).size(), character);
    }
    return parse_json(text, "answer of the script");
  }

  static std::vector<std::string> messages(const std::string& log) {
    std::vector<std::string> found;
    std::istringstream lines(log);
    for (std::string line; std::getline(lines, line);) {
      if (line.find(":CONSOLE") != std::string::npos) found.push_back(line);
    }
    return found;
  }

  // Of Chromium's network log. What the browser itself asks for, if it does, is its own business: only requests in the name of a page count.
  static std::vector<std::string> requests(const fs::path& log) {
    std::vector<std::string> found;
    const Json json = read_json(log);
    for (const Json& event : json.at("events")) {
      const Json params = event.value("params", Json::object());
      const std::string url = params.value("url", ""), initiator = params.value("initiator", "not an origin");
      if (!url.empty() && initiator != "not an origin" && !url.starts_with("file://") && !url.starts_with("data:")) found.push_back(url);
    }
    return found;
  }
};

}  // namespace danlu::test
