// The frame of a report: one file that needs nothing else.
//
// Style and script stand inside, images are data; a content security policy keeps it so: the page can load nothing, and runs no
// script but its own. It is light or dark as its reader's system is, fits a phone, and prints.
#pragma once

#include <string>
#include <string_view>

namespace danlu::app {

// `title` is text, `body` HTML. A page that changes is read again by the browser after `refresh_s` seconds; 0: never.
std::string html_page(std::string_view title, const std::string& body, int refresh_s = 0);

}  // namespace danlu::app
