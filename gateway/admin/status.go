package admin

import (
	"time"

	"github.com/attestgate/caddy-attest/trust"
)

// A Status is how the gateway that answers stands, and the others on its store.
type Status struct {
	NodeID    string    `json:"node_id"`
	Version   string    `json:"version"`
	Config    string    `json:"config_digest"`
	StartedAt time.Time `json:"started_at"`
	Issuer    string    `json:"issuer"`
	Compat    bool      `json:"compat"`
	Store     Store     `json:"store"`
	Keys      []Key     `json:"keys"`
	Issuers   []Issuer  `json:"issuers"`
	// Nodes are all gateways on the store, this one included.
	Nodes []Node `json:"nodes"`
	// Degraded is what does not work now; empty: everything does.
	Degraded []Part `json:"degraded"`
}

// A Store is how the store stands.
type Store struct {
	Backend string `json:"backend"`
	// ConnectedAt is the last moment at which every change made elsewhere was heard
	// of. Absent for a store that no other node shares.
	ConnectedAt *time.Time `json:"connected_at,omitempty"`
	// PendingRevocations are those that this node obeys and the store has not taken.
	PendingRevocations int `json:"pending_revocations"`
}

// An Issuer is how the remote keys of a profile stand.
type Issuer struct {
	Profile   string     `json:"profile"`
	FetchedAt *time.Time `json:"fetched_at,omitempty"`
	// Archived tells that the keys are of an earlier run.
	Archived bool   `json:"archived,omitempty"`
	Keys     int    `json:"keys"`
	Error    string `json:"error,omitempty"`
	// Dropped are the keys of the set that cannot be used, with the reason.
	Dropped []string `json:"dropped,omitempty"`
}

func (a *Admin) status(c *call) (any, error) {
	node := a.Core.Node
	return Status{
		NodeID: node.ID, Version: node.Version, Config: node.Config, StartedAt: node.StartedAt.UTC(), Nodes: a.nodes(c),
		Issuer: a.Core.Issuer, Compat: a.Core.Compat, Keys: a.ring(), Issuers: a.issuers(), Degraded: a.Health(c.Context()).Degraded,
		Store: Store{Backend: a.Backend, ConnectedAt: moment(a.Core.ConnectedAt()), PendingRevocations: a.Core.Sessions.Revocations().Len()},
	}, nil
}

func (a *Admin) issuers() []Issuer {
	list := []Issuer{}
	for _, name := range a.Core.Profiles.Names() {
		if keys, ok := a.Keys[name]; ok {
			list = append(list, issuer(name, keys.Status()))
		}
	}
	return list
}

func issuer(profile string, s trust.KeyStatus) Issuer {
	i := Issuer{Profile: profile, FetchedAt: moment(s.FetchedAt), Archived: s.Archived, Keys: s.Keys}
	if s.Err != nil {
		i.Error = s.Err.Error()
	}
	for _, d := range s.Dropped {
		i.Dropped = append(i.Dropped, d.String())
	}
	return i
}

// moment is a time as it is written, or nothing where it has not come.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
