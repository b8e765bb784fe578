package authn

import (
	"testing"
	"time"
)

// A server may give the connection to another request as soon as the handler has returned,
// so that nothing ends it then.
func TestLeavingAStreamWaitsForItsEnd(t *testing.T) {
	a := &Authenticator{Config: Config{Streams: NewStreams(), Now: time.Now}}
	ending, proceed, left := make(chan struct{}), make(chan struct{}), make(chan struct{})
	ended := false
	s := a.Join(Decision{}, nil, Presented{Bearer: "secret", Method: "GET"}, func() {
		close(ending)
		<-proceed
		ended = true
	})
	if s.by.Bearer != "" || s.by.Method != "GET" {
		t.Errorf("a stream keeps %+v", s.by)
	}
	go s.endNow()
	<-ending
	go func() {
		s.Leave()
		if !ended {
			t.Error("the stream was left while it was being ended")
		}
		close(left)
	}()
	select {
	case <-left:
		t.Error("left before the end")
	case <-time.After(20 * time.Millisecond):
	}
	close(proceed)
	<-left
	again := a.Join(Decision{}, nil, Presented{}, func() { t.Error("a stream that has left was ended") })
	again.Leave()
	again.endNow()
}
