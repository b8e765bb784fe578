// Package metrics counts what a gateway decides and changes, for Prometheus.
//
//	m := metrics.New()
//	config.Core.Observers = authn.Observers{m}
//	registry.MustRegister(m, metrics.State{Core: gateway.Core})
//
// Every label comes from the configuration or from a table of the program, never from
// a request: nobody outside can make new series. docs/metrics.md lists what there is.
package metrics
