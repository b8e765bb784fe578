// Command bench measures what the gateway costs beside plain Caddy, on this machine.
//
// It starts an upstream, a Redis, and of the same binary three Caddys for each scenario:
// plain (a reverse_proxy), limit (the same with the least work that the scenario asks for, in
// raw crypto and raw go-redis), and the gateway. The three are driven in turn, in short
// slices, so that whatever else the machine does falls on all of them; what is compared is
// the CPU time of the process for each request, as the kernel counts it. A slice of one is
// paired with the slice of plain next to it.
//
//	go run ./bench [-quick] [-json file] [-svg file] [-only regexp] [-against name=url ...]
//
// -against names a further program that listens at a URL already, as name=pid=url.
package main
