// Which instruction set the kernels run on: the best that the processor has, unless DANLU_ISA or a test says otherwise.
//
// Our own loops are compiled once for each of these; oneDNN chooses by itself and is told of a limit through DANLU_ISA only.
#pragma once

#include <string>
#include <vector>

namespace danlu::kernels {

enum class Isa { scalar, sse4, avx2, avx512, amx };  // amx: AVX-512, and tiles where a product may be rounded

const char* isa_name(Isa isa);

// Those that this processor can run, slowest first.
const std::vector<Isa>& supported_isas();

// The one in use. At first use DANLU_ISA=scalar|sse4|avx2|avx512|amx is read: ConfigError for another word, or for one that this
// processor cannot run.
Isa active_isa();

// For tests of each instruction set. Not safe while kernels run on another thread.
void set_isa(Isa isa);

}  // namespace danlu::kernels
