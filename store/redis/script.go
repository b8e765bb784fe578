package redis

import (
	"context"
	"crypto/sha1" //nolint:gosec // Redis names scripts by it
	_ "embed"
	"encoding/hex"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

// script is a Lua script and the name Redis has for it.
type script struct{ text, sha string }

func newScript(text string) script {
	sum := sha1.Sum([]byte(text))
	return script{text: text, sha: hex.EncodeToString(sum[:])}
}

var (
	//go:embed scripts/apply.lua
	applyText string
	//go:embed scripts/touch.lua
	touchText string
	//go:embed scripts/tidy.lua
	tidyText string
	//go:embed scripts/rewrite.lua
	rewriteText string

	applyScript   = newScript(applyText)
	touchScript   = newScript(touchText)
	tidyScript    = newScript(tidyText)
	rewriteScript = newScript(rewriteText)
)

// run runs a script, by its name where the server knows it, and answers its
// number. It tries again only what was certainly not done.
func (s *Store) run(ctx context.Context, sc script, keys []string, args ...any) (int64, error) {
	for wait := time.Millisecond; ; wait *= 2 {
		n, err := s.eval(ctx, "evalsha", sc.sha, keys, args)
		if goredis.HasErrorPrefix(err, "NOSCRIPT") {
			n, err = s.eval(ctx, "eval", sc.text, keys, args)
		}
		if !s.slotMoving(err) || !sleep(ctx, wait) {
			return n, err
		}
	}
}

// slotMoving reports a slot that is on its way from one node to another, with some
// of its keys here and some there, more often than the client follows by itself.
func (s *Store) slotMoving(err error) bool {
	return s.config.Cluster && (goredis.HasErrorPrefix(err, "TRYAGAIN") ||
		goredis.HasErrorPrefix(err, "ASK") || goredis.HasErrorPrefix(err, "MOVED"))
}

// eval sends a script, by another connection where the first was none.
func (s *Store) eval(ctx context.Context, command, sc string, keys []string, args []any) (int64, error) {
	all := make([]any, 0, 3+len(keys)+len(args))
	all = append(all, command, sc, len(keys))
	for _, key := range keys {
		all = append(all, key)
	}
	all = append(all, args...)
	n, err := s.send(ctx, all)
	if isUnsent(err) && ctx.Err() == nil {
		n, err = s.send(ctx, all)
	}
	return n, err
}

func (s *Store) send(ctx context.Context, command []any) (int64, error) {
	cmd := once{goredis.NewCmd(ctx, command...)}
	if err := s.client.Process(ctx, cmd); err != nil {
		return 0, err
	}
	return cmd.Int64()
}

// sleep waits and reports whether ctx goes on.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
