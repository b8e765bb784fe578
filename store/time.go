package store

import "time"

// End is when the store may let the record go by itself: the sooner of Until and
// ExpiresAt; zero means never.
func (o *Op) End() time.Time { return Sooner(o.Until, o.ExpiresAt) }

// Sooner is the earlier of two ends of which zero means never.
func Sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// Millis is how backends keep an end: milliseconds since 1970, truncated, so that a record never lives longer than asked; never is 0.
func Millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return max(t.UnixMilli(), 1)
}

// FromMillis is the way back.
func FromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
