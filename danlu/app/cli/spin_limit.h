// How long the engine's threads wait for each other before they give the processor back.
//
// OpenMP's threads spin at the end of a parallel loop, by default for about 10 ms. Alone on the machine that is quickest;
// with another process at work a thread spins while the one that it waits for is not running, and a training step takes
// 40 ms instead of 0.2 (measured, docs/log.md). A limit of about 0.2 ms costs 1 to 3 % alone and keeps a step below 1 ms.
#pragma once

namespace danlu::app {

// The limit is read when the process is loaded, so the program is started anew, in the same process, with GOMP_SPINCOUNT
// set; not for --help and --version, nor when the user has set GOMP_SPINCOUNT or OMP_WAIT_POLICY. If that is not possible
// the program just goes on.
void limit_spinning(int argc, char** argv);

}  // namespace danlu::app
