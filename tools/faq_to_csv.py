#!/usr/bin/env python3
"""Questions and answers out of manuals, as CSV: tools/faq_to_csv.py FILE... [--url PREFIX] [--below DIRECTORY] >out.csv

A FILE, also with .gz behind, is one of

  DocBook's HTML        each section with a title and text of its own is a row
  LibreOffice's help    a page is an answer; a row for its title, and for each entry of the index that leads to it
  Markdown              each heading with text below it is a row

The columns are question, answer and url. Numbers before titles are left out; paragraphs, list items and blocks of commands are divided by
empty lines. A question with several answers is left out. `url` is PREFIX, the path of the page below DIRECTORY (by default its name) and
the anchor of the section.
"""

import argparse
import csv
import gzip
import html.parser
import pathlib
import re
import sys

NUMBER = re.compile(r"^\s*(Chapter\s+)?([A-Z]\.|\d)[\d.]*\s+")
VOID = {"img", "br", "hr", "meta", "link", "input", "col"}
BLOCKS = {"p", "li", "pre", "dt", "dd", "tr", "td", "table", "ul", "ol", "dl", "div", "blockquote", "h1", "h2", "h3", "h4", "h5"}


def joined(text):
    return " ".join(text.split())


class Section:
    def __init__(self, title="", anchor=""):
        self.questions, self.anchor, self.blocks = [title], anchor, []

    def rows(self, page):
        questions = [joined(NUMBER.sub("", question)) for question in self.questions]
        answer = "\n\n".join(self.blocks)
        url = f"{page}#{self.anchor}" if self.anchor else page
        return [[question, answer, url] for question in questions if question and answer]


class Page(html.parser.HTMLParser):
    """Elements with a class or an id, open around each block of text."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.text, self.sections = [], "", []
        self.feed(text)
        self.close()
        self.end_block()

    def handle_starttag(self, tag, attributes):
        if tag in BLOCKS:
            self.end_block()
        if tag in VOID:
            self.text += " " if tag == "br" else ""
        else:
            self.open.append((tag, *(dict(attributes).get(name) or "" for name in ("class", "id"))))
        self.start(tag, dict(attributes))

    def handle_endtag(self, tag):
        if tag in VOID or all(tag != name for name, _, _ in self.open):
            return
        if tag in BLOCKS:
            self.end_block()
        while True:
            element = self.open.pop()
            self.end(*element)
            if element[0] == tag:
                return

    def handle_data(self, data):
        self.text += data

    def end_block(self):
        text, self.text = joined(self.text), ""
        if text and not self.is_in("script", "style", "head"):
            self.block(text)

    def is_in(self, *names):
        return any(name in element for element in self.open for name in names)

    def start(self, tag, attributes):
        pass

    def end(self, tag, kind, name):
        pass


class DocBook(Page):
    """Sections stand in each other; the title of one stands in a <div class="titlepage">, with its anchor."""

    def __init__(self, text):
        self.done = []
        super().__init__(text)

    def start(self, tag, attributes):
        if tag == "div" and attributes.get("class") in ("section", "chapter"):
            self.sections.append(Section())
            self.done.append(self.sections[-1])
        elif self.sections and self.is_in("titlepage") and not self.sections[-1].anchor:
            self.sections[-1].anchor = attributes.get("id", "")

    def end(self, tag, kind, name):
        if tag == "div" and kind in ("section", "chapter"):
            self.sections.pop()

    def block(self, text):
        if not self.sections or self.is_in("navheader", "navfooter", "toc", "footnotes"):
            return
        if self.is_in("titlepage"):
            self.sections[-1].questions[0] += " " + text
        else:
            self.sections[-1].blocks.append(text)


class LibreOffice(Page):
    """The text stands in <div id="DisplayArea">, links to other pages at its end; the index in <meta itemprop="keywords">, from the general
    to the special: "charts,copying from Calc"."""

    def __init__(self, text):
        self.page = Section()
        self.done = [self.page]
        super().__init__(text)

    def start(self, tag, attributes):
        if tag == "meta" and attributes.get("itemprop") == "keywords":
            self.page.questions.append(joined(", ".join(attributes["content"].split(","))))

    def block(self, text):
        if self.is_in("title", "h1") and not self.page.questions[0]:
            self.page.questions[0] = text
        elif self.is_in("DisplayArea") and not self.is_in("relatedtopics", "embedded", "h1") and not text.startswith("Please support us"):
            self.page.blocks.append(text)


def markdown(text):
    sections = []
    for block in re.split(r"\n\s*\n", text):
        heading = re.match(r"#+\s+(.*)", block, re.DOTALL)  # may go on in the next line
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading.group(1) if heading else block)
        plain = joined(re.sub(r"(?m)^>\s?|\*\*|\b_|_\b", "", plain))
        if heading:
            sections.append(Section(plain))
        elif sections and plain:
            sections[-1].blocks.append(plain)
    return sections


def sections_of(file):
    data = file.read_bytes()
    text = (gzip.decompress(data) if file.suffix == ".gz" else data).decode("utf-8")
    if not file.name.removesuffix(".gz").endswith(".html"):
        return markdown(text)
    return (LibreOffice if 'id="DisplayArea"' in text else DocBook)(text).done


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=pathlib.Path)
    parser.add_argument("--url", default="", help="what stands before the path of a page")
    parser.add_argument("--below", help="a directory: the path of a page begins below it")
    arguments = parser.parse_args()
    rows, answers = [], {}
    for file in sorted(arguments.files):
        path = file.as_posix().removesuffix(".gz")
        page = arguments.url + (path.split(f"/{arguments.below}/")[-1] if arguments.below else path.split("/")[-1])
        for section in sections_of(file):
            for row in section.rows(page):
                rows.append(row)
                answers.setdefault(row[0].casefold(), set()).add(row[1])
    kept = list({row[0].casefold(): row for row in rows if len(answers[row[0].casefold()]) == 1}.values())
    if not kept:
        sys.exit("faq_to_csv: no section with a title and text; expected DocBook's HTML, LibreOffice's help or Markdown")
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(["question", "answer", "url"])
    writer.writerows(kept)


if __name__ == "__main__":
    main()
