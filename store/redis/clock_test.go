package redis_test

import (
	"errors"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/store/redis"
	"github.com/attestgate/caddy-attest/store/redis/redistest"
)

// The clocks of one machine are one; who may not ask, or is not answered, knows nothing.
func TestClockSkew(t *testing.T) {
	server := redistest.Start(t)
	s := open(t, fresh(server.Addr))
	if skew, err := s.ClockSkew(t.Context()); err != nil || skew.Abs() > time.Second {
		t.Errorf("skew %s, %v", skew, err)
	}
	server.CLI("acl", "setuser", "default", "-time")
	var known *redis.Error
	if _, err := s.ClockSkew(t.Context()); !errors.As(err, &known) {
		t.Errorf("not allowed: %v", err)
	}
	server.Kill()
	if _, err := s.ClockSkew(t.Context()); !errors.As(err, &known) {
		t.Errorf("away: %v", err)
	}
}

func TestClockSkewOfACluster(t *testing.T) {
	cluster := redistest.StartCluster(t, 3, 0)
	config := fresh(cluster.Addresses()...)
	config.Cluster = true
	if skew, err := open(t, config).ClockSkew(t.Context()); err != nil || skew.Abs() > time.Second {
		t.Errorf("skew %s, %v", skew, err)
	}
}
