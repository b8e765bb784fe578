package admin

import "time"

// A Node is one gateway on the store, as it last told of itself.
type Node struct {
	ID      string `json:"node_id"`
	Version string `json:"version"`
	// Config is a digest of its configuration: gateways with one configuration have
	// one digest.
	Config    string    `json:"config_digest"`
	StartedAt time.Time `json:"started_at"`
	// SeenAt is when it told this, by its own clock. One that is silent for 30 s is not
	// listed.
	SeenAt time.Time `json:"seen_at"`
	// This tells that it is the gateway that answers.
	This bool `json:"this"`
	// Key is the kid that it signs with: all gateways of a store and an algorithm have
	// the same.
	Key string `json:"kid"`
	// WatchLag is for how long it has not heard of changes made elsewhere, in seconds;
	// absent: it never has.
	WatchLag *float64 `json:"watch_lag_seconds,omitempty"`
	// ClockSkew is how far the store's clock is ahead of its own, in seconds; absent: not
	// known.
	ClockSkew *float64 `json:"clock_skew_seconds,omitempty"`
	// Levers are those that it obeys.
	Levers Levers `json:"levers"`
}

// nodes are all gateways on the store; where the others cannot be read, this one.
func (a *Admin) nodes(c *call) []Node {
	list := []Node{}
	known, _ := a.Core.FleetNodes(c.Context()) // that the store is away is told as degraded
	for _, n := range known {
		node := Node{
			ID: n.ID, Version: n.Version, Config: n.Config, StartedAt: n.StartedAt.UTC(), SeenAt: n.SeenAt.UTC(), This: n.ID == a.Core.Node.ID, Key: n.Key,
			Levers: Levers{Frozen: n.Frozen, NotBefore: moment(n.NotBefore), Disabled: append([]string{}, n.Disabled...)},
		}
		if !n.ConnectedAt.IsZero() {
			node.WatchLag = seconds(max(n.SeenAt.Sub(n.ConnectedAt), 0))
		}
		if n.ClockSkew != nil {
			node.ClockSkew = seconds(*n.ClockSkew)
		}
		list = append(list, node)
	}
	return list
}

// seconds is a duration as it is written, to the millisecond.
func seconds(d time.Duration) *float64 {
	s := d.Round(time.Millisecond).Seconds()
	return &s
}
