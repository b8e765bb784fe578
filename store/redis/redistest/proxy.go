package redistest

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// A Proxy stands between a client and a server and can spoil the connection.
type Proxy struct {
	// Addr is where it listens.
	Addr string

	t        testing.TB
	target   string
	listener net.Listener

	mu      sync.Mutex
	changed *sync.Cond
	latency time.Duration
	silent  bool
	refuse  bool
	faults  Faults
	conns   map[net.Conn]struct{}
	closed  bool

	subscribed map[net.Conn]bool // both ends of them
}

// NewProxy listens on a free loopback port and passes everything on to target
// until the test ends.
func NewProxy(t testing.TB, target string) *Proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{Addr: l.Addr().String(), t: t, target: target, listener: l, conns: map[net.Conn]struct{}{}, subscribed: map[net.Conn]bool{}}
	p.changed = sync.NewCond(&p.mu)
	go p.accept()
	t.Cleanup(p.close)
	return p
}

// Faults are how often what the server sends is spoiled: a share of it is replaced
// by a TCP reset, another comes late.
type Faults struct {
	Resets, Late float64 // shares, from 0 to 1
	Delay        time.Duration
}

// Spoil spoils a share of what the server sends, until Restore.
func (p *Proxy) Spoil(faults Faults) {
	p.set(func() { p.faults = faults })
}

// Retarget passes connections on to another server from now on. Those that have
// subscribed to a channel stay with the old one, all others are closed.
func (p *Proxy) Retarget(target string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.target = target
	for conn := range p.conns {
		if !p.subscribed[conn] {
			_ = conn.Close()
		}
	}
}

// Latency delays what each side sends by d.
func (p *Proxy) Latency(d time.Duration) {
	p.set(func() { p.latency = d })
}

// Blackhole swallows nothing but passes nothing on either: connections stay, and
// stay silent, until Restore.
func (p *Proxy) Blackhole() {
	p.set(func() { p.silent = true })
}

// Cut closes all connections and, until Restore, every new one at once.
func (p *Proxy) Cut() {
	p.set(func() { p.refuse = true })
	p.drop(false)
}

// Reset breaks all connections with a TCP reset. New ones are good.
func (p *Proxy) Reset() { p.drop(true) }

// Restore makes a good connection of it again.
func (p *Proxy) Restore() {
	p.set(func() { p.latency, p.silent, p.refuse, p.faults = 0, false, false, Faults{} })
}

// Connections is how many clients are connected.
func (p *Proxy) Connections() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.conns) / 2
}

func (p *Proxy) set(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
	p.changed.Broadcast()
}

func (p *Proxy) drop(reset bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for conn := range p.conns {
		if tcp, ok := conn.(*net.TCPConn); ok && reset {
			_ = tcp.SetLinger(0)
		}
		_ = conn.Close()
	}
}

func (p *Proxy) close() {
	p.set(func() { p.closed = true })
	_ = p.listener.Close()
	p.drop(false)
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		go p.serve(client)
	}
}

func (p *Proxy) serve(client net.Conn) {
	defer client.Close()
	if !p.pass() {
		return
	}
	server, err := net.DialTimeout("tcp", p.current(), patience)
	if err != nil {
		return
	}
	defer server.Close()
	if !p.add(client, server) {
		return
	}
	defer p.remove(client, server)
	done := make(chan struct{}, 2)
	go func() { p.copy(server, client, p.pass); done <- struct{}{} }()
	go func() {
		p.copy(client, server, func() bool { return p.pass() && p.spared(client) })
		done <- struct{}{}
	}()
	<-done
}

func (p *Proxy) add(conns ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.refuse || p.closed {
		return false
	}
	for _, conn := range conns {
		p.conns[conn] = struct{}{}
	}
	return true
}

func (p *Proxy) remove(conns ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, conn := range conns {
		delete(p.conns, conn)
		delete(p.subscribed, conn)
	}
}

// pass waits while the proxy is silent, then for its latency, and reports whether
// to go on.
func (p *Proxy) pass() bool {
	p.mu.Lock()
	for p.silent && !p.closed {
		p.changed.Wait()
	}
	latency, ok := p.latency, !p.refuse && !p.closed
	p.mu.Unlock()
	time.Sleep(latency)
	return ok
}

// spared lets a share of what the server sends come late, or not at all.
func (p *Proxy) spared(client net.Conn) bool {
	p.mu.Lock()
	faults := p.faults
	p.mu.Unlock()
	switch chance := random(); {
	case chance < faults.Resets:
		if tcp, ok := client.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
		return false
	case chance < faults.Resets+faults.Late:
		time.Sleep(faults.Delay)
	}
	return true
}

func (p *Proxy) current() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.target
}

func (p *Proxy) noteSubscribed(ends ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, end := range ends {
		if conn, ok := end.(net.Conn); ok {
			p.subscribed[conn] = true
		}
	}
}

// random is a number in [0, 1).
func random() float64 {
	var b [4]byte
	_, _ = rand.Read(b[:])
	return float64(binary.BigEndian.Uint32(b[:])) / (1 << 32)
}

func (p *Proxy) copy(to io.Writer, from io.Reader, pass func() bool) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			if bytes.Contains(buffer[:n], []byte("subscribe\r\n")) {
				p.noteSubscribed(to, from)
			}
			if !pass() {
				return
			}
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}
