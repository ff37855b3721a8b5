// report.html of real runs, as a browser shows it.
#include <gmock/gmock.h>

#include <cmath>
#include <cstdlib>
#include <regex>

#include "tests/report/browser.h"
#include "tests/samples.h"

namespace danlu::test {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

// What there is to look at, with its place in the window: points along every line, but where a later one or a mark covers it; scattered
// points; and the fields of confusion matrices.
constexpr const char* kDrawn = R"((() => {
  const numbers = text => text.match(/[\d.]+/g).slice(0, 3).map(Number);
  const drawn = { width: document.documentElement.scrollWidth, ground: numbers(getComputedStyle(document.body).backgroundColor), lines: [], dots: [], cells: [], images: [], faint: document.querySelectorAll('polyline.faint').length };
  const along = (line, count) => Array.from({ length: count + 1 }, (_, i) => line.getPointAtLength(line.getTotalLength() * i / count));
  for (const line of document.querySelectorAll('polyline.line:not(.faint)')) {
    const matrix = line.getScreenCTM(), svg = line.ownerSVGElement, covers = [];
    for (const other of svg.querySelectorAll('polyline.line:not(.faint), circle.mark, path.points, text.marked')) {
      if (!(line.compareDocumentPosition(other) & Node.DOCUMENT_POSITION_FOLLOWING)) continue;
      if (other.tagName === 'polyline') covers.push(...along(other, Math.ceil(other.getTotalLength())).map(p => ({ x0: p.x - 4, x1: p.x + 4, y0: p.y - 4, y1: p.y + 4 })));
      else { const b = other.getBBox(); covers.push({ x0: b.x - 6, x1: b.x + b.width + 6, y0: b.y - 6, y1: b.y + b.height + 6 }); }
    }
    const seen = along(line, 60).filter(p => !covers.some(c => p.x >= c.x0 && p.x <= c.x1 && p.y >= c.y0 && p.y <= c.y1));
    const places = seen.map(p => p.matrixTransform(matrix)).map(p => [p.x, p.y]);
    drawn.lines.push({ plot: svg.getAttribute('aria-label'), name: line.dataset.name, colour: numbers(getComputedStyle(line).stroke), places });
  }
  for (const path of document.querySelectorAll('path.points')) {
    const matrix = path.getScreenCTM();
    const places = [...path.getAttribute('d').matchAll(/M([\d.]+) ([\d.]+)h0/g)].map(m => {
      const p = new DOMPoint(+m[1], +m[2]).matrixTransform(matrix);
      return [p.x, p.y];
    });
    drawn.dots.push({ plot: path.ownerSVGElement.getAttribute('aria-label'), colour: numbers(getComputedStyle(path).stroke), places });
  }
  for (const cell of document.querySelectorAll('rect.cell')) {
    const box = cell.getBoundingClientRect();
    drawn.cells.push({ colour: numbers(getComputedStyle(cell).fill), opacity: +cell.getAttribute('fill-opacity'), place: [box.x + 6, box.y + 6] });
  }
  for (const image of document.querySelectorAll('img')) drawn.images.push([image.complete, image.naturalWidth, image.clientWidth]);
  return drawn;
})())";

// How far the colour that is nearest around a place is from `colour`, of 255.
double distance_at(const data::Image& picture, const Json& place, const Json& colour) {
  double least = HUGE_VAL;
  for (int64_t dy = -1; dy <= 1; ++dy) {
    for (int64_t dx = -1; dx <= 1; ++dx) {
      const auto x = static_cast<int64_t>(place[0].get<double>()) + dx, y = static_cast<int64_t>(place[1].get<double>()) + dy;
      if (x < 0 || y < 0 || x >= picture.width || y >= picture.height) continue;
      double most = 0;
      for (size_t c = 0; c < 3; ++c) {
        const double value = picture.pixels[static_cast<size_t>((y * picture.width + x) * 3) + c];
        most = std::max(most, std::abs(value - colour[c].get<double>()));
      }
      least = std::min(least, most);
    }
  }
  return least;
}

// The share of the places where the picture has the colour.
double share_drawn(const data::Image& picture, const Json& places, const Json& colour) {
  double hits = 0;
  for (const Json& place : places) hits += distance_at(picture, place, colour) < 70;
  return hits / static_cast<double>(places.size());
}

class Report : public testing::Test {
 protected:
  void SetUp() override {
    if (!Browser::is_installed()) GTEST_SKIP() << Browser::kHowToInstall;
  }

  void run(Words words) {
    words.insert(words.begin(), "run");
    const Outcome outcome = project_.danlu(words);
    ASSERT_EQ(outcome.code, 0) << outcome;
  }
  fs::path page(const std::string& run) const { return project_.run(run).file("report.html"); }

  // The page as it is, at full length: nothing complains, nothing is fetched, every curve is where its points say. What was drawn.
  Json expect_drawn(const fs::path& file, const Browser::Options& given = {}) {
    Browser::Options options = given;
    options.height = 9000;
    options.script = kDrawn;
    const View view = Browser().open(file, options);
    EXPECT_THAT(view.console, ElementsAre());
    EXPECT_THAT(view.requests, ElementsAre());
    const Json drawn = view.answer;
    if (!drawn.is_object() || view.picture.pixels.empty()) {
      ADD_FAILURE() << "no page";
      return Json::object();
    }
    EXPECT_EQ(view.picture.channels, 3);
    EXPECT_EQ(drawn["width"], options.width) << "the page is wider than the window";
    EXPECT_LT(distance_at(view.picture, {3, 3}, drawn["ground"]), 3);
    size_t seen = 0;
    for (const Json& line : drawn["lines"]) {
      seen += line["places"].size();
      if (line["places"].size() < 5) continue;  // it lies below another
      EXPECT_GT(share_drawn(view.picture, line["places"], line["colour"]), 0.9) << line["plot"] << " " << line["name"];
    }
    EXPECT_GT(seen, 100u);
    for (const Json& dots : drawn["dots"]) EXPECT_GT(share_drawn(view.picture, dots["places"], dots["colour"]), 0.9) << dots["plot"];
    for (const Json& cell : drawn["cells"]) {
      if (cell["opacity"] < 0.6) continue;
      EXPECT_LT(distance_at(view.picture, cell["place"], cell["colour"]), 110);
    }
    for (const Json& image : drawn["images"]) EXPECT_TRUE(image[0] == true && image[1] > 0 && image[2] > 0) << image;
    return drawn;
  }

  static std::vector<std::string> plots(const Json& drawn, const char* kind) {
    std::vector<std::string> names;
    for (const Json& line : drawn.value(kind, Json::array())) names.push_back(line["plot"].get<std::string>());
    return names;
  }

  Project project_;
};

TEST_F(Report, TheBrowserWouldNotice) {
  project_.write("loud.html", "<!doctype html><p>a page<img src=\"http://example.org/a.png\"><script>console.error('oh no')</script><p>and more");
  const View view = Browser().open(project_ / "loud.html", {.script = "1 + 1"});
  EXPECT_THAT(view.console, Contains(HasSubstr("oh no")));
  EXPECT_THAT(view.requests, Contains("http://example.org/a.png"));
  EXPECT_THAT(view.dom, HasSubstr("and more"));
  EXPECT_EQ(view.picture.width, 1200);
  EXPECT_EQ(view.answer, 2);
  // A picture without its lines is told from one with them.
  EXPECT_EQ(share_drawn(view.picture, Json::array({{500, 500}, {600, 500}}), {43, 99, 214}), 0);
}

TEST_F(Report, ATable) {
  project_.write("flowers.csv", flowers_csv(300));
  run({"--data", "flowers.csv", "--target", "species", "train.epochs=10", "train.optimizer.lr=0.01", "evaluate.kfold.folds=3"});
  const Json drawn = expect_drawn(page("flowers"));
  for (const char* plot : {"Loss", "Accuracy", "Learning rate", "Gradient norm", "ROC", "Precision and recall", "Calibration"}) {
    EXPECT_THAT(plots(drawn, "lines"), Contains(HasSubstr(plot)));
  }
  EXPECT_EQ(drawn["cells"].size(), 9u);
  EXPECT_THAT(plots(drawn, "dots"), Contains("Calibration"));
  EXPECT_THAT(plots(drawn, "dots"), Contains("Accuracy of each fold"));
  EXPECT_GT(drawn["ground"][0], 240);

  const Json dark = expect_drawn(page("flowers"), {.dark = true});
  EXPECT_EQ(dark["lines"].size(), drawn["lines"].size());
  EXPECT_LT(dark["ground"][0], 40);
  EXPECT_NE(dark["lines"][0]["colour"], drawn["lines"][0]["colour"]);
  const Json narrow = expect_drawn(page("flowers"), {.width = 500});
  EXPECT_EQ(narrow["lines"].size(), drawn["lines"].size());
}

TEST_F(Report, ATableOfNumbers) {
  project_.write("houses.csv", houses_csv(300));
  run({"--data", "houses.csv", "--target", "price", "train.epochs=10", "train.optimizer.lr=0.01"});
  const Json drawn = expect_drawn(page("houses"));
  EXPECT_THAT(plots(drawn, "lines"), Contains("Loss"));
  EXPECT_THAT(plots(drawn, "dots"), Contains("Predicted and actual"));
  EXPECT_THAT(plots(drawn, "dots"), Contains("Errors"));
}

TEST_F(Report, Images) {
  write_squares(project_ / "squares", 60);
  run({"--data", "squares", "train.epochs=4", "model={type: cnn, layers: [{conv: 4}, relu, flatten]}"});
  const Json drawn = expect_drawn(page("squares"));
  EXPECT_THAT(plots(drawn, "lines"), Contains("Loss"));
  EXPECT_EQ(drawn["cells"].size(), 4u);
  ASSERT_GT(drawn["images"].size(), 3u);
  EXPECT_EQ(drawn["images"][0][1], 8);
}

TEST_F(Report, ALanguageModel) {
  project_.write("story.txt", sentences(150));
  run({"--data", "story.txt", "data.text.documents=blank_line", "tokenizer.vocab_size=320", "model={type: gpt, layers: 1, heads: 2, width: 32, context: 48}",
       "train.epochs=4", "train.optimizer.lr=0.01", "data.split={validation: 0.1, test: 0.1}", "data.text.clean.duplicates=false",
       "evaluate.sample={prompts: [\"the\"], tokens: 12, temperature: 0}"});
  const Json drawn = expect_drawn(page("story"));
  EXPECT_THAT(plots(drawn, "lines"), Contains("Loss"));
  EXPECT_THAT(Browser().open(page("story"), {}).dom, HasSubstr("What it writes"));
}

TEST_F(Report, TwoRunsSideBySide) {
  project_.write("points.csv", points_csv(300));
  run({"--data", "points.csv", "--target", "kind", "train.epochs=12", "train.optimizer.lr=0.01", "--name", "low"});
  run({"--data", "points.csv", "--target", "kind", "train.epochs=8", "train.optimizer.lr=0.05", "model={type: mlp, hidden: [3]}", "--name", "high"});
  const Outcome outcome = project_.danlu({"report", "low", "runs/high", "--to", "both.html"});
  ASSERT_EQ(outcome.code, 0) << outcome;
  const Json drawn = expect_drawn(project_ / "both.html");
  for (const char* plot : {"Loss", "Loss over time", "Accuracy", "Learning rate", "Gradient norm"}) {
    const auto names = plots(drawn, "lines");
    EXPECT_EQ(std::count(names.begin(), names.end(), plot), 2) << plot;
  }
  EXPECT_EQ(drawn["faint"], 6);
  expect_drawn(project_ / "both.html", {.width = 500, .dark = true});
  const Json text = Browser().open(project_ / "both.html", {.script = "[...document.querySelectorAll('tr')].map(r => r.innerText)"}).answer;
  std::string all;
  for (const Json& row : text) all += row.get<std::string>() + "\n";
  EXPECT_THAT(all, HasSubstr("train.optimizer.lr\t0.01\t0.05\n"));
  EXPECT_THAT(all, HasSubstr("train.epochs\t12\t8\n"));
  EXPECT_THAT(all, HasSubstr("data hash, the same\t"));
  EXPECT_THAT(all, Not(HasSubstr("data.source\t"))) << "what is the same is not listed";
  EXPECT_THAT(read_file(project_ / "both.html"), HasSubstr("Both were measured on the same samples."));

  project_.write("points.csv", points_csv(250, 4));
  run({"--data", "points.csv", "--target", "kind", "train.epochs=2", "--name", "other"});
  ASSERT_EQ(project_.danlu({"report", "low", "high", "other", "--to", "three.html"}).code, 0);
  EXPECT_THAT(read_file(project_ / "three.html"), HasSubstr("The data are not the same"));
  EXPECT_THAT(read_file(project_ / "three.html"), HasSubstr("data hash, not the same"));

  const Outcome nowhere = project_.danlu({"report", "low", "high"});
  EXPECT_EQ(nowhere.code, 2) << nowhere;
  EXPECT_THAT(nowhere.err, HasSubstr("expected --to FILE.html"));
}

TEST_F(Report, ThePointerIsToldValues) {
  project_.write("points.csv", points_csv(200));
  run({"--data", "points.csv", "--target", "kind", "train.epochs=6", "train.optimizer.lr=0.01"});
  const char* const kPoint = R"((() => {
    const curve = document.querySelector('svg[aria-label="Loss"] polyline[data-name="validation"]'), i = 2;
    const p = new DOMPoint(curve.points[i].x, curve.points[i].y).matrixTransform(curve.getScreenCTM());
    const tip = document.getElementById('tip'), before = tip.hidden;
    curve.ownerSVGElement.dispatchEvent(new PointerEvent('pointermove', { bubbles: true, clientX: p.x + 1, clientY: p.y + 1 }));
    const text = tip.textContent, spots = document.querySelectorAll('.spot').length, shown = !tip.hidden;
    document.querySelector('rect.cell').dispatchEvent(new PointerEvent('pointermove', { bubbles: true, clientX: 200, clientY: 200 }));
    const cell = tip.textContent;
    document.body.dispatchEvent(new PointerEvent('pointermove', { bubbles: true, clientX: 1, clientY: 1 }));
    return { before, text, spots, shown, cell, after: tip.hidden, left: document.querySelectorAll('.spot').length };
  })())";
  const Json told = Browser().open(page("points"), {.height = 5000, .script = kPoint}).answer;
  ASSERT_TRUE(told.is_object());
  EXPECT_EQ(told["before"], true);
  EXPECT_EQ(told["shown"], true);
  EXPECT_EQ(told["spots"], 1);
  EXPECT_EQ(told["after"], true);
  EXPECT_EQ(told["left"], 0);
  // The third validation, as metrics.jsonl has it.
  std::vector<double> losses;
  for (const Json& json : project_.run("points").lines("metrics.jsonl")) {
    if (json.contains("validation_loss") && json["validation_loss"].is_number()) losses.push_back(json["validation_loss"]);
  }
  ASSERT_GT(losses.size(), 2u);
  EXPECT_EQ(told["text"], fmt::format("validation\nepoch 3\nloss {:.5g}", losses[2]));
  EXPECT_THAT(told["cell"].get<std::string>(), testing::MatchesRegex("[0-9]+ of [0-9]+ .*called .*"));
}

TEST_F(Report, MarkupInDataStaysText) {
  const std::string column = "\"\"><img src=x onerror=alert(1)>", script = "<script>alert(1)</script>";
  std::string csv = "x,\"" + column + "\",kind\n";  // quotes are doubled in CSV
  Rng rng(3);
  for (int i = 0; i < 200; ++i) {
    const bool far = rng.below(2) == 1;
    csv += fmt::format("{:.3f},{:.3f},{}\n", rng.normal() + (far ? 1 : -1), rng.normal() + (far ? 1 : -1), far ? script : "</script><b onclick=alert(2)>'&\"\"");
  }
  project_.write("evil.csv", csv);
  run({"--data", "evil.csv", "--target", "kind", "train.epochs=4", "--name", "evil"});
  expect_drawn(page("evil"));
  const Json found = Browser().open(page("evil"), {.script = R"({
    images: document.images.length, scripts: document.scripts.length, bold: document.querySelectorAll('[onclick], [onerror]').length,
    text: document.body.textContent, tip: document.querySelector('rect.cell').dataset.tip })"}).answer;
  ASSERT_TRUE(found.is_object());
  EXPECT_EQ(found["images"], 0);
  EXPECT_EQ(found["scripts"], 2);  // the page's, and the one that asks
  EXPECT_EQ(found["bold"], 0);
  EXPECT_THAT(found["text"].get<std::string>(), HasSubstr(script));
  EXPECT_THAT(found["text"].get<std::string>(), HasSubstr("\"><img src=x onerror=alert(1)>"));
  EXPECT_THAT(found["tip"].get<std::string>(), HasSubstr("alert("));
}

TEST_F(Report, ThePolicyStopsWhatIsNotEscaped) {
  project_.write("points.csv", points_csv(60));
  run({"--data", "points.csv", "--target", "kind", "train.epochs=2"});
  // As if a value had come through as it is.
  std::string html = read_file(project_.run("points").file("report.html"));
  html.insert(html.find("<section>"), "<script>document.title = 'taken'</script><img src=\"http://example.org/spy.png\" onerror=\"document.title = 'taken'\">");
  project_.write("pierced.html", html);
  const View view = Browser().open(project_ / "pierced.html", {.script = "document.title"});
  EXPECT_EQ(view.answer, "points");
  EXPECT_THAT(view.requests, ElementsAre());
  EXPECT_THAT(view.console, Contains(HasSubstr("Content Security Policy")));
}

TEST(ReportFile, SaysWhatItTakesAndCosts) {
  const Project project;
  project.write("points.csv", points_csv(60));
  for (const char* name : {"priced", "free"}) {
    Words words = {"run", "--data", "points.csv", "--target", "kind", "train.epochs=2", "--name", name};
    if (std::string(name) == "priced") words.push_back("evaluate.price_per_hour=0.4");
    const Outcome outcome = project.danlu(words);
    ASSERT_EQ(outcome.code, 0) << outcome;
  }
  const Json training = project.run("priced").info()["training"], cost = read_json(project.run("priced").file("report.json"))["cost"];
  EXPECT_GT(training["cpu_seconds"].get<double>(), 0);
  EXPECT_GT(training["peak_memory_bytes"].get<double>(), 1e6);
  for (const Json& one : cost) {
    EXPECT_GT(one["cpu_seconds"].get<double>(), 0);
    EXPECT_NEAR(one["price"].get<double>(), 0.4 / 3600 * one["seconds"].get<double>(), 1e-12);
  }
  const auto page = [&](const char* run) { return read_file(project.run(run).file("report.html")); };
  const auto card = [&](const char* run) { return read_file(project.run(run).bundle() / "card.md"); };
  EXPECT_THAT(page("priced"), HasSubstr("predictions one by one"));
  EXPECT_THAT(page("priced"), HasSubstr("at 0.4 an hour"));
  EXPECT_THAT(card("priced"), HasSubstr("where an hour of the machine costs 0.4"));
  EXPECT_THAT(page("free"), HasSubstr("predictions one by one"));
  EXPECT_THAT(page("free"), Not(HasSubstr("an hour"))) << "no price is made up";
  EXPECT_THAT(card("free"), HasSubstr("CPU-seconds\n"));
  EXPECT_THAT(card("free"), Not(HasSubstr("an hour")));
}

TEST(ReportFile, OfARunThatHasNotComeFar) {
  const Project project;
  project.write("points.csv", points_csv(60));
  const auto ok = [&](const Words& words) {
    const Outcome outcome = project.danlu(words);
    ASSERT_EQ(outcome.code, 0) << outcome;
  };
  ok({"run", "--data", "points.csv", "--target", "kind", "train.epochs=2"});
  ok({"prepare", "--data", "points.csv", "--target", "kind", "--name", "young"});
  ok({"report", "young"});
  const std::string page = read_file(project.run("young").file("report.html"));
  EXPECT_THAT(page, HasSubstr("<span class=\"bad\">prepared</span>"));
  EXPECT_THAT(page, HasSubstr("<h2>Data</h2>"));
  EXPECT_THAT(page, Not(HasSubstr("<h2>Training</h2>")));
  ok({"report", "young", "points", "--to", "both.html"});
  EXPECT_THAT(project.read("both.html"), HasSubstr("<h2>Measures</h2>"));

  write_file_atomic(project.run("young").file("report.json"), R"({"metrics": {"accuracy": 1}, "classes": [3]})");
  for (const Words& words : {Words{"report", "young"}, Words{"report", "points", "young", "--to", "both.html"}}) {
    const Outcome damaged = project.danlu(words);
    EXPECT_EQ(damaged.code, 1) << damaged;
    EXPECT_THAT(damaged.err, HasSubstr("young: a file of "));
  }
}

// What a browser of any make would have to fetch: the page names no address at all.
TEST(ReportFile, NamesNoAddress) {
  const Project project;
  project.write("points.csv", points_csv(60));
  const Outcome outcome = project.danlu({"run", "--data", "points.csv", "--target", "kind", "train.epochs=2"});
  ASSERT_EQ(outcome.code, 0) << outcome;
  const std::string html = read_file(project.run("points").file("report.html"));
  EXPECT_FALSE(std::regex_search(html, std::regex("(src|href|url\\()\\s*=?\\s*[\"']?(https?:)?//", std::regex::icase)));
  EXPECT_THAT(html, Not(HasSubstr("@import")));
  EXPECT_THAT(html, HasSubstr("default-src 'none'"));
}

}  // namespace
}  // namespace danlu::test
