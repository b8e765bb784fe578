package redis

import (
	"context"
	"fmt"

	goredis "github.com/redis/go-redis/v9"
)

// SetLogger sends what the client library has to say to fn instead of standard
// error, for all stores of the process. Call it before the first New.
func SetLogger(fn func(message string)) { goredis.SetLogger(logger(fn)) }

type logger func(string)

// Printf implements the library's interface.
func (l logger) Printf(_ context.Context, format string, v ...any) { l(fmt.Sprintf(format, v...)) }
