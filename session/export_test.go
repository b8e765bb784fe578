package session

// Format is the newest record format, for the fixtures.
const Format = format

// Accesses is how many writes of last accesses a manager remembers.
func Accesses(m *Manager) int { return len(m.accesses.due) }

// MemberTag is the tag that a member's sessions are listed under.
func MemberTag(m *Manager, organizationID, memberID string) string {
	return m.memberTag(organizationID, memberID)
}
