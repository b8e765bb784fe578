package authn

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unsafe"
)

// One client cannot push out what others were refused for, nor fill the log: also not
// one that takes another IPv6 address for each request, and not with long texts.
func TestRefusalsOfOneClientAreBounded(t *testing.T) {
	now := time.Unix(0, 0)
	l := NewRefusals(func() time.Time { return now })
	l.Add(RefusedRequest{ID: "honest", Code: "token_expired", Client: "192.0.2.1"})
	lines := 0
	for i := range 20_000 {
		r := RefusedRequest{ID: fmt.Sprint(i), Code: "no_credential", Client: fmt.Sprintf("2001:db8::%x", i), Path: strings.Repeat("p", 1<<10)}.Shortened()
		if write, _ := l.Line(r); write {
			lines++
		}
		l.Add(r)
	}
	if _, ok := l.Find("honest"); !ok || l.all.Len() != 1+maxRefusedAlike || lines != maxLinesAlike {
		t.Errorf("honest %t, %d remembered, %d lines", ok, l.all.Len(), lines)
	}
	now = now.Add(time.Second)
	if write, suppressed := l.Line(RefusedRequest{Code: "no_credential", Client: "2001:db8::1"}); !write || suppressed != 20_000-maxLinesAlike {
		t.Errorf("a second later: %t, %d left out", write, suppressed)
	}
	if n := len(l.Latest(1)[0].Path); n > maxRefusedText+len("…") {
		t.Errorf("a path of %d bytes", n)
	}
}

// The ring keeps the newest, and forgets what is no longer in it.
func TestRefusalsKeepTheNewest(t *testing.T) {
	l := NewRefusals(time.Now)
	for i := range maxRefused + 10 {
		l.Add(RefusedRequest{ID: fmt.Sprint(i), Code: "x", Client: fmt.Sprint("10.0.", i/256, ".", i%256)})
	}
	latest := l.Latest(3)
	if len(latest) != 3 || latest[0].ID != fmt.Sprint(maxRefused+9) || latest[2].ID != fmt.Sprint(maxRefused+7) {
		t.Errorf("latest %v", latest)
	}
	if _, ok := l.Find("9"); ok || l.all.Len() != maxRefused || len(l.alike) != maxRefused {
		t.Errorf("the oldest is still there: %d, %d kinds", l.all.Len(), len(l.alike))
	}
}

// Of many alike the newest are known: whoever asks why has just been refused.
func TestWhyKnowsTheNewestOfMany(t *testing.T) {
	l := NewRefusals(time.Now)
	for i := range maxRefusedAlike + 5 {
		l.Add(RefusedRequest{ID: fmt.Sprint(i), Code: "no_credential", Client: "192.0.2.1"})
	}
	if _, ok := l.Find(fmt.Sprint(maxRefusedAlike + 4)); !ok || l.Latest(1)[0].ID != fmt.Sprint(maxRefusedAlike+4) {
		t.Error("the newest is not there")
	}
	if _, ok := l.Find("4"); ok || l.all.Len() != maxRefusedAlike || len(l.byID) != maxRefusedAlike {
		t.Errorf("%d remembered, %d ids, the oldest %t", l.all.Len(), len(l.byID), ok)
	}
}

// A method and a path are parts of the request's line, of up to a megabyte: 10,000 of
// them would be 10 GB.
func TestRefusalsDoNotKeepTheRequest(t *testing.T) {
	line := "GET /" + strings.Repeat("x", 1<<20)
	r := RefusedRequest{Method: line[:3], Path: line[4:10], Host: line[:5], Client: line[:9]}.Shortened()
	from := uintptr(unsafe.Pointer(unsafe.StringData(line)))
	for _, text := range []string{r.Method, r.Path, r.Host, r.Client} {
		if at := uintptr(unsafe.Pointer(unsafe.StringData(text))); at >= from && at < from+uintptr(len(line)) {
			t.Errorf("%q is a part of the request", text)
		}
	}
}
