// Command bench measures what the gateway costs beside plain Caddy, on this machine (Linux).
//
// It starts an upstream, the stores that a scenario wants, and of the same binary three
// Caddys: plain (a reverse_proxy), limit (the same with the least work that the scenario asks
// for, in raw crypto, raw go-redis and raw bbolt), and the gateway. The three are driven in
// turn, in short slices, so that whatever else the machine does falls on all of them; what is
// compared is the CPU time of the process for each request, as the kernel counts it. A slice
// of one is paired with the slice of plain next to it. Nothing but requests happens inside a
// slice: allocations and calls of the store are counted in a slice of their own afterwards.
//
//	go run ./bench [-quick] [-rounds n] [-slice d] [-only regexp] [-json file] [-svg file] [-pprof dir] [-against name=url=command ...]
//
// -against starts a further program with sh, waits until it listens at the URL, and sends it
// the same requests with tokens of the issuer wherever the gateway gets its own. The command
// finds in its environment BENCH_UPSTREAM, BENCH_ISSUER and BENCH_JWKS (URLs),
// BENCH_JWKS_FILE, BENCH_AUDIENCE and, where the scenario has one, BENCH_REDIS.
package main
