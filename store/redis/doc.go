// Package redis keeps records in Redis, so that any number of gateways are one:
// a single server, Sentinel or Cluster, Redis 6.2 or later, or Valkey.
//
//	config, err := redis.ParseURL("rediss://gateway:…@redis.internal/0")
//	s, err := redis.New(config)
//	warnings, err := s.Check(ctx)
//
// Wrap it in package store/sealed: what Redis holds must be worth nothing to
// whoever can read or write it.
//
// # What is where
//
// A record is one string, {prefix}r:{partition}key, so a partition is one Cluster
// slot. Its first 17 bytes are a format byte, its version and its end; expiry is
// Redis' own. An Apply is one Lua script and one round trip, a Get one MGET. A
// tag is a sorted set, {prefix}t:{tag}, of the records that may carry it, scored
// by when that was last known to be so. It is written before the record (in a
// Cluster it lives in another slot), so it may name too much, never too little;
// List takes out what has been gone for ten minutes.
//
// # Durability
//
// Apply is acknowledged when the primary has done it. Replication is
// asynchronous: a failover can lose the last writes. min-replicas-to-write makes
// Redis refuse writes instead, and appendfsync bounds what a power failure takes.
//
// # Faults
//
// Every fault is an [Error] with a [Kind], and a store.ErrUnavailable or
// store.ErrFull unless it is of one record. A server that does not answer costs each
// request Config.Timeout until five in a row have waited and a question of our own
// goes unanswered too; then a breaker refuses at once and asks the server every
// 250 ms whether it is back. Cluster nodes each have their own. A read is sent a
// second time where its connection broke; nothing is that may have been done.
//
// # Permissions
//
// A user of its own needs no more than this, on Redis 6.2 or later (with the
// prefix that is configured; in a Cluster also +cluster|slots +cluster|shards):
//
//	ACL SETUSER gateway on >… resetchannels ~attest:* &attest:*
//	  +ping +mget +exists +eval +evalsha +getrange +set +del +pttl +pexpireat +persist
//	  +zadd +zrem +zscore +zrange +publish +subscribe +unsubscribe +scan
//	  +time +info +config|get
//
// Without the last three, Check says what it could not look at; scan is for
// changing the secret.
//
// # Watch
//
// Changes are published by the script that makes them, on one channel. A watcher is
// connected ([Store.LastConnected]) while it proves that it hears of all of them:
//
//   - it publishes a message to itself through every primary, five times a second, on
//     a channel of its own, and hears it within 700 ms (longer where Config.Timeout
//     is longer);
//   - it finds the epoch unchanged within 5 s, by asking once a second. An epoch is a
//     random text that each primary keeps under a key of its own ({prefix}epoch:…),
//     made by whoever finds none. FLUSHALL, a restored copy and a server in the place
//     of another send no message, and leave another epoch or none.
//
// Where the messages stay away it connects anew and reports the gap by a Flush; where
// the epoch has changed it reports it by a Flush.
package redis
