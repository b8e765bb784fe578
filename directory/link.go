package directory

// candidates are the members whom an assertion's external id and covered email
// name now; nil where it names none.
type candidates struct {
	byExternalID *storedMember
	byEmail      *storedMember
}

// choose is the rule by which a token becomes a member. It answers nil where the
// token names nobody yet.
func (c candidates) choose(a Assertion) (*storedMember, error) {
	if c.differ() {
		return nil, ErrDuplicateExternalID.because("external_id_and_email_name_two_members")
	}
	if a.SecondOnly {
		return c.second(a)
	}
	switch {
	case c.byExternalID != nil:
		return alive(c.byExternalID)
	case c.byEmail != nil:
		return c.linkable(a)
	}
	return nil, nil
}

// differ holds where both are members, and not the same one. A deleted one does
// not count: the token is then the deleted one's, whoever has the email now.
func (c candidates) differ() bool {
	x, e := c.byExternalID, c.byEmail
	return x != nil && e != nil && x.ID != e.ID && !x.deleted() && !e.deleted()
}

// linkable is the member of the covered email, if the token may become one of
// its proofs.
func (c candidates) linkable(a Assertion) (*storedMember, error) {
	m, err := alive(c.byEmail)
	switch {
	case err != nil:
		return nil, err
	case m.hasOther(a):
		// A recycled address: its new holder is not the old one.
		return nil, ErrDuplicateExternalID.because("member_has_another_external_id")
	case m.ExternalIDs.elsewhere(a.Namespace) && !a.verified():
		return nil, ErrDuplicateEmail.because("email_not_verified")
	}
	return m, nil
}

// second is whom a second factor names: exactly one member, who exists, whom it
// need not be linked to.
func (c candidates) second(a Assertion) (*storedMember, error) {
	m := c.byExternalID
	if m == nil {
		m = c.byEmail
	}
	switch {
	case m == nil:
		return nil, ErrMemberMismatch.because("no_such_member")
	case m.deleted():
		return nil, ErrMemberMismatch.because("member_deleted")
	case m.hasOther(a):
		return nil, ErrMemberMismatch.because("member_has_another_external_id")
	}
	return m, nil
}

// hasOther tells whether the namespace knows the member by another id than the
// token's.
func (m *storedMember) hasOther(a Assertion) bool {
	own := m.ExternalIDs[a.Namespace]
	return own != "" && a.ExternalID != "" && own != a.ExternalID
}

// alive refuses a tombstone: no token brings back who was deleted.
func alive(m *storedMember) (*storedMember, error) {
	if m.deleted() {
		return nil, ErrMemberNotFound.because("member_deleted")
	}
	return m, nil
}
