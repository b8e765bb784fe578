package redis

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"syscall"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

const (
	// dialTimeout is longer than a call may take: a connection that is slow to come
	// is good for the next call.
	dialTimeout = time.Second
	// idleTimeout is shorter than what load balancers and firewalls allow.
	idleTimeout = 4 * time.Minute
)

// newClient makes the client, which connects when it is first used. Every node's
// own client, the only one unless it is a Cluster, is passed to each.
func newClient(c Config, each func(*goredis.Client)) (goredis.UniversalClient, error) {
	security, err := c.TLS.config()
	if err != nil {
		return nil, err
	}
	options := clientOptions(c, dialer{security, max(dialTimeout, c.Timeout), greetingPatience(c.Timeout)}.dial)
	if !c.Cluster {
		client := goredis.NewUniversalClient(options).(*goredis.Client)
		each(client)
		return client, nil
	}
	cluster := options.Cluster()
	cluster.DisableRoutingPolicies = true
	client := goredis.NewClusterClient(cluster)
	client.OnNewNode(each)
	return client, nil
}

func clientOptions(c Config, dial func(context.Context, string, string) (net.Conn, error)) *goredis.UniversalOptions {
	return &goredis.UniversalOptions{
		Addrs:            c.Addresses,
		IsClusterMode:    c.Cluster,
		MasterName:       c.Sentinel,
		Username:         c.Username,
		Password:         c.Password,
		SentinelUsername: c.SentinelUsername,
		SentinelPassword: c.SentinelPassword,
		DB:               c.DB,
		Dialer:           dial,

		// Nothing we use needs RESP3, and without it no push message can stand
		// between a command and its answer.
		Protocol:        2,
		DisableIdentity: true,

		// A call ends with its context and not with a default of seconds. Reads are
		// tried once more where a connection breaks; scripts only where they were
		// certainly not sent (see once and eval).
		ContextTimeoutEnabled: true,
		ReadTimeout:           c.Timeout,
		WriteTimeout:          c.Timeout,
		PoolTimeout:           c.Timeout,
		DialTimeout:           max(dialTimeout, c.Timeout),
		DialerRetries:         1,
		MaxRetries:            1,
		MinRetryBackoff:       time.Millisecond,
		MaxRetryBackoff:       5 * time.Millisecond,

		PoolSize:         c.Pool,
		PipelinePoolSize: -1,
		ConnMaxIdleTime:  idleTimeout,

		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
}

// dialer opens connections, TLS ones where it has a configuration.
type dialer struct {
	security *tls.Config
	timeout  time.Duration
	patience time.Duration // of the greeting
}

// dial never fails: where no connection comes about, it returns one that does
// nothing but return why. The client's pool counts failed dials for ever, and when
// they are as many as its size, refuses to dial for a second at a time; our
// breaker asks more often, and recovery must not wait for the pool's.
func (d dialer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := d.open(ctx, network, address)
	if err != nil {
		return refused{err: &unsentError{err}}, nil //nolint:nilerr // the connection tells it
	}
	return d.greeted(conn), nil
}

func (d dialer) greeted(conn net.Conn) net.Conn {
	under := conn
	if secure, ok := conn.(*tls.Conn); ok {
		under = secure.NetConn()
	}
	socket, _ := under.(syscall.Conn)
	return &greeted{Conn: conn, socket: socket, patience: d.patience}
}

func (d dialer) open(ctx context.Context, network, address string) (net.Conn, error) {
	if strings.HasPrefix(address, "/") {
		network = "unix"
	}
	ctx, cancel := context.WithTimeout(ctx, d.timeout)
	defer cancel()
	plain := &net.Dialer{}
	if d.security == nil {
		return plain.DialContext(ctx, network, address)
	}
	conn, err := (&tls.Dialer{NetDialer: plain, Config: d.security}).DialContext(ctx, network, address)
	if err != nil {
		return nil, fmt.Errorf("tls to %s: %w", address, err)
	}
	return conn, nil
}

// refused is a connection that never came about.
type refused struct {
	net.Conn // none: only the methods below are called
	err      error
}

func (r refused) Read([]byte) (int, error)         { return 0, r.err }
func (r refused) Write([]byte) (int, error)        { return 0, r.err }
func (r refused) Close() error                     { return nil }
func (r refused) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (r refused) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (r refused) SetDeadline(time.Time) error      { return nil }
func (r refused) SetReadDeadline(time.Time) error  { return nil }
func (r refused) SetWriteDeadline(time.Time) error { return nil }

// once is a command that is never sent a second time: after a broken connection
// nobody knows whether it was done.
type once struct{ *goredis.Cmd }

// NoRetry implements goredis.Cmder.
func (once) NoRetry() bool { return true }
