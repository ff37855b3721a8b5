// The most that the processor does, measured: what a roofline is drawn with. Figures of all threads (num_threads()) together, the best of several
// tries within `seconds`; they hold for the clock and the neighbours of that moment.
//
// Threads: parallel inside; one caller at a time.
#pragma once

#include <cstdint>

namespace danlu::kernels {

// Operations a second of independent fused multiply-adds in registers, of the active instruction set; a multiplication and an addition are two.
double f32_fma_peak(double seconds = 0.2);

// The same of products of pairs of bf16 added to f32 (vdpbf16ps), and of four pairs of bytes added to int32 (vpdpbusd), in 512 bits.
// 0 where the processor has no such instruction.
double bf16_dot_peak(double seconds = 0.2);
double int8_dot_peak(double seconds = 0.2);

// The same of tiles of AMX (tdpbf16ps, tdpbssd).
double bf16_tile_peak(double seconds = 0.2);
double int8_tile_peak(double seconds = 0.2);

// Bytes a second of plain reads, each thread its own buffer of so many bytes (> 0) again and again: where a buffer fits tells which cache is measured.
double read_bandwidth(int64_t bytes_a_thread, double seconds = 0.2);

}  // namespace danlu::kernels
