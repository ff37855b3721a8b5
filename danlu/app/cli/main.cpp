#include "danlu/app/cli/command_line.h"

int main(int argc, char** argv) { return danlu::app::run_command_line(argc, argv); }
