package authn

import (
	"testing"

	"github.com/attestgate/caddy-attest/directory"
)

// A change that is noted while another is being written is not lost with it.
func TestLeverNotedDuringAWrite(t *testing.T) {
	on, off := true, false
	l := NewLevers()
	l.note("p", directory.ProfileChange{Disabled: &on})
	first, _ := l.unwritten("p", directory.ProfileState{})
	l.note("p", directory.ProfileChange{Disabled: &off})
	l.written("p", first)
	if l.settle("p", directory.ProfileState{Disabled: true, Recorded: true}).Disabled {
		t.Error("what was pulled last does not hold")
	}
	second, ok := l.unwritten("p", directory.ProfileState{Disabled: true, Recorded: true})
	if !ok || *second.Disabled {
		t.Errorf("it is not written: %v", ok)
	}
	l.written("p", second)
	if _, ok := l.unwritten("p", directory.ProfileState{Recorded: true}); ok {
		t.Error("it is written again and again")
	}
	if lost, ok := l.unwritten("p", directory.ProfileState{}); !ok || *lost.Disabled {
		t.Error("what a store has lost is not as it was last")
	}
}
