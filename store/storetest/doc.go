// Package storetest is the suite that every store.Store passes.
//
// A backend's own test is a few lines:
//
//	func TestStore(t *testing.T) {
//		storetest.Run(t, func(t *testing.T, clock *storetest.Clock) store.Store {
//			return memory.New(clock.Now)
//		})
//	}
//
// Each case gets a store of its own, empty and closed at the end. Time is
// advanced, never slept: a backend that keeps time by itself registers with
// [Clock.OnAdvance] what moves its records' ends as much nearer. A backend that
// several nodes connect to also passes [RunShared], and one that can be away
// passes [RunOutage].
//
// [Fixtures] holds records as former releases wrote them. A package adds one for
// every format it ever wrote, and reads them all for ever.
package storetest
