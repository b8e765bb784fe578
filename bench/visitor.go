package main

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
)

const (
	projectID     = "project-bench"
	projectSecret = "secret-of-the-benchmark-and-of-nobody-else"
)

// A visitor makes the requests for one contestant, with tokens and sessions that no other
// contestant shows: none warms a cache for another, or wears out another's session.
type visitor struct {
	*caller
	issuer issuer
	name   string
	// sessions: it is the gateway, which makes some. To limit and plain what is shown is a
	// text of the same length; to others it is a token of the issuer.
	sessions bool
	// api: it answers the session API, or stands for what does.
	api bool
	// ours are limit and plain, which read nothing of what they are shown.
	ours  bool
	count atomic.Int64
}

// number is one that was not before.
func (v *visitor) number() string {
	return v.name + "-" + strconv.FormatInt(v.count.Add(1), 10) + "-" + rand.Text()[:4]
}

func (v *visitor) token(sub string, more map[string]any) string {
	return v.issuer.token(sub, v.number(), more)
}

// A session is what attest answers.
type session struct {
	Token string `json:"session_token"`
	JWT   string `json:"session_jwt"`
}

// session makes one for a member of the visitor's own. Body are further arguments.
func (v *visitor) session(sub string, more, body map[string]any) (s session, err error) {
	token := v.token(v.name+sub, more)
	if v.ours {
		return session{Token: (rand.Text() + rand.Text())[:43], JWT: token}, nil
	}
	if !v.sessions {
		return session{Token: token, JWT: token}, nil
	}
	answer, err := v.send(v.attest(token, body))
	if err != nil {
		return s, err
	}
	return s, json.Unmarshal(answer, &s)
}

// manySessions makes them side by side.
func (v *visitor) manySessions(n int) ([]session, error) {
	list, failures := make([]session, n), make([]error, 8)
	var next atomic.Int64
	var work sync.WaitGroup
	for w := range failures {
		work.Go(func() {
			for i := int(next.Add(1)) - 1; i < n && failures[w] == nil; i = int(next.Add(1)) - 1 {
				list[i], failures[w] = v.session(fmt.Sprint("m", i), nil, nil)
			}
		})
	}
	work.Wait()
	for _, err := range failures {
		if err != nil {
			return nil, err
		}
	}
	return list, nil
}

func (v *visitor) attest(token string, more map[string]any) call {
	body := map[string]any{"profile_id": "acme", "token": token}
	for name, value := range more {
		body[name] = value
	}
	return v.call("attest", token, body)
}

// call is one of the session API; whoever has none is shown the credential.
func (v *visitor) call(name, credential string, body map[string]any) call {
	if !v.api {
		return bearer(credential)
	}
	return call{path: "/v1/b2b/sessions/" + name, body: encoded(body)}
}
