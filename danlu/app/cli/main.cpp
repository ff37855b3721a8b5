#include "danlu/app/cli/command_line.h"
#include "danlu/app/cli/spin_limit.h"

int main(int argc, char** argv) {
  danlu::app::limit_spinning(argc, argv);
  return danlu::app::run_command_line(argc, argv);
}
