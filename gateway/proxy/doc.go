// Package proxy is the door for proxied requests: it reads what a request presents,
// scrubs it, has the core decide, and applies the decision to the request and its
// answer.
package proxy
