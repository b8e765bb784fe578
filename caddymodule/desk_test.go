package caddymodule_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// The page has no sign-in, so that it does not load where other machines reach it, and
// changes nothing unless that is written.
func TestDeskIsForThisMachineAndLooksOnly(t *testing.T) {
	port := freePort(t)
	desk := func(bind, block string) string {
		return plainSite + fmt.Sprintf("http://localhost:%d {\n\tbind %s\n\tattest_desk%s\n}\n", port, bind, block)
	}
	s := newSite(t, desk("127.0.0.1", ""))
	if err := s.load(desk("0.0.0.0", "")); err == nil || !strings.Contains(err.Error(), "attest_desk has no sign-in") {
		t.Errorf("an open listener: %v", err)
	}
	post := func() int {
		r, err := http.NewRequest(http.MethodPost, fmt.Sprintf("http://127.0.0.1:%d/api/sessions/revoke", port), strings.NewReader(`{"all":true}`))
		s.must(err)
		r.Close = true // a reload closes idle connections, and a POST is not sent again
		r.Host = fmt.Sprintf("localhost:%d", port)
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		return s.do(r).StatusCode
	}
	if got := post(); got != http.StatusForbidden {
		t.Errorf("without write: %d", got)
	}
	s.must(s.load(desk("127.0.0.1", " {\n\t\twrite\n\t}")))
	if got := post(); got != http.StatusOK {
		t.Errorf("with write: %d", got)
	}
}
