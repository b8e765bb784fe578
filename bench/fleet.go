package main

import (
	"context"
	"strconv"
	"strings"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

// A fleet is the Redis of a scenario: none or one.
type fleet []*program

func startRedis(dir string) (fleet, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	_, port, _ := strings.Cut(address, ":")
	p, err := start("redis", address, dir, nil, "redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no")
	if err != nil {
		return nil, err
	}
	return fleet{p}, nil
}

// ask sends one command to a Redis; an answer that is none is empty.
func (p *program) ask(command ...any) string {
	c := goredis.NewClient(&goredis.Options{Addr: p.address()})
	defer c.Close()
	text, _ := c.Do(context.Background(), command...).Text()
	return text
}

func (f fleet) addresses() (list []string) {
	for _, p := range f {
		list = append(list, p.address())
	}
	return list
}

func (f fleet) cpu() (sum time.Duration) {
	for _, p := range f {
		sum += p.cpu()
	}
	return sum
}

// used is what the nodes keep, in bytes.
func (f fleet) used() (sum int64) {
	for _, p := range f {
		_, text, _ := strings.Cut(p.ask("INFO", "memory"), "used_memory:")
		text, _, _ = strings.Cut(text, "\r")
		n, _ := strconv.ParseInt(text, 10, 64)
		sum += n
	}
	return sum
}

func (f fleet) stop() {
	for _, p := range f {
		p.stop()
	}
}
