package directory

import "errors"

// subjectState is what the token's external id names.
type subjectState byte

const (
	noSubject    subjectState = iota // the token has no external id
	newSubject                       // it names no member yet
	knownSubject                     // it names a member who is not deleted
)

// holderState is who has the token's covered address.
type holderState byte

const (
	noHolder         holderState = iota // no member, or the token has no covered address
	ownAddress                          // the member of the external id
	unverifiedHolder                    // a member of whose address no verified token has spoken
	verifiedHolder                      // a member whose address a verified token wrote or confirmed
	operatorHolder                      // a member whose address the API wrote
	deletedHolder
)

// outcome is what becomes of a token.
type outcome byte

const (
	impossible    outcome = iota
	create                // a new member, who gets the address if there is one
	createMoving          // a new member, who gets the address of its holder
	createWithout         // a new member; the address is only an unverified_email
	become                // the member of the external id, who gets the address if it is free
	becomeMoving          // the member of the external id, who gets the address of its holder
	becomeWithout         // the member of the external id; the address is only an unverified_email
	link                  // the member of the address, who gets the external id if there is one
	conflict              // refused: external id and address name two members
	unverified            // refused: the address names nobody, and nothing else does
	gone                  // refused: the member of the address was deleted
)

// The rule of linking: an address names a member only if both sides are
// verified, the token's (email_verified, or the operator's word for the profile)
// and the holder's (an earlier verified token, or the operator's word by the API).
// Either side alone is an account pre-hijack: whoever comes first with an
// unverified address would be one member with whoever owns it.
var (
	verifiedLinks = [...][deletedHolder + 1]outcome{
		//             noHolder, ownAddress, unverifiedHolder, verifiedHolder, operatorHolder, deletedHolder
		noSubject:    {create, impossible, createMoving, link, link, gone},
		newSubject:   {create, impossible, createMoving, link, link, gone},
		knownSubject: {become, become, becomeMoving, conflict, conflict, becomeWithout},
	}
	unverifiedLinks = [...][deletedHolder + 1]outcome{
		//             noHolder, ownAddress, unverifiedHolder, verifiedHolder, operatorHolder, deletedHolder
		noSubject:    {unverified, impossible, unverified, unverified, unverified, unverified},
		newSubject:   {create, impossible, createWithout, createWithout, unverified, gone},
		knownSubject: {become, become, becomeWithout, becomeWithout, becomeWithout, becomeWithout},
	}
)

// candidates are the members whom an assertion's external id and covered email
// name now; nil where it names none.
type candidates struct {
	byExternalID *storedMember
	byEmail      *storedMember
	// apart is another member, whom Assertion.Namespace knows by the external id.
	apart *storedMember
}

func (c candidates) outcome(a Assertion) outcome {
	if a.verified() {
		return verifiedLinks[c.subject(a)][c.holder()]
	}
	return unverifiedLinks[c.subject(a)][c.holder()]
}

func (c candidates) subject(a Assertion) subjectState {
	switch {
	case c.byExternalID != nil:
		return knownSubject
	case a.ExternalID != "":
		return newSubject
	}
	return noSubject
}

func (c candidates) holder() holderState {
	m := c.byEmail
	switch {
	case m == nil:
		return noHolder
	case c.byExternalID != nil && c.byExternalID.ID == m.ID:
		return ownAddress
	}
	return m.emailState()
}

// emailState is what kind of holder of its address the member is to others.
func (m *memberRecord) emailState() holderState {
	switch {
	case m.deleted():
		return deletedHolder
	case m.EmailOwner == ByAPI:
		return operatorHolder
	case m.EmailVerified:
		return verifiedHolder
	}
	return unverifiedHolder
}

// choice is whom a token becomes.
type choice struct {
	member *storedMember // nil: a new one
	// loser is the unverified holder who loses the address to the member.
	loser *storedMember
	// withoutEmail tells that the address is another member's.
	withoutEmail bool
}

// choose applies the rule of linking. A token from before the revocation of the address'
// holder makes nobody: who was revoked does not come back as another.
func (c candidates) choose(a Assertion) (choice, error) {
	if c.byExternalID != nil && c.byExternalID.deleted() {
		return choice{}, errMemberDeleted
	}
	switch c.outcome(a) {
	case create:
		return choice{}, nil
	case createMoving:
		return choice{loser: c.byEmail}, a.after(c.byEmail.NotBefore)
	case createWithout:
		return choice{withoutEmail: true}, a.after(c.byEmail.NotBefore)
	case become:
		return choice{member: c.byExternalID}, nil
	case becomeMoving:
		return choice{member: c.byExternalID, loser: c.byEmail}, nil
	case becomeWithout:
		return choice{member: c.byExternalID, withoutEmail: true}, nil
	case link:
		return choice{member: c.byEmail}, c.byEmail.checkSubject(a)
	case conflict:
		return choice{}, ErrIdentityConflict
	case gone:
		return choice{}, errMemberDeleted
	}
	return choice{}, ErrEmailNotVerified
}

// checkSubject refuses a recycled address: the namespace knows its holder by
// another external id than the token's.
func (m *storedMember) checkSubject(a Assertion) error {
	for _, namespace := range a.namespaces() {
		if own := m.ExternalIDs[namespace]; own != "" && a.ExternalID != "" && own != a.ExternalID {
			return ErrDuplicateExternalID.because("member_has_another_external_id")
		}
	}
	return nil
}

// chooseExisting is choose for a second factor: the member must exist, need not
// be linked, and keeps the address it has.
func (c candidates) chooseExisting(a Assertion) (choice, error) {
	chosen, err := c.choose(a)
	switch {
	case errors.Is(err, errMemberDeleted), errors.Is(err, ErrDuplicateExternalID):
		var why *Error
		errors.As(err, &why)
		return choice{}, ErrMemberMismatch.because(why.Reason)
	case err != nil:
		return choice{}, err
	case chosen.member != nil:
		return choice{member: chosen.member}, nil
	case chosen.loser != nil:
		return choice{}, ErrMemberMismatch.because("email_of_member_not_verified")
	case a.Email != "" && !a.verified():
		return choice{}, ErrEmailNotVerified
	}
	return choice{}, ErrMemberMismatch.because("no_such_member")
}

// alive refuses a tombstone: no token brings back who was deleted.
func alive(m *storedMember) (*storedMember, error) {
	if m.deleted() {
		return nil, errMemberDeleted
	}
	return m, nil
}
