// Package redistest runs real Redis servers for tests: one, a Cluster, or a
// primary with replicas and Sentinels, each on free loopback ports, in a
// directory of its own, gone when the test ends. A server can be killed, stopped
// (it hangs), wiped and started again; a [Proxy] before it can make the network
// slow, silent or broken.
//
//	server := redistest.Start(t)
//	s, err := redis.New(redis.Config{Addresses: []string{server.Addr}})
//
// Where redis-server is not installed, the test is skipped with a message that
// says so; where the environment says CI, it fails, because there nothing may be
// left out silently.
package redistest
